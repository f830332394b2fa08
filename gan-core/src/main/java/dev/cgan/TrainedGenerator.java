package dev.cgan;

import dev.cgan.autograd.Autograd;
import dev.cgan.gan.Generator;
import dev.cgan.gan.ImageShape;
import dev.cgan.gan.ModelType;
import dev.cgan.image.ImageGrid;
import dev.cgan.io.CheckpointStore;
import dev.cgan.io.RunDirectory;
import dev.cgan.nn.Pass;
import dev.cgan.nn.Philox;
import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import dev.cgan.train.Checkpoint;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A generator that has been trained, ready to draw. The same label and seed always give the same image, up to rounding,
 * whatever the device and whatever else is drawn with it. If the training kept an average of the weights, that draws.
 *
 * <p>Owns a device until it is closed. Use by one thread at a time.
 */
public final class TrainedGenerator implements AutoCloseable {
    /** Images that one pass through the network makes at most. */
    private static final int CHUNK = 256;

    private static final String PURPOSE = "draw.z";

    private final Device device;
    private final Checkpoint checkpoint;
    private final Generator generator;

    private TrainedGenerator(Device device, Checkpoint checkpoint) throws IOException {
        this.device = device;
        this.checkpoint = checkpoint;
        ModelType type = checkpoint.config().modelType();
        generator = type.createGenerator(checkpoint.plan(device));
        String prefix = Checkpoint.hasAverage(checkpoint.file()) ? Checkpoint.AVERAGE : "";
        Map<String, Tensor> wanted = new LinkedHashMap<>();
        generator.stateDict().forEach((name, tensor) -> wanted.put(prefix + name, tensor));
        Checkpoint.restore(checkpoint.file(), wanted, false);
    }

    /**
     * Loads a generator onto the best device.
     *
     * @param path the folder of a run, whose newest checkpoint is used, or a checkpoint file
     * @return the generator, to be closed by the caller
     * @throws dev.cgan.io.InvalidFileException if there is no usable checkpoint
     * @throws IOException if reading fails
     */
    public static TrainedGenerator load(Path path) throws IOException {
        return load(path, "auto");
    }

