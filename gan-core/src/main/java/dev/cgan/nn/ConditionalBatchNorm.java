package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Batch normalisation whose scale and shift belong to a class (Dumoulin, Shlens and Kudlur 2017): x [n, ..., features] is
 * normalised as by {@link BatchNorm}, then row i is scaled and shifted by the rows of its class.
 *
 * <p>Parameters {@code name.gamma} and {@code name.beta}, [classes, features]; buffers {@code name.running_mean} and
 * {@code name.running_var}, [features].
 */
public final class ConditionalBatchNorm implements Module {
    private final String name;
    private final Parameter gamma;
    private final Parameter beta;
    private final Tensor runningMean;
    private final Tensor runningVar;
    private final double momentum;
    private final double epsilon;

    private ConditionalBatchNorm(Builder builder, ParameterFactory factory) {
        name = builder.name;
        momentum = builder.momentum;
        epsilon = builder.epsilon;
        gamma = factory.parameter(name + ".gamma", Shape.of(builder.classes, builder.features), 1);
        beta = factory.parameter(name + ".beta", Shape.of(builder.classes, builder.features), 0);
        runningMean = factory.buffer(0, Shape.of(builder.features));
        runningVar = factory.buffer(1, Shape.of(builder.features));
    }

    /** {@return a builder: momentum 0.99, epsilon 1e-3 unless changed} */
    public static Builder builder(String name, int classes, int features) {
        return new Builder(name, classes, features);
    }

    /** What a conditional batch normalisation is made from. */
    public static final class Builder {
        private final String name;
        private final int classes;
        private final int features;
        private double momentum = 0.99;
        private double epsilon = 1e-3;

        private Builder(String name, int classes, int features) {
            this.name = name;
            this.classes = classes;
            this.features = features;
        }

        /** Sets the share of the running statistics that stays, of [0, 1]. */
        public Builder momentum(double value) {
            momentum = Normalization.requireMomentum(value);
            return this;
        }

        /** Sets what is added to the variance, more than 0. */
        public Builder epsilon(double value) {
            epsilon = Normalization.requireEpsilon(value);
            return this;
        }

        /** {@return the module; its parameters and buffers join the innermost open scope} */
        public ConditionalBatchNorm build(ParameterFactory factory) {
            return new ConditionalBatchNorm(this, factory);
        }
    }

    /** {@return the name} */
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

    /**
     * {@return x normalised, scaled and shifted by class}
     *
     * @param x [n, ..., features]
     * @param labels I32 [n], of 0 .. classes - 1
     */
    public Tensor apply(Tensor x, Tensor labels, Pass pass) {
        Tensor normal = pass.isTraining()
                ? Functional.batchNormTraining(x, null, null, runningMean, runningVar, epsilon, momentum)
                : Functional.batchNormInference(x, null, null, runningMean, runningVar, epsilon);
        long[] dims = new long[x.shape().rank()];
        Arrays.fill(dims, 1);
        dims[0] = x.dim(0);
        dims[dims.length - 1] = x.dim(-1);
        Tensor scale = Functional.gather(gamma, labels).reshape(dims);
        Tensor shift = Functional.gather(beta, labels).reshape(dims);
        return normal.times(scale).plus(shift);
    }
}
