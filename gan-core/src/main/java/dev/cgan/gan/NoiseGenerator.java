package dev.cgan.gan;

import dev.cgan.nn.Functional;
import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Parameter;
import dev.cgan.nn.Pass;
import dev.cgan.nn.RandomSource;
import dev.cgan.nn.Sequential;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A generator that is one chain of layers from noise to image. If it is conditional, the chain's input is the noise with the
 * one-hot label after it.
 *
 * @param layers from {@code [n, latent + classes]} to {@code [n, h, w, c]}
 * @param noise the distribution of its noise
 * @param latent numbers of noise for an image
 * @param classes the number of labels; 0 if it is unconditional
 */
record NoiseGenerator(Sequential layers, Noise noise, int latent, int classes) implements Generator {

    /** A distribution of noise. */
    enum Noise {
        /** All numbers of [-1, 1) equally likely. */
        UNIFORM,
        /** Mean 0, variance 1. */
        NORMAL
    }

    @Override
    public boolean isConditional() {
        return classes > 0;
    }

    @Override
    public Tensor noise(RandomSource random, String purpose, long n) {
        return switch (noise) {
            case UNIFORM -> random.uniform(purpose, -1, 1, n, latent);
            case NORMAL -> random.normal(purpose, 0, 1, n, latent);
        };
    }

    @Override
    public Tensor apply(Tensor z, Tensor labels, Pass pass) {
        if (!isConditional()) {
            return layers.apply(z, pass);
        }
        return layers.apply(Tensor.concat(1, z, Functional.oneHot(labels, classes, z.dtype())), pass);
    }

    @Override
    public List<Parameter> parameters() {
        return layers.parameters();
    }

    @Override
    public Map<String, Tensor> buffers() {
        return layers.buffers();
    }

    @Override
    public List<LayerInfo> describe(long batch) {
        return layers.describe(Shape.of(batch, latent + classes));
    }
}
