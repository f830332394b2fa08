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
    private final Tensor present; // the decay of this step, on the device
    private double presentDecay;

    GeneratorAverage(Generator source, Generator average, double decay) {
        this.average = average;
        this.decay = decay;
        presentDecay = decay;
        sources = new ArrayList<>(source.stateDict().values());
        averages = new ArrayList<>(average.stateDict().values());
        average.loadState(source.stateDict());
        present = averages.getFirst().device().doubles(new double[] {decay});
    }

    Generator generator() {
        return average;
    }

    /**
     * Sets the decay for a step.
     *
     * @param step counted from 1
     */
    void at(long step) {
        double d = Math.min(decay, (1.0 + step) / (10.0 + step));
        if (d != presentDecay) {
            present.copyFrom(new double[] {d});
            presentDecay = d;
        }
    }

    /** Takes in the generator as it is after the step. */
    void update() {
        Kernels.emaBy(present, sources, averages);
    }
}
