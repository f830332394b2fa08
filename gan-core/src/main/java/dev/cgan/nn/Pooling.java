package dev.cgan.nn;

import dev.cgan.bindings.Pool2dParams;
import dev.cgan.bindings.PoolKind;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Node;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/** Pooling and nearest-neighbour enlargement, with their transposes, as differentiable operators. */
final class Pooling {
    private Pooling() {}

    static Tensor pool(Pool2dParams p, Tensor x) {
        if (p.kind() == PoolKind.AVERAGE) {
            return average(p, x);
        }
        Tensor arg = x.device().empty(DType.U8, Kernels.pooled(p, x.shape()));
        return Node.record(
                Kernels.pool2d(p, x, arg), "maxPool2d", (g, needs) -> new Tensor[] {spread(p, g, arg, x.shape())}, x);
    }

    /** Each value of g to the place that arg names, places named twice adding up: the transpose of {@link #gather}. */
    static Tensor spread(Pool2dParams p, Tensor g, Tensor arg, Shape full) {
        return Node.record(
                Kernels.pool2dBackward(p, g, arg, full),
                "maxPool2dGradient",
                (u, needs) -> new Tensor[] {gather(p, u, arg)},
                g);
    }

    /** The values of x at the places that arg names. */
    private static Tensor gather(Pool2dParams p, Tensor x, Tensor arg) {
        return Node.record(
                Kernels.pool2dGather(p, x, arg),
                "pool2dGather",
                (u, needs) -> new Tensor[] {spread(p, u, arg, x.shape())},
                x);
    }

    private static Tensor average(Pool2dParams p, Tensor x) {
        return Node.record(
                Kernels.pool2d(p, x, null),
                "averagePool2d",
                (g, needs) -> new Tensor[] {averageGradient(p, g, x.shape())},
                x);
    }

    private static Tensor averageGradient(Pool2dParams p, Tensor g, Shape full) {
        return Node.record(
                Kernels.pool2dBackward(p, g, null, full),
                "averagePool2dGradient",
                (u, needs) -> new Tensor[] {average(p, u)},
                g);
    }

    static Tensor upsample(int factor, Tensor x) {
        return Node.record(
                Kernels.upsample2d(factor, x), "upsample2d", (g, needs) -> new Tensor[] {blockSums(factor, g)}, x);
    }

    private static Tensor blockSums(int factor, Tensor g) {
        return Node.record(
                Kernels.upsample2dBackward(factor, g),
                "upsample2dGradient",
                (u, needs) -> new Tensor[] {upsample(factor, u)},
                g);
    }
}
