package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;

/** A module of one input and one output. */
public interface Layer extends Module, Describable {
    /** {@return its name, the first part of its parameters' names} */
    String name();

    /**
     * {@return the output for an input}
     *
     * @param pass whether this is training, and where random numbers come from
     */
    Tensor apply(Tensor x, Pass pass);

    /**
     * {@return the shape of the output}
     *
     * @param input shape of the input, batch included
     * @throws IllegalArgumentException if the layer cannot take it
     */
    Shape outputShape(Shape input);

    /** {@return what it is in a few words, such as {@code Conv2d 5x5 tanh}} */
    default String type() {
        return getClass().getSimpleName();
    }

    @Override
    default List<Parameter> parameters() {
        return List.of();
    }

    @Override
    default List<LayerInfo> describe(Shape input) {
        return List.of(new LayerInfo(name(), type(), input, outputShape(input), parameterCount(), this));
    }
}
