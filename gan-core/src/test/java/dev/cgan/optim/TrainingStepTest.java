package dev.cgan.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.cgan.bindings.GanNativeException;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.MemoryReport;
import dev.cgan.tensor.TensorScope;
import dev.cgan.testkit.Allocation;
import dev.cgan.testkit.TinyGan;
import java.io.ByteArrayOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole training step of small networks: faults, memory, garbage, bits. */
class TrainingStepTest {
    private static final int MOST_FAULTS = 5_000;

    /** Makes every n-th call, or allocation, of networks and a step fail, until none is left to fail. */
    @ParameterizedTest
    @ValueSource(strings = {"fail", "failAlloc"})
    void everyFaultLeavesTheDeviceClean(String option) {
        for (int n = 1; n <= MOST_FAULTS; n++) {
            try (Device device = Device.open("faulty:cpu?threads=1&" + option + "=" + n)) {
                boolean failed = runWithFault(device);
                MemoryReport after = device.memory();
                assertThat(after.liveBytes()).as("fault %d", n).isZero();
                assertThat(after.liveTensors()).as("fault %d", n).isZero();
                device.trim();
                assertThat(device.memory().nativeLiveBytes()).as("fault %d", n).isZero();
                if (!failed) {
                    assertThat(n).isGreaterThan(option.equals("fail") ? 200 : 20);
                    return;
                }
                assertThat(runWithFault(device)).as("the fault strikes once").isFalse();
            }
        }
        fail("still failing after " + MOST_FAULTS + " faults");
    }

    private static boolean runWithFault(Device device) {
        try (TensorScope _ = device.scope("model")) {
            new TinyGan(device, 1).step(1);
            return false;
        } catch (GanNativeException e) {
            assertThat(e).hasMessageContaining("fail");
            return true;
        }
    }

    @Test
    void memoryIsFlatOverTwoThousandSteps() {
        try (Device device = Device.open("cpu?threads=1")) {
            TinyGan gan = new TinyGan(device, 1);
            for (int i = 1; i <= 100; i++) {
                gan.step(i);
            }
            MemoryReport before = device.memory();
            for (int i = 101; i <= 2_000; i++) {
                float[] losses = gan.step(i);
                assertThat(Float.isFinite(losses[0]) && Float.isFinite(losses[1]))
                        .isTrue();
            }
            MemoryReport after = device.memory();
            assertThat(after.liveBytes()).isEqualTo(before.liveBytes());
            assertThat(after.liveTensors()).isEqualTo(before.liveTensors());
            assertThat(after.cachedBytes()).isEqualTo(before.cachedBytes());
            assertThat(after.peakBytes()).isEqualTo(before.peakBytes());
            assertThat(after.nativeLiveBytes()).isEqualTo(before.nativeLiveBytes());
            assertThat(after.nativeWorkspaceBytes()).isEqualTo(before.nativeWorkspaceBytes());
        }
    }

    /** A call costs a few small objects; the bound is several times what was measured. */
    @Test
    void aCallMakesLittleGarbage() {
        try (Device device = Device.open("cpu?threads=1")) {
            TinyGan gan = new TinyGan(device, 1);
            for (int i = 1; i <= 300; i++) {
                gan.step(i);
            }
            long calls = device.memory().calls();
            long bytes = Allocation.bytes();
            for (int i = 301; i <= 400; i++) {
                gan.step(i);
            }
            bytes = Allocation.bytes() - bytes;
            calls = device.memory().calls() - calls;
            System.out.printf("%d calls a step, %d bytes of heap a call%n", calls / 100, bytes / calls);
            assertThat(calls).isGreaterThan(10_000);
            assertThat(bytes / calls).isLessThan(2_000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu?threads=1", "cpu?threads=2"})
    void theSameSeedGivesTheSameBits(String name) {
        assertThat(run(name)).isEqualTo(run(name));
    }

    private static byte[] run(String name) {
        try (Device device = Device.open(name)) {
            TinyGan gan = new TinyGan(device, 9);
            for (int i = 1; i <= 5; i++) {
                gan.step(i);
            }
            ByteArrayOutputStream bits = new ByteArrayOutputStream();
            gan.generator().stateDict().values().forEach(tensor -> bits.writeBytes(tensor.toBytes()));
            gan.critic().stateDict().values().forEach(tensor -> bits.writeBytes(tensor.toBytes()));
            return bits.toByteArray();
        }
    }
}
