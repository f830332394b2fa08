package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.gan.Models;
import dev.cgan.io.CheckpointStore;
import dev.cgan.io.Json;
import dev.cgan.io.MetricsLog;
import dev.cgan.io.RunDirectory;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.io.SafetensorsWriter;
import dev.cgan.testkit.Accelerators;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {
    @TempDir
    Path folder;

    static List<String> models() {
        return Models.names();
    }

    private static final TrainListener SILENT = new TrainListener() {};

    private TrainResult train(String name, TrainConfig config) throws IOException {
        try (Trainer trainer = Trainer.create(config, Blobs.dataset(50), SILENT)) {
            trainer.keepIn(RunDirectory.createAt(folder.resolve(name)));
            return trainer.run();
        }
    }

    private TrainResult resume(String name, TrainConfig config) throws IOException {
        RunDirectory run = RunDirectory.open(folder.resolve(name));
        try (Trainer trainer = Trainer.resume(run, config, Blobs.dataset(50), SILENT)) {
            return trainer.run();
        }
    }

    private List<String> metrics(String name) throws IOException {
        List<String> lines = new ArrayList<>();
        MetricsLog.read(folder.resolve(name).resolve("metrics.jsonl"), (step, figures) -> {
            figures.remove("seconds");
            return lines.add(Json.write(figures));
        });
        return lines;
    }

    private void requireEqualTensors(Path one, Path other) throws IOException {
        int compared = 0;
        try (SafetensorsFile a = SafetensorsFile.open(one);
                SafetensorsFile b = SafetensorsFile.open(other)) {
            assertThat(a.names()).isEqualTo(b.names()).isNotEmpty();
            for (String name : a.names()) {
                boolean same = a.entry(name).type().name().equals("F64")
                        ? Arrays.equals(a.doubles(name), b.doubles(name))
                        : Arrays.equals(a.floats(name), b.floats(name));
                assertThat(same).as(name).isTrue();
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(10);
    }

    @ParameterizedTest
    @MethodSource("models")
    void sameSeedGivesTheSameBits(String model) throws IOException {
        TrainResult first = train("a", Blobs.config(model, Map.of("steps", 8)));
        TrainResult second = train("b", Blobs.config(model, Map.of("steps", 8)));
        requireEqualTensors(
                first.checkpoint().orElseThrow(), second.checkpoint().orElseThrow());
        assertThat(metrics("a")).isEqualTo(metrics("b")).hasSize(8);
        train("c", Blobs.config(model, Map.of("steps", 8, "seed", 43)));
        assertThat(metrics("c")).isNotEqualTo(metrics("a"));
    }

    @Test
    void twoThreadsAreRepeatableToo() throws IOException {
        Map<String, Object> changes = Map.of("steps", 4, "threads", 2, "width", 16, "batch", 16, "hidden", 64);
        TrainResult first = train("a", Blobs.config("cgan", changes));
        TrainResult second = train("b", Blobs.config("cgan", changes));
        requireEqualTensors(
                first.checkpoint().orElseThrow(), second.checkpoint().orElseThrow());
    }

    /** One number of noise and next to no learning make images that are nearly alike; the real ones here are not. */
    @Test
    void reportsSamplesAreJudgedThoughItsPicturesShowOthers() throws IOException {
        List<String> warnings = new ArrayList<>();
        TrainListener listener = new TrainListener() {
            @Override
            public void onWarning(String text) {
                warnings.add(text);
            }
        };
        Map<String, Object> still = Map.of("steps", 600, "lr", 1e-9, "latent", 1, "sample_every", 50);
        try (Trainer trainer = Trainer.create(Blobs.config("report", still), Blobs.blackAndWhite(50), listener)) {
            trainer.keepIn(RunDirectory.createAt(folder.resolve("still")));
            trainer.run();
        }
        assertThat(warnings).anyMatch(text -> text.startsWith("the samples are nearly alike: they differ by "));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "sim"})
    void measuredChoicesAreKeptInTheRunAndDecideItsBits(String device) throws IOException {
        Assumptions.assumeTrue(device.equals("cpu") || Accelerators.haveSimulator(), "libcgan_sim.so was not built");
        Map<String, Object> auto = Map.of(
                "device", device + "?kernels=auto", "threads", device.equals("cpu") ? 1 : 0, "steps", 4, "batch", 2);
        TrainResult whole = train("whole", Blobs.config("dcgan", auto));
        train("parts", Blobs.config("dcgan", auto).with(Map.of("steps", 2)));
        Path plan = folder.resolve("parts").resolve("plan.txt");
        String kept = Files.readString(plan);
        assertThat(kept).startsWith("cgan plan 1\n").contains("\nconv2d_backward_filter ", "\ndense_forward ");

        Files.writeString(plan, kept.replace("\ntransforms on\n", "\ntransforms off\n"));
        assertThatThrownBy(() -> resume("parts", Blobs.config("dcgan", auto)))
                .hasMessageContaining(
                        "the plan " + plan + " cannot be used: it was made for another machine or version");
        Files.writeString(plan, kept);
        TrainResult resumed = resume("parts", Blobs.config("dcgan", auto));
        requireEqualTensors(
                whole.checkpoint().orElseThrow(), resumed.checkpoint().orElseThrow());
        assertThat(Files.readAllLines(plan))
                .as("what was chosen stays")
                .containsAll(kept.lines().toList());
    }

    @ParameterizedTest
    @MethodSource("models")
    void interruptedRunEqualsTheUninterrupted(String model) throws IOException {
        TrainResult whole = train("whole", Blobs.config(model, Map.of("steps", 20)));
        train("parts", Blobs.config(model, Map.of("steps", 10)));
        TrainResult resumed = resume("parts", Blobs.config(model, Map.of("steps", 20)));
        assertThat(resumed).extracting(TrainResult::step, TrainResult::finished).containsExactly(20L, true);
        requireEqualTensors(
                whole.checkpoint().orElseThrow(), resumed.checkpoint().orElseThrow());
        assertThat(metrics("parts")).isEqualTo(metrics("whole")).hasSize(20);
        for (int step : new int[] {5, 10, 15, 20}) {
            String picture = "samples/%04d.png".formatted(step);
            assertThat(folder.resolve("parts").resolve(picture))
                    .hasSameBinaryContentAs(folder.resolve("whole").resolve(picture));
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void runFolderHasEverything(String model) throws IOException {
        TrainResult result = train("run", Blobs.config(model, Map.of("keep", 2, "trace", 3)));
        Path run = folder.resolve("run");
        assertThat(run.resolve("config.json")).isRegularFile();
        assertThat(run.resolve("losses.png")).isRegularFile();
        assertThat(run.resolve("training.gif")).isRegularFile();
        assertThat(run.resolve("samples"))
                .isDirectoryContaining("glob:**/0005.png")
                .isDirectoryContaining("glob:**/0020.png");
        assertThat(run.resolve("checkpoints/best.safetensors")).isRegularFile();
        assertThat(CheckpointStore.list(run.resolve("checkpoints")))
                .extracting(file -> file.getFileName().toString())
                .containsExactly("step-00000015.safetensors", "step-00000020.safetensors");
        assertThat(result.checkpoint()).contains(run.resolve("checkpoints/step-00000020.safetensors"));
        assertThat(run.resolve("trace")).isDirectoryContaining("glob:**/init.safetensors");
        assertThat(run.resolve("trace/step-000003.safetensors")).isRegularFile();
        assertThat(run.resolve("trace/step-000004.safetensors")).doesNotExist();
        MetricsLog.read(run.resolve("metrics.jsonl"), (step, figures) -> {
            assertThat(figures).containsKeys("step", "d_loss", "g_loss", "d_real", "d_fake", "seconds", "live_bytes");
            return true;
        });
    }

    @Test
    void stopRequestFinishesTheStepAndSaves() throws IOException {
        List<Trainer> trainers = new ArrayList<>();
        TrainListener stopper = new TrainListener() {
            @Override
            public void onStep(Progress progress) {
                if (progress.step() == 7) {
                    trainers.getFirst().requestStop();
                }
            }
        };
        try (Trainer trainer = Trainer.create(Blobs.config("cgan", Map.of()), Blobs.dataset(50), stopper)) {
            trainers.add(trainer);
            trainer.keepIn(RunDirectory.createAt(folder.resolve("run")));
            TrainResult result = trainer.run();
            assertThat(result.finished()).isFalse();
            assertThat(result.step()).isEqualTo(7);
            assertThat(result.checkpoint().orElseThrow()).hasFileName("step-00000007.safetensors");
        }
        train("whole", Blobs.config("cgan", Map.of()));
        resume("run", Blobs.config("cgan", Map.of()));
        assertThat(metrics("run")).isEqualTo(metrics("whole"));
    }

    @Test
    void divergenceStopsAndKeepsTheLastGoodCheckpoint() throws IOException {
        train("run", Blobs.config("cgan", Map.of("steps", 5)));
        Path good = folder.resolve("run/checkpoints/step-00000005.safetensors");
        multiply(good, "d_dense1.weight", 1e30f);
        multiply(good, "d_out.weight", 1e30f);
        byte[] before = Files.readAllBytes(good);
        assertThatThrownBy(() -> resume("run", Blobs.config("cgan", Map.of("steps", 10))))
                .isInstanceOf(TrainingDivergedException.class)
                .hasMessageStartingWith("training diverged at step 6: d_loss is ")
                .hasMessageEndingWith("; the last good checkpoint is " + good
                        + ": resume it with a lower learning rate or another objective");
        assertThat(Files.readAllBytes(good)).isEqualTo(before);
        assertThat(CheckpointStore.list(folder.resolve("run/checkpoints"))).containsExactly(good);
        assertThat(metrics("run")).hasSize(6);
    }

    private static void multiply(Path file, String name, float factor) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            writer.metadata(source.metadata());
            for (String each : source.names()) {
                long[] shape = source.entry(each).shape().stream()
                        .mapToLong(Long::longValue)
                        .toArray();
                if (source.entry(each).type().name().equals("F64")) {
                    writer.add(each, shape, source.doubles(each));
                    continue;
                }
                float[] values = source.floats(each);
                for (int i = 0; each.equals(name) && i < values.length; i++) {
                    values[i] *= factor;
                }
                writer.add(each, shape, values);
            }
        }
        writer.write(file);
    }

    @Test
    void nothingIsKeptUnlessAskedFor() throws IOException {
        try (Trainer trainer = Trainer.create(Blobs.config("cgan", Map.of("steps", 3)), Blobs.dataset(50), SILENT)) {
            TrainResult result = trainer.run();
            assertThat(result.checkpoint()).isEmpty();
            assertThat(result.finished()).isTrue();
        }
        assertThat(Files.list(folder)).isEmpty();
    }

    @Test
    void checkpointOfAnotherModelIsRefused() throws IOException {
        train("run", Blobs.config("cgan", Map.of("steps", 5)));
        Path file = folder.resolve("run/checkpoints/step-00000005.safetensors");
        assertThatThrownBy(() -> resume("run", Blobs.config("dcgan", Map.of("steps", 9))))
                .hasMessage(file + ": a checkpoint of model cgan, but this run trains dcgan;"
                        + " resume with a checkpoint of dcgan");
        assertThatThrownBy(() -> resume("run", Blobs.config("cgan", Map.of("steps", 9, "width", 3))))
                .hasMessageContaining(file + ": a checkpoint of other settings: ")
                .hasMessageEndingWith("; resume with the settings of the checkpoint");
    }

    @Test
    void otherDataIsRefused() throws IOException {
        TrainConfig config = Blobs.config("cgan", Map.of("steps", 5));
        train("run", config);
        RunDirectory run = RunDirectory.open(folder.resolve("run"));
        assertThatThrownBy(() -> Trainer.resume(run, config, Blobs.dataset(51), SILENT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the run was trained on 50 images of 8x8x1 in 3 classes, but the data is"
                        + " blobs: 51 images of 8x8x1 in 3 classes; resume with the same data");
    }

    @Test
    void truncatedCheckpointIsPassedOver() throws IOException {
        train("run", Blobs.config("cgan", Map.of("steps", 20)));
        Path newest = folder.resolve("run/checkpoints/step-00000020.safetensors");
        byte[] bytes = Files.readAllBytes(newest);
        Files.write(newest, Arrays.copyOf(bytes, bytes.length / 2));
        TrainResult resumed = resume("run", Blobs.config("cgan", Map.of("steps", 20)));
        assertThat(resumed.step()).isEqualTo(20);
        assertThat(metrics("run")).hasSize(20);
    }
}
