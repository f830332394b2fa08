package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.tensor.Device;
import dev.cgan.tensor.TensorScope;
import dev.cgan.testkit.Accelerators;
import dev.cgan.testkit.Simulator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Devices that are open at once do not disturb each other: two contexts of one device, two devices, the CPU beside them. */
@Timeout(120)
class SeveralDevicesTest {
    private static final List<String> NAMES = List.of("sim:0", "sim:1", "sim", "cpu");
    private static final int STEPS = 3;

    private Simulator simulator;

    @BeforeEach
    void simulateTwoDevices() {
        Assumptions.assumeTrue(Accelerators.haveSimulator(), "libcgan_sim.so was not built");
        simulator = new Simulator();
        simulator.set("devices", 2);
    }

    @AfterEach
    void nothingIsLeft() {
        if (simulator != null) {
            assertThat(simulator.get("live")).isZero();
            simulator.close();
        }
    }

    /** A device and a training on it, which differs from the others by its width. */
    private static final class Run implements AutoCloseable {
        private final Device device;
        private final TensorScope scope;
        private final SmallTraining training;
        private final List<Figures> figures = new ArrayList<>();

        Run(int index) {
            device = Device.open(NAMES.get(index));
            scope = device.scope("model");
            training = new SmallTraining(device, "cgan", 2, Map.of("width", 1 + index));
        }

        void step(int number) {
            figures.add(training.step(number));
        }

        Result result() {
            return new Result(List.copyOf(figures), training.everything());
        }

        @Override
        public void close() {
            scope.close();
            device.close();
        }
    }

    private record Result(List<Figures> figures, Map<String, float[]> values) {}

    private static Result alone(int index) {
        try (Run run = new Run(index)) {
            for (int step = 1; step <= STEPS; step++) {
                run.step(step);
            }
            return run.result();
        }
    }

    private static void requireSame(List<Result> together) {
        for (int i = 0; i < NAMES.size(); i++) {
            Result want = alone(i);
            Result got = together.get(i);
            assertThat(got.figures()).isEqualTo(want.figures()).doesNotHaveDuplicates();
            assertThat(got.values()).containsOnlyKeys(want.values().keySet());
            want.values()
                    .forEach((name, values) ->
                            assertThat(got.values().get(name)).as(name).isEqualTo(values));
        }
    }

    @Test
    void oneThreadMayStepThemInTurns() {
        List<Run> runs = new ArrayList<>();
        try {
            for (int i = 0; i < NAMES.size(); i++) {
                runs.add(new Run(i));
            }
            for (int step = 1; step <= STEPS; step++) {
                for (Run run : runs) {
                    run.step(step);
                }
            }
            requireSame(runs.stream().map(Run::result).toList());
        } finally {
            runs.forEach(Run::close);
        }
    }

    @Test
    void twoThreadsMayUseTwoEach() throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        List<Callable<List<Result>>> tasks = new ArrayList<>();
        for (int thread = 0; thread < 2; thread++) {
            int first = 2 * thread;
            tasks.add(() -> {
                start.await();
                try (Run a = new Run(first);
                        Run b = new Run(first + 1)) {
                    for (int step = 1; step <= STEPS; step++) {
                        a.step(step);
                        b.step(step);
                    }
                    return List.of(a.result(), b.result());
                }
            });
        }
        List<Result> together = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            for (Future<List<Result>> future : threads.invokeAll(tasks)) {
                together.addAll(future.get());
            }
        }
        requireSame(together);
    }
}
