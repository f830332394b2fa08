package dev.cgan.train;

import dev.cgan.io.DType;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.io.SafetensorsWriter;
import dev.cgan.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Tensors to and from safetensors files, piece by piece: the host holds a buffer of one megabyte, however large a tensor is.
 * Both sides are little-endian.
 */
final class StateFiles {
    private StateFiles() {}

    /** Adds a tensor, whose elements are fetched when the file is written. */
    static void add(SafetensorsWriter writer, String name, Tensor tensor) {
        writer.add(
                name,
                DType.valueOf(tensor.dtype().name()),
                tensor.shape().dims(),
                (at, chunk) -> tensor.readBytes(at, MemorySegment.ofBuffer(chunk)));
    }

    /** Fills a tensor with the one of that name, which must have its type and shape. */
    static void read(SafetensorsFile file, String name, Tensor tensor) throws IOException {
        file.stream(name, (at, chunk) -> tensor.writeBytes(at, MemorySegment.ofBuffer(chunk)));
    }
}
