package dev.cgan.testkit;

import java.util.Random;

/** Random generators for property tests: a fresh seed each run, printed, and repeatable with -Dcgan.test.seed=N. */
public final class Seeds {
    private Seeds() {}

    /**
     * Makes a generator and prints its seed.
     *
     * @param test the name of the test, for the printed line
     */
    public static Random random(String test) {
        long seed = Long.getLong("cgan.test.seed", System.nanoTime());
        System.out.println(test + ": repeat with -Dcgan.test.seed=" + seed);
        return new Random(seed);
    }
}
