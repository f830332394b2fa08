package dev.cgan.train;

import dev.cgan.data.Batches;
import dev.cgan.data.Dataset;
import dev.cgan.data.Prefetcher;
import dev.cgan.gan.CommonSettings;
import dev.cgan.gan.ImageShape;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Network;
import dev.cgan.io.CheckpointStore;
import dev.cgan.io.InvalidFileException;
import dev.cgan.io.RunDirectory;
import dev.cgan.metric.MovingAverage;
import dev.cgan.metric.Pace;
import dev.cgan.metric.PairwiseDistance;
import dev.cgan.metric.TrainingMonitor;
import dev.cgan.metric.Warning;
import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Philox;
import dev.cgan.optim.Schedule;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.MemoryReport;
import dev.cgan.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Trains a model: feeds it with data, and looks after scopes, schedules, metrics, pictures, checkpoints and traces.
 *
 * <p>The same configuration, data, device and thread count give the same bits, run after run, and whether the run was
 * interrupted or not. Use by one thread, but for {@link #requestStop}.
 */
public final class Trainer implements AutoCloseable {
    /** Real images of a class whose distances the samples' are compared with. */
    private static final int MEASURED_IMAGES = 64;

    private final TrainConfig config;
    private final Dataset dataset;
    private final TrainListener listener;
    private final Device device;
    private final Philox random;
    private final TrainingState state;
    private final StepRunner runner;
    private final KernelChoices choices;
    private final Batches batches;
    private final ImageShape images;
    private final Schedule schedule;
    private final SampleGrid grid;
    private final Pace pace;
    private final MovingAverage separation = new MovingAverage(0.98);
    private final History history;
    private TrainingMonitor monitor;
    private RunKeeper keeper;
    private Path lastCheckpoint;
    private long step;
    private long savedStep;
    private volatile boolean stopRequested;

    private Trainer(TrainConfig config, Dataset dataset, TrainListener listener, long step, History history) {
        this.config = config;
        this.dataset = dataset;
        this.listener = listener;
        this.step = step;
        this.history = history;
        images = new ImageShape(dataset.height(), dataset.width(), dataset.channels(), dataset.classes());
        schedule = CommonSettings.schedule(config.settings(), config.steps());
        ModelType type = config.modelType();
        type.requireFit(images);
        device = Device.open(config.deviceName());
        choices = new KernelChoices(device, config.deviceName(), listener);
        try {
            random = new Philox(device, config.seed());
            state = new TrainingState(
                    type, new ModelType.Plan(device, images, config.settings(), config.seed(), DType.F32));
            int rows = Math.multiplyExact(config.batch(), state.model().batchesPerStep());
            batches = state.model().usesFileOrder()
                    ? Batches.inFileOrder(dataset, rows)
                    : Batches.shuffled(dataset, rows, config.seed());
            runner = new StepRunner(
                    device,
                    state,
                    random,
                    new LabelPrior(dataset, device),
                    Shape.of(rows, images.height(), images.width(), images.channels()),
                    config.graph().equals("auto"),
                    this::declined);
            grid = new SampleGrid(state.drawing(), images, random, device);
            pace = new Pace(rows);
        } catch (RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    /**
     * Prepares a new training. Nothing is kept on disk unless {@link #keepIn} says where.
     *
     * @param config what to train, and how long
     * @param dataset what to learn from
     * @param listener is told what happens
     * @return the trainer, to be closed by the caller
     * @throws IllegalArgumentException if the data does not suit the model
     */
    public static Trainer create(TrainConfig config, Dataset dataset, TrainListener listener) {
        return new Trainer(config, dataset, listener, 0, new History());
    }

    /**
     * Prepares to go on with a run from its newest checkpoint.
     *
     * @param run the run
     * @param config its configuration, with the changes wanted
     * @param dataset its data
     * @param listener is told what happens
     * @return the trainer, to be closed by the caller
     * @throws InvalidFileException if the run has no usable checkpoint, or one of another model
     * @throws IllegalArgumentException if the data is not what the run was trained on
     * @throws IOException if reading or writing fails
     */
    public static Trainer resume(RunDirectory run, TrainConfig config, Dataset dataset, TrainListener listener)
            throws IOException {
        Checkpoint checkpoint = CheckpointStore.readNewest(run.checkpoints(), Checkpoint::read);
        requireSameModel(checkpoint, config);
        requireSameData(checkpoint, dataset);
        Trainer trainer = new Trainer(config, dataset, listener, checkpoint.step(), checkpoint.history());
        try {
            trainer.device.keepPlan(run.plan());
            trainer.state.restore(checkpoint.file());
            trainer.keeper = RunKeeper.resume(run, config, checkpoint.step());
            trainer.lastCheckpoint = checkpoint.file();
            trainer.savedStep = checkpoint.step();
            return trainer;
        } catch (IOException | RuntimeException | Error e) {
            trainer.close();
            throw e;
        }
    }

    /**
     * Keeps the run in a folder.
     *
     * @param run a new run
     * @throws IOException if the file system refuses
     */
    public void keepIn(RunDirectory run) throws IOException {
        keeper = RunKeeper.create(run, config);
        device.keepPlan(run.plan());
    }

    /** {@return the device and, on further lines, which kernels served what so far} */
    public String deviceReport() {
        return device.describe();
    }

    /** Asks {@link #run} to finish the step it is making, to save, and to return. May be called by any thread. */
    public void requestStop() {
        stopRequested = true;
    }

    /**
     * Trains until the last step, or until someone asks to stop, and saves.
     *
     * @return how it ended
     * @throws TrainingDivergedException if a loss is not finite; the last good checkpoint stays
     * @throws IOException if the file system refuses
     */
    public TrainResult run() throws IOException {
        listener.onStart(new TrainStart(
                config.model(), device.summary(), describe(dataset), step + 1, config.steps(), folder()));
        choices.start();
        if (keeper != null && step == 0 && config.trace() > 0) {
            keeper.traceStart(state.networks());
        }
        try (Prefetcher feed = new Prefetcher(batches, step + 1)) {
            while (step < config.steps() && !stopRequested) {
                train(feed);
            }
            if (keeper != null && savedStep < step) {
                save();
            }
        } catch (IOException | RuntimeException | Error e) {
            try {
                summarize();
            } catch (IOException | RuntimeException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
        summarize();
        return new TrainResult(step, step >= config.steps(), Optional.ofNullable(lastCheckpoint));
    }

    /** {@return the folder that the run is kept in; empty if nothing is kept} */
    public Optional<Path> folder() {
        return Optional.ofNullable(keeper).map(RunKeeper::folder);
    }

    /** {@return the layers of each network, for batches of the configured size} */
    public Map<String, List<LayerInfo>> describe() {
        Map<String, List<LayerInfo>> networks = new LinkedHashMap<>();
        for (Network network : state.model().networks()) {
            networks.put(network.name(), network.player().describe(config.batch()));
        }
        return networks;
    }

    /** {@return the last step that was made} */
    public long step() {
        return step;
    }

    /** {@return whether steps are replayed from a captured graph; so from the second one on, if they are at all} */
    public boolean replays() {
        return runner.replays();
    }

    /** {@return the device's memory, for estimates and tests} */
    public MemoryReport memory() {
        return device.memory();
    }

    /** Frees the model and the device. What was not saved is lost. */
    @Override
    public void close() throws IOException {
        try (device;
                runner) {
            if (keeper != null) {
                keeper.close();
            }
        }
    }

    private void train(Prefetcher feed) throws IOException {
        long begin = System.nanoTime();
        long number = step + 1;
        boolean pictured = keeper != null && isDue(number, config.sampleEvery());
        boolean traced = keeper != null && number <= config.trace();
        SampleGrid.Images picture = null;
        Figures figures;
        if (!runner.holds(number)) {
            runner.upload(feed.next());
        }
        try (StepRunner.Made made = runner.make(number, schedule.at(number), traced)) {
            if (number < config.steps() && feed.isReady()) {
                runner.upload(feed.next()); // while the step runs
            }
            figures = Figures.read(made.figures());
            if (pictured && state.model().showsStepImages()) {
                picture = grid.arrange(made.images().toFloats());
            }
            if (traced) {
                keeper.trace(number, made.real(), made.draws(), figures);
            }
        }
        step = number;
        double seconds = (System.nanoTime() - begin) / 1e9;
        if (!runner.replays()) {
            choices.tell();
        }
        record(figures, seconds);
        requireFinite(figures.whatIsNotFinite());
        if (pictured) {
            show(picture == null ? grid.draw(state.drawing()) : picture);
        }
        if (keeper != null && isDue(step, config.checkpointEvery()) && step < config.steps()) {
            save();
            keeper.drawCurves(title(), history);
        }
    }

    private void declined(String why) {
        listener.onWarning("the training step is not captured as a graph, and so runs operator by operator: " + why
                + "; --graph off tells that this is meant");
    }

    private void record(Figures figures, double seconds) throws IOException {
        MemoryReport memory = device.memory();
        pace.add(seconds);
        separation.add((double) figures.real() - figures.fake());
        history.add(step, figures.discriminatorLoss(), figures.generatorLoss(), figures.real(), figures.fake());
        if (keeper != null) {
            keeper.record(step, figures, seconds, memory.liveBytes());
        }
        listener.onStep(new Progress(
                step,
                config.steps(),
                figures.discriminatorLoss(),
                figures.generatorLoss(),
                figures.real(),
                figures.fake(),
                seconds,
                pace.imagesPerSecond(),
                pace.secondsLeft(config.steps() - step),
                memory.liveBytes(),
                memory.nativeLiveBytes() + memory.nativeWorkspaceBytes()));
        if (figures.whatIsNotFinite().isEmpty()) {
            warn(monitor()
                    .step(step, figures.discriminatorLoss(), figures.generatorLoss(), figures.real(), figures.fake()));
        }
    }

    private void show(SampleGrid.Images picture) throws IOException {
        Path file = keeper.picture(step, picture);
        listener.onSample(step, file);
        // Images of a step have other noise each time and no known labels, so they do not show whether samples
        // collapse.
        SampleGrid.Images judged = state.model().showsStepImages() ? grid.draw(state.drawing()) : picture;
        int length = images.height() * images.width() * images.channels();
        warn(monitor().samples(step, judged.pixels(), length, judged.labels()));
    }

    /** The best checkpoint is the one up to which D told real from generated least; it says nothing of beauty. */
    private void save() throws IOException {
        requireFinite(state.notFinite().map(name -> "parameter " + name + " is not finite"));
        double score = Math.abs(separation.value());
        lastCheckpoint = keeper.save(
                step,
                score,
                file -> Checkpoint.write(
                        new Checkpoint(file, config, images, dataset.classNames(), step, dataset.size(), history),
                        state.tensors()));
        savedStep = step;
        listener.onCheckpoint(step, lastCheckpoint);
    }

    private void summarize() throws IOException {
        if (keeper != null) {
            keeper.drawCurves(title(), history);
            keeper.animate();
        }
    }

    private void requireFinite(Optional<String> whatIsNot) {
        whatIsNot.ifPresent(what -> {
            throw new TrainingDivergedException(step, what, Optional.ofNullable(lastCheckpoint));
        });
    }

    private void warn(Optional<Warning> warning) {
        warning.map(Warning::text).ifPresent(listener::onWarning);
    }

    /** Made when it is first needed: measuring the real images takes a moment. */
    private TrainingMonitor monitor() {
        if (monitor == null) {
            boolean probabilities = state.model().objective().givesProbabilities();
            boolean byClass = state.model().generator().isConditional();
            monitor = new TrainingMonitor(probabilities, realDistances(byClass));
        }
        return monitor;
    }

    private double[] realDistances(boolean byClass) {
        if (byClass) {
            return PairwiseDistance.ofDataset(dataset, MEASURED_IMAGES, config.seed());
        }
        int count = Math.min(MEASURED_IMAGES, dataset.size());
        byte[] pixels = new byte[count * dataset.imageBytes()];
        for (int i = 0; i < count; i++) {
            dataset.read((int) ((long) i * dataset.size() / count), pixels, i * dataset.imageBytes());
        }
        float[] values = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            values[i] = ((pixels[i] & 0xff) - 127.5f) / 127.5f;
        }
        return new double[] {PairwiseDistance.mean(values, dataset.imageBytes())};
    }

    private String title() {
        return config.model() + " on " + dataset.name();
    }

    private static void requireSameModel(Checkpoint checkpoint, TrainConfig config) throws InvalidFileException {
        if (!checkpoint.config().model().equals(config.model())) {
            throw new InvalidFileException(
                    checkpoint.file(),
                    "a checkpoint of model " + checkpoint.config().model() + ", but this run trains " + config.model(),
                    "resume with a checkpoint of " + config.model());
        }
        if (!checkpoint.config().settings().equals(config.settings())) {
            throw new InvalidFileException(
                    checkpoint.file(),
                    "a checkpoint of other settings: " + checkpoint.config().settings() + ", but this run has "
                            + config.settings(),
                    "resume with the settings of the checkpoint");
        }
    }

    private static void requireSameData(Checkpoint checkpoint, Dataset dataset) {
        ImageShape trained = checkpoint.images();
        boolean same = trained.height() == dataset.height()
                && trained.width() == dataset.width()
                && trained.channels() == dataset.channels()
                && checkpoint.labels().equals(dataset.classNames())
                && checkpoint.dataImages() == dataset.size();
        if (!same) {
            throw new IllegalArgumentException("the run was trained on " + checkpoint.dataImages() + " images of "
                    + trained + " in " + checkpoint.labels().size() + " classes, but the data is "
                    + describe(dataset) + "; resume with the same data");
        }
    }

    private static boolean isDue(long step, int every) {
        return every > 0 && step % every == 0;
    }

    private static String describe(Dataset dataset) {
        return dataset.name() + ": " + dataset.size() + " images of " + dataset.height() + "x" + dataset.width() + "x"
                + dataset.channels() + " in " + dataset.classes() + (dataset.classes() == 1 ? " class" : " classes");
    }
}
