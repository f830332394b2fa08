package dev.cgan.gan;

import java.util.List;

/**
 * A generative adversarial network: its networks, and one step of their game. It owns nothing else: data, scopes,
 * schedules, checkpoints, averages and logs are the trainer's.
 *
 * <p>Parameters and optimizer states join the scope that is innermost when the model is made. Use by one thread at a time.
 */
public interface GanModel {
    /** {@return the network that draws} */
    Generator generator();

    /** {@return all networks with their optimizers, in a fixed order} */
    List<Network> networks();

    /** {@return what its networks minimise} */
    Objective objective();

    /**
     * Makes one step: updates the discriminator, then the generator, each as often as the algorithm says.
     *
     * @param real {@link #batchesPerStep} batches of real images, one after the other
     * @param step the step's number and randomness
     * @return what to watch, in the innermost scope
     */
    Losses step(Batch real, Step step);

    /** {@return how many batches of real images one step uses} */
    default int batchesPerStep() {
        return 1;
    }

    /** {@return whether batches come in the order of the file instead of in a random one} */
    default boolean usesFileOrder() {
        return false;
    }

    /** {@return whether a run's pictures show the images of the step itself instead of images from fixed noise} */
    default boolean showsStepImages() {
        return false;
    }
}
