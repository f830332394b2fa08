package dev.cgan.bindings;

/** Reductions, {@code cgan_reduce_kind}. */
public enum ReduceKind {
    SUM(0),
    MEAN(1),
    MAX(2),
    MIN(3);

    private final int code;

    ReduceKind(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
