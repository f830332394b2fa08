package dev.cgan.metric;

import dev.cgan.data.Dataset;
import dev.cgan.data.Philox;

/**
 * The mean Euclidean distance between the images of a set: how much they differ among themselves. It says nothing about
 * how good they are; compared with that of real images it shows collapse.
 */
public final class PairwiseDistance {
    /** The stream of random numbers that picks real images: "PAIR" in ASCII. */
    private static final int STREAM = 0x50414952;

    private PairwiseDistance() {}

    /**
     * Averages over all pairs.
     *
     * @param images [n, length], values in any unit
     * @param length elements of an image
     * @return the mean distance in that unit; NaN for fewer than two images
     */
    public static double mean(float[] images, int length) {
        return withinClasses(images, length, new int[count(images, length)], 1)[0];
    }

    /**
     * Averages over the pairs of each class.
     *
     * @param images [n, length], values in any unit
     * @param length elements of an image
     * @param labels the class of each image [n]
     * @param classes the number of classes
     * @return the mean distance within each class; NaN for classes with fewer than two images
     */
    public static double[] withinClasses(float[] images, int length, int[] labels, int classes) {
        int n = count(images, length);
        if (labels.length != n) {
            throw new IllegalArgumentException(labels.length + " labels for " + n + " images");
        }
        double[] sums = new double[classes];
        long[] pairs = new long[classes];
        for (int i = 0; i < n; i++) {
            for (int j = i + 1; j < n; j++) {
                if (labels[i] == labels[j]) {
                    sums[labels[i]] += distance(images, i * length, j * length, length);
                    pairs[labels[i]]++;
                }
            }
        }
        for (int c = 0; c < classes; c++) {
            sums[c] = pairs[c] == 0 ? Double.NaN : sums[c] / pairs[c];
        }
        return sums;
    }

    /**
     * Measures a data set, by some images of each class picked at random.
     *
     * @param dataset real images; pixel p counts as (p - 127.5) / 127.5
     * @param imagesPerClass how many to pick of each class, or all if there are fewer
     * @param seed decides which
     * @return the mean distance within each class; NaN for classes with fewer than two images
     */
    public static double[] ofDataset(Dataset dataset, int imagesPerClass, long seed) {
        int length = dataset.imageBytes();
        int[][] rows = new int[dataset.classes()][imagesPerClass];
        int[] found = new int[dataset.classes()];
        for (int row : new Philox(seed, STREAM, 0).permutation(dataset.size())) {
            int label = dataset.label(row);
            if (found[label] < imagesPerClass) {
                rows[label][found[label]++] = row;
            }
        }
        double[] distances = new double[dataset.classes()];
        byte[] pixels = new byte[length];
        for (int c = 0; c < distances.length; c++) {
            float[] images = new float[found[c] * length];
            for (int i = 0; i < found[c]; i++) {
                dataset.read(rows[c][i], pixels, 0);
                for (int k = 0; k < length; k++) {
                    images[i * length + k] = ((pixels[k] & 0xff) - 127.5f) / 127.5f;
                }
            }
            distances[c] = mean(images, length);
        }
        return distances;
    }

    private static int count(float[] images, int length) {
        if (length < 1 || images.length % length != 0) {
            throw new IllegalArgumentException(images.length + " values are no images of " + length);
        }
        return images.length / length;
    }

    private static double distance(float[] images, int a, int b, int length) {
        double sum = 0;
        for (int k = 0; k < length; k++) {
            double difference = images[a + k] - images[b + k];
            sum += difference * difference;
        }
        return Math.sqrt(sum);
    }
}
