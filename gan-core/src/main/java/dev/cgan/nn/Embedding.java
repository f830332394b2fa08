package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;

/** A trained vector for each class: I32 labels [n] of 0 .. count - 1 become [n, width]. Parameter {@code name.weight}. */
public final class Embedding implements Layer {
    private final String name;
    private final Parameter weight;

    /**
     * Makes the layer; its parameter joins the innermost open scope.
     *
     * @param count number of classes
     * @param width values of a vector
     * @param initializer how the vectors begin, such as {@code Initializer.normal(0, 1)}
     */
    public Embedding(String name, int count, int width, Initializer initializer, ParameterFactory factory) {
        this.name = name;
        weight = factory.parameter(name + ".weight", Shape.of(count, width), initializer, count, width);
    }

    /** {@return [count, width]} */
    public Parameter weight() {
        return weight;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Parameter> parameters() {
        return List.of(weight);
    }

    /** {@return the vectors of the labels} */
    public Tensor apply(Tensor labels) {
        return Functional.gather(weight, labels);
    }

    @Override
    public Tensor apply(Tensor labels, Pass pass) {
        return apply(labels);
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.rank() != 1) {
            throw new IllegalArgumentException(name + " takes labels [n], not " + input);
        }
        return Shape.of(input.dim(0), weight.dim(1));
    }
}
