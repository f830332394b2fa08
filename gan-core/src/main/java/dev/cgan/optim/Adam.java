package dev.cgan.optim;

import dev.cgan.bindings.AdamForm;
import dev.cgan.bindings.AdamParams;
import dev.cgan.nn.Parameter;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * Adam (Kingma and Ba 2015); with a weight decay, AdamW (Loshchilov and Hutter 2019). Its moments join the scope that is
 * innermost when it is made.
 */
public final class Adam extends FusedOptimizer {
    /** Where epsilon stands. */
    public enum Form {
        /** lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon): Keras, and section 2 of the paper. */
        KERAS(AdamForm.EPSILON_HAT),
        /** lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon): PyTorch, and algorithm 1 of the paper. */
        TORCH(AdamForm.CORRECTED);

        private final AdamForm binding;

        Form(AdamForm binding) {
            this.binding = binding;
        }
    }

    /**
     * Adam's constants.
     *
     * @param beta1 decay of the mean of gradients
     * @param beta2 decay of the mean of squared gradients
     * @param epsilon added to the denominator
     * @param weightDecay share of each weight, times the learning rate, that a step takes off first; 0 for plain Adam
     * @param form where epsilon stands
     */
    public record Options(double beta1, double beta2, double epsilon, double weightDecay, Form form) {
        /** Keras's: 0.9, 0.999, 1e-7, no decay. */
        public static final Options KERAS = new Options(0.9, 0.999, 1e-7, 0, Form.KERAS);

        /** PyTorch's: 0.9, 0.999, 1e-8, no decay. */
        public static final Options TORCH = new Options(0.9, 0.999, 1e-8, 0, Form.TORCH);

        /** Checks the ranges. */
        public Options {
            checkFraction("beta1", beta1);
            checkFraction("beta2", beta2);
            checkNotNegative("epsilon", epsilon);
            checkNotNegative("the weight decay", weightDecay);
        }

        /** {@return these with other decays; 0.5 and 0.999 are usual for GANs} */
        public Options withBetas(double first, double second) {
            return new Options(first, second, epsilon, weightDecay, form);
        }

        /** {@return these with a decoupled weight decay} */
        public Options withWeightDecay(double decay) {
            return new Options(beta1, beta2, epsilon, decay, form);
        }
    }

    private final AdamParams params;
    private final List<Tensor> m;
    private final List<Tensor> v;

    /** Makes an optimiser of these parameters, all on one device. */
    public Adam(List<Parameter> parameters, double learningRate, Options options) {
        super(parameters, learningRate);
        params = new AdamParams(
                options.form().binding, options.beta1(), options.beta2(), options.epsilon(), options.weightDecay());
        m = moments("m");
        v = moments("v");
    }

    @Override
    void update(Tensor hyper, List<Parameter> parameters, List<? extends Tensor> gradients) {
        Kernels.adam(params, hyper, parameters, gradients, m, v);
    }
}
