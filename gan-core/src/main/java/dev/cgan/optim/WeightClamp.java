package dev.cgan.optim;

import dev.cgan.nn.Parameter;
import dev.cgan.tensor.Kernels;
import java.util.List;

/**
 * Keeps weights within bounds, as the first Wasserstein GAN does after each critic step (Arjovsky, Chintala and Bottou 2017).
 *
 * @param limit weights stay within [-limit, limit]; 0.01 in the paper
 */
public record WeightClamp(double limit) {
    /** Checks the limit. */
    public WeightClamp {
        if (!(limit > 0)) {
            throw new IllegalArgumentException("the limit of weights must be more than 0, but is " + limit);
        }
    }

    /** Clamps all parameters in place: one fused call. */
    public void apply(List<Parameter> parameters) {
        Kernels.clamp(-limit, limit, parameters);
    }
}
