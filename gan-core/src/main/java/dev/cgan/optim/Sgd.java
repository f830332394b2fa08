package dev.cgan.optim;

import dev.cgan.nn.Parameter;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * Gradient descent, with momentum if asked: velocity = momentum * velocity + g, parameter -= lr * velocity; Nesterov's form
 * steps by g + momentum * velocity. Its velocities join the scope that is innermost when it is made.
 */
public final class Sgd extends FusedOptimizer {
    private final double momentum;
    private final boolean nesterov;
    private final double weightDecay;
    private final List<Tensor> velocity;

    /** Makes an optimiser without momentum and decay. */
    public Sgd(List<Parameter> parameters, double learningRate) {
        this(parameters, learningRate, 0, false, 0);
    }

    /**
     * Makes an optimiser of these parameters, all on one device.
     *
     * @param momentum share of the velocity that stays, of [0, 1)
     * @param nesterov whether the step looks ahead; needs momentum
     * @param weightDecay times the parameter is added to its gradient
     */
    public Sgd(List<Parameter> parameters, double learningRate, double momentum, boolean nesterov, double weightDecay) {
        super(parameters, learningRate);
        checkFraction("momentum", momentum);
        checkNotNegative("the weight decay", weightDecay);
        if (nesterov && momentum == 0) {
            throw new IllegalArgumentException("Nesterov's form needs a momentum above 0");
        }
        this.momentum = momentum;
        this.nesterov = nesterov;
        this.weightDecay = weightDecay;
        velocity = momentum == 0 ? null : moments("velocity");
    }

    @Override
    void update(Tensor hyper, List<Parameter> parameters, List<? extends Tensor> gradients) {
        Kernels.sgd(momentum, nesterov, weightDecay, hyper, parameters, gradients, velocity);
    }
}
