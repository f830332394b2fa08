package dev.cgan.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Calls go through to libcgan with their arguments in the right places, and failures come back as exceptions. */
class NativeCallsTest {
    private record View(DType dtype, MemorySegment buffer, long offsetBytes, long... dims) implements TensorView {
        @Override
        public int rank() {
            return dims.length;
        }

        @Override
        public long dim(int axis) {
            return dims[axis];
        }
    }

    private static View tensor(NativeCalls calls, float[] values, long... dims) {
        MemorySegment buffer = calls.bufferCreate(4L * values.length);
        calls.bufferWrite(buffer, 0, MemorySegment.ofArray(values));
        return new View(DType.F32, buffer, 0, dims);
    }

    private static float[] read(NativeCalls calls, View view) {
        long elems = 1;
        for (long dim : view.dims) {
            elems *= dim;
        }
        float[] values = new float[Math.toIntExact(elems)];
        calls.bufferRead(view.buffer, view.offsetBytes, MemorySegment.ofArray(values));
        return values;
    }

    @Test
    void operandsAndParametersArriveInTheirPlaces() {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1")) {
            View a = tensor(calls, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
            View b = tensor(calls, new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
            View dst = tensor(calls, new float[4], 2, 2);
            calls.matmul(false, false, a, b, dst);
            assertThat(read(calls, dst)).containsExactly(4, 5, 10, 11);

            View bias = tensor(calls, new float[] {0.5f, -20}, 2);
            View wei = tensor(calls, new float[] {1, 0, 1, 0, 1, 1}, 2, 3);
            calls.denseForward(Activation.LEAKY_RELU, 0.5, a, wei, bias, dst);
            assertThat(read(calls, dst)).containsExactly(4.5f, -7.5f, 10.5f, -4.5f);
            calls.denseForward(Activation.NONE, 0, a, wei, null, dst);
            assertThat(read(calls, dst)).containsExactly(4, 5, 10, 11);

            View swapped = tensor(calls, new float[6], 3, 2);
            calls.permute(new int[] {1, 0}, a, swapped);
            assertThat(read(calls, swapped)).containsExactly(1, 4, 2, 5, 3, 6);

            View row = new View(DType.F32, a.buffer, 12, 1, 3); // second row, by offset
            View sum = tensor(calls, new float[1], 1, 1);
            calls.reduce(ReduceKind.SUM, 0b10, row, sum);
            assertThat(read(calls, sum)).containsExactly(15);
        }
    }

    @Test
    void listsOfAnyLengthArrive() {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1")) {
            MemorySegment hyperBuffer = calls.bufferCreate(16);
            View hyper = new View(DType.F64, hyperBuffer, 0, 2);
            calls.bufferWrite(hyperBuffer, 0, MemorySegment.ofArray(new double[] {0.5, 1}));
            List<View> params = new ArrayList<>();
            List<View> grads = new ArrayList<>();
            for (int i = 0; i < 100; i++) { // more than a frame first has room for
                params.add(tensor(calls, new float[] {i}, 1));
                grads.add(tensor(calls, new float[] {2 * i}, 1));
            }
            calls.sgd(0, false, 0, hyper, params, grads, null);
            for (int i = 0; i < 100; i++) {
                assertThat(read(calls, params.get(i))).containsExactly(0);
            }
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> calls.ema(0.5, params, grads.subList(0, 3)))
                    .withMessage("lists of 100 and 3 tensors; they must be of one length");
            calls.clamp(0, 1, List.of());
        }
    }

    @Test
    void copiesOfAnySizeAgreeOnHeapAndOff() {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1");
                Arena arena = Arena.ofConfined()) {
            int n = CallFrame.STAGING_BYTES + 12345; // two chunks
            byte[] bytes = new byte[n];
            for (int i = 0; i < n; i++) {
                bytes[i] = (byte) (i * 31 + i / 256);
            }
            MemorySegment buffer = calls.bufferCreate(n + 3L);
            calls.bufferWrite(buffer, 3, MemorySegment.ofArray(bytes));
            MemorySegment direct = arena.allocate(n);
            calls.bufferRead(buffer, 3, direct);
            assertThat(direct.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes);

            calls.bufferWrite(buffer, 0, direct);
            byte[] back = new byte[n];
            calls.bufferRead(buffer, 0, MemorySegment.ofArray(back));
            assertThat(back).isEqualTo(bytes);
            calls.bufferWrite(buffer, n + 3L, MemorySegment.ofArray(new byte[0]));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> calls.bufferWrite(buffer, 4, MemorySegment.ofArray(bytes)));
        }
    }

    @Test
    void failuresCarryTheLibrarysText() {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1&memory=1000")) {
            MemorySegment buffer = calls.bufferCreate(16);
            View tooLong = new View(DType.F32, buffer, 0, 5);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> calls.fill(1, tooLong))
                    .withMessageStartingWith("fill: dst takes 20 bytes");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> calls.fill(1, new View(DType.F32, buffer, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1)))
                    .withMessage("a tensor has 0 to 8 dimensions, not 9");
            assertThatExceptionOfType(DeviceOutOfMemoryException.class)
                    .isThrownBy(() -> calls.bufferCreate(1001))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(21));
            calls.bufferDestroy(buffer);
            assertThatIllegalArgumentException().isThrownBy(() -> calls.bufferDestroy(buffer));
            assertThat(calls.memory().liveBytes()).isZero();
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NativeCalls.open("cpu?threds=2"))
                .withMessageContaining("threds");
    }

    @Test
    void injectedFaultsKeepTheirCode() {
        try (NativeCalls calls = NativeCalls.open("faulty:cpu?fail=3")) {
            View view = tensor(calls, new float[] {1}, 1); // its copy is the first call
            calls.fill(1, view);
            assertThatExceptionOfType(GanNativeException.class)
                    .isThrownBy(() -> calls.fill(2, view))
                    .satisfies(e -> assertThat(e.code()).isEqualTo(70));
            calls.fill(3, view);
            assertThat(read(calls, view)).containsExactly(3);
        }
    }

    @Test
    void theTimerMeasuresFromStartToStop() throws InterruptedException {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(calls::timerStop)
                    .withMessageContaining("the timer does not run");
            calls.timerStart();
            Thread.sleep(20);
            assertThat(calls.timerStop()).isGreaterThanOrEqualTo(0.02);
        }
    }

    @Test
    void aClosedDeviceSaysSoAndClosesOnce() {
        NativeCalls calls = NativeCalls.open("cpu?threads=1");
        calls.close();
        calls.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> calls.bufferCreate(1))
                .withMessage("device 'cpu?threads=1' is closed");
        assertThatIllegalStateException().isThrownBy(calls::describe);
    }

    @Test
    void threadsTakeTurns() throws Exception {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1");
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> wrong = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                float mine = t;
                View view = tensor(calls, new float[16], 16);
                wrong.add(threads.submit(() -> {
                    int bad = 0;
                    for (int i = 0; i < 2000; i++) {
                        calls.fill(mine + i, view);
                        bad += read(calls, view)[15] == mine + i ? 0 : 1;
                    }
                    return bad;
                }));
            }
            for (Future<Integer> result : wrong) {
                assertThat(result.get()).isZero();
            }
        }
    }

    @Test
    void callsMakeNoGarbage() {
        try (NativeCalls calls = NativeCalls.open("cpu?threads=1")) {
            View a = tensor(calls, new float[8], 2, 4);
            View b = tensor(calls, new float[8], 2, 4);
            View bias = tensor(calls, new float[4], 4);
            int rounds = 30_000;
            var meter = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long bytes = Long.MAX_VALUE;
            long deadline = System.nanoTime() + 60_000_000_000L; // for the compiler to get to it on a busy machine
            while (bytes / (2 * rounds) >= 8 && System.nanoTime() < deadline) {
                long before = meter.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < rounds; i++) {
                    calls.unary(UnaryKind.AFFINE, 1, i, a, b);
                    calls.binary(BinaryKind.ADD, b, bias, a);
                }
                bytes = meter.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(bytes / (2 * rounds)).as("bytes a call").isLessThan(8);
        }
    }

    @Test
    void theInstallationDescribesItself() {
        assertThat(NativeCalls.version()).matches("\\d+\\.\\d+\\.\\d+.*");
        assertThat(NativeCalls.abiVersion()).isEqualTo(NativeCalls.ABI_MAJOR << 16 | NativeCalls.ABI_MINOR);
        assertThat(NativeCalls.devices()).anySatisfy(device -> {
            assertThat(device.name()).isEqualTo("cpu");
            assertThat(device.available()).isTrue();
        });
        LibraryInfo first = NativeCalls.libraries().getFirst();
        assertThat(first.usable()).isTrue();
        assertThat(first.path()).isEqualTo(NativeLoader.load().path().toString());
        assertThat(NativeLoader.load()).isSameAs(NativeLoader.load());
        try (NativeCalls calls = NativeCalls.open("cpu?threads=2")) {
            assertThat(calls.describe()).startsWith("cpu: ").contains("2 threads");
            calls.synchronize();
        }
    }
}
