package dev.cgan.train;

import dev.cgan.data.Dataset;
import dev.cgan.data.MemoryDataset;
import dev.cgan.image.Pixels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small data sets and configurations: training on them takes milliseconds. */
final class Blobs {
    private Blobs() {}

    /** {@return images of 8x8x1 in three classes: a bright square in one of three places, and noise} */
    static Dataset dataset(int count) {
        Random random = new Random(3);
        List<Pixels> images = new ArrayList<>();
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = i % 3;
            byte[] pixels = new byte[64];
            random.nextBytes(pixels);
            for (int k = 0; k < 64; k++) {
                boolean inside = k / 8 / 3 == labels[i];
                pixels[k] = (byte) ((inside ? 190 : 0) + (pixels[k] & 63));
            }
            images.add(new Pixels(8, 8, 1, pixels));
        }
        return MemoryDataset.of("blobs", images, labels, List.of("top", "middle", "bottom"));
    }

    /** {@return images of 8x8x1 in one class, each pixel black or white at random: they differ as much as images can} */
    static Dataset blackAndWhite(int count) {
        Random random = new Random(3);
        List<Pixels> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] pixels = new byte[64];
            for (int k = 0; k < 64; k++) {
                pixels[k] = (byte) (random.nextBoolean() ? 255 : 0);
            }
            images.add(new Pixels(8, 8, 1, pixels));
        }
        return MemoryDataset.of("noise", images, new int[count], List.of("all"));
    }

    /** {@return a tiny configuration of a model, with changes} */
    static TrainConfig config(String model, Map<String, ?> changes) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("model", model);
        values.put("steps", 20);
        values.put("batch", 4);
        values.put("device", "cpu");
        values.put("threads", 1);
        values.put("sample_every", 5);
        values.put("checkpoint_every", 5);
        values.put("width", 2);
        values.put("latent", 3);
        if (model.equals("cgan") || model.equals("report")) {
            values.put("hidden", 5);
        }
        values.putAll(changes);
        return TrainConfig.of(values);
    }
}
