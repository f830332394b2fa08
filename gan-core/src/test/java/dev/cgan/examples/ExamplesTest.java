package dev.cgan.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.image.Pixels;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExamplesTest {
    @TempDir
    Path folder;

    @Test
    void whatOneExampleTrainsTheOtherDraws() throws IOException {
        Random random = new Random(1);
        List<Pixels> images = new ArrayList<>();
        int[] labels = new int[80];
        for (int i = 0; i < labels.length; i++) {
            byte[] pixels = new byte[12 * 12];
            random.nextBytes(pixels);
            images.add(new Pixels(12, 12, 1, pixels));
            labels[i] = i % 2;
        }
        Path run = folder.resolve("run");
        TrainOnOwnImages.train(images, labels, List.of("left", "right"), run);
        assertThat(run.resolve("checkpoints/step-00000020.safetensors")).isRegularFile();

        Path file = folder.resolve("one.png");
        List<BufferedImage> drawn = DrawDigits.draw(run, 1, file);
        assertThat(drawn).hasSize(8);
        assertThat(drawn.getFirst().getWidth()).isEqualTo(12);
        assertThat(ImageIO.read(file.toFile()).getHeight()).isEqualTo(12);
    }

    @Test
    void examplesAreShort() throws IOException {
        for (String name : List.of("DrawDigits", "TrainOnOwnImages")) {
            Path source = Path.of("src/test/java/dev/cgan/examples/" + name + ".java");
            long lines = Files.readAllLines(source).stream()
                    .filter(line -> !line.isBlank() && !line.startsWith("package") && !line.startsWith("import"))
                    .count();
            assertThat(lines).as(name).isLessThan(25);
        }
    }
}
