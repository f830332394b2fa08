package dev.cgan.metric;

/**
 * How fast a run goes: images a second and the time left, from a moving average of the last steps. The first step, which
 * also warms everything up, is forgotten as soon as there is another.
 */
public final class Pace {
    private static final double DECAY = 0.95;

    private final int batch;
    private MovingAverage secondsPerStep = new MovingAverage(DECAY);
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
        steps++;
        if (steps == 2) {
            secondsPerStep = new MovingAverage(DECAY);
        }
        secondsPerStep.add(seconds);
    }

    /** {@return images a second; 0 before the first step} */
    public double imagesPerSecond() {
        double seconds = secondsPerStep.value();
        return seconds > 0 ? batch / seconds : 0;
    }

    /**
     * Estimates how long the rest takes.
     *
     * @param stepsLeft steps still to be made
     * @return seconds; NaN before the first step
     */
    public double secondsLeft(long stepsLeft) {
        return stepsLeft * secondsPerStep.value();
    }
}