    /**
     * Loads a generator.
     *
     * @param path as for {@link #load(Path)}
     * @param device such as {@code cpu} or {@code cpu?threads=2}
     * @return the generator, to be closed by the caller
     * @throws dev.cgan.io.InvalidFileException if there is no usable checkpoint
     * @throws IllegalArgumentException if there is no such device
     * @throws IOException if reading fails
     */
    public static TrainedGenerator load(Path path, String device) throws IOException {
        Checkpoint checkpoint = Files.isDirectory(path)
                ? CheckpointStore.readNewest(RunDirectory.open(path).checkpoints(), Checkpoint::read)
                : Checkpoint.read(path);
        Device opened = Device.open(device);
        try {
            return new TrainedGenerator(opened, checkpoint);
        } catch (IOException | RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** {@return the names of the classes; label {@code i} has name {@code i}} */
    public List<String> labels() {
        return checkpoint.labels();
    }

    /** {@return whether labels choose what is drawn} */
    public boolean isConditional() {
        return generator.isConditional();
    }

    /** {@return the size of the images} */
    public ImageShape shape() {
        return checkpoint.images();
    }

    /** {@return after which step of its training it was saved} */
    public long step() {
        return checkpoint.step();
    }

    /** {@return the file that it was loaded from} */
    public Path file() {
        return checkpoint.file();
    }

    /**
     * Draws an image.
     *
     * @param label what of; 0 if the generator is not conditional
     * @param seed decides which
     * @return the picture, in RGB
     * @throws IllegalArgumentException if there is no such label
     */
    public BufferedImage image(int label, long seed) {
        return images(label, 1, seed).getFirst();
    }

    /**
     * Draws several images of one label.
     *
     * @param label as for {@link #image}
     * @param count how many
     * @param seed decides which; the first is that of {@link #image}
     * @return the images
     */
    public List<BufferedImage> images(int label, int count, long seed) {
        List<BufferedImage> images = new ArrayList<>();
        for (float[] values : floats(label, count, seed)) {
            images.add(toImage(values));
        }
        return images;
    }

    /**
     * Draws several images of one label.
     *
     * @param label as for {@link #image}
     * @param count how many
     * @param seed as for {@link #images}
     * @return for each image its values in [-1, 1], in the order row, column, channel
     */
    public float[][] floats(int label, int count, long seed) {
        int[] labels = new int[requireCount(count)];
        Arrays.fill(labels, label);
        float[] all = draw(labels, seed);
        int length = length();
        float[][] images = new float[count][];
        for (int i = 0; i < count; i++) {
            images[i] = Arrays.copyOfRange(all, i * length, (i + 1) * length);
        }
        return images;
    }

    /**
     * Draws images of several labels.
     *
     * @param labels what to draw
     * @param seed decides which
     * @return {@code [n, height, width, channels]} in [-1, 1]
     * @throws IllegalArgumentException if there is no such label
     */
    public float[] draw(int[] labels, long seed) {
        try (TensorScope _ = device.scope("draw")) {
            return generate(generator.noise(random(seed), PURPOSE, labels.length), labels);
        }
    }

    /**
     * Draws rows of images that change gradually from one to another, by noise on the straight line between two draws.
     *
     * @param labels what to draw, one for each row
     * @param columns images in a row, at least 2
     * @param seed decides the ends of the rows
     * @return {@code [rows * columns, height, width, channels]} in [-1, 1]
     */
    public float[] interpolate(int[] labels, int columns, long seed) {
        if (columns < 2) {
            throw new IllegalArgumentException("a row from one image to another has at least 2, not " + columns);
        }
        try (TensorScope _ = device.scope("interpolate")) {
            float[] ends =
                    generator.noise(random(seed), PURPOSE, 2L * labels.length).toFloats();
            int latent = ends.length / (2 * labels.length);
            float[] noise = new float[labels.length * columns * latent];
            int[] all = new int[labels.length * columns];
            for (int i = 0; i < all.length; i++) {
                int row = i / columns;
                float t = (float) (i % columns) / (columns - 1);
                all[i] = labels[row];
                for (int k = 0; k < latent; k++) {
                    float first = ends[2 * row * latent + k];
                    float last = ends[(2 * row + 1) * latent + k];
                    noise[i * latent + k] = first + t * (last - first);
                }
            }
            return generate(device.floats(noise, all.length, latent), all);
        }
    }

    /**
     * Finds a label.
     *
     * @param text its number or its name
     * @return the label
     * @throws IllegalArgumentException listing the labels, if there is no such one
     */
    public int label(String text) {
        int named = labels().indexOf(text);
        if (named >= 0) {
            return named;
        }
        Optional<Integer> number = text.matches("\\d{1,9}") ? Optional.of(Integer.valueOf(text)) : Optional.empty();
        return requireLabel(number.orElseThrow(() -> unknownLabel(text)));
    }

    /**
     * Converts an image.
     *
     * @param values as {@link #floats} gives them
     * @return the picture
     */
    public BufferedImage toImage(float[] values) {
        return ImageGrid.defaults()
                .withGap(0)
                .withZoom(1)
                .draw(values, shape().height(), shape().width(), shape().channels())
                .toBufferedImage();
    }

    /** Frees the device. */
    @Override
    public void close() {
        device.close();
    }

    private RandomSource random(long seed) {
        return new Philox(device, seed).at(0);
    }

    private float[] generate(Tensor noise, int[] labels) {
        for (int label : labels) {
            requireLabel(label);
        }
        float[] all = new float[Math.multiplyExact(labels.length, length())];
        for (int at = 0; at < labels.length; at += CHUNK) {
            int count = Math.min(CHUNK, labels.length - at);
            try (TensorScope _ = device.scope("chunk")) {
                Tensor z = noise.slice(0, at, count);
                Tensor y = device.ints(Arrays.copyOfRange(labels, at, at + count));
                float[] drawn = Autograd.noGrad(() -> generator.apply(z, y, Pass.inference()))
                        .toFloats();
                System.arraycopy(drawn, 0, all, at * length(), drawn.length);
            }
        }
        return all;
    }

    private int length() {
        return shape().height() * shape().width() * shape().channels();
    }

    private int requireLabel(int label) {
        if (label < 0 || label >= labels().size()) {
            throw unknownLabel(Integer.toString(label));
        }
        return label;
    }

    private IllegalArgumentException unknownLabel(String text) {
        return new IllegalArgumentException(
                "unknown label '" + text + "'; this generator knows " + String.join(", ", labels()));
    }

    private static int requireCount(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("cannot draw " + count + " images; ask for at least 1");
        }
        return count;
    }
}
