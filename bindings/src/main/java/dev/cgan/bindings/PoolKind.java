package dev.cgan.bindings;

/** Pooling, {@code cgan_pool_kind}. */
public enum PoolKind {
    MAX(0),
    /** Divides by the whole window, padding included. */
    AVERAGE(1);

    private final int code;

    PoolKind(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
