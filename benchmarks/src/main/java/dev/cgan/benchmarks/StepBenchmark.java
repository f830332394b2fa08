package dev.cgan.benchmarks;

import dev.cgan.train.TrainConfig;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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

/** A whole training step of each model, from the batch to the losses, by the wall clock. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class StepBenchmark {
    /** A model, perhaps with a size of images. */
    @Param({"report", "cgan", "dcgan:64x64x3", "dcgan", "wgan-gp"})
    public String model;

    /** The device, perhaps with options. */
    @Param("cpu")
    public String device;

    /** {@code auto}: the step is replayed as a graph, where the device can; {@code off}: operator by operator. */
    @Param("auto")
    public String graph;

    /** Images in a batch. */
    @Param("64")
    public int batch;

    private PacedTraining training;

    /** Makes the networks. */
    @Setup
    public void open() {
        String[] parts = model.split(":", 2);
        TrainConfig config = TrainConfig.of(
                Map.of("model", parts[0], "device", device, "graph", graph, "batch", batch, "steps", 1_000_000_000));
        training = new PacedTraining(config, RandomImages.of(parts.length == 2 ? parts[1] : "28x28x1"));
    }

    /** Frees them. */
    @TearDown
    public void close() {
        training.close();
    }

    /** A step. */
    @Benchmark
    public void step() {
        training.step();
    }
}
