package dev.cgan.bindings;

/** Functions of two elements, {@code cgan_binary_kind}. */
public enum BinaryKind {
    ADD(0),
    SUB(1),
    MUL(2),
    DIV(3),
    MAX(4),
    MIN(5),
    /** a > b ? 1 : 0. */
    GREATER(6);

    private final int code;

    BinaryKind(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
