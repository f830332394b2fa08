package dev.cgan.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Operators that were captured once, see {@link Device#capture}, and run again by one call each time.
 *
 * <p>They read and write the same memory at every launch: tensors that were made outside keep their place in it, and those
 * that were made by the capture belong to the graph. Those which the capture left open hold the results of the latest
 * launch. Whatever else runs in between never uses the graph's memory.
 */
public final class Graph implements AutoCloseable {
    private final Device device;
    private final MemoryPool memory;
    private final MemorySegment handle;
    private boolean open = true;

    Graph(Device device, MemorySegment handle, MemoryPool memory) {
        this.device = device;
        this.handle = handle;
        this.memory = memory;
    }

    /**
     * Queues the operators.
     *
     * @throws IllegalStateException if this is closed
     * @throws IllegalArgumentException if a tensor that they use has been freed
     */
    public void launch() {
        if (!open) {
            throw new IllegalStateException("the graph is closed");
        }
        device.run(calls -> calls.graphLaunch(handle));
    }

    /** Frees the graph and its memory; that of tensors which are still open when they close. Closing again does nothing. */
    @Override
    public void close() {
        if (open) {
            open = false;
            device.run(calls -> calls.graphDestroy(handle));
            device.retire(memory);
        }
    }
}
