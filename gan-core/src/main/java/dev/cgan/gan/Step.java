package dev.cgan.gan;

import dev.cgan.nn.Mode;
import dev.cgan.nn.Pass;
import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.Tensor;

/**
 * One training step as a model sees it: its number and its randomness. Each draw has a purpose, unique in the step, that
 * names it in a trace and selects its stream of random numbers; so draws do not depend on their order.
 */
public interface Step extends RandomSource {
    /** {@return the number of this step, from 1} */
    long number();

    /**
     * Draws labels for generated images from the frequencies of the data's classes.
     *
     * @param purpose what they are for, unique in this step
     * @param n how many
     * @return I32 {@code [n]} in the innermost scope
     */
    Tensor labels(String purpose, long n);

    /** {@return a pass in training mode with this step's randomness} */
    default Pass training() {
        return new Pass(Mode.TRAINING, this);
    }

    /** {@return a pass in inference mode} */
    default Pass inference() {
        return Pass.inference();
    }
}
