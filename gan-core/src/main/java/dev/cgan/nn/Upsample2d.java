package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * Enlarges images [n, h, w, c] by nearest neighbour. Before a convolution, prefer {@link Conv2d.Builder#upsample}, which
 * never makes the large image.
 *
 * @param name the layer's name
 * @param factor at least 1
 */
public record Upsample2d(String name, int factor) implements Layer {
    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return Functional.upsample2d(x, factor);
    }

    @Override
    public Shape outputShape(Shape input) {
        return Shape.of(input.dim(0), input.dim(1) * factor, input.dim(2) * factor, input.dim(3));
    }

    @Override
    public String type() {
        return "Upsample2d " + factor + "x";
    }
}
