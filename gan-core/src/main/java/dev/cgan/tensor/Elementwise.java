package dev.cgan.tensor;

import dev.cgan.bindings.Activation;
import dev.cgan.bindings.BinaryKind;
import dev.cgan.bindings.UnaryKind;

/** Differentiable operators that work on each element by itself. */
final class Elementwise {
    private Elementwise() {}

    static Tensor add(Tensor a, Tensor b) {
        return Node.record(
                Kernels.binary(BinaryKind.ADD, a, b),
                "plus",
                (g, needs) -> new Tensor[] {
                    needs.input(0) ? g.sumTo(a.shape()) : null, needs.input(1) ? g.sumTo(b.shape()) : null
                },
                a,
                b);
    }

    static Tensor subtract(Tensor a, Tensor b) {
        return Node.record(
                Kernels.binary(BinaryKind.SUB, a, b),
                "minus",
                (g, needs) -> new Tensor[] {
                    needs.input(0) ? g.sumTo(a.shape()) : null,
                    needs.input(1) ? g.sumTo(b.shape()).negate() : null
                },
                a,
                b);
    }

    static Tensor multiply(Tensor a, Tensor b) {
        return Node.record(
                Kernels.binary(BinaryKind.MUL, a, b),
                "times",
                (g, needs) -> new Tensor[] {
                    needs.input(0) ? g.times(b).sumTo(a.shape()) : null,
                    needs.input(1) ? g.times(a).sumTo(b.shape()) : null
                },
                a,
                b);
    }

    static Tensor divide(Tensor a, Tensor b) {
        return Node.record(
                Kernels.binary(BinaryKind.DIV, a, b),
                "dividedBy",
                (g, needs) -> {
                    Tensor byA = g.dividedBy(b);
                    return new Tensor[] {
                        needs.input(0) ? byA.sumTo(a.shape()) : null,
                        needs.input(1)
                                ? byA.times(a.dividedBy(b)).sumTo(b.shape()).negate()
                                : null
                    };
                },
                a,
                b);
    }

    static Tensor affine(Tensor x, double scale, double shift) {
        return Node.record(
                Kernels.unary(UnaryKind.AFFINE, scale, shift, x),
                "affine",
                (g, needs) -> new Tensor[] {scale == 1 ? g : g.times(scale)},
                x);
    }

    static Tensor square(Tensor x) {
        return Node.record(
                Kernels.unary(UnaryKind.SQUARE, 0, 0, x),
                "square",
                (g, needs) -> new Tensor[] {g.times(x).times(2)},
                x);
    }

    static Tensor sqrt(Tensor x) {
        Tensor y = Kernels.unary(UnaryKind.SQRT, 0, 0, x);
        return Node.record(y, "sqrt", (g, needs) -> new Tensor[] {g.dividedBy(y).times(0.5)}, x);
    }

    static Tensor rsqrt(Tensor x) {
        Tensor y = Kernels.unary(UnaryKind.RSQRT, 0, 0, x);
        return Node.record(
                y, "rsqrt", (g, needs) -> new Tensor[] {g.times(y).dividedBy(x).times(-0.5)}, x);
    }

    static Tensor exp(Tensor x) {
        Tensor y = Kernels.unary(UnaryKind.EXP, 0, 0, x);
        return Node.record(y, "exp", (g, needs) -> new Tensor[] {g.times(y)}, x);
    }

    static Tensor log(Tensor x) {
        return Node.record(
                Kernels.unary(UnaryKind.LOG, 0, 0, x), "log", (g, needs) -> new Tensor[] {g.dividedBy(x)}, x);
    }

    static Tensor abs(Tensor x) {
        return Node.record(
                Kernels.unary(UnaryKind.ABS, 0, 0, x),
                "abs",
                (g, needs) -> new Tensor[] {g.times(Kernels.unary(UnaryKind.SIGN, 0, 0, x))},
                x);
    }

    static Tensor clamp(Tensor x, double low, double high) {
        if (!(low <= high)) {
            throw new IllegalArgumentException("clamp: low " + low + " is above high " + high);
        }
        return Node.record(
                Kernels.unary(UnaryKind.CLAMP, low, high, x),
                "clamp",
                (g, needs) -> {
                    Tensor above =
                            Kernels.binary(BinaryKind.GREATER, x, x.device().scalar(low, x.dtype()));
                    Tensor below = Kernels.binary(BinaryKind.GREATER, x.device().scalar(high, x.dtype()), x);
                    return new Tensor[] {g.times(Kernels.binary(BinaryKind.MUL, above, below))};
                },
                x);
    }

    /** One of the activations that operators can fuse, as an operator of its own. */
    static Tensor activation(Tensor x, UnaryKind kind, double slope) {
        if (!(slope >= 0)) {
            throw new IllegalArgumentException("the slope of leaky relu must not be negative, but is " + slope);
        }
        Activation fused = Activation.valueOf(kind.name());
        Tensor y = Kernels.unary(kind, slope, 0, x);
        return Node.record(
                y,
                kind.name(),
                (g, needs) -> new Tensor[] {ActivationGradient.of(y, fused, slope, g, needs.graph())},
                x);
    }

    static Tensor convert(Tensor x, DType type, double scale, double shift) {
        Tensor y = x.device().empty(type, x.shape());
        Kernels.convert(scale, shift, x, y);
        if (!x.dtype().floating() || !type.floating()) {
            return y;
        }
        return Node.record(y, "convert", (g, needs) -> new Tensor[] {g.convert(x.dtype(), scale, 0)}, x);
    }
}
