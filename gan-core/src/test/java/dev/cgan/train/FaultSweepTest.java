package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.bindings.NativeCallException;
import dev.cgan.gan.Models;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.DeviceOutOfMemoryException;
import dev.cgan.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every native call and every allocation of a first training step is made to fail, one after the other: a clean exception,
 * and when the scopes have closed, no byte is left.
 */
@Timeout(300)
class FaultSweepTest {
    private static final int BATCH = 2;

    static List<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (String model : Models.names()) {
            cases.add(Arguments.of(model, "fail"));
            cases.add(Arguments.of(model, "failAlloc"));
        }
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyFailureIsCleanAndLeavesNothing(String model, String kind) {
        int failures = 0;
        for (int n = 1; ; n++) {
            try (Device device = Device.open("faulty:cpu?threads=1&" + kind + "=" + n)) {
                boolean succeeded = trainOneStep(device, model);
                device.trim();
                assertThat(device.memory().liveTensors())
                        .as("%s, %s=%d", model, kind, n)
                        .isZero();
                assertThat(device.memory().nativeLiveBytes())
                        .as("%s, %s=%d", model, kind, n)
                        .isZero();
                if (succeeded) {
                    break;
                }
                failures++;
            }
        }
        assertThat(failures).isGreaterThan(kind.equals("fail") ? 100 : 20);
    }

    private static boolean trainOneStep(Device device, String model) {
        try (TensorScope _ = device.scope("model")) {
            new SmallTraining(device, model, BATCH, Map.of()).step(1);
            return true;
        } catch (NativeCallException | DeviceOutOfMemoryException e) {
            assertThat(e).hasMessageContaining("failed on request");
            return false;
        }
    }
}
