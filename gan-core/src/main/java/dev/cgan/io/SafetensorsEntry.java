package dev.cgan.io;

import java.util.List;

/**
 * What a safetensors file says of one tensor.
 *
 * @param name its name, unique in the file
 * @param type the type of its elements
 * @param shape its dimensions, outermost first; empty for a scalar
 * @param begin where its bytes begin, counted from the end of the header
 * @param end where its bytes end, exclusive
 */
public record SafetensorsEntry(String name, DType type, List<Long> shape, long begin, long end) {
    /** Copies the shape. */
    public SafetensorsEntry {
        shape = List.copyOf(shape);
    }

    /** {@return the number of elements} */
    public long elements() {
        long product = 1;
        for (long extent : shape) {
            product *= extent;
        }
        return product;
    }

    /** {@return the size of the tensor in bytes} */
    public long byteSize() {
        return end - begin;
    }

    @Override
    public String toString() {
        return name + " " + type + shape;
    }
}
