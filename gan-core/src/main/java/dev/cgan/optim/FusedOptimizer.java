package dev.cgan.optim;

import dev.cgan.nn.Parameter;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What all optimisers share: the parameters, the learning rate and step number on the device, named moments. */
abstract class FusedOptimizer implements Optimizer {
    private static final String HYPER = "hyper";

    private final List<Parameter> parameters;
    private final Tensor hyper;
    private final Map<String, Tensor> state = new LinkedHashMap<>();
    private double learningRate;

    FusedOptimizer(List<Parameter> parameters, double learningRate) {
        if (parameters.isEmpty()) {
            throw new IllegalArgumentException("an optimizer needs at least one parameter");
        }
        checkRate(learningRate);
        this.parameters = List.copyOf(parameters);
        this.learningRate = learningRate;
        this.hyper = device().doubles(new double[] {learningRate, 0});
        state.put(HYPER, hyper);
    }

    /** Zeros of each parameter's shape, kept as {@code prefix/name} in the state. */
    final List<Tensor> moments(String prefix) {
        List<Tensor> moments = new ArrayList<>(parameters.size());
        for (Parameter parameter : parameters) {
            Tensor moment = device().zeros(parameter.dtype(), parameter.shape());
            state.put(prefix + "/" + parameter.name(), moment);
            moments.add(moment);
        }
        return moments;
    }

    /** The one native call; {@code hyper} holds the learning rate and the number of this step. */
    abstract void update(Tensor hyper, List<Parameter> parameters, List<? extends Tensor> gradients);

    @Override
    public final void step(List<? extends Tensor> gradients) {
        if (gradients.size() != parameters.size()) {
            throw new IllegalArgumentException(
                    gradients.size() + " gradients were given for " + parameters.size() + " parameters");
        }
        for (int i = 0; i < parameters.size(); i++) {
            if (!gradients.get(i).shape().equals(parameters.get(i).shape())) {
                throw new IllegalArgumentException(
                        "the gradient " + gradients.get(i) + " does not have the shape of " + parameters.get(i));
            }
        }
        Kernels.optimizerAdvance(hyper);
        update(hyper, parameters, gradients);
    }

    @Override
    public final void learningRate(double value) {
        checkRate(value);
        if (value != learningRate) {
            Tensor rate = hyper.slice(0, 0, 1); // the number of the step beside it is the device's alone
            rate.copyFrom(new double[] {value});
            rate.release();
            learningRate = value;
        }
    }

    @Override
    public final double learningRate() {
        return learningRate;
    }

    @Override
    public final long steps() {
        return (long) hyper.toDoubles()[1];
    }

    @Override
    public final Map<String, Tensor> state() {
        return new LinkedHashMap<>(state);
    }

    @Override
    public final void restore(Map<String, ? extends Tensor> from) {
        state.forEach((name, tensor) -> {
            Tensor source = from.get(name);
            if (source == null) {
                throw new IllegalArgumentException("the optimizer's state has no tensor " + name);
            }
            if (!source.shape().equals(tensor.shape())) {
                throw new IllegalArgumentException("the optimizer's " + name + " has shape " + tensor.shape()
                        + ", but the state gives " + source.shape());
            }
        });
        state.forEach((name, tensor) -> tensor.copyFrom(from.get(name)));
        learningRate = hyper.toDoubles()[0];
    }

    final Device device() {
        return parameters.getFirst().device();
    }

    private static void checkRate(double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("the learning rate must be at least 0 and finite, but is " + value);
        }
    }

    static void checkFraction(String what, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException(what + " must be of [0, 1), but is " + value);
        }
    }

    static void checkNotNegative(String what, double value) {
        if (!(value >= 0)) {
            throw new IllegalArgumentException(what + " must not be negative, but is " + value);
        }
    }
}
