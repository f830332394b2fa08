package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.bindings.NativeCallException;
import dev.cgan.gan.Batch;
import dev.cgan.gan.CommonSettings;
import dev.cgan.gan.ImageShape;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Models;
import dev.cgan.gan.Settings;
import dev.cgan.nn.Philox;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.DeviceOutOfMemoryException;
import dev.cgan.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
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

    private static boolean trainOneStep(Device device, String name) {
        try (TensorScope _ = device.scope("model")) {
            ModelType type = Models.named(name);
            Settings settings = type.defaults().with("width", 1).with("latent", 2);
            settings = settings.has("hidden") ? settings.with("hidden", 2) : settings;
            settings = settings.has("critic_steps") ? settings.with("critic_steps", 2) : settings;
            ImageShape images = new ImageShape(8, 8, 1, 3);
            TrainingState state = new TrainingState(type, new ModelType.Plan(device, images, settings, 1, DType.F32));
            try (TensorScope _ = device.scope("step")) {
                int rows = BATCH * state.model().batchesPerStep();
                Philox random = new Philox(device, 1);
                Batch real = new Batch(random.at(0).uniform("real", -1, 1, rows, 8, 8, 1), device.ints(new int[rows]));
                LabelPrior labels = new LabelPrior(Blobs.dataset(6), device);
                state.learningRate(CommonSettings.schedule(settings, 1).at(1));
                Figures.read(state.model().step(real, new TrainerStep(random.at(1), 1, labels)));
                state.average(1);
                state.notFinite();
            }
            return true;
        } catch (NativeCallException | DeviceOutOfMemoryException e) {
            assertThat(e).hasMessageContaining("failed on request");
            return false;
        }
    }
}
