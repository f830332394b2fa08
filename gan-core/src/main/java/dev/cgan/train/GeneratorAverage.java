package dev.cgan.train;

import dev.cgan.gan.Generator;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The exponential moving average of a generator, buffers included, kept as a generator that can draw: {@code average = d *
 * average + (1 - d) * generator}. Begins at the generator's first values, which it forgets fast: {@code d = min(decay, (1 +
 * step) / (10 + step))}.
 */
final class GeneratorAverage {
    private final List<Tensor> sources;
    private final List<Tensor> averages;
    private final Generator average;
    private final double decay;

    GeneratorAverage(Generator source, Generator average, double decay) {
        this.average = average;
        this.decay = decay;
        sources = new ArrayList<>(source.stateDict().values());
        averages = new ArrayList<>(average.stateDict().values());
        average.loadState(source.stateDict());
    }

    Generator generator() {
        return average;
    }

    /**
     * Takes in the generator as it is after a step.
     *
     * @param step counted from 1
     */
    void update(long step) {
        double d = Math.min(decay, (1.0 + step) / (10.0 + step));
        Kernels.ema(d, sources, averages);
    }
}
