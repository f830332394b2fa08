package dev.cgan.gan;

import dev.cgan.tensor.DType;
import dev.cgan.tensor.Tensor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** A step whose draws come from a golden file, by purpose. */
public final class GoldenStep implements Step {
    private final long number;
    private final Function<String, Tensor> values;
    private final Map<String, String> renamed;
    private final Set<String> used = new HashSet<>();

    /**
     * @param number the step
     * @param values the file's tensor of a name
     * @param renamed the file's name of a purpose, where it differs
     */
    public GoldenStep(long number, Function<String, Tensor> values, Map<String, String> renamed) {
        this.number = number;
        this.values = values;
        this.renamed = renamed;
    }

    public Set<String> used() {
        return used;
    }

    @Override
    public long number() {
        return number;
    }

    @Override
    public Tensor labels(String purpose, long n) {
        return take(purpose).to(DType.I32);
    }

    @Override
    public Tensor uniform(String purpose, double low, double high, long... dims) {
        return take(purpose);
    }

    @Override
    public Tensor normal(String purpose, double mean, double standardDeviation, long... dims) {
        return take(purpose);
    }

    @Override
    public Tensor bernoulli(String purpose, double probability, double value, long... dims) {
        return take(purpose);
    }

    @Override
    public Tensor integers(String purpose, long low, long high, long n) {
        return take(purpose);
    }

    private Tensor take(String purpose) {
        String name = renamed.getOrDefault(purpose, purpose);
        used.add(name);
        return values.apply(name);
    }
}
