package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.gan.ImageShape;
import dev.cgan.io.InvalidFileException;
import dev.cgan.io.SafetensorsWriter;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    Path folder;

    private final Device device = Device.open("cpu?threads=1");
    private final Map<String, Tensor> state = new LinkedHashMap<>();
    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = folder.resolve("a.safetensors");
        state.put("g.weight", device.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
        state.put("optimizer.generator.hyper", device.doubles(new double[] {2e-4, 7}));
        History history = new History();
        history.add(1, 0.7, 0.8, 0.5, Double.NaN);
        Checkpoint.write(
                new Checkpoint(
                        file,
                        TrainConfig.defaults(),
                        new ImageShape(28, 28, 1, 2),
                        List.of("a", "b"),
                        7,
                        60_000,
                        history),
                state);
    }

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void everythingComesBack() throws IOException {
        Checkpoint read = Checkpoint.read(file);
        assertThat(read.config()).isEqualTo(TrainConfig.defaults());
        assertThat(read.images()).isEqualTo(new ImageShape(28, 28, 1, 2));
        assertThat(read.labels()).containsExactly("a", "b");
        assertThat(read.step()).isEqualTo(7);
        assertThat(read.dataImages()).isEqualTo(60_000);
        assertThat(read.history().column("d_loss")).containsExactly(0.7);
        assertThat(read.history().column("d_fake")).containsExactly(Double.NaN);
        assertThat(Checkpoint.hasAverage(file)).isFalse();

        Map<String, Tensor> fresh = new LinkedHashMap<>();
        fresh.put("g.weight", device.zeros(DType.F32, Shape.of(2, 3)));
        fresh.put("optimizer.generator.hyper", device.zeros(DType.F64, Shape.of(2)));
        Checkpoint.restore(file, fresh, true);
        assertThat(fresh.get("g.weight").toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(fresh.get("optimizer.generator.hyper").toDoubles()).containsExactly(2e-4, 7);
    }

    @Test
    void tensorsThatDoNotFitAreNamedAndNothingChanges() {
        Map<String, Tensor> wanted = new LinkedHashMap<>();
        wanted.put("optimizer.generator.hyper", device.zeros(DType.F64, Shape.of(2)));
        wanted.put("g.weight", device.zeros(DType.F32, Shape.of(3, 2)));
        assertThatThrownBy(() -> Checkpoint.restore(file, wanted, true))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(file + ": tensor g.weight is F32[2, 3], this model needs F32[3, 2];"
                        + " use a checkpoint of the same model and settings");
        assertThat(wanted.get("optimizer.generator.hyper").toDoubles()).containsExactly(0, 0);

        Map<String, Tensor> more = new LinkedHashMap<>(state);
        more.put("g.bias", device.zeros(DType.F32, Shape.of(2)));
        assertThatThrownBy(() -> Checkpoint.restore(file, more, true))
                .hasMessage(file + ": no tensor named g.bias; use a checkpoint of the same model and settings");

        Map<String, Tensor> fewer = Map.of("g.weight", state.get("g.weight"));
        assertThatThrownBy(() -> Checkpoint.restore(file, fewer, true))
                .hasMessage(file + ": tensor optimizer.generator.hyper belongs to no part of this model;"
                        + " use a checkpoint of the same model and settings");
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        Path plain = folder.resolve("plain.safetensors");
        new SafetensorsWriter().add("x", new long[] {1}, new float[] {1}).write(plain);
        assertThatThrownBy(() -> Checkpoint.read(plain))
                .hasMessage(plain + ": a safetensors file, but not a checkpoint; name a checkpoint that cgan wrote");
        Path newer = folder.resolve("newer.safetensors");
        new SafetensorsWriter()
                .metadata("format", "cgan-checkpoint")
                .metadata("version", "2")
                .write(newer);
        assertThatThrownBy(() -> Checkpoint.read(newer))
                .hasMessage(newer + ": a checkpoint of version 2, this program reads 1; use the program that wrote it");
        Path bare = folder.resolve("bare.safetensors");
        new SafetensorsWriter()
                .metadata("format", "cgan-checkpoint")
                .metadata("version", "1")
                .write(bare);
        assertThatThrownBy(() -> Checkpoint.read(bare))
                .hasMessage(
                        bare + ": the checkpoint's metadata is damaged: there is no images; use another checkpoint");
    }

    @Test
    void damagedFilesAreRefusedOrRead() throws IOException {
        Random random = Seeds.random("CheckpointTest");
        byte[] original = Files.readAllBytes(file);
        Path damaged = folder.resolve("damaged.safetensors");
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] bytes = Mutations.mutate(original, random);
            if (random.nextBoolean()) {
                // Deep in the header, where the metadata is.
                bytes = original.clone();
                bytes[8 + random.nextInt(bytes.length - 8)] = (byte) random.nextInt(128);
            }
            Files.write(damaged, bytes);
            try {
                Checkpoint read = Checkpoint.read(damaged);
                assertThat(read.labels()).isNotNull();
            } catch (InvalidFileException e) {
                assertThat(e.getMessage()).startsWith(damaged.toString());
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(500);
    }

    @Test
    void historyIsBoundedAndKeepsTheFirstAndTheLastSteps() throws IOException {
        History history = new History();
        for (int step = 1; step <= 100_000; step++) {
            history.add(step, step, 0, 0, 0);
        }
        assertThat(history.size()).isBetween(History.CAPACITY / 2 - 1, History.CAPACITY);
        double[] steps = history.column("step");
        assertThat(steps[0]).isEqualTo(1);
        assertThat(steps[steps.length - 1]).isEqualTo(100_000 / 16 * 16);
        assertThat(steps).isSorted().isEqualTo(history.column("d_loss"));
        assertThat(History.parse(history.toJson()).column("step")).isEqualTo(steps);
    }
}
