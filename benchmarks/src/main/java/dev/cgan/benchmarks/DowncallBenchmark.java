package dev.cgan.benchmarks;

import dev.cgan.bindings.NativeCalls;
import dev.cgan.bindings.TensorView;
import dev.cgan.bindings.UnaryKind;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.TensorScope;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a call costs besides its work: the way down and back, checks, operand descriptors, tensors and scopes; a pool miss. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class DowncallBenchmark {
    private static final Shape EMPTY = Shape.of(0);
    private static final Shape BLOCK = Shape.of(1 << 14);

    private NativeCalls calls;
    private Scalar a;
    private Scalar b;
    private Device device;

    private record Scalar(MemorySegment buffer) implements TensorView {
        @Override
        public dev.cgan.bindings.DType dtype() {
            return dev.cgan.bindings.DType.F32;
        }

        @Override
        public int rank() {
            return 1;
        }

        @Override
        public long dim(int axis) {
            return 1;
        }

        @Override
        public long offsetBytes() {
            return 0;
        }
    }

    /** Opens the device. */
    @Setup
    public void open() {
        calls = NativeCalls.open("cpu?threads=1");
        a = new Scalar(calls.bufferCreate(4));
        b = new Scalar(calls.bufferCreate(4));
        calls.fill(1, a);
        device = Device.open("cpu?threads=1");
    }

    /** Closes it. */
    @TearDown
    public void close() {
        calls.close();
        device.close();
    }

    /** The shortest way down and back. */
    @Benchmark
    public void synchronize() {
        calls.synchronize();
    }

    /** Two operands of one element. */
    @Benchmark
    public void unary() {
        calls.unary(UnaryKind.AFFINE, 1, 0, a, b);
    }

    /** An operator that has nothing to do, through tensors. */
    @Benchmark
    public void emptyOperator() {
        try (TensorScope _ = device.scope("benchmark")) {
            Kernels.fill(1, device.empty(DType.F32, EMPTY));
        }
    }

    /** A scope that nothing joins. */
    @Benchmark
    public void scope() {
        try (TensorScope _ = device.scope("benchmark")) {}
    }

    /** A scope with one tensor, whose block comes from the pool and goes back. */
    @Benchmark
    public void tensorFromPool() {
        try (TensorScope _ = device.scope("benchmark")) {
            device.empty(DType.F32, BLOCK);
        }
    }

    /** What Java's pool saves when it reuses a block. */
    @Benchmark
    public void bufferCreateAndDestroy() {
        calls.bufferDestroy(calls.bufferCreate(1 << 16));
    }
}
