package dev.cgan.nn;

import dev.cgan.bindings.PoolKind;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * A convolution, with what may be fused to it: 2x upsampling before, an activation and 2x2 max pooling after.
 *
 * <p>x [n, h, w, in], weight [out, kernel, kernel, in], bias [out], result [n, oh, ow, out].
 */
public final class Conv2d implements Layer {
    private final String name;
    private final Parameter weight;
    private final Parameter bias;
    private final Conv2dOptions options;
    private final boolean maxPool;

    private Conv2d(Builder builder, ParameterFactory factory) {
        name = builder.name;
        options = builder.options;
        maxPool = builder.maxPool;
        long taps = (long) builder.kernel * builder.kernel;
        Shape shape = Shape.of(builder.out, builder.kernel, builder.kernel, builder.in);
        weight = factory.parameter(name + ".weight", shape, builder.initializer, taps * builder.in, taps * builder.out);
        bias = builder.bias ? factory.parameter(name + ".bias", Shape.of(builder.out), 0) : null;
    }

    /**
     * {@return a builder: stride 1, same padding, Glorot uniform weights, a bias of zeros, no activation unless changed}
     *
     * @param in channels of the input
     * @param out channels of the result
     * @param kernel rows and columns of the filters
     */
    public static Builder builder(String name, int in, int out, int kernel) {
        return new Builder(name, in, out, kernel);
    }

    /** What a convolution is made from. */
    public static final class Builder {
        private final String name;
        private final int in;
        private final int out;
        private final int kernel;
        private Conv2dOptions options = Conv2dOptions.DEFAULT;
        private Initializer initializer = Initializer.glorotUniform();
        private boolean bias = true;
        private boolean maxPool;

        private Builder(String name, int in, int out, int kernel) {
            this.name = name;
            this.in = in;
            this.out = out;
            this.kernel = kernel;
        }

        /** Sets the stride in both directions. */
        public Builder stride(int value) {
            options = options.withStride(value);
            return this;
        }

        /** Sets the padding. */
        public Builder padding(Padding value) {
            options = options.withPadding(value);
            return this;
        }

        /** Enlarges the input 2x by nearest neighbour first, if 2. */
        public Builder upsample(int value) {
            options = options.withUpsample(value);
            return this;
        }

        /** Applies an activation to the result. */
        public Builder activation(Activation value) {
            options = options.withActivation(value);
            return this;
        }

        /** Pools the result 2x2 by maximum, stride 2. */
        public Builder maxPool(boolean value) {
            maxPool = value;
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
        public Conv2d build(ParameterFactory factory) {
            return new Conv2d(this, factory);
        }
    }

    /** {@return [out, kernel, kernel, in]} */
    public Parameter weight() {
        return weight;
    }

    /** {@return [out], or null} */
    public Parameter bias() {
        return bias;
    }

    /** {@return stride, padding, upsampling and activation} */
    public Conv2dOptions options() {
        return options;
    }

    /** {@return whether the result is pooled 2x2 by maximum} */
    public boolean maxPool() {
        return maxPool;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        String text = (options.upsample() == 2 ? "Upsample2d 2x, " : "")
                + "Conv2d " + weight.dim(1) + "x" + weight.dim(2)
                + (options.strideH() == 1 ? "" : " stride " + options.strideH());
        return options.activation().describe(text) + (maxPool ? ", MaxPool2d 2x2" : "");
    }

    @Override
    public List<Parameter> parameters() {
        return bias == null ? List.of(weight) : List.of(weight, bias);
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return maxPool
                ? Functional.conv2dMaxPool(x, weight, bias, options)
                : Functional.conv2d(x, weight, bias, options);
    }

    @Override
    public Shape outputShape(Shape input) {
        Shape full = Kernels.convolved(options.params(input, weight.dim(1), weight.dim(2)), input, weight.shape());
        return maxPool ? Kernels.pooled(Kernels.pooling(PoolKind.MAX, 2, 2), full) : full;
    }
}
