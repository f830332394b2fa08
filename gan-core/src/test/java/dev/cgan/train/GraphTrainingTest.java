package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.data.Batches;
import dev.cgan.data.DataBatch;
import dev.cgan.gan.Models;
import dev.cgan.io.Json;
import dev.cgan.io.MetricsLog;
import dev.cgan.io.RunDirectory;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.testkit.Accelerators;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Training by replaying a captured step: the same bits as operator by operator, whatever happens between the steps. */
class GraphTrainingTest {
    private static final int STEPS = 6;

    @TempDir
    Path folder;

    private final List<String> warnings = new ArrayList<>();

    private final TrainListener listener = new TrainListener() {
        @Override
        public void onWarning(String text) {
            warnings.add(text);
        }
    };

    static List<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (String device : Accelerators.names()) {
            for (String model : Models.names()) {
                cases.add(Arguments.of(device, model));
            }
        }
        if (Accelerators.haveSimulator()) { // convolutions by cuDNN's stand-in and ours, second derivatives among them
            cases.add(Arguments.of("sim?kernels=vendor", "report"));
            cases.add(Arguments.of("sim?kernels=vendor", "wgan-gp"));
            cases.add(Arguments.of("sim?kernels=auto&precision=tf32", "dcgan"));
        }
        return cases;
    }

    static List<String> devices() {
        return Accelerators.names();
    }

    private static TrainConfig config(String device, String model, Map<String, ?> changes) {
        Map<String, Object> values = new HashMap<>(Map.of(
                "device", device, "threads", 0, "batch", 2, "steps", STEPS, "sample_every", 3, "checkpoint_every", 2));
        // Each of these changes at every step.
        values.putAll(Map.of("schedule", "cosine", "ema", 0.9));
        if (model.equals("wgan-gp")) {
            values.put("critic_steps", 2);
        }
        values.putAll(changes);
        return Blobs.config(model, values);
    }

    /** Trains into a folder. {@return whether steps were replayed} */
    private boolean train(String name, TrainConfig config) throws IOException {
        try (Trainer trainer = Trainer.create(config, Blobs.dataset(24), listener)) {
            trainer.keepIn(RunDirectory.createAt(folder.resolve(name)));
            trainer.run();
            return trainer.replays();
        }
    }

    private List<String> metrics(String name) throws IOException {
        List<String> lines = new ArrayList<>();
        MetricsLog.read(folder.resolve(name).resolve("metrics.jsonl"), (step, figures) -> {
            figures.keySet().removeAll(List.of("seconds", "live_bytes"));
            return lines.add(Json.write(figures));
        });
        return lines;
    }

    private void requireEqualRuns(String one, String other) throws IOException {
        assertThat(metrics(one)).isEqualTo(metrics(other)).hasSize(STEPS).doesNotHaveDuplicates();
        for (String file : List.of("checkpoints/step-%08d.safetensors".formatted(STEPS), "samples/0003.png")) {
            assertThat(folder.resolve(one).resolve(file)).exists();
        }
        assertThat(folder.resolve(one).resolve("samples/0006.png"))
                .hasSameBinaryContentAs(folder.resolve(other).resolve("samples/0006.png"));
        Path checkpoint = Path.of("checkpoints/step-%08d.safetensors".formatted(STEPS));
        try (SafetensorsFile a = SafetensorsFile.open(folder.resolve(one).resolve(checkpoint));
                SafetensorsFile b = SafetensorsFile.open(folder.resolve(other).resolve(checkpoint))) {
            assertThat(a.names()).isEqualTo(b.names()).hasSizeGreaterThan(10);
            for (String name : a.names()) {
                boolean same = a.entry(name).type().name().equals("F64")
                        ? Arrays.equals(a.doubles(name), b.doubles(name))
                        : Arrays.equals(a.floats(name), b.floats(name));
                assertThat(same).as(name).isTrue();
            }
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("cases")
    void replayEqualsEagerBitForBit(String device, String model) throws IOException {
        assertThat(train("eager", config(device, model, Map.of("graph", "off"))))
                .isFalse();
        assertThat(train("graph", config(device, model, Map.of()))).isTrue();
        assertThat(warnings).isEmpty();
        requireEqualRuns("graph", "eager");
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void aResumedRunIsCapturedAgain(String device) throws IOException {
        assertThat(train("whole", config(device, "cgan", Map.of("graph", "off"))))
                .isFalse();
        // The schedule runs to the last step of the configuration, so the first part has to be stopped.
        List<Trainer> trainers = new ArrayList<>();
        TrainListener stopper = new TrainListener() {
            @Override
            public void onStep(Progress progress) {
                if (progress.step() == 3) {
                    trainers.getFirst().requestStop();
                }
            }
        };
        TrainConfig config = config(device, "cgan", Map.of());
        try (Trainer trainer = Trainer.create(config, Blobs.dataset(24), stopper)) {
            trainers.add(trainer);
            trainer.keepIn(RunDirectory.createAt(folder.resolve("parts")));
            trainer.run();
            assertThat(trainer.replays()).isTrue();
        }
        RunDirectory run = RunDirectory.open(folder.resolve("parts"));
        try (Trainer trainer = Trainer.resume(run, config, Blobs.dataset(24), listener)) {
            trainer.run();
            assertThat(trainer.replays()).isTrue();
        }
        requireEqualRuns("parts", "whole");
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void tracedStepsRunByThemselves(String device) throws IOException {
        assertThat(train("traced", config(device, "report", Map.of("trace", 3))))
                .isTrue();
        assertThat(train("plain", config(device, "report", Map.of("graph", "off"))))
                .isFalse();
        requireEqualRuns("traced", "plain");
        assertThat(Files.list(folder.resolve("traced/trace")))
                .extracting(file -> file.getFileName().toString())
                .contains("step-000003.safetensors")
                .doesNotContain("step-000004.safetensors");
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void aStepThatReadsOnTheHostIsNotCapturedAndSaysSo(String device) throws IOException {
        List<String> reasons = new ArrayList<>();
        List<Figures> watched = new ArrayList<>();
        List<Figures> plain = new ArrayList<>();
        for (boolean watch : new boolean[] {true, false}) {
            SmallTraining.run(
                    device,
                    "dcgan",
                    (training, runner) -> {
                        if (watch) {
                            training.onGradients((name, values) -> {});
                        }
                        Batches batches = Batches.shuffled(Blobs.dataset(6), 2, 1);
                        for (long step = 1; step <= 3; step++) {
                            DataBatch batch = batches.allocate();
                            batches.read(step, batch);
                            runner.upload(batch);
                            try (StepRunner.Made made = runner.make(step, 1e-3, false)) {
                                (watch ? watched : plain).add(Figures.read(made.figures()));
                            }
                        }
                        assertThat(runner.replays()).isEqualTo(!watch);
                    },
                    reasons::add);
        }
        assertThat(watched).isEqualTo(plain).doesNotHaveDuplicates();
        assertThat(reasons).hasSize(1);
        assertThat(reasons.getFirst()).startsWith("buffer_read: this cannot be recorded");
    }

    @Test
    void onTheCpuStepsRunByThemselves() throws IOException {
        assertThat(train("run", config("cpu", "cgan", Map.of()))).isFalse();
        assertThat(warnings).isEmpty();
    }
}
