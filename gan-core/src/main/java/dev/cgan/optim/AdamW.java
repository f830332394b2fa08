package dev.cgan.optim;

import dev.cgan.nn.Parameter;
import java.util.List;

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), with PyTorch's defaults. */
public final class AdamW {
    private AdamW() {}

    /** {@return an optimiser with beta1 0.9, beta2 0.999, epsilon 1e-8 and the given decay, such as 0.01} */
    public static Adam of(List<Parameter> parameters, double learningRate, double weightDecay) {
        return new Adam(parameters, learningRate, Adam.Options.TORCH.withWeightDecay(weightDecay));
    }
}
