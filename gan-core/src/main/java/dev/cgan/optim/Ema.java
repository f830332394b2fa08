package dev.cgan.optim;

import dev.cgan.nn.Parameter;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An exponential moving average of parameters: shadow = decay * shadow + (1 - decay) * parameter, beginning at the parameters'
 * values. The shadows join the scope that is innermost when it is made.
 */
public final class Ema {
    private final List<Parameter> source;
    private final double decay;
    private final List<Tensor> shadows = new ArrayList<>();

    /** While open, the parameters hold the averages; closing exchanges them back. */
    public final class Swapped implements AutoCloseable {
        private boolean open = true;

        private Swapped() {
            exchange();
        }

        /** Gives the parameters their own values again. Closing again does nothing. */
        @Override
        public void close() {
            if (open) {
                open = false;
                exchange();
            }
        }
    }

    /**
     * Begins an average.
     *
     * @param decay of [0, 1), such as 0.999
     */
    public Ema(List<Parameter> source, double decay) {
        FusedOptimizer.checkFraction("the decay of a moving average", decay);
        this.source = List.copyOf(source);
        this.decay = decay;
        for (Parameter parameter : source) {
            Tensor shadow = parameter.device().empty(parameter.dtype(), parameter.shape());
            shadows.add(shadow.copyFrom(parameter));
        }
    }

    /** Takes the parameters' present values into the average: one fused call. */
    public void update() {
        Kernels.ema(decay, source, shadows);
    }

    /**
     * Exchanges the parameters' values with the averages until the result is closed:
     *
     * <pre>{@code
     * try (Ema.Swapped _ = ema.swap()) {
     *     images = generator.apply(noise, Pass.inference());
     * }
     * }</pre>
     */
    public Swapped swap() {
        return new Swapped();
    }

    /** {@return the averages by parameter name, in order; the tensors themselves, not copies} */
    public Map<String, Tensor> state() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        for (int i = 0; i < shadows.size(); i++) {
            state.put(source.get(i).name(), shadows.get(i));
        }
        return state;
    }

    /**
     * Goes on from averages.
     *
     * @throws IllegalArgumentException if one is missing or has another shape; nothing is changed then
     */
    public void restore(Map<String, ? extends Tensor> state) {
        state().forEach((name, shadow) -> {
            Tensor from = state.get(name);
            if (from == null || !from.shape().equals(shadow.shape())) {
                throw new IllegalArgumentException(
                        "the moving average of " + name + " needs a tensor of " + shadow.shape() + ", not " + from);
            }
        });
        state().forEach((name, shadow) -> shadow.copyFrom(state.get(name)));
    }

    private void exchange() {
        for (int i = 0; i < shadows.size(); i++) {
            source.get(i).exchange(shadows.get(i));
        }
    }
}
