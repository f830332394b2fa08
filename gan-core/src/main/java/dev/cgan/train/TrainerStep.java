package dev.cgan.train;

import dev.cgan.gan.Step;
import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.NotCapturableException;
import dev.cgan.tensor.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One step's randomness, which remembers what was drawn, for a trace. The second draw of one purpose in a step, as that of
 * a dropout layer which is applied twice, is remembered as {@code purpose#2}.
 */
final class TrainerStep implements Step {
    private final RandomSource random;
    private final long number;
    private final LabelPrior labels;
    private final boolean captured;
    private final Map<String, Integer> uses = new HashMap<>();
    private final Map<String, Tensor> draws = new LinkedHashMap<>();

    /**
     * @param random the source, set to this step
     * @param number the step
     * @param labels how labels are drawn
     */
    TrainerStep(RandomSource random, long number, LabelPrior labels) {
        this(random, number, labels, false);
    }

    private TrainerStep(RandomSource random, long number, LabelPrior labels, boolean captured) {
        this.random = random;
        this.number = number;
        this.labels = labels;
        this.captured = captured;
    }

    /**
     * {@return a step that stands for many, which are to be replayed from it: it has no number to decide by}
     *
     * @param random the source, whose step is in device memory
     * @param labels how labels are drawn
     */
    static TrainerStep captured(RandomSource random, LabelPrior labels) {
        return new TrainerStep(random, 0, labels, true);
    }

    @Override
    public long number() {
        if (captured) {
            throw new NotCapturableException("the model's step depends on the step's number");
        }
        return number;
    }

    /** {@return all that was drawn so far, by purpose; the tensors live in the step's scope} */
    Map<String, Tensor> draws() {
        return draws;
    }

    @Override
    public Tensor labels(String purpose, long n) {
        return drawn(purpose, labels.draw(random, purpose, n));
    }

    @Override
    public Tensor uniform(String purpose, double low, double high, long... dims) {
        return drawn(purpose, random.uniform(purpose, low, high, dims));
    }

    @Override
    public Tensor normal(String purpose, double mean, double std, long... dims) {
        return drawn(purpose, random.normal(purpose, mean, std, dims));
    }

    @Override
    public Tensor bernoulli(String purpose, double p, double value, long... dims) {
        return drawn(purpose, random.bernoulli(purpose, p, value, dims));
    }

    @Override
    public Tensor integers(String purpose, long low, long high, long n) {
        return drawn(purpose, random.integers(purpose, low, high, n));
    }

    private Tensor drawn(String purpose, Tensor tensor) {
        int use = uses.merge(purpose, 1, Integer::sum);
        draws.put(use == 1 ? purpose : purpose + "#" + use, tensor);
        return tensor;
    }
}
