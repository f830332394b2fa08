package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.io.SafetensorsFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SampleCommandTest {
    @TempDir
    static Path folder;

    private static Path run;
    private static Path unconditional;

    @BeforeAll
    static void train() throws IOException {
        run = folder.resolve("run");
        Cli cli = Cli.call(TinyData.train(folder, "--steps", "3", "--out", run.toString()));
        assertThat(cli.code()).as(cli.err()).isZero();
        unconditional = folder.resolve("dcgan");
        Cli other = Cli.call(
                "train",
                "dcgan",
                "--data",
                TinyData.write(folder),
                "--steps",
                "1",
                "--batch",
                "4",
                "--set",
                "width=2",
                "--out",
                unconditional.toString());
        assertThat(other.code()).as(other.err()).isZero();
    }

    private static Cli sample(String... more) {
        String[] args = Arrays.copyOf(new String[] {"sample", run.toString()}, 2 + more.length);
        System.arraycopy(more, 0, args, 2, more.length);
        return Cli.call(args);
    }

    @Test
    void pictureOfOneLabelIsASquare() throws IOException {
        Path out = folder.resolve("two.png");
        Cli cli = sample("--label", "2", "--count", "16", "--seed", "1", "--out", out.toString());
        assertThat(cli).isEqualTo(new Cli(0, "wrote 16 images to " + out + "\n", ""));
        BufferedImage picture = ImageIO.read(out.toFile());
        assertThat(picture.getWidth()).isEqualTo(picture.getHeight());
        byte[] first = Files.readAllBytes(out);
        sample("--label", "2", "--count", "16", "--seed", "1", "--out", out.toString());
        assertThat(Files.readAllBytes(out)).isEqualTo(first);
        sample("--label", "2", "--count", "16", "--seed", "2", "--out", out.toString());
        assertThat(Files.readAllBytes(out)).isNotEqualTo(first);
    }

    @Test
    void rawHasImagesAndLabels() throws IOException {
        Path raw = folder.resolve("raw.safetensors");
        Cli cli = sample("--labels", "all", "--count", "7", "--raw", raw.toString());
        assertThat(cli).isEqualTo(new Cli(0, "wrote 7 images to " + raw + "\n", ""));
        try (SafetensorsFile file = SafetensorsFile.open(raw)) {
            assertThat(file.entry("images").shape()).containsExactly(7L, 8L, 8L, 1L);
            for (float value : file.floats("images")) {
                assertThat(value).isBetween(-1f, 1f);
            }
            assertThat(file.longs("labels")).containsExactly(0, 1, 2, 0, 1, 2, 0);
        }
    }

    @Test
    void severalLabelsHaveOneColumnEach() throws IOException {
        Path raw = folder.resolve("several.safetensors");
        Path out = folder.resolve("several.png");
        Cli cli = sample("--labels", "2,0", "--raw", raw.toString(), "--out", out.toString());
        assertThat(cli.code()).isZero();
        try (SafetensorsFile file = SafetensorsFile.open(raw)) {
            assertThat(file.longs("labels")).hasSize(16).startsWith(2, 0, 2, 0);
        }
        BufferedImage picture = ImageIO.read(out.toFile());
        assertThat(picture.getHeight()).isGreaterThan(3 * picture.getWidth());
    }

    @Test
    void interpolationHasRowsOfEight() throws IOException {
        Path raw = folder.resolve("rows.safetensors");
        Cli cli = sample("--labels", "1,2", "--interpolate", "--count", "24", "--raw", raw.toString());
        assertThat(cli.code()).as(cli.err()).isZero();
        try (SafetensorsFile file = SafetensorsFile.open(raw)) {
            long[] labels = file.longs("labels");
            assertThat(labels).hasSize(24);
            for (int i = 0; i < labels.length; i++) {
                assertThat(labels[i]).isEqualTo(i / 8 % 2 + 1);
            }
        }
    }

    @Test
    void checkpointFileServesAsWell() {
        Path out = folder.resolve("file.png");
        Cli cli = Cli.call(
                "sample", run.resolve("checkpoints/step-00000003.safetensors").toString(), "--out", out.toString());
        assertThat(cli.code()).as(cli.err()).isZero();
        assertThat(out).isRegularFile();
    }

    @Test
    void unknownLabelIsAUsageErrorThatListsTheLabels() {
        Cli cli = sample("--label", "7");
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err())
                .isEqualTo("error: unknown label '7'; this generator knows 0, 1, 2\ntry: cgan-cli sample --help\n");
        assertThat(sample("--label", "seven").err())
                .startsWith("error: unknown label 'seven'; this generator knows 0, 1, 2\n");
    }

    @Test
    void unconditionalModelsTakeNoLabel() {
        Cli cli = Cli.call("sample", unconditional.toString(), "--label", "1");
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err())
                .startsWith("error: " + unconditional + " was trained without labels; leave out --label\n");
        Path out = folder.resolve("plain.png");
        assertThat(Cli.call("sample", unconditional.toString(), "--count", "4", "--out", out.toString())
                        .code())
                .isZero();
    }

    @Test
    void wrongDevicesAreUsageErrors() {
        Cli device = sample("--device", "tpu");
        assertThat(device.code()).isEqualTo(2);
        assertThat(device.err()).startsWith("error: ").contains("tpu", "cpu");
        Cli threads = sample("--threads", "999");
        assertThat(threads.code()).isEqualTo(2);
        assertThat(threads.err()).startsWith("error: threads must be in 0 to 256, not 999\n");
        Cli precision = sample("--device", "cpu", "--precision", "tf32");
        assertThat(precision.code()).isEqualTo(2);
        assertThat(precision.err())
                .startsWith("error: ")
                .contains("device cpu has no precision=tf32", "use precision=fp32, or a device cuda:N");
    }

    @Test
    void wrongCountsAndRunsAreNamed() {
        assertThat(sample("--count", "0").err()).startsWith("error: --count must be at least 1, not 0\n");
        assertThat(sample("--count", "-3").err()).startsWith("error: --count must be at least 1, not -3\n");
        assertThat(sample("--count", "2000000000").code()).isEqualTo(2);
        assertThat(sample("--count", "2000000000").err())
                .matches("error: --count 2000000000 is more than fits into Java's memory, at most \\d+ images of 8x8x1;"
                        + " draw several times, with another --seed each\ntry: cgan-cli sample --help\n");
        assertThat(Cli.call("sample").err()).startsWith("error: Missing required parameter: 'RUN'\n");
        Cli none = Cli.call("sample", folder.resolve("none").toString());
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.err()).isEqualTo("error: " + folder.resolve("none") + ": no such file; check the path\n");
        Cli lost = sample("--out", folder.resolve("no/such/folder.png").toString());
        assertThat(lost.code()).isEqualTo(1);
        assertThat(lost.err()).contains("folder " + folder.resolve("no/such") + " does not exist; create it first");
    }
}
