package dev.cgan.tensor;

import dev.cgan.bindings.NativeCalls;
import java.util.ArrayDeque;

/**
 * Blocks of device memory, kept for reuse when their tensors close.
 *
 * <p>Sizes are rounded up to classes, eight to a power of two, so at most an eighth of a block is unused. A request takes
 * the smallest cached block that fits and is less than twice as large; else a new one is allocated.
 */
final class MemoryPool {
    /** Classes per power of two, as a shift. */
    private static final int STEPS_SHIFT = 3;

    private static final int STEPS = 1 << STEPS_SHIFT;

    /** The smallest block, and the alignment of all. */
    private static final int GRANULE_SHIFT = 8;

    private static final int CLASSES = (Long.SIZE - 1 - GRANULE_SHIFT) * STEPS;

    private final NativeCalls calls;
    private final ArrayDeque<Block>[] free = newFreeLists();

    private boolean retired;
    private long liveBytes;
    private long cachedBytes;
    private long peakBytes;

    MemoryPool(NativeCalls calls) {
        this.calls = calls;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static ArrayDeque<Block>[] newFreeLists() {
        return new ArrayDeque[CLASSES];
    }

    /** A block of at least so many bytes, contents undefined, with no views yet. */
    Block take(long bytes) {
        int wanted = sizeClass(bytes);
        long rounded = bytesOf(wanted);
        for (int i = wanted; i < CLASSES && bytesOf(i) < 2 * rounded; i++) {
            if (free[i] != null && !free[i].isEmpty()) {
                Block block = free[i].pop();
                cachedBytes -= block.bytes;
                return lent(block);
            }
        }
        return lent(new Block(this, calls.bufferCreate(rounded), rounded, wanted));
    }

    private Block lent(Block block) {
        liveBytes += block.bytes;
        peakBytes = Math.max(peakBytes, liveBytes);
        return block;
    }

    void giveBack(Block block) {
        if (retired) {
            liveBytes -= block.bytes;
            calls.bufferDestroy(block.buffer);
            return;
        }
        if (free[block.sizeClass] == null) {
            free[block.sizeClass] = new ArrayDeque<>();
        }
        free[block.sizeClass].push(block);
        liveBytes -= block.bytes;
        cachedBytes += block.bytes;
    }

    /** Frees all cached blocks. */
    void trim() {
        for (ArrayDeque<Block> list : free) {
            while (list != null && !list.isEmpty()) {
                Block block = list.pop();
                cachedBytes -= block.bytes;
                calls.bufferDestroy(block.buffer);
            }
        }
    }

    /** Frees all blocks: the cached ones now, the others when they are given back. */
    void retire() {
        retired = true;
        trim();
    }

    long liveBytes() {
        return liveBytes;
    }

    long cachedBytes() {
        return cachedBytes;
    }

    long peakBytes() {
        return peakBytes;
    }

    void resetPeak() {
        peakBytes = liveBytes;
    }

    /** The index of the smallest class that holds so many bytes. */
    static int sizeClass(long bytes) {
        long granules = Math.max(1, (bytes + (1 << GRANULE_SHIFT) - 1) >>> GRANULE_SHIFT);
        if (granules <= STEPS) {
            return (int) granules - 1;
        }
        // In units of 2^shift granules the class is a number of STEPS + 1 .. 2 * STEPS, rounded up.
        int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(granules - 1) - STEPS_SHIFT;
        long mantissa = (granules + (1L << shift) - 1) >>> shift;
        return (int) (shift * STEPS + mantissa - 1);
    }

    /** The size of the blocks of a class. */
    static long bytesOf(int sizeClass) {
        if (sizeClass < STEPS) {
            return (sizeClass + 1L) << GRANULE_SHIFT;
        }
        int shift = sizeClass / STEPS - 1;
        long mantissa = sizeClass - (long) shift * STEPS + 1;
        return mantissa << (shift + GRANULE_SHIFT);
    }
}
