package dev.cgan.gan;

import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Parameter;
import dev.cgan.nn.Pass;
import dev.cgan.nn.Sequential;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A discriminator that is one chain of layers and sees no labels.
 *
 * @param layers from {@code [n, h, w, c]} to {@code [n, 1]}
 * @param images what it judges
 */
record PlainDiscriminator(Sequential layers, ImageShape images) implements Discriminator {
    @Override
    public Tensor apply(Tensor x, Tensor labels, Pass pass) {
        return layers.apply(x, pass).reshape(-1);
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
        return layers.describe(Shape.of(batch, images.height(), images.width(), images.channels()));
    }
}
