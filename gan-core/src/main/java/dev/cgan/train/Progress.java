package dev.cgan.train;

/**
 * The figures of one step.
 *
 * @param step its number, from 1
 * @param steps the number of the last step
 * @param discriminatorLoss the discriminator's loss
 * @param generatorLoss the generator's loss
 * @param real the mean of D(x) over the real images
 * @param fake the mean of D(G(z)) over the generated images
 * @param seconds how long the step took, without pictures and checkpoints
 * @param imagesPerSecond real images used a second, by the median of the last steps
 * @param secondsLeft the estimated time until the last step; NaN during the first few
 * @param liveBytes device memory in tensors between steps
 * @param heldBytes device memory taken from the system, in tensors or kept for reuse
 */
public record Progress(
        long step,
        long steps,
        double discriminatorLoss,
        double generatorLoss,
        double real,
        double fake,
        double seconds,
        double imagesPerSecond,
        double secondsLeft,
        long liveBytes,
        long heldBytes) {}
