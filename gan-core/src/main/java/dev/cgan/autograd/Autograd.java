package dev.cgan.autograd;

import dev.cgan.tensor.Recording;
import dev.cgan.tensor.Tensor;
import java.util.List;
import java.util.function.Supplier;

/** Gradients of a scalar. */
public final class Autograd {
    private Autograd() {}

    /**
     * {@return the gradients of a loss, one for each tensor of {@code wrt}, of its shape; zeros for one that the loss does
     * not depend on}
     *
     * <p>Changes nothing else. Only what leads from the loss to {@code wrt} is computed: a frozen network costs no weight
     * gradients. Results join the innermost open scope; what is computed on the way is freed as soon as it is used. The
     * order of all sums is fixed by the order in which the tensors were made.
     *
     * @param loss one element, of a floating type
     * @param wrt parameters, other tensors marked by {@link Tensor#requiresGrad()}, or results that descend from such
     * @throws IllegalArgumentException if the loss has more than one element, or a tensor of {@code wrt} is not
     *     differentiable
     * @throws IllegalStateException if a tensor that is needed has been closed, or changed in place since it was used
     */
    public static List<Tensor> gradients(Tensor loss, List<? extends Tensor> wrt) {
        return gradients(loss, wrt, false);
    }

    /**
     * {@return the gradients of a loss; see {@link #gradients(Tensor, List)}}
     *
     * @param createGraph whether the gradients are differentiable themselves, as gradient penalties need; then all that
     *     is computed joins the innermost open scope
     */
    public static List<Tensor> gradients(Tensor loss, List<? extends Tensor> wrt, boolean createGraph) {
        return new BackwardPass(loss, wrt, createGraph).run();
    }

    /** {@return what the supplier computes, without recording it} */
    public static <T> T noGrad(Supplier<T> computation) {
        boolean before = Recording.set(false);
        try {
            return computation.get();
        } finally {
            Recording.set(before);
        }
    }
}
