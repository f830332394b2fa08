package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * A transposed ("fractionally strided") convolution: x [n, h, w, in], weight [in, kernel, kernel, out], bias [out]. With
 * same padding the result is [n, h * stride, w * stride, out]; see {@link Functional#convTranspose2d} for others.
 */
public final class ConvTranspose2d implements Layer {
    private final String name;
    private final Parameter weight;
    private final Parameter bias;
    private final Conv2dOptions options;
    private final int outputPadding;

    private ConvTranspose2d(Builder builder, ParameterFactory factory) {
        name = builder.name;
        options = builder.options;
        outputPadding = builder.outputPadding;
        long taps = (long) builder.kernel * builder.kernel;
        Shape shape = Shape.of(builder.in, builder.kernel, builder.kernel, builder.out);
        weight = factory.parameter(name + ".weight", shape, builder.initializer, taps * builder.in, taps * builder.out);
        bias = builder.bias ? factory.parameter(name + ".bias", Shape.of(builder.out), 0) : null;
    }

    /**
     * {@return a builder: stride 2, same padding, Glorot uniform weights, a bias of zeros, no activation unless changed}
     *
     * @param in channels of the input
     * @param out channels of the result
     * @param kernel rows and columns of the filters
     */
    public static Builder builder(String name, int in, int out, int kernel) {
        return new Builder(name, in, out, kernel);
    }

    /** What a transposed convolution is made from. */
    public static final class Builder {
        private final String name;
        private final int in;
        private final int out;
        private final int kernel;
        private Conv2dOptions options = Conv2dOptions.DEFAULT.withStride(2);
        private Initializer initializer = Initializer.glorotUniform();
        private int outputPadding;
        private boolean bias = true;

        private Builder(String name, int in, int out, int kernel) {
            this.name = name;
            this.in = in;
            this.out = out;
            this.kernel = kernel;
        }

        /** Sets the stride, by which the image grows. */
        public Builder stride(int value) {
            options = options.withStride(value);
            return this;
        }

        /** Sets the padding, which is taken off the result. */
        public Builder padding(Padding value) {
            options = options.withPadding(value);
            return this;
        }

        /** Sets the rows and columns added at the bottom and right, less than the stride; not for same padding. */
        public Builder outputPadding(int value) {
            outputPadding = value;
            return this;
        }

        /** Applies an activation to the result. */
        public Builder activation(Activation value) {
            options = options.withActivation(value);
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
        public ConvTranspose2d build(ParameterFactory factory) {
            return new ConvTranspose2d(this, factory);
        }
    }

    /** {@return [in, kernel, kernel, out]} */
    public Parameter weight() {
        return weight;
    }

    /** {@return [out], or null} */
    public Parameter bias() {
        return bias;
    }

    /** {@return stride, padding and activation} */
    public Conv2dOptions options() {
        return options;
    }

    /** {@return rows and columns added at the bottom and right} */
    public int outputPadding() {
        return outputPadding;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return options.activation()
                .describe("ConvTranspose2d " + weight.dim(1) + "x" + weight.dim(2) + " stride " + options.strideH());
    }

    @Override
    public List<Parameter> parameters() {
        return bias == null ? List.of(weight) : List.of(weight, bias);
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return Functional.convTranspose2d(x, weight, bias, options, outputPadding);
    }

    @Override
    public Shape outputShape(Shape input) {
        return Functional.transposedShape(input, weight.shape(), options, outputPadding);
    }
}
