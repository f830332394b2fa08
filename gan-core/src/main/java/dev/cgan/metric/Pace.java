package dev.cgan.metric;

import java.util.Arrays;

/**
 * How fast a run goes: images a second and the time left, from the median of the last steps, which a few slow ones do not
 * move. The first step, which also warms everything up, is forgotten as soon as there is another.
 */
public final class Pace {
    private static final int WINDOW = 25;
    private static final int FEW = 3;

    private final int batch;
    private final double[] last = new double[WINDOW];
    private long steps;

    /**
     * Creates a pace without steps.
     *
     * @param batch images in a step
     */
    public Pace(int batch) {
        this.batch = batch;
    }

    /**
     * Adds a step.
     *
     * @param seconds how long it took
     */
    public void add(double seconds) {
        last[(int) (Math.max(0, steps - 1) % WINDOW)] = seconds; // the second takes the place of the first
        steps++;
    }

    /** {@return images a second; 0 before the first step} */
    public double imagesPerSecond() {
        double seconds = secondsPerStep();
        return seconds > 0 ? batch / seconds : 0;
    }

    /**
     * Estimates how long the rest takes.
     *
     * @param stepsLeft steps still to be made
     * @return seconds; NaN before the fourth step, when a single slow one would decide
     */
    public double secondsLeft(long stepsLeft) {
        if (stepsLeft == 0) {
            return 0;
        }
        return steps > FEW ? stepsLeft * secondsPerStep() : Double.NaN;
    }

    private double secondsPerStep() {
        if (steps == 0) {
            return Double.NaN;
        }
        double[] sorted = Arrays.copyOf(last, (int) Math.clamp(steps - 1, 1L, WINDOW));
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
