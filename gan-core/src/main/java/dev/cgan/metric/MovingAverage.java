package dev.cgan.metric;

/**
 * An exponential moving average whose first values count fully: the sum of weights is divided out (Kingma and Ba 2015,
 * section 3). Not safe for use by several threads.
 */
public final class MovingAverage {
    private final double decay;
    private double sum;
    private double weight;

    /**
     * Creates an empty average.
     *
     * @param decay how much of the past is kept at each value, in [0, 1); 0.98 averages over about 50 values
     */
    public MovingAverage(double decay) {
        if (!(decay >= 0 && decay < 1)) {
            throw new IllegalArgumentException("decay " + decay + " is not in [0, 1)");
        }
        this.decay = decay;
    }

    /**
     * Adds a value.
     *
     * @param value the value; one that is not finite is left out
     */
    public void add(double value) {
        if (Double.isFinite(value)) {
            sum = decay * sum + (1 - decay) * value;
            weight = decay * weight + (1 - decay);
        }
    }

    /** {@return the average, NaN before the first value} */
    public double value() {
        return weight == 0 ? Double.NaN : sum / weight;
    }
}
