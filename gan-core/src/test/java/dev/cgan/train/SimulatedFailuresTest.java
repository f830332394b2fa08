package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.bindings.DeviceLostException;
import dev.cgan.bindings.NativeCallException;
import dev.cgan.gan.Models;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.testkit.Accelerators;
import dev.cgan.testkit.Simulator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Calls of the CUDA runtime fail in the middle of a training, kernels fault: a clean exception, and when the device has
 * closed nothing of it is left, on the device, in pinned memory or of streams, events and graphs.
 *
 * <p>Ten calls of each training fail, evenly spread. {@code -Dcgan.test.failures=all} makes each of them fail, which takes
 * minutes; docs/simulator.md has the command.
 */
@Timeout(300)
class SimulatedFailuresTest {
    private static final String SAMPLES = System.getProperty("cgan.test.failures", "10");

    @BeforeEach
    void needsTheSimulator() {
        Assumptions.assumeTrue(Accelerators.haveSimulator(), "libcgan_sim.so was not built");
    }

    static List<String> models() {
        String only = System.getProperty("cgan.test.model");
        return only == null ? Models.names() : List.of(only);
    }

    /** Three steps: by itself, captured and launched, launched again. */
    private static void train(String model) throws IOException {
        TrainConfig config =
                Blobs.config(model, Map.of("device", "sim", "threads", 0, "batch", 2, "steps", 3, "width", 1));
        try (Trainer trainer = Trainer.create(config, Blobs.dataset(24), new TrainListener() {})) {
            trainer.run();
            assertThat(trainer.replays()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void anyCallOfTheRuntimeMayFail(String model) throws IOException {
        try (Simulator simulator = new Simulator()) {
            train(model);
            long calls = simulator.get("calls");
            assertThat(calls).isGreaterThan(500);
            long samples = SAMPLES.equals("all") ? calls : Long.parseLong(SAMPLES);
            int failures = 0;
            for (long i = 0; i < samples; i++) {
                long fail = 1 + i * (calls - 1) / (samples - 1);
                simulator.set("reset", 0);
                simulator.set("fail", fail);
                try {
                    train(model);
                } catch (NativeCallException e) {
                    assertThat(e).hasMessageContaining("failed on request");
                    failures++;
                }
                assertThat(simulator.get("live"))
                        .as("after failing call %d", fail)
                        .isZero();
            }
            // Calls on the way to freeing memory may fail unnoticed.
            assertThat(failures).isGreaterThanOrEqualTo((int) samples / 2);
            System.out.printf("%s: %d of %d calls failed, %d with an error%n", model, samples, calls, failures);
            simulator.set("reset", 0);
            simulator.set("fail", 0);
            train(model);
        }
    }

    @Test
    void aFaultingKernelLosesTheDeviceForGood() throws IOException {
        try (Simulator simulator = new Simulator()) {
            train("cgan");
            long kernels = simulator.get("kernels");
            List<String> texts = new ArrayList<>();
            for (long fault : new long[] {kernels / 4, kernels / 2, kernels - 1}) {
                simulator.set("reset", 0);
                simulator.set("fault", fault);
                assertThatThrownBy(() -> train("cgan"))
                        .isInstanceOf(DeviceLostException.class)
                        .satisfies(e -> texts.add(e.getMessage()))
                        .hasMessageContaining("faulted on request")
                        .hasMessageContaining("restart it, with CGAN_SYNC=1 to learn which kernel failed");
                assertThat(simulator.get("live")).as("after kernel %d", fault).isZero();
            }
            assertThat(texts).hasSize(3);
        }
    }

    @Test
    void aLostDeviceRefusesEverythingButClosing() {
        try (Simulator simulator = new Simulator()) {
            try (Device device = Device.open("sim")) {
                Tensor x = device.full(1, DType.F32, Shape.of(16));
                device.synchronize();
                simulator.set("fault", simulator.get("kernels") + 1);
                x.times(2);
                assertThatThrownBy(device::synchronize).isInstanceOf(DeviceLostException.class);
                assertThatThrownBy(() -> x.times(2))
                        .isInstanceOf(DeviceLostException.class)
                        .hasMessageContaining("the device was lost before: context_synchronize: ");
                assertThatThrownBy(x::toFloats).isInstanceOf(DeviceLostException.class);
            }
            assertThat(simulator.get("live")).isZero();
        }
    }
}
