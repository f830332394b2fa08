package dev.cgan.gan;

import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.Tensor;

/** A step of seeded random numbers, with labels that are all equally likely. */
record SeededStep(RandomSource random, long number, int classes) implements Step {
    @Override
    public Tensor labels(String purpose, long n) {
        return random.integers(purpose, 0, classes, n);
    }

    @Override
    public Tensor uniform(String purpose, double low, double high, long... dims) {
        return random.uniform(purpose, low, high, dims);
    }

    @Override
    public Tensor normal(String purpose, double mean, double standardDeviation, long... dims) {
        return random.normal(purpose, mean, standardDeviation, dims);
    }

    @Override
    public Tensor bernoulli(String purpose, double probability, double value, long... dims) {
        return random.bernoulli(purpose, probability, value, dims);
    }

    @Override
    public Tensor integers(String purpose, long low, long high, long n) {
        return random.integers(purpose, low, high, n);
    }
}
