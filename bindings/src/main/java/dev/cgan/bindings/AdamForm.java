package dev.cgan.bindings;

/** Where Adam puts epsilon, {@code cgan_adam_form}. */
public enum AdamForm {
    /** Keras, and section 2 of Kingma and Ba 2015: lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps). */
    EPSILON_HAT(0),
    /** PyTorch, and algorithm 1 of the paper: lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps). */
    CORRECTED(1);

    private final int code;

    AdamForm(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
