package dev.cgan.testkit;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts the heap bytes that the current thread allocates. */
public final class Allocation {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private Allocation() {}

    /** {@return the bytes that this thread has allocated since it started} */
    public static long bytes() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }
}
