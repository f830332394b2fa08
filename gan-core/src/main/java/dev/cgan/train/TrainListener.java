package dev.cgan.train;

import java.nio.file.Path;

/**
 * Is told what a {@link Trainer} does, on the trainer's thread, between steps. All methods do nothing by default. An
 * exception thrown here ends the training.
 */
public interface TrainListener {
    /**
     * Training is about to begin, or to go on.
     *
     * @param start what is trained, where and from which step
     */
    default void onStart(TrainStart start) {}

    /**
     * A step is done and recorded.
     *
     * @param progress its figures
     */
    default void onStep(Progress progress) {}

    /**
     * A picture of generated images has been written.
     *
     * @param step after which step
     * @param file the PNG file
     */
    default void onSample(long step, Path file) {}

    /**
     * A checkpoint has been written.
     *
     * @param step after which step
     * @param file the safetensors file
     */
    default void onCheckpoint(long step, Path file) {}

    /**
     * Something looks wrong. Each kind of warning comes once in a while, not at every step.
     *
     * @param text one sentence for a person, with what to do
     */
    default void onWarning(String text) {}
}
