package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * Gives each example another shape with as many values: [n, ...] becomes [n, example...].
 *
 * @param name the layer's name
 * @param example shape of one example, without the batch
 */
public record Reshape(String name, Shape example) implements Layer {
    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return x.reshape(outputShape(x.shape()).dims());
    }

    @Override
    public Shape outputShape(Shape input) {
        if (input.with(0, 1).size() != example.size()) {
            throw new IllegalArgumentException(name + " cannot make examples of " + example + " from " + input);
        }
        long[] dims = new long[example.rank() + 1];
        dims[0] = input.dim(0);
        System.arraycopy(example.dims(), 0, dims, 1, example.rank());
        return Shape.of(dims);
    }
}
