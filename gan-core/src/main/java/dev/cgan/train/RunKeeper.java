package dev.cgan.train;

import dev.cgan.gan.Batch;
import dev.cgan.image.AnimatedGif;
import dev.cgan.image.ImageGrid;
import dev.cgan.image.LossPlot;
import dev.cgan.image.PngFiles;
import dev.cgan.io.CheckpointStore;
import dev.cgan.io.ConfigFile;
import dev.cgan.io.Json;
import dev.cgan.io.MetricsLog;
import dev.cgan.io.RunDirectory;
import dev.cgan.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Writes everything that a run keeps into its folder. */
final class RunKeeper implements AutoCloseable {
    private static final int FRAME_MILLIS = 120;

    private final RunDirectory run;
    private final RunDirectory.Claim claim;
    private final MetricsLog metrics;
    private final CheckpointStore checkpoints;
    private final Map<String, String> about;

    private RunKeeper(
            RunDirectory run,
            RunDirectory.Claim claim,
            MetricsLog metrics,
            CheckpointStore checkpoints,
            TrainConfig config) {
        this.run = run;
        this.claim = claim;
        this.metrics = metrics;
        this.checkpoints = checkpoints;
        about = Map.of("model", config.model(), "config", Json.write(config.toMap()));
    }

    /** Begins a new run. */
    static RunKeeper create(RunDirectory run, TrainConfig config) throws IOException {
        return open(run, config, 0);
    }

    /** Goes on with a run after a step; what it kept of later steps is removed. */
    static RunKeeper resume(RunDirectory run, TrainConfig config, long step) throws IOException {
        RunKeeper keeper = open(run, config, step);
        try {
            keeper.checkpoints.removeAfter(step);
            for (Path picture : keeper.pictures()) {
                if (pictureStep(picture) > step) {
                    Files.deleteIfExists(picture);
                }
            }
            return keeper;
        } catch (IOException | RuntimeException | Error e) {
            keeper.close();
            throw e;
        }
    }

    private static RunKeeper open(RunDirectory run, TrainConfig config, long step) throws IOException {
        RunDirectory.Claim claim = run.claim();
        try {
            ConfigFile.write(run.config(), config.toMap());
            MetricsLog metrics = MetricsLog.resume(run.metrics(), step);
            try {
                CheckpointStore checkpoints = CheckpointStore.open(run.checkpoints(), config.keep());
                return new RunKeeper(run, claim, metrics, checkpoints, config);
            } catch (IOException | RuntimeException | Error e) {
                metrics.close();
                throw e;
            }
        } catch (IOException | RuntimeException | Error e) {
            claim.close();
            throw e;
        }
    }

    Path folder() {
        return run.path();
    }

    /** Adds a line of metrics. */
    void record(long step, Figures figures, double seconds, long liveBytes) throws IOException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.putAll(figures.toMap());
        line.put("seconds", seconds);
        line.put("live_bytes", liveBytes);
        metrics.append(line);
    }

    /** Writes a picture of images. */
    Path picture(long step, SampleGrid.Images images) throws IOException {
        Path file = run.sample(step);
        PngFiles.write(
                file,
                ImageGrid.defaults()
                        .withColumns(images.columns())
                        .withTitle("iteration: " + step)
                        .draw(images.pixels(), images.height(), images.width(), images.channels()));
        return file;
    }

    /** Saves a checkpoint of a step. */
    Path save(long step, double score, CheckpointStore.Writer writer) throws IOException {
        return checkpoints.save(step, score, writer);
    }

    void traceStart(Map<String, Tensor> state) throws IOException {
        trace().begin(state);
    }

    void trace(long step, Batch real, Map<String, Tensor> draws, Figures figures) throws IOException {
        trace().step(step, real, draws, figures.toMap());
    }

    /** Draws the curves anew. */
    void drawCurves(String title, History history) throws IOException {
        if (history.size() > 0) {
            PngFiles.write(
                    run.losses(),
                    LossPlot.draw(
                            title,
                            history.column("step"),
                            history.column("d_loss"),
                            history.column("g_loss"),
                            history.column("d_real"),
                            history.column("d_fake")));
        }
    }

    /** Makes the animation anew. */
    void animate() throws IOException {
        List<Path> pictures = pictures();
        if (!pictures.isEmpty()) {
            AnimatedGif.write(run.animation(), pictures, FRAME_MILLIS);
        }
    }

    @Override
    public void close() throws IOException {
        try (claim) {
            metrics.close();
        }
    }

    private Trace trace() throws IOException {
        return new Trace(run.trace(), about);
    }

    /** {@return the pictures in the order of their steps} */
    private List<Path> pictures() throws IOException {
        try (Stream<Path> files = Files.list(run.samples())) {
            List<Path> pictures = new ArrayList<>(
                    files.filter(file -> file.getFileName().toString().matches("\\d{4,18}\\.png"))
                            .toList());
            pictures.sort(Comparator.comparingLong(RunKeeper::pictureStep));
            return pictures;
        }
    }

    private static long pictureStep(Path picture) {
        String name = picture.getFileName().toString();
        return Long.parseLong(name.substring(0, name.length() - ".png".length()));
    }
}
