package dev.cgan.nn;

import dev.cgan.tensor.Tensor;

/** A named tensor that training changes. It is marked as a tensor to differentiate by. */
public final class Parameter extends Tensor {
    private final String name;

    /**
     * Makes a parameter of a tensor's memory.
     *
     * @param name dotted, such as {@code g_dense1.weight}
     * @param initial its values; the tensor is closed by this, and the parameter takes its place in its scope
     */
    public Parameter(String name, Tensor initial) {
        super(initial);
        this.name = name;
        requiresGrad();
    }

    /** {@return the name} */
    public String name() {
        return name;
    }

    /** {@return the name, then what {@link Tensor#toString} says} */
    @Override
    public String toString() {
        return name + " (" + super.toString() + ")";
    }
}
