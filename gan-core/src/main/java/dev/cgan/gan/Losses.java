package dev.cgan.gan;

import dev.cgan.tensor.Tensor;

/**
 * What one step tells. All tensors live in the scope of the step.
 *
 * @param discriminator the discriminator's loss before its update, scalar; of the last update where there are several
 * @param generator the generator's loss before its update, scalar
 * @param real the {@linkplain Objective#probability probability} that the discriminator gave to the real images, any shape
 * @param fake that of the generated ones
 * @param images the generated images that it saw, F32 {@code [n, h, w, c]}
 */
public record Losses(Tensor discriminator, Tensor generator, Tensor real, Tensor fake, Tensor images) {}
