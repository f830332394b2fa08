package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * Makes [n, features] of [n, ...], row-major: height, width, channel of an image.
 *
 * @param name the layer's name
 */
public record Flatten(String name) implements Layer {
    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return x.reshape(outputShape(x.shape()).dims());
    }

    @Override
    public Shape outputShape(Shape input) {
        return Shape.of(input.dim(0), input.with(0, 1).size());
    }
}
