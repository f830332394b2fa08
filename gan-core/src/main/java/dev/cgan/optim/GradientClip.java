package dev.cgan.optim;

import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * Limits the norm of all gradients together (Pascanu, Mikolov and Bengio 2013).
 *
 * @param maxNorm the norm above which all gradients are scaled down to it
 */
public record GradientClip(double maxNorm) {
    /** Checks the norm. */
    public GradientClip {
        if (!(maxNorm > 0)) {
            throw new IllegalArgumentException("the greatest norm must be more than 0, but is " + maxNorm);
        }
    }

    /** {@return a limit for the norm of all gradients together} */
    public static GradientClip byGlobalNorm(double maxNorm) {
        return new GradientClip(maxNorm);
    }

    /**
     * Scales the gradients by min(1, maxNorm / norm), in place.
     *
     * @param gradients as {@code Autograd.gradients} returned them
     * @return the norm before, a scalar in the innermost open scope
     */
    public Tensor apply(List<? extends Tensor> gradients) {
        Tensor norm = Kernels.globalNorm(gradients);
        Kernels.clipByNorm(maxNorm, norm, gradients);
        return norm;
    }
}
