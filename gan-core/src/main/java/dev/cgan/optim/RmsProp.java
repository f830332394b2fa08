package dev.cgan.optim;

import dev.cgan.nn.Parameter;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * RMSProp (Tieleman and Hinton 2012): v = rho * v + (1 - rho) * g^2, parameter -= lr * g / (sqrt(v) + epsilon). Its moments
 * join the scope that is innermost when it is made.
 */
public final class RmsProp extends FusedOptimizer {
    private final double rho;
    private final double epsilon;
    private final List<Tensor> v;

    /**
     * Makes an optimiser of these parameters, all on one device.
     *
     * @param rho decay of the mean of squared gradients: 0.9 in Keras, 0.99 in PyTorch
     * @param epsilon added to the denominator: 1e-7 in Keras, 1e-8 in PyTorch
     */
    public RmsProp(List<Parameter> parameters, double learningRate, double rho, double epsilon) {
        super(parameters, learningRate);
        checkFraction("rho", rho);
        checkNotNegative("epsilon", epsilon);
        this.rho = rho;
        this.epsilon = epsilon;
        v = moments("v");
    }

    @Override
    void update(Tensor hyper, List<Parameter> parameters, List<? extends Tensor> gradients) {
        Kernels.rmsprop(rho, epsilon, hyper, parameters, gradients, v);
    }
}
