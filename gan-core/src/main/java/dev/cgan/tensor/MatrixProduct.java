package dev.cgan.tensor;

/** The differentiable product of two matrices, either of them transposed. */
final class MatrixProduct {
    private MatrixProduct() {}

    static Tensor apply(Tensor a, boolean transposeA, Tensor b, boolean transposeB) {
        if (a.shape().rank() != 2 || b.shape().rank() != 2 || a.dim(transposeA ? 0 : 1) != b.dim(transposeB ? 1 : 0)) {
            throw new IllegalArgumentException("matmul: " + a + (transposeA ? " transposed" : "") + " and " + b
                    + (transposeB ? " transposed" : "") + " are not matrices with equal inner dimensions");
        }
        return Node.record(
                Kernels.matmul(transposeA, transposeB, a, b),
                "matmul",
                (g, needs) -> new Tensor[] {
                    needs.input(0) ? gradientOfA(transposeA, b, transposeB, g) : null,
                    needs.input(1) ? gradientOfB(a, transposeA, transposeB, g) : null
                },
                a,
                b);
    }

    /** g op(b)^T, transposed if a was. */
    private static Tensor gradientOfA(boolean transposeA, Tensor b, boolean transposeB, Tensor g) {
        return transposeA ? apply(b, transposeB, g, true) : apply(g, false, b, !transposeB);
    }

    /** op(a)^T g, transposed if b was. */
    private static Tensor gradientOfB(Tensor a, boolean transposeA, boolean transposeB, Tensor g) {
        return transposeB ? apply(g, true, a, transposeA) : apply(a, !transposeA, g, false);
    }
}
