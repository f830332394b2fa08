package dev.cgan.nn;

import dev.cgan.bindings.Activation;
import dev.cgan.bindings.Conv2dParams;
import dev.cgan.bindings.Pool2dParams;
import dev.cgan.bindings.PoolKind;
import dev.cgan.tensor.ActivationGradient;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Node;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * Convolution and its two adjoints as differentiable operators. Each is linear in both of its operands, and the gradients of
 * each are given by the other two, so derivatives of any order exist.
 */
final class Convolution {
    private static final Pool2dParams POOL_2X2 = Kernels.pooling(PoolKind.MAX, 2, 2);

    private Convolution() {}

    /** act(conv(up(x), w) + b). b nullable. */
    static Tensor forward(Conv2dParams p, Tensor x, Tensor w, Tensor b) {
        Tensor y = Kernels.conv2d(p, x, w, b);
        return Node.record(
                y,
                "conv2d",
                (g, needs) -> {
                    Tensor before = ActivationGradient.of(y, p.activation(), p.alpha(), g, needs.graph());
                    return gradients(linear(p), x, w, before, needs);
                },
                operands(x, w, b));
    }

    /** act(transposed conv(x) + b): x [n, oh, ow, k] to srcShape [n, h, w, c]. b nullable. */
    static Tensor transposed(Conv2dParams p, Tensor x, Tensor w, Tensor b, Shape srcShape) {
        Tensor y = Kernels.conv2dBackwardData(p, w, x, b, srcShape);
        Conv2dParams linear = linear(p);
        return Node.record(
                y,
                "convTranspose2d",
                (g, needs) -> {
                    Tensor before = ActivationGradient.of(y, p.activation(), p.alpha(), g, needs.graph());
                    boolean bias = b != null && needs.input(2);
                    return new Tensor[] {
                        needs.input(0) ? forward(linear, before, w, null) : null,
                        needs.input(1) ? filterGradient(linear, before, x, w.shape()) : null,
                        bias ? before.sum(0, 1, 2) : null
                    };
                },
                operands(x, w, b));
    }

    /** The gradient of a convolution without bias and activation for its weights: from x and g to [k, r, s, c]. */
    private static Tensor filterGradient(Conv2dParams p, Tensor x, Tensor g, Shape weights) {
        Tensor dw = g.device().empty(g.dtype(), weights);
        Kernels.conv2dBackwardFilter(p, x, g, dw, null);
        return Node.record(
                dw,
                "conv2dFilterGradient",
                (u, needs) -> new Tensor[] {
                    needs.input(0) ? transposed(p, g, u, null, x.shape()) : null,
                    needs.input(1) ? forward(p, x, u, null) : null
                },
                x,
                g);
    }

    /** Gradients for x, w and b of a linear convolution, from the gradient g of its result. */
    private static Tensor[] gradients(Conv2dParams p, Tensor x, Tensor w, Tensor g, Node.Needs needs) {
        Tensor[] gradients = new Tensor[3];
        if (needs.input(0)) {
            gradients[0] = transposed(p, g, w, null, x.shape());
        }
        boolean bias = needs.inputs() == 3 && needs.input(2);
        if (needs.input(1) && bias && !needs.graph()) {
            gradients[1] = g.device().empty(g.dtype(), w.shape());
            gradients[2] = g.device().empty(g.dtype(), Shape.of(w.dim(0)));
            Kernels.conv2dBackwardFilter(p, x, g, gradients[1], gradients[2]);
            return gradients;
        }
        if (needs.input(1)) {
            gradients[1] = filterGradient(p, x, g, w.shape());
        }
        if (bias) {
            gradients[2] = g.sum(0, 1, 2);
        }
        return gradients;
    }

    /** act(max pool 2x2 of (conv(up(x), w) + b)) in one pass over the image. b nullable. */
    static Tensor pooled(Conv2dParams p, Tensor x, Tensor w, Tensor b) {
        Shape full = Kernels.convolved(p, x.shape(), w.shape());
        Shape half = Kernels.pooled(POOL_2X2, full);
        Tensor y = x.device().empty(x.dtype(), half);
        Tensor arg = x.device().empty(DType.U8, half);
        Kernels.conv2dPool(p, x, w, b, y, arg);
        return Node.record(
                y,
                "conv2dPool",
                (g, needs) -> {
                    if (!needs.graph()) {
                        return fusedPoolGradients(p, x, w, y, arg, g, needs);
                    }
                    Tensor before = ActivationGradient.of(y, p.activation(), p.alpha(), g, true);
                    return gradients(linear(p), x, w, Pooling.spread(POOL_2X2, before, arg, full), needs);
                },
                operands(x, w, b));
    }

    private static Tensor[] fusedPoolGradients(
            Conv2dParams p, Tensor x, Tensor w, Tensor y, Tensor arg, Tensor g, Node.Needs needs) {
        Tensor[] gradients = new Tensor[3];
        if (needs.input(0)) {
            gradients[0] = Kernels.conv2dPoolBackwardData(p, w, y, g, arg, x.shape());
        }
        boolean bias = needs.inputs() == 3 && needs.input(2);
        if (needs.input(1) || bias) {
            gradients[1] = g.device().empty(g.dtype(), w.shape());
            gradients[2] = bias ? g.device().empty(g.dtype(), Shape.of(w.dim(0))) : null;
            Kernels.conv2dPoolBackwardFilter(p, x, y, g, arg, gradients[1], gradients[2]);
        }
        return gradients;
    }

    private static Conv2dParams linear(Conv2dParams p) {
        return p.withActivation(Activation.NONE, 0);
    }

    private static Tensor[] operands(Tensor x, Tensor w, Tensor b) {
        return b == null ? new Tensor[] {x, w} : new Tensor[] {x, w, b};
    }
}
