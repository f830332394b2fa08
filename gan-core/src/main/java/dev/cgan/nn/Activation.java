package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.Locale;

/**
 * A function of each element: a layer by itself, or fused to the end of another. All are monotone, and their derivatives
 * follow from their results.
 */
public final class Activation implements Layer {
    private static final Activation NONE = new Activation(dev.cgan.bindings.Activation.NONE, 0);

    private final dev.cgan.bindings.Activation kind;
    private final double slope;

    private Activation(dev.cgan.bindings.Activation kind, double slope) {
        this.kind = kind;
        this.slope = slope;
    }

    /** {@return x} */
    public static Activation none() {
        return NONE;
    }

    /** {@return the hyperbolic tangent} */
    public static Activation tanh() {
        return new Activation(dev.cgan.bindings.Activation.TANH, 0);
    }

    /** {@return 1 / (1 + exp(-x))} */
    public static Activation sigmoid() {
        return new Activation(dev.cgan.bindings.Activation.SIGMOID, 0);
    }

    /** {@return log(1 + exp(x))} */
    public static Activation softplus() {
        return new Activation(dev.cgan.bindings.Activation.SOFTPLUS, 0);
    }

    /** {@return max(x, 0)} */
    public static Activation relu() {
        return new Activation(dev.cgan.bindings.Activation.RELU, 0);
    }

    /**
     * {@return x > 0 ? x : slope * x}
     *
     * @param slope not negative; 0.2 in DCGAN
     */
    public static Activation leakyRelu(double slope) {
        if (!(slope >= 0)) {
            throw new IllegalArgumentException("the slope of leaky relu must not be negative, but is " + slope);
        }
        return new Activation(dev.cgan.bindings.Activation.LEAKY_RELU, slope);
    }

    dev.cgan.bindings.Activation kind() {
        return kind;
    }

    /** {@return the slope below 0 of leaky relu, else 0} */
    public double slope() {
        return slope;
    }

    /** {@return f(x)} */
    public Tensor apply(Tensor x) {
        return switch (kind) {
            case NONE -> x;
            case TANH -> x.tanh();
            case SIGMOID -> x.sigmoid();
            case SOFTPLUS -> x.softplus();
            case RELU -> x.relu();
            case LEAKY_RELU -> x.leakyRelu(slope);
        };
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return apply(x);
    }

    @Override
    public Shape outputShape(Shape input) {
        return input;
    }

    @Override
    public String name() {
        return toString();
    }

    @Override
    public String type() {
        return "Activation";
    }

    /** A layer's description with this at its end, unless this is none. */
    String describe(String layer) {
        return kind == dev.cgan.bindings.Activation.NONE ? layer : layer + " " + this;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Activation that && that.kind == kind && that.slope == slope;
    }

    @Override
    public int hashCode() {
        return kind.hashCode() * 31 + Double.hashCode(slope);
    }

    /** {@return for example {@code tanh} or {@code leaky_relu(0.2)}} */
    @Override
    public String toString() {
        String text = kind.name().toLowerCase(Locale.ROOT);
        return kind == dev.cgan.bindings.Activation.LEAKY_RELU ? text + "(" + slope + ")" : text;
    }
}
