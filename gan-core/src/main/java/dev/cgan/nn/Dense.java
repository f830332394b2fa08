package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;

/** activation(x weight^T + bias): x [n, in], weight [out, in], bias [out], result [n, out]. */
public final class Dense implements Layer {
    private final String name;
    private final Parameter weight;
    private final Parameter bias;
    private final Activation activation;

    private Dense(Builder builder, ParameterFactory factory) {
        name = builder.name;
        activation = builder.activation;
        Shape shape = Shape.of(builder.out, builder.in);
        weight = factory.parameter(name + ".weight", shape, builder.initializer, builder.in, builder.out);
        bias = builder.bias ? factory.parameter(name + ".bias", Shape.of(builder.out), 0) : null;
    }

    /** {@return a builder: Glorot uniform weights, a bias of zeros, no activation unless changed} */
    public static Builder builder(String name, int in, int out) {
        return new Builder(name, in, out);
    }

    /** What a dense layer is made from. */
    public static final class Builder {
        private final String name;
        private final int in;
        private final int out;
        private Activation activation = Activation.none();
        private Initializer initializer = Initializer.glorotUniform();
        private boolean bias = true;

        private Builder(String name, int in, int out) {
            this.name = name;
            this.in = in;
            this.out = out;
        }

        /** Applies an activation to the result. */
        public Builder activation(Activation value) {
            activation = value;
            return this;
        }

        /** Sets how the weights begin. */
        public Builder initializer(Initializer value) {
            initializer = value;
            return this;
        }

        /** Sets whether there is a bias. */
        public Builder bias(boolean value) {
            bias = value;
            return this;
        }

        /** {@return the layer; its parameters join the innermost open scope} */
        public Dense build(ParameterFactory factory) {
            return new Dense(this, factory);
        }
    }

    /** {@return [out, in]} */
    public Parameter weight() {
        return weight;
    }

    /** {@return [out], or null} */
    public Parameter bias() {
        return bias;
    }

    /** {@return what is applied to the result} */
    public Activation activation() {
        return activation;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return activation.describe("Dense");
    }

    @Override
    public List<Parameter> parameters() {
        return bias == null ? List.of(weight) : List.of(weight, bias);
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return Functional.dense(x, weight, bias, activation);
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.rank() != 2 || input.dim(1) != weight.dim(1)) {
            throw new IllegalArgumentException(name + " takes [n," + weight.dim(1) + "], not " + input);
        }
        return Shape.of(input.dim(0), weight.dim(0));
    }
}
