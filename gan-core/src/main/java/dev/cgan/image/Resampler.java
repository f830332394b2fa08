package dev.cgan.image;

/**
 * Resizes images with a triangle filter as wide as the scale demands: bilinear interpolation when enlarging, a weighted
 * mean over all covered pixels when reducing, so that nothing aliases. Works on the stored values, without gamma.
 */
public final class Resampler {
    private Resampler() {}

    /**
     * Scales an image so that its shorter side has the wanted size, and cuts out the middle.
     *
     * @param image any image
     * @param size height and width of the result, at least 1
     * @return the square image with the same channels; {@code image} itself if it has that size already
     */
    public static Pixels square(Pixels image, int size) {
        if (image.height() == size && image.width() == size) {
            return image;
        }
        int side = Math.min(image.height(), image.width());
        Taps rows = Taps.of(image.height(), (image.height() - side) / 2.0, side, size);
        Taps columns = Taps.of(image.width(), (image.width() - side) / 2.0, side, size);
        return vertical(horizontal(image, columns), image.height(), size, image.channels(), rows);
    }

    /** For each output position the first input position and the weights of it and its followers, which sum to 1. */
    private record Taps(int[] first, float[][] weights) {
        static Taps of(int extent, double origin, double span, int size) {
            double scale = span / size;
            double support = Math.max(1, scale);
            int[] first = new int[size];
            float[][] weights = new float[size][];
            for (int i = 0; i < size; i++) {
                double center = origin + (i + 0.5) * scale;
                int from = (int) Math.max(0, Math.floor(center - support));
                int to = (int) Math.min(extent, Math.ceil(center + support));
                first[i] = from;
                weights[i] = triangle(from, to, center, support);
            }
            return new Taps(first, weights);
        }

        private static float[] triangle(int from, int to, double center, double support) {
            double[] raw = new double[to - from];
            double sum = 0;
            for (int j = 0; j < raw.length; j++) {
                raw[j] = Math.max(0, 1 - Math.abs((from + j + 0.5 - center) / support));
                sum += raw[j];
            }
            float[] weights = new float[raw.length];
            for (int j = 0; j < raw.length; j++) {
                weights[j] = (float) (raw[j] / sum);
            }
            return weights;
        }
    }

    private static float[] horizontal(Pixels image, Taps taps) {
        int channels = image.channels();
        int size = taps.first().length;
        byte[] source = image.data();
        float[] out = new float[Math.multiplyExact(image.height(), size * channels)];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < size; x++) {
                float[] weights = taps.weights()[x];
                int at = (y * image.width() + taps.first()[x]) * channels;
                for (int c = 0; c < channels; c++) {
                    float sum = 0;
                    for (int j = 0; j < weights.length; j++) {
                        sum += weights[j] * (source[at + j * channels + c] & 0xff);
                    }
                    out[(y * size + x) * channels + c] = sum;
                }
            }
        }
        return out;
    }

    private static Pixels vertical(float[] source, int height, int size, int channels, Taps taps) {
        assert source.length == height * size * channels;
        int stride = size * channels;
        byte[] out = new byte[size * stride];
        for (int y = 0; y < size; y++) {
            float[] weights = taps.weights()[y];
            int at = taps.first()[y] * stride;
            for (int x = 0; x < stride; x++) {
                float sum = 0;
                for (int j = 0; j < weights.length; j++) {
                    sum += weights[j] * source[at + j * stride + x];
                }
                out[y * stride + x] = (byte) Math.min(255, Math.round(sum));
            }
        }
        return new Pixels(size, size, channels, out);
    }
}
