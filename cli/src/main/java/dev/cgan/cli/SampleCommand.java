package dev.cgan.cli;

import dev.cgan.TrainedGenerator;
import dev.cgan.gan.ImageShape;
import dev.cgan.image.ImageGrid;
import dev.cgan.image.PngFiles;
import dev.cgan.io.SafetensorsWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cgan-cli sample}: draws from a trained generator. */
@Command(
        name = "sample",
        description = {"Draws images with a trained generator, as one picture. The same seed draws the same images.", ""
        },
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  cgan-cli sample runs/0001-cgan-mnist --label 7 --count 64 --seed 1 --out seven.png",
            "  cgan-cli sample runs/0001-cgan-mnist --labels all              one column a label",
            "  cgan-cli sample runs/0001-cgan-mnist --label 3 --interpolate   each row changes from one image to another",
            "  cgan-cli sample runs/0001-cgan-mnist --labels all --count 10000 --raw digits.safetensors"
        })
final class SampleCommand implements Callable<Integer> {
    /** Images in a row that changes gradually. */
    private static final int ROW = 8;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "RUN",
            description = "Folder of a run (its newest checkpoint is used), or a checkpoint file.")
    private Path run;

    @Option(
            names = {"--label", "--labels"},
            paramLabel = "LABEL",
            split = ",",
            description = "What to draw: a label's number or name, several with commas, or all (default: all).")
    private String[] labels;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Images in all (default: 64, or 8 for each of several labels).")
    private Integer count;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Seed of the noise (default: 1).")
    private long seed;

    @Option(names = "--interpolate", description = "Let each row of 8 change gradually from one image to another.")
    private boolean interpolate;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "PNG file to write (default: sample.png, unless --raw is given).")
    private Path out;

    @Option(
            names = "--raw",
            paramLabel = "FILE",
            description = "Write safetensors: images F32 [n,h,w,c] in [-1,1], labels I64 [n].")
    private Path raw;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private Verbosity verbosity;

    SampleCommand() {}

    @Override
    public Integer call() throws IOException {
        if (count != null && count < 1) {
            throw new ParameterException(spec.commandLine(), "--count must be at least 1, not " + count);
        }
        try (TrainedGenerator generator = load()) {
            requireRoom(generator.shape());
            int[] chosen = labels(generator);
            if (interpolate) {
                int rows = Math.max(1, (count == null ? 64 : count) / ROW);
                write(generator, generator.interpolate(cycled(chosen, rows), ROW, seed), ROW, repeated(chosen, rows));
            } else {
                int images = count != null ? count : chosen.length == 1 ? 64 : 8 * chosen.length;
                int[] all = cycled(chosen, images);
                write(generator, generator.draw(all, seed), chosen.length == 1 ? 0 : chosen.length, all);
            }
        }
        return 0;
    }

    private TrainedGenerator load() throws IOException {
        try {
            return TrainedGenerator.load(run, device.name());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** All images are held at once: a quarter of the heap may hold them, as floats. */
    private void requireRoom(ImageShape shape) {
        long most = Math.min(Integer.MAX_VALUE / 2, Runtime.getRuntime().maxMemory() / 16)
                / ((long) shape.height() * shape.width() * shape.channels());
        if (count != null && count > most) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--count " + count + " is more than fits into Java's memory, at most " + most + " images of "
                            + shape + "; draw several times, with another --seed each");
        }
    }

    private int[] labels(TrainedGenerator generator) {
        boolean all = labels == null || List.of(labels).contains("all");
        if (!generator.isConditional()) {
            if (labels != null) {
                throw new ParameterException(
                        spec.commandLine(), run + " was trained without labels; leave out --label");
            }
            return new int[] {0};
        }
        int[] chosen = new int[all ? generator.labels().size() : labels.length];
        for (int i = 0; i < chosen.length; i++) {
            try {
                chosen[i] = all ? i : generator.label(labels[i].trim());
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), e.getMessage(), e);
            }
        }
        return chosen;
    }

    private void write(TrainedGenerator generator, float[] images, int columns, int[] all) throws IOException {
        PrintWriter console = spec.commandLine().getOut();
        ImageShape shape = generator.shape();
        if (raw != null) {
            long[] labels64 = Arrays.stream(all).asLongStream().toArray();
            new SafetensorsWriter()
                    .metadata("checkpoint", generator.file().toString())
                    .metadata("seed", Long.toString(seed))
                    .add("images", new long[] {all.length, shape.height(), shape.width(), shape.channels()}, images)
                    .add("labels", new long[] {all.length}, labels64)
                    .write(raw);
            console.println("wrote " + all.length + " images to " + raw);
        }
        if (raw == null || out != null) {
            Path picture = out != null ? out : Path.of("sample.png");
            PngFiles.write(
                    picture,
                    ImageGrid.defaults()
                            .withColumns(columns)
                            .draw(images, shape.height(), shape.width(), shape.channels()));
            console.println("wrote " + all.length + " images to " + picture);
        }
        console.flush();
    }

    /** {@return the labels again and again} */
    private static int[] cycled(int[] labels, int count) {
        int[] all = new int[count];
        Arrays.setAll(all, i -> labels[i % labels.length]);
        return all;
    }

    /** {@return the labels again and again, each for a whole row} */
    private static int[] repeated(int[] labels, int rows) {
        int[] all = new int[rows * ROW];
        Arrays.setAll(all, i -> labels[i / ROW % labels.length]);
        return all;
    }
}
