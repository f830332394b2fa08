package dev.cgan.gan;

import dev.cgan.tensor.Tensor;

/**
 * Real images and their labels on a device.
 *
 * @param images F32 {@code [n, h, w, c]} in [-1, 1]
 * @param labels I32 {@code [n]}; zeros where the data has no classes
 */
public record Batch(Tensor images, Tensor labels) {
    /** Checks that each image has a label. */
    public Batch {
        if (images.shape().dim(0) != labels.shape().dim(0)) {
            throw new IllegalArgumentException(
                    images.shape().dim(0) + " images, but " + labels.shape().dim(0) + " labels");
        }
    }

    /** {@return the number of images} */
    public int size() {
        return Math.toIntExact(images.shape().dim(0));
    }

    /**
     * Cuts this batch into equal parts, as a model needs that looks at several batches in one step.
     *
     * @param index which part, from 0
     * @param parts how many there are; divides {@link #size}
     * @return copies of that part's rows in the innermost scope
     */
    public Batch part(int index, int parts) {
        int rows = size() / parts;
        if (rows * parts != size() || index < 0 || index >= parts) {
            throw new IllegalArgumentException("part " + index + " of " + parts + " of a batch of " + size());
        }
        return new Batch(images.slice(0, (long) index * rows, rows), labels.slice(0, (long) index * rows, rows));
    }
}
