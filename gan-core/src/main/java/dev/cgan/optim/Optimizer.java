package dev.cgan.optim;

import dev.cgan.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** Changes parameters by their gradients. */
public interface Optimizer {
    /**
     * Makes one step.
     *
     * @param gradients one for each parameter, in order, of its shape
     * @throws IllegalArgumentException if their number or shapes differ from the parameters'
     */
    void step(List<? extends Tensor> gradients);

    /** Sets the learning rate of the steps to come. */
    void learningRate(double value);

    /** {@return the learning rate} */
    double learningRate();

    /** {@return the number of steps made} */
    long steps();

    /** {@return all that must be kept to go on later, by name, in a fixed order; the tensors themselves, not copies} */
    Map<String, Tensor> state();

    /**
     * Goes on from a state.
     *
     * @param state a tensor for each name of {@link #state}, of its shape
     * @throws IllegalArgumentException if one is missing or has another shape; nothing is changed then
     */
    void restore(Map<String, ? extends Tensor> state);
}
