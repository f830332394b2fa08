package dev.cgan.nn;

import dev.cgan.bindings.PoolKind;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * The maximum of each window of images [n, h, w, c]; rows and columns that fill no window are dropped.
 *
 * @param name the layer's name
 * @param window rows and columns of a window
 * @param stride from one window to the next
 */
public record MaxPool2d(String name, int window, int stride) implements Layer {
    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return Functional.maxPool2d(x, window, stride);
    }

    @Override
    public Shape outputShape(Shape input) {
        return Kernels.pooled(Kernels.pooling(PoolKind.MAX, window, stride), input);
    }

    @Override
    public String type() {
        return "MaxPool2d " + window + "x" + window;
    }
}
