package dev.cgan.train;

import dev.cgan.autograd.Autograd;
import dev.cgan.gan.Generator;
import dev.cgan.gan.ImageShape;
import dev.cgan.nn.Pass;
import dev.cgan.nn.Philox;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.Arrays;

/**
 * The pictures of a run: always the same noise and labels, so that progress shows. A conditional model has one column for
 * each label.
 */
final class SampleGrid {
    private static final int ROWS = 8;
    private static final int MOST_COLUMNS = 20;
    private static final String PURPOSE = "sample.z";

    private final Device device;
    private final ImageShape shape;
    private final Philox random;
    private final int columns;
    private final int[] labels;

    /**
     * Images to be arranged as a picture.
     *
     * @param pixels {@code [n, height, width, channels]} in [-1, 1]
     * @param labels the class of each image
     * @param columns images in a row
     * @param height rows of an image
     * @param width columns of an image
     * @param channels 1 or 3
     */
    record Images(float[] pixels, int[] labels, int columns, int height, int width, int channels) {}

    /**
     * @param generator what will draw
     * @param shape the images
     * @param random the seed's numbers; pictures use step 0
     * @param device where to draw
     */
    SampleGrid(Generator generator, ImageShape shape, Philox random, Device device) {
        this.device = device;
        this.shape = shape;
        this.random = random;
        columns = generator.isConditional() && shape.classes() > 1 ? Math.min(shape.classes(), MOST_COLUMNS) : ROWS;
        labels = new int[ROWS * columns];
        if (generator.isConditional()) {
            Arrays.setAll(labels, i -> i % columns % shape.classes());
        }
    }

    /** Draws the picture's images from fixed noise, in inference mode. */
    Images draw(Generator generator) {
        try (TensorScope _ = device.scope("sample")) {
            Tensor z = generator.noise(random.at(0), PURPOSE, labels.length);
            Tensor y = device.ints(labels);
            float[] pixels = Autograd.noGrad(() -> generator.apply(z, y, Pass.inference()))
                    .toFloats();
            return images(pixels, labels, columns);
        }
    }

    /** Arranges images that a step made, of no known label, as a square. */
    Images arrange(float[] pixels) {
        int count = pixels.length / (shape.height() * shape.width() * shape.channels());
        return images(pixels, new int[count], (int) Math.ceil(Math.sqrt(count)));
    }

    private Images images(float[] pixels, int[] labels, int columns) {
        return new Images(pixels, labels, columns, shape.height(), shape.width(), shape.channels());
    }
}
