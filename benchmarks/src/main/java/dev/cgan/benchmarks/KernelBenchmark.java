package dev.cgan.benchmarks;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Times one operator at one shape with one candidate's kernels, by the device's own clock. {@link BenchmarkMain} fills in
 * which: all of the models, for each candidate that serves them.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 50, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 50, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class KernelBenchmark {
    /** So many seconds of calls are queued between two readings of the clock. */
    private static final double BURST_SECONDS = 2e-3;

    private static final long LONGEST_BURST = 64;

    /** A device, without the option that chooses kernels. */
    @Param("cpu")
    public String device;

    /** Whose layers are walked, with {@code +} between them; see {@link ModelProblems}. */
    @Param("report")
    public String models;

    /** Images in a batch. */
    @Param("64")
    public int batch;

    /** A candidate and a problem's text, with {@code |} between them. */
    @Param("")
    public String problem;

    private Trial trial;
    private long burst;

    /** What the device's clock has shown. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class DeviceTime {
        /** Of all calls. */
        public long nanoseconds;

        /** Their number. */
        public long calls;
    }

    /** Prepares the operands and makes sure that the candidate really serves the operator. */
    @Setup
    public void open() {
        String[] parts = problem.split("\\|", 2);
        Problem wanted = ModelProblems.of(List.of(models.split("\\+")), batch).stream()
                .filter(candidate -> candidate.id().equals(parts[1]))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no layer of " + models + " calls " + parts[1]));
        trial = Trial.open(device, parts[0], wanted);
        if (!trial.isServedBy(parts[0])) {
            throw new IllegalStateException(wanted.id() + " is served by " + trial.servedBy() + ", not by " + parts[0]);
        }
        burst = Math.clamp((long) (BURST_SECONDS / trial.seconds(1)), 1, LONGEST_BURST);
    }

    /** Closes the device. */
    @TearDown
    public void close() {
        trial.close();
    }

    /** A burst of calls. */
    @Benchmark
    public void calls(DeviceTime time) {
        time.nanoseconds += (long) (trial.seconds(burst) * 1e9);
        time.calls += burst;
    }
}
