package dev.cgan.examples;

import dev.cgan.TrainedGenerator;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** Draws with a generator that {@code cgan-cli train} has trained. */
public final class DrawDigits {
    private DrawDigits() {}

    /** Writes one picture and returns eight others. */
    public static List<BufferedImage> draw(Path run, int label, Path file) throws IOException {
        try (TrainedGenerator generator = TrainedGenerator.load(run)) {
            BufferedImage first = generator.image(label, 1);
            ImageIO.write(first, "png", file.toFile());
            return generator.images(label, 8, 2);
        }
    }
}
