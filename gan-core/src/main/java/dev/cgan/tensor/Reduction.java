package dev.cgan.tensor;

import dev.cgan.bindings.ReduceKind;

/** Differentiable sums and means over axes. */
final class Reduction {
    private Reduction() {}

    static Tensor sum(Tensor x, int mask, boolean keepDims) {
        return reduce(ReduceKind.SUM, x, mask, keepDims, 1);
    }

    static Tensor mean(Tensor x, int mask, boolean keepDims) {
        long count = 1;
        for (int i = 0; i < x.shape().rank(); i++) {
            count *= (mask >> i & 1) != 0 ? x.dim(i) : 1;
        }
        return reduce(ReduceKind.MEAN, x, mask, keepDims, 1.0 / Math.max(1, count));
    }

    private static Tensor reduce(ReduceKind kind, Tensor x, int mask, boolean keepDims, double scale) {
        Tensor reduced = Kernels.reduce(kind, mask, x);
        Shape kept = reduced.shape();
        Tensor result = keepDims ? reduced : Movement.viewOf(reduced, x.shape().reduced(mask, false));
        return Node.record(
                result,
                kind.name(),
                (g, needs) -> {
                    Tensor scaled = scale == 1 ? g : g.times(scale);
                    return new Tensor[] {Movement.reshape(scaled, kept).broadcastTo(x.shape())};
                },
                x);
    }
}
