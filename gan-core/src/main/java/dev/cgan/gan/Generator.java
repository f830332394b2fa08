package dev.cgan.gan;

import dev.cgan.nn.Pass;
import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.Tensor;

/** A network that turns noise, and a label where it is conditional, into images. */
public interface Generator extends Player {
    /** {@return whether labels choose what it draws; if not, they are ignored} */
    boolean isConditional();

    /**
     * Draws noise from the distribution that this generator was made for.
     *
     * @param random where from
     * @param purpose what for, unique in its step
     * @param n for how many images
     * @return F32 {@code [n, latent]} in the innermost scope
     */
    Tensor noise(RandomSource random, String purpose, long n);

    /**
     * Draws images.
     *
     * @param noise F32 {@code [n, latent]}
     * @param labels I32 {@code [n]}
     * @param pass training or inference
     * @return F32 {@code [n, h, w, c]} in [-1, 1] in the innermost scope
     */
    Tensor apply(Tensor noise, Tensor labels, Pass pass);
}
