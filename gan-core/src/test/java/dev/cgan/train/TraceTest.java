package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.gan.Batch;
import dev.cgan.gan.GanModel;
import dev.cgan.gan.GoldenStep;
import dev.cgan.gan.ImageShape;
import dev.cgan.gan.Losses;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Models;
import dev.cgan.io.RunDirectory;
import dev.cgan.io.SafetensorsEntry;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A trace holds all that a step needs: replaying it gives the same losses, bit for bit. */
class TraceTest {
    private static final int STEPS = 3;

    @TempDir
    Path folder;

    static List<String> models() {
        return Models.names();
    }

    @ParameterizedTest
    @MethodSource("models")
    void replayGivesTheSameLosses(String model) throws IOException {
        TrainConfig config = Blobs.config(model, Map.of("steps", STEPS, "trace", STEPS));
        try (Trainer trainer = Trainer.create(config, Blobs.dataset(50), new TrainListener() {})) {
            trainer.keepIn(RunDirectory.createAt(folder.resolve("run")));
            trainer.run();
        }
        Path trace = folder.resolve("run/trace");
        int compared = 0;
        try (Device device = Device.open("cpu?threads=1")) {
            GanModel replayed = Models.named(model)
                    .create(new ModelType.Plan(
                            device, new ImageShape(8, 8, 1, 3), config.settings(), config.seed() + 1, DType.F32));
            for (var network : replayed.networks()) {
                Checkpoint.restore(
                        trace.resolve("init.safetensors"), network.player().stateDict(), false);
            }
            for (int step = 1; step <= STEPS; step++) {
                try (TensorScope _ = device.scope("step");
                        SafetensorsFile file =
                                SafetensorsFile.open(trace.resolve("step-00000" + step + ".safetensors"))) {
                    Batch real = new Batch(tensor(file, "real", device), tensor(file, "labels", device));
                    GoldenStep draws = new GoldenStep(step, name -> tensor(file, name, device), Map.of());
                    Losses losses = replayed.step(real, draws);
                    assertThat(file.metadata()).containsEntry("step", Integer.toString(step));
                    assertThat((double) losses.discriminator().item())
                            .isEqualTo(Double.parseDouble(file.metadata().get("d_loss")));
                    assertThat((double) losses.generator().item())
                            .isEqualTo(Double.parseDouble(file.metadata().get("g_loss")));
                    assertThat(draws.used()).hasSize(file.names().size() - 2);
                    compared++;
                }
            }
        }
        assertThat(compared).isEqualTo(STEPS);
    }

    private static Tensor tensor(SafetensorsFile file, String name, Device device) {
        try {
            SafetensorsEntry entry = file.entry(name);
            long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
            return entry.type().name().equals("I64")
                    ? device.longs(file.longs(name), shape).to(DType.I32)
                    : device.floats(file.floats(name), shape);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
