package dev.cgan.tensor;

import java.lang.foreign.MemorySegment;

/** One buffer of the native library, shared by the tensors that are views of it. */
final class Block {
    final MemorySegment buffer;
    final long bytes;
    final int sizeClass;
    final MemoryPool pool;

    /** Tensors that are views of this block; the last to close gives it back to the pool. */
    int views;

    /** Counts changes in place, so that a gradient through changed values is refused. */
    int version;

    Block(MemoryPool pool, MemorySegment buffer, long bytes, int sizeClass) {
        this.pool = pool;
        this.buffer = buffer;
        this.bytes = bytes;
        this.sizeClass = sizeClass;
    }
}
