package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** 2,000 steps: device memory stays the same to the byte, the process and the heap do not grow. */
@Timeout(300)
class MemoryFlatTest {
    private static final long MIB = 1 << 20;

    /** Tensor handles and the record of operations, 79 KB a step of {@code cgan}: the JVM collects every 300 steps or so. */
    @Test
    void aStepLeavesLittleGarbage() throws IOException {
        Map<String, Object> changes = Map.of("steps", 300, "sample_every", 0, "checkpoint_every", 0);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] allocated = new long[2];
        TrainListener listener = new TrainListener() {
            @Override
            public void onStep(Progress progress) {
                if (progress.step() == 100 || progress.step() == 300) {
                    allocated[progress.step() == 100 ? 0 : 1] = threads.getCurrentThreadAllocatedBytes();
                }
            }
        };
        try (Trainer trainer = Trainer.create(Blobs.config("cgan", changes), Blobs.dataset(50), listener)) {
            trainer.run();
        }
        assertThat((allocated[1] - allocated[0]) / 200).isBetween(1L, 100_000L);
    }

    @Test
    void memoryIsFlatAfterTheFirstHundredSteps() throws IOException {
        Map<String, Object> changes = Map.of("steps", 2000, "sample_every", 0, "checkpoint_every", 0);
        long[] live = new long[1];
        long[] held = new long[1];
        long[] heap = new long[2];
        long[] resident = new long[2];
        int[] checked = new int[1];
        TrainListener listener = new TrainListener() {
            @Override
            public void onStep(Progress progress) {
                if (progress.step() == 100) {
                    live[0] = progress.liveBytes();
                    held[0] = progress.heldBytes();
                    measure(0);
                } else if (progress.step() > 100) {
                    assertThat(progress.liveBytes()).isEqualTo(live[0]);
                    assertThat(progress.heldBytes()).isEqualTo(held[0]);
                    checked[0]++;
                }
                if (progress.step() == 2000) {
                    measure(1);
                }
            }

            private void measure(int at) {
                heap[at] = usedHeap();
                resident[at] = residentBytes();
            }
        };
        try (Trainer trainer = Trainer.create(Blobs.config("cgan", changes), Blobs.dataset(50), listener)) {
            trainer.run();
        }
        assertThat(checked[0]).isEqualTo(1900);
        assertThat(live[0]).isPositive();
        assertThat(heap[1] - heap[0]).isLessThan(4 * MIB);
        // The heap is resident from the start (pom.xml), but the JVM compiles as it goes. A leak of one tensor a step
        // would show as more than this.
        assertThat(resident[1] - resident[0]).isLessThan(48 * MIB);
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static long residentBytes() {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        try {
            return Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
