package dev.cgan.bindings;

/**
 * What a context holds, {@code cgan_memory_stats}.
 *
 * @param liveBytes in buffers that exist
 * @param peakBytes highest liveBytes + workspaceBytes so far
 * @param liveBuffers buffers that exist
 * @param workspaceBytes scratch that the backend holds
 * @param allocations allocations attempted so far
 * @param calls operator calls attempted so far
 */
public record MemoryStats(
        long liveBytes, long peakBytes, long liveBuffers, long workspaceBytes, long allocations, long calls) {}
