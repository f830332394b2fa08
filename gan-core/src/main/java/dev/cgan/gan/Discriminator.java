package dev.cgan.gan;

import dev.cgan.nn.Pass;
import dev.cgan.tensor.Tensor;

/** A network that judges images: a discriminator, whose outputs are logits, or a critic, whose outputs are scores. */
public interface Discriminator extends Player {
    /**
     * Judges images.
     *
     * @param images F32 {@code [n, h, w, c]} in [-1, 1]
     * @param labels I32 {@code [n]}, ignored by an unconditional network
     * @param pass training or inference
     * @return {@code [n]}, greater for what looks real, in the innermost scope
     */
    Tensor apply(Tensor images, Tensor labels, Pass pass);
}
