package dev.cgan.train;

import java.nio.file.Path;
import java.util.List;

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
     * The device, opened with {@code kernels=auto}, has timed the candidates of operations that it met for the first time.
     *
     * @param choices one line for each: the operator, its shapes, a colon, the winner, and each candidate's time, as in
     *     {@code matmul [64,100] [100,6272] 0 0: vendor (vendor 0.011 ms, handwritten 0.013 ms)}
     */
    default void onKernels(List<String> choices) {}

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
