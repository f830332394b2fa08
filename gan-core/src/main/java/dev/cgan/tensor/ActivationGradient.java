package dev.cgan.tensor;

import dev.cgan.bindings.Activation;
import dev.cgan.bindings.UnaryKind;

/** The backward pass of the activations that operators can fuse, for the rules of those operators. */
public final class ActivationGradient {
    private ActivationGradient() {}

    /**
     * {@return the gradient in front of an activation, from its result y}
     *
     * @param slope of leaky relu
     * @param g the gradient of y, of its shape
     * @param graph whether the result will be differentiated itself: then it is composed of differentiable operators,
     *     else one fused kernel computes it
     */
    public static Tensor of(Tensor y, Activation activation, double slope, Tensor g, boolean graph) {
        if (activation == Activation.NONE) {
            return g;
        }
        if (!graph) {
            return Kernels.activationBackward(activation, slope, y, g);
        }
        return switch (activation) {
            case NONE -> g;
            case TANH -> g.times(y.square().affine(-1, 1));
            case SIGMOID -> g.times(y.times(y.affine(-1, 1)));
            case SOFTPLUS -> g.times(y.negate().exp().affine(-1, 1));
            case RELU -> g.times(Kernels.unary(UnaryKind.STEP, 0, 0, y));
            case LEAKY_RELU -> g.times(Kernels.unary(UnaryKind.STEP, slope, 0, y));
        };
    }
}
