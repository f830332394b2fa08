package dev.cgan.bindings;

/** Activations that an operator can apply to its result, {@code cgan_activation}: those whose derivative follows from it. */
public enum Activation {
    NONE(0),
    TANH(11),
    SIGMOID(12),
    SOFTPLUS(13),
    RELU(14),
    /** x > 0 ? x : alpha * x. */
    LEAKY_RELU(15);

    private final int code;

    Activation(int code) {
        this.code = code;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }
}
