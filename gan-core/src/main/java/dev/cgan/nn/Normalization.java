package dev.cgan.nn;

import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Node;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/** Batch and layer normalisation as differentiable operators. */
final class Normalization {
    private Normalization() {}

    /** {@return the share of the running statistics that stays} It is of [0, 1]. */
    static double requireMomentum(double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException("momentum must be of [0, 1], but is " + value);
        }
        return value;
    }

    /** {@return what is added to a variance} It is more than 0. */
    static double requireEpsilon(double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException("epsilon must be more than 0, but is " + value);
        }
        return value;
    }

    /** By the batch's own statistics over all axes but the last; moves the running ones (nullable together). */
    static Tensor batchTraining(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVar,
            double epsilon,
            double momentum) {
        Tensor y = x.device().empty(x.dtype(), x.shape());
        Shape channels = Shape.of(x.dim(-1));
        Tensor mean = x.device().empty(x.dtype(), channels);
        Tensor rstd = x.device().empty(x.dtype(), channels);
        Kernels.batchNormTraining(epsilon, momentum, x, gamma, beta, runningMean, runningVar, y, mean, rstd);
        return Node.record(
                y,
                "batchNorm",
                (g, needs) -> {
                    if (needs.graph()) {
                        return composed(x, gamma, g, epsilon, needs, allButLast(x), allButLast(x));
                    }
                    Tensor dGamma = needed(gamma, 1, needs);
                    Tensor dBeta = needed(beta, gamma == null ? 1 : 2, needs);
                    Tensor dx = Kernels.batchNormBackward(epsilon, x, gamma, mean, rstd, g, dGamma, dBeta);
                    return gradients(dx, gamma, dGamma, beta, dBeta);
                },
                operands(x, gamma, beta));
    }

    /** By given statistics [c]. */
    static Tensor batchInference(
            Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVar, double epsilon) {
        Tensor y = Kernels.batchNormInference(epsilon, x, gamma, beta, runningMean, runningVar);
        return Node.record(
                y,
                "batchNormInference",
                (g, needs) -> {
                    Tensor rstd = runningVar.detach().plus(epsilon).rsqrt();
                    int[] axes = allButLast(x);
                    Tensor dGamma = gamma == null || !needs.input(1)
                            ? null
                            : g.times(x.minus(runningMean.detach()).times(rstd)).sum(axes);
                    boolean shift = beta != null && needs.input(gamma == null ? 1 : 2);
                    Tensor dx = needs.input(0) ? g.times(gamma == null ? rstd : gamma.times(rstd)) : null;
                    return gradients(dx, gamma, dGamma, beta, shift ? g.sum(axes) : null);
                },
                operands(x, gamma, beta));
    }

    /** Each row of x [n, f] by its own statistics; gamma, beta [f] nullable. */
    static Tensor layer(Tensor x, Tensor gamma, Tensor beta, double epsilon) {
        Tensor y = x.device().empty(x.dtype(), x.shape());
        Shape rows = Shape.of(x.dim(0));
        Tensor mean = x.device().empty(x.dtype(), rows);
        Tensor rstd = x.device().empty(x.dtype(), rows);
        Kernels.layerNorm(epsilon, x, gamma, beta, y, mean, rstd);
        return Node.record(
                y,
                "layerNorm",
                (g, needs) -> {
                    if (needs.graph()) {
                        return composed(x, gamma, g, epsilon, needs, new int[] {1}, new int[] {0});
                    }
                    Tensor dGamma = needed(gamma, 1, needs);
                    Tensor dBeta = needed(beta, gamma == null ? 1 : 2, needs);
                    Tensor dx = Kernels.layerNormBackward(epsilon, x, gamma, mean, rstd, g, dGamma, dBeta);
                    return gradients(dx, gamma, dGamma, beta, dBeta);
                },
                operands(x, gamma, beta));
    }

    /**
     * The gradients of a normalisation by its own statistics, made of differentiable operators.
     *
     * @param over axes that statistics are taken over
     * @param shared axes along which gamma and beta are repeated
     */
    private static Tensor[] composed(
            Tensor x, Tensor gamma, Tensor g, double epsilon, Node.Needs needs, int[] over, int[] shared) {
        Tensor centred = x.minus(x.meanKeepDims(over));
        Tensor rstd = centred.square().meanKeepDims(over).plus(epsilon).rsqrt();
        Tensor normal = centred.times(rstd);
        Tensor[] gradients = new Tensor[needs.inputs()];
        if (needs.input(0)) {
            Tensor scaled = gamma == null ? g : g.times(gamma);
            Tensor projected = normal.times(scaled.times(normal).meanKeepDims(over));
            gradients[0] =
                    scaled.minus(scaled.meanKeepDims(over)).minus(projected).times(rstd);
        }
        for (int i = 1; i < gradients.length; i++) {
            boolean scale = i == 1 && gamma != null;
            gradients[i] = !needs.input(i) ? null : (scale ? g.times(normal) : g).sum(shared);
        }
        return gradients;
    }

    private static int[] allButLast(Tensor x) {
        int[] axes = new int[x.shape().rank() - 1];
        for (int i = 0; i < axes.length; i++) {
            axes[i] = i;
        }
        return axes;
    }

    private static Tensor needed(Tensor operand, int index, Node.Needs needs) {
        return operand == null || !needs.input(index) ? null : operand.device().empty(operand.dtype(), operand.shape());
    }

    private static Tensor[] gradients(Tensor dx, Tensor gamma, Tensor dGamma, Tensor beta, Tensor dBeta) {
        if (gamma == null) {
            return beta == null ? new Tensor[] {dx} : new Tensor[] {dx, dBeta};
        }
        return beta == null ? new Tensor[] {dx, dGamma} : new Tensor[] {dx, dGamma, dBeta};
    }

    private static Tensor[] operands(Tensor x, Tensor gamma, Tensor beta) {
        if (gamma == null) {
            return beta == null ? new Tensor[] {x} : new Tensor[] {x, beta};
        }
        return beta == null ? new Tensor[] {x, gamma} : new Tensor[] {x, gamma, beta};
    }
}
