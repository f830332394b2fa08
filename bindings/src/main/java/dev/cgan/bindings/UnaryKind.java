package dev.cgan.bindings;

/** Functions of one element, {@code cgan_unary_kind}; alpha and beta are the call's parameters. */
public enum UnaryKind {
    /** alpha * x + beta. */
    AFFINE(0),
    EXP(1),
    LOG(2),
    SQRT(3),
    /** 1 / sqrt(x). */
    RSQRT(4),
    SQUARE(5),
    ABS(6),
    RECIPROCAL(7),
    /** -1, 0 or 1. */
    SIGN(8),
    /** x > 0 ? 1 : alpha. */
    STEP(9),
    /** min(max(x, alpha), beta). */
    CLAMP(10),
    TANH(11),
    SIGMOID(12),
    /** log(1 + exp(x)). */
    SOFTPLUS(13),
    RELU(14),
    /** x > 0 ? x : alpha * x. */
    LEAKY_RELU(15);

    private final int code;

    UnaryKind(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
