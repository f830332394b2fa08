package dev.cgan.cli;

import dev.cgan.data.Dataset;
import dev.cgan.data.DatasetOptions;
import dev.cgan.data.Datasets;
import dev.cgan.io.ConfigException;
import dev.cgan.io.ConfigFile;
import dev.cgan.io.InvalidFileException;
import dev.cgan.io.RunDirectory;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainResult;
import dev.cgan.train.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Begins, resumes or tries out a training on behalf of {@link TrainCommand}. */
final class TrainRun {
    /** What may differ when a run is resumed: all else would make it another run. */
    private static final List<String> RESUMABLE = List.of(
            "model",
            "data",
            "steps",
            "device",
            "kernels",
            "threads",
            "precision",
            "graph",
            "sample_every",
            "checkpoint_every",
            "keep");

    private final PrintWriter out;
    private final boolean quiet;
    private final Map<String, Object> given;

    /**
     * @param out where to print
     * @param quiet print warnings and errors only
     * @param given what the command line says, by the keys of {@link TrainConfig#of}
     */
    TrainRun(PrintWriter out, boolean quiet, Map<String, Object> given) {
        this.out = out;
        this.quiet = quiet;
        this.given = given;
    }

    /** Trains from the first step. */
    int begin(Path configFile, Path folder) throws IOException {
        TrainConfig config = configuration(configFile);
        Dataset data = open(config);
        ProgressPrinter printer = printer();
        try (Trainer trainer = create(config, data, printer)) {
            trainer.keepIn(
                    folder != null
                            ? RunDirectory.createAt(folder)
                            : RunDirectory.create(Path.of("runs"), config.model() + "-" + shortName(data)));
            return run(trainer, printer);
        }
    }

    /** Goes on with a run. */
    int resume(Path folder) throws IOException {
        RunDirectory run = RunDirectory.open(folder);
        TrainConfig before = recorded(run);
        if (given.containsKey("model") && !given.get("model").equals(before.model())) {
            throw new ConfigException(
                    folder + " trains " + before.model() + ", not " + given.get("model") + "; leave the model out");
        }
        for (String key : given.keySet()) {
            if (!RESUMABLE.contains(key)) {
                throw new ConfigException("--" + key.replace('_', '-') + " cannot change when a run is resumed;"
                        + " start a new run, or leave it out");
            }
        }
        TrainConfig config = before.with(given);
        Dataset data = open(config);
        ProgressPrinter printer = printer();
        try (Trainer trainer = resume(run, config, data, printer)) {
            if (trainer.step() >= config.steps()) {
                throw new ConfigException(folder + " has already made " + trainer.step() + " steps of " + config.steps()
                        + "; ask for more with --steps");
            }
            return run(trainer, printer);
        }
    }

    /** Shows what a training would be, from a few steps whose results are thrown away. */
    int tryOut(Path configFile) throws IOException {
        TrainConfig config = configuration(configFile);
        DryRun.print(out, config, open(config));
        return 0;
    }

    private int run(Trainer trainer, ProgressPrinter printer) throws IOException {
        try (Interrupts interrupts = Interrupts.listen(() -> {
            printer.interrupted();
            trainer.requestStop();
        })) {
            TrainResult result;
            try {
                result = trainer.run();
            } finally {
                printer.endLine();
            }
            Path folder = trainer.folder().orElseThrow();
            if (!result.finished() && interrupts.exitCode() != 0) {
                printer.say("stopped after step " + result.step() + "; go on with: " + Main.program()
                        + " train --resume " + folder);
                return interrupts.exitCode();
            }
            printer.say("done; draw from it with: " + Main.program() + " sample " + folder);
            return 0;
        }
    }

    private TrainConfig configuration(Path file) throws IOException {
        Map<String, Object> values = new LinkedHashMap<>();
        if (file != null) {
            try {
                values.putAll(TrainConfig.of(ConfigFile.read(file)).toMap());
            } catch (ConfigException e) {
                throw new ConfigException(file + ": " + e.getMessage(), e);
            }
        }
        Object model = given.get("model");
        if (model != null && !model.equals(values.put("model", model))) {
            values.remove("settings"); // those of a file's model mean nothing to another one
        }
        return TrainConfig.of(values).with(given);
    }

    private static TrainConfig recorded(RunDirectory run) throws IOException {
        try {
            return TrainConfig.of(ConfigFile.read(run.config()));
        } catch (ConfigException e) {
            throw new InvalidFileException(run.config(), e.getMessage(), "correct it, or start a new run", e);
        }
    }

    private static Trainer create(TrainConfig config, Dataset data, ProgressPrinter printer) {
        try {
            return Trainer.create(config, data, printer);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    private static Trainer resume(RunDirectory run, TrainConfig config, Dataset data, ProgressPrinter printer)
            throws IOException {
        try {
            return Trainer.resume(run, config, data, printer);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    private static Dataset open(TrainConfig config) throws IOException {
        return Datasets.open(
                config.data(),
                DatasetOptions.defaults().withImageSize(config.imageSize()).withChannels(config.channels()));
    }

    private ProgressPrinter printer() {
        int width = !quiet && Terminal.isInteractive() ? Terminal.width() : 0;
        return new ProgressPrinter(out, width, quiet, System::nanoTime);
    }

    private static String shortName(Dataset data) {
        Path name = Path.of(data.name()).getFileName();
        return name == null ? "data" : name.toString();
    }
}
