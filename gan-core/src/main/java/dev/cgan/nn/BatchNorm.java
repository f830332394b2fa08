package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Batch normalisation over all axes but the last (Ioffe and Szegedy 2015): x [..., features].
 *
 * <p>A training pass uses the batch's mean and biased variance and moves the running ones: running = momentum * running +
 * (1 - momentum) * batch. An inference pass uses the running ones. Parameters {@code name.gamma}, {@code name.beta}; buffers
 * {@code name.running_mean}, {@code name.running_var}; all [features].
 */
public final class BatchNorm implements Layer {
    private final String name;
    private final Parameter gamma;
    private final Parameter beta;
    private final Tensor runningMean;
    private final Tensor runningVar;
    private final double momentum;
    private final double epsilon;

    private BatchNorm(Builder builder, ParameterFactory factory) {
        name = builder.name;
        momentum = builder.momentum;
        epsilon = builder.epsilon;
        Shape shape = Shape.of(builder.features);
        gamma = factory.parameter(name + ".gamma", shape, builder.gamma, 1, 1);
        beta = factory.parameter(name + ".beta", shape, 0);
        runningMean = factory.buffer(0, shape);
        runningVar = factory.buffer(1, shape);
    }

    /** {@return a builder: momentum 0.99 and epsilon 1e-3, as in Keras, unless changed} */
    public static Builder builder(String name, int features) {
        return new Builder(name, features);
    }

    /** What a batch normalisation is made from. */
    public static final class Builder {
        private final String name;
        private final int features;
        private double momentum = 0.99;
        private double epsilon = 1e-3;
        private Initializer gamma = Initializer.constant(1);

        private Builder(String name, int features) {
            this.name = name;
            this.features = features;
        }

        /** Sets the share of the running statistics that stays, of [0, 1]; 0.9 where PyTorch says 0.1. */
        public Builder momentum(double value) {
            momentum = Normalization.requireMomentum(value);
            return this;
        }

        /** Sets what is added to the variance, more than 0. */
        public Builder epsilon(double value) {
            epsilon = Normalization.requireEpsilon(value);
            return this;
        }

        /** Sets how the scales begin; 1 unless changed. */
        public Builder gamma(Initializer value) {
            gamma = value;
            return this;
        }

        /** {@return the layer; its parameters and buffers join the innermost open scope} */
        public BatchNorm build(ParameterFactory factory) {
            return new BatchNorm(this, factory);
        }
    }

    /** {@return the scales} */
    public Parameter gamma() {
        return gamma;
    }

    /** {@return the shifts} */
    public Parameter beta() {
        return beta;
    }

    /** {@return the running mean} */
    public Tensor runningMean() {
        return runningMean;
    }

    /** {@return the running biased variance} */
    public Tensor runningVar() {
        return runningVar;
    }

    /** {@return what is added to the variance} */
    public double epsilon() {
        return epsilon;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Parameter> parameters() {
        return List.of(gamma, beta);
    }

    @Override
    public Map<String, Tensor> buffers() {
        Map<String, Tensor> buffers = new LinkedHashMap<>();
        buffers.put(name + ".running_mean", runningMean);
        buffers.put(name + ".running_var", runningVar);
        return buffers;
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return pass.isTraining()
                ? Functional.batchNormTraining(x, gamma, beta, runningMean, runningVar, epsilon, momentum)
                : Functional.batchNormInference(x, gamma, beta, runningMean, runningVar, epsilon);
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.rank() < 2 || input.dim(-1) != gamma.size()) {
            throw new IllegalArgumentException(name + " takes [...," + gamma.size() + "], not " + input);
        }
        return input;
    }
}
