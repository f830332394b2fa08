package dev.cgan.cli;

import dev.cgan.gan.Models;
import dev.cgan.io.ConfigException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cgan-cli train}: reads the options; {@link TrainRun} does the work. */
@Command(
        name = "train",
        description = {
            "Trains a model and keeps everything in one folder: settings, metrics, pictures, checkpoints.",
            "Ctrl-C saves and stops; a second one stops at once.",
            ""
        },
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  cgan-cli train                                    the conditional GAN on the bundled MNIST",
            "  cgan-cli train report --steps 500                 the reference experiment, shorter",
            "  cgan-cli train dcgan --data photos --image-size 64 --channels 3",
            "  cgan-cli train --resume runs/0001-cgan-mnist --steps 6000",
            "  cgan-cli train wgan-gp --set critic_steps=3 --dry-run"
        })
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            description =
                    "What to train: cgan, report, dcgan, wgan-gp; `cgan-cli models` explains them (default: cgan).")
    private String model;

    @Option(
            names = "--data",
            arity = "1..*",
            paramLabel = "DATA",
            description = {
                "mnist, fashion-mnist, a folder of PNG or JPEG files (one sub-folder per class), or IDX files:"
                        + " images, then labels, plain or gzipped (default: mnist)."
            })
    private List<String> data;

    @Option(
            names = "--image-size",
            paramLabel = "N",
            description = "Resize and centre-crop images to N x N, a multiple of 4 (default: as the data is).")
    private Integer imageSize;

    @Option(
            names = "--channels",
            paramLabel = "1|3",
            description = "Read images as grey (1) or colour (3) (default: as the data is).")
    private Integer channels;

    @Option(names = "--steps", paramLabel = "N", description = "Steps to train, in all (default: 3000).")
    private Integer steps;

    @Option(names = "--batch", paramLabel = "N", description = "Images in a batch (default: 64).")
    private Integer batch;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "Learning rate of all optimisers (default: the model's).")
    private Double lr;

    @Option(names = "--beta1", paramLabel = "B", description = "Adam's beta1, in [0, 1) (default: the model's).")
    private Double beta1;

    @Option(
            names = "--objective",
            paramLabel = "NAME",
            description = "Loss: non-saturating, minimax, least-squares, hinge, wasserstein (default: the model's).")
    private String objective;

    @Option(
            names = "--conditional",
            description = "Give `report` the labels too; `cgan` always has them (default: off).")
    private Boolean conditional;

    @Option(
            names = "--ema",
            paramLabel = "DECAY",
            description = "Sample from an exponential moving average of the generator, such as 0.999; 0 = off"
                    + " (default: the model's).")
    private Double ema;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of weights, noise and order of the images (default: 42).")
    private Long seed;

    @Mixin
    private DeviceOptions device;

    @Option(
            names = "--graph",
            paramLabel = "auto|off",
            description =
                    "Capture the training step as a CUDA graph and replay it, where the device can (default: auto).")
    private String graph;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder of the run; must be new or empty (default: runs/NNNN-MODEL-DATA).")
    private Path out;

    @Option(
            names = "--resume",
            paramLabel = "RUN",
            description =
                    "Go on with the run in this folder from its newest checkpoint; of the other options only --steps,"
                            + " --sample-every, --checkpoint-every, --device, --kernels, --threads, --precision, --graph and"
                            + " --quiet may be given.")
    private Path resume;

    @Option(
            names = "--sample-every",
            paramLabel = "N",
            description = "Draw a picture every N steps; 0 = never (default: 50).")
    private Integer sampleEvery;

    @Option(
            names = "--checkpoint-every",
            paramLabel = "N",
            description = "Save a checkpoint every N steps; 0 = only at the end (default: 500).")
    private Integer checkpointEvery;

    @Option(
            names = "--keep",
            paramLabel = "K",
            description = "Checkpoints to keep, the last K, beside the best (default: 3).")
    private Integer keep;

    @Option(
            names = "--trace",
            paramLabel = "N",
            description =
                    "Record all that the first N steps drew and read, so that others can replay them (default: 0).")
    private Integer trace;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Read options from a JSON or YAML file (steps: 500 ...); those given here win.")
    private Path config;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Change a setting of the model; `cgan-cli models MODEL` lists them. Repeatable.")
    private List<String> settings = List.of();

    @Option(
            names = "--dry-run",
            description = "Show the networks, the memory and the time needed, measured by a few steps; train nothing.")
    private boolean dryRun;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print warnings and errors only.")
    private boolean quiet;

    @Mixin
    private Verbosity verbosity;

    TrainCommand() {}

    @Override
    public Integer call() throws IOException {
        try {
            TrainRun run = new TrainRun(spec.commandLine().getOut(), quiet, given());
            if (resume != null) {
                return run.resume(resume);
            }
            return dryRun ? run.tryOut(config) : run.begin(config, out);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** {@return what the command line says, by the keys of a configuration} */
    private Map<String, Object> given() {
        Map<String, Object> given = new LinkedHashMap<>();
        List<String> files = data;
        if (model == null && files != null && files.size() > 1 && Models.names().contains(files.getLast())) {
            // `--data mnist report`: an option of several values takes the model, too.
            GivenOptions.put(given, "model", files.getLast());
            files = files.subList(0, files.size() - 1);
        }
        if (conditional != null && config == null && (model == null || model.equals("cgan"))) {
            throw new ConfigException(
                    "--conditional is an option of report; cgan always sees the labels, leave it out");
        }
        GivenOptions.put(given, "model", model);
        GivenOptions.put(given, "data", files);
        GivenOptions.put(given, "image_size", imageSize);
        GivenOptions.put(given, "channels", channels);
        GivenOptions.put(given, "steps", steps);
        GivenOptions.put(given, "batch", batch);
        GivenOptions.put(given, "seed", seed);
        device.putInto(given);
        GivenOptions.put(given, "graph", graph);
        GivenOptions.put(given, "sample_every", sampleEvery);
        GivenOptions.put(given, "checkpoint_every", checkpointEvery);
        GivenOptions.put(given, "keep", keep);
        GivenOptions.put(given, "trace", trace);
        GivenOptions.put(given, "lr", lr);
        GivenOptions.put(given, "beta1", beta1);
        GivenOptions.put(given, "objective", objective);
        GivenOptions.put(given, "conditional", conditional);
        GivenOptions.put(given, "ema", ema);
        for (String setting : settings) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                throw new ConfigException("--set takes KEY=VALUE, such as width=32, not '" + setting + "'");
            }
            given.put(setting.substring(0, equals).trim(), setting.substring(equals + 1));
        }
        return given;
    }
}
