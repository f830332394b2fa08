package dev.cgan.nn;

import dev.cgan.tensor.Tensor;

/**
 * Where a step's random numbers come from. Each draw says what it is for, so that it can be recorded and replayed. Results
 * join the innermost open scope.
 */
public interface RandomSource {
    /** {@return numbers of [low, high), all equally likely} */
    Tensor uniform(String purpose, double low, double high, long... dims);

    /** {@return normally distributed numbers} */
    Tensor normal(String purpose, double mean, double standardDeviation, long... dims);

    /** {@return {@code value} with the given probability, else 0} */
    Tensor bernoulli(String purpose, double probability, double value, long... dims);

    /** {@return I32 [n]: whole numbers low .. high - 1, all equally likely} */
    Tensor integers(String purpose, long low, long high, long n);
}
