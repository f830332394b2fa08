package dev.cgan.tensor;

/**
 * What a device's memory is doing, in bytes and counts.
 *
 * @param liveBytes in blocks that tensors use
 * @param cachedBytes in blocks that the pool keeps for reuse
 * @param peakBytes highest {@code liveBytes} since the device was opened or the peak was reset
 * @param liveTensors tensors that are not closed
 * @param nativeLiveBytes in buffers of the native library: live and cached blocks, rounding included
 * @param nativeWorkspaceBytes scratch that the native library holds for its kernels
 * @param allocations native allocations attempted so far
 * @param calls native operator calls attempted so far
 */
public record MemoryReport(
        long liveBytes,
        long cachedBytes,
        long peakBytes,
        long liveTensors,
        long nativeLiveBytes,
        long nativeWorkspaceBytes,
        long allocations,
        long calls) {}
