package dev.cgan.benchmarks;

import dev.cgan.data.MemoryDataset;
import dev.cgan.image.Pixels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Random bytes that stand in for pictures: what a step costs does not depend on what they show. */
final class RandomImages {
    private static final int IMAGES = 2048;
    private static final List<String> CLASSES = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

    private RandomImages() {}

    /**
     * Makes the same images in every run.
     *
     * @param size height, width and channels, such as 28x28x1
     */
    static MemoryDataset of(String size) {
        int[] sides = ModelProblems.imageSize(size);
        Random random = new Random(1);
        List<Pixels> images = new ArrayList<>();
        int[] labels = new int[IMAGES];
        for (int i = 0; i < IMAGES; i++) {
            byte[] pixels = new byte[sides[0] * sides[1] * sides[2]];
            random.nextBytes(pixels);
            images.add(new Pixels(sides[0], sides[1], sides[2], pixels));
            labels[i] = i % CLASSES.size();
        }
        return MemoryDataset.of("random", images, labels, CLASSES);
    }
}
