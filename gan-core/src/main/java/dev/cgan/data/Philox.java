package dev.cgan.data;

import java.util.Arrays;

/**
 * Random numbers by counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", 2011), with the same convention as the native library. The key is the seed; the counter is (block, stream, step
 * low, step high). So a stream is a pure function of (seed, stream, step), and what a run drew can be drawn again.
 *
 * <p>An instance walks one stream and is not safe for use by several threads.
 */
public final class Philox {
    private static final int ROUNDS = 10;
    private static final int MULTIPLIER_0 = 0xD2511F53;
    private static final int MULTIPLIER_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private final int[] key;
    private final int[] counter;
    private final int[] words = new int[4];
    private int used = 4;

    /**
     * Opens a stream at its beginning.
     *
     * @param seed the run's seed
     * @param stream what the numbers are for
     * @param step the step, or epoch, that draws them
     */
    public Philox(long seed, int stream, long step) {
        key = new int[] {(int) seed, (int) (seed >>> 32)};
        counter = new int[] {0, stream, (int) step, (int) (step >>> 32)};
    }

    /** {@return the next 32 random bits} */
    public int nextInt() {
        if (used == 4) {
            block(counter, key, words);
            counter[0]++;
            used = 0;
        }
        return words[used++];
    }

    /**
     * {@return a number that is uniform from 0 to {@code bound - 1}, without bias (Lemire 2019)}
     *
     * @param bound at least 1
     */
    public int nextInt(int bound) {
        if (bound < 1) {
            throw new IllegalArgumentException("bound " + bound + " is not positive");
        }
        long product = (nextInt() & 0xffffffffL) * bound;
        if ((product & 0xffffffffL) < bound) {
            long threshold = (1L << 32) % bound;
            while ((product & 0xffffffffL) < threshold) {
                product = (nextInt() & 0xffffffffL) * bound;
            }
        }
        return (int) (product >>> 32);
    }

    /** {@return a number that is uniform in [0, 1), a multiple of 2^-24} */
    public float nextFloat() {
        return (nextInt() >>> 8) * 0x1p-24f;
    }

    /**
     * Draws a random order (Fisher and Yates).
     *
     * @param count how many
     * @return the numbers from 0 to {@code count - 1}, each order equally likely
     */
    public int[] permutation(int count) {
        int[] order = new int[count];
        Arrays.setAll(order, i -> i);
        for (int i = count - 1; i > 0; i--) {
            int j = nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }

    /**
     * Computes one block.
     *
     * @param counter four words, unchanged
     * @param key two words, unchanged
     * @param out receives four random words
     */
    static void block(int[] counter, int[] key, int[] out) {
        int c0 = counter[0];
        int c1 = counter[1];
        int c2 = counter[2];
        int c3 = counter[3];
        int k0 = key[0];
        int k1 = key[1];
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = (MULTIPLIER_0 & 0xffffffffL) * (c0 & 0xffffffffL);
            long p1 = (MULTIPLIER_1 & 0xffffffffL) * (c2 & 0xffffffffL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }
}
