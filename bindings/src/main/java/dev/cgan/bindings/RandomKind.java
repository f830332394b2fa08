package dev.cgan.bindings;

/** Distributions, {@code cgan_random_kind}; a and b are the call's parameters. */
public enum RandomKind {
    /** [a, b). */
    UNIFORM(0),
    /** Mean a, standard deviation b. */
    NORMAL(1),
    /** b with probability a, else 0. */
    BERNOULLI(2),
    /** a .. b - 1; the result is I32. */
    INTEGER(3);

    private final int code;

    RandomKind(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
