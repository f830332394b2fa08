package dev.cgan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.cgan.data.MemoryDataset;
import dev.cgan.image.Pixels;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainedGeneratorTest {
    @TempDir
    static Path folder;

    @BeforeAll
    static void train() throws IOException {
        for (String model : List.of("cgan", "dcgan")) {
            Training.builder()
                    .model(model)
                    .data(data())
                    .steps(6)
                    .set("width", 2)
                    .set("latent", 4)
                    .set("batch", 4)
                    .set("device", "cpu")
                    .out(folder.resolve(model))
                    .run();
        }
    }

    private static MemoryDataset data() {
        Random random = new Random(2);
        List<Pixels> images = new ArrayList<>();
        int[] labels = new int[12];
        for (int i = 0; i < labels.length; i++) {
            byte[] pixels = new byte[8 * 8 * 3];
            random.nextBytes(pixels);
            images.add(new Pixels(8, 8, 3, pixels));
            labels[i] = i % 3;
        }
        return MemoryDataset.of("colours", images, labels, List.of("red", "green", "blue"));
    }

    private static TrainedGenerator load(String model) throws IOException {
        return TrainedGenerator.load(folder.resolve(model), "cpu");
    }

    /** Equal up to rounding: how many images one pass makes may decide how they are computed. */
    private static void requireClose(float[] wanted, float[] got) {
        assertThat(got).hasSameSizeAs(wanted).isNotEmpty();
        for (int i = 0; i < wanted.length; i++) {
            if (!(Math.abs(wanted[i] - got[i]) <= 1e-5)) {
                fail("value %d is %s, not %s", i, got[i], wanted[i]);
            }
        }
    }

    @Test
    void imageDependsOnLabelAndSeedAlone() throws IOException {
        try (TrainedGenerator generator = load("cgan");
                TrainedGenerator again = load("cgan")) {
            float[] one = generator.floats(1, 1, 5)[0];
            assertThat(generator.floats(1, 1, 5)[0]).isEqualTo(one);
            requireClose(one, generator.floats(1, 3, 5)[0]);
            requireClose(one, Arrays.copyOf(again.draw(new int[] {1, 2, 0}, 5), one.length));
            assertThat(generator.floats(2, 1, 5)[0]).isNotEqualTo(one);
            assertThat(generator.floats(1, 1, 6)[0]).isNotEqualTo(one);
            assertThat(generator.floats(1, 2, 5)[1]).isNotEqualTo(one);
            for (float value : one) {
                assertThat(value).isBetween(-1f, 1f);
            }
        }
    }

    @Test
    void manyImagesEqualFew() throws IOException {
        try (TrainedGenerator generator = load("cgan")) {
            int[] labels = new int[600];
            Arrays.setAll(labels, i -> i % 3);
            float[] many = generator.draw(labels, 9);
            float[] few = generator.draw(Arrays.copyOf(labels, 3), 9);
            assertThat(many).hasSize(600 * 8 * 8 * 3);
            requireClose(few, Arrays.copyOf(many, few.length));
        }
    }

    @Test
    void picturesHaveThePixels() throws IOException {
        try (TrainedGenerator generator = load("cgan")) {
            BufferedImage image = generator.image(0, 3);
            float[] values = generator.floats(0, 1, 3)[0];
            int compared = 0;
            for (int y = 0; y < 8; y++) {
                for (int x = 0; x < 8; x++) {
                    int at = (y * 8 + x) * 3;
                    int rgb = (int) (values[at] * 127.5f + 127.5f) << 16
                            | (int) (values[at + 1] * 127.5f + 127.5f) << 8
                            | (int) (values[at + 2] * 127.5f + 127.5f);
                    assertThat(image.getRGB(x, y) & 0xffffff).isEqualTo(rgb);
                    compared++;
                }
            }
            assertThat(compared).isEqualTo(64);
            assertThat(generator.images(0, 2, 3)).hasSize(2);
        }
    }

    @Test
    void interpolationGoesFromOneImageToAnother() throws IOException {
        try (TrainedGenerator generator = load("cgan")) {
            float[] row = generator.interpolate(new int[] {1, 1}, 5, 4);
            float[] ends = generator.draw(new int[] {1, 1, 1, 1}, 4);
            int length = 8 * 8 * 3;
            assertThat(row).hasSize(10 * length);
            requireClose(Arrays.copyOf(ends, length), Arrays.copyOf(row, length));
            requireClose(Arrays.copyOfRange(ends, length, 2 * length), Arrays.copyOfRange(row, 4 * length, 5 * length));
            assertThat(Arrays.copyOfRange(row, 2 * length, 3 * length)).isNotEqualTo(Arrays.copyOf(ends, length));
            assertThatThrownBy(() -> generator.interpolate(new int[] {1}, 1, 4))
                    .hasMessage("a row from one image to another has at least 2, not 1");
        }
    }

    @Test
    void labelsHaveNumbersAndNames() throws IOException {
        try (TrainedGenerator generator = load("cgan")) {
            assertThat(generator.labels()).containsExactly("red", "green", "blue");
            assertThat(generator.label("green")).isEqualTo(1);
            assertThat(generator.label("2")).isEqualTo(2);
            assertThat(generator.isConditional()).isTrue();
            assertThat(generator.step()).isEqualTo(6);
            assertThat(generator.shape().toString()).isEqualTo("8x8x3");
            for (String unknown : List.of("3", "-1", "violet", "")) {
                assertThatThrownBy(() -> generator.label(unknown))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("unknown label '" + unknown + "'; this generator knows red, green, blue");
            }
            assertThatThrownBy(() -> generator.image(3, 1))
                    .hasMessage("unknown label '3'; this generator knows red, green, blue");
            assertThatThrownBy(() -> generator.images(1, 0, 1)).hasMessage("cannot draw 0 images; ask for at least 1");
        }
    }

    @Test
    void unconditionalGeneratorDrawsToo() throws IOException {
        try (TrainedGenerator generator = load("dcgan")) {
            assertThat(generator.isConditional()).isFalse();
            assertThat(generator.floats(0, 2, 1)).hasDimensions(2, 8 * 8 * 3);
        }
    }

    @Test
    void averageDrawsWhereThereIsOne() throws IOException {
        Path plain = folder.resolve("plain");
        Training.builder()
                .data(data())
                .steps(6)
                .set("width", 2)
                .set("latent", 4)
                .set("batch", 4)
                .set("device", "cpu")
                .set("ema", 0)
                .out(plain)
                .run();
        try (TrainedGenerator average = load("cgan");
                TrainedGenerator last = TrainedGenerator.load(plain, "cpu")) {
            // Both runs have the same weights; only what draws differs.
            assertThat(average.floats(0, 1, 1)[0]).isNotEqualTo(last.floats(0, 1, 1)[0]);
        }
    }

    @Test
    void wrongFilesAreNamed() throws IOException {
        assertThatThrownBy(() -> TrainedGenerator.load(folder.resolve("none")))
                .hasMessage(folder.resolve("none") + ": no such file; check the path");
        Path other = Files.createDirectory(folder.resolve("other"));
        assertThatThrownBy(() -> TrainedGenerator.load(other))
                .hasMessage(other + ": not the folder of a run: it has no config.json;"
                        + " name the folder that `train` printed");
        Path text = Files.writeString(folder.resolve("text"), "not a checkpoint at all");
        assertThatThrownBy(() -> TrainedGenerator.load(text)).hasMessageStartingWith(text + ": not a safetensors file");
    }
}
