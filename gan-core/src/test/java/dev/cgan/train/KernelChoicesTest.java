package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.io.RunDirectory;
import dev.cgan.testkit.Accelerators;
import dev.cgan.testkit.Simulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a training with {@code kernels=auto} tells of its candidates. Each test has shapes that no other has measured. */
class KernelChoicesTest {
    @TempDir
    private Path folder;

    private final List<List<String>> choices = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void needsTheSimulator() {
        Assumptions.assumeTrue(Accelerators.haveSimulator(), "libcgan_sim.so was not built");
    }

    /** Four steps, of which the last three are replayed. */
    private void train(String device, int batch) throws IOException {
        TrainConfig config =
                Blobs.config("dcgan", Map.of("device", device, "threads", 0, "batch", batch, "steps", 4, "width", 1));
        TrainListener listener = new TrainListener() {
            @Override
            public void onKernels(List<String> lines) {
                choices.add(lines);
            }

            @Override
            public void onWarning(String text) {
                warnings.add(text);
            }
        };
        try (Trainer trainer = Trainer.create(config, Blobs.dataset(24), listener)) {
            trainer.run();
            assertThat(trainer.replays()).isTrue();
        }
    }

    @Test
    void eachChoiceIsToldOnceWithItsTimes() throws IOException {
        train("sim?kernels=auto", 3);
        assertThat(choices).hasSize(1);
        assertThat(choices.getFirst())
                .doesNotHaveDuplicates()
                .allMatch(line -> line.matches("\\w+( \\[[0-9,]*\\])+[ 0-9-]*: (vendor|handwritten) \\(.+\\)")
                        || line.matches("cudnn_(forward|data|filter)( \\w+)+: algorithm_\\d_math_\\d \\(.+\\)"))
                .anyMatch(line -> line.matches("conv2d_forward .*: (vendor|handwritten) "
                        + "\\(handwritten [0-9.e-]+ ms, vendor [0-9.e-]+ ms\\)"));
        assertThat(warnings).isEmpty();
    }

    /** The bits of a resumed run are those of the kernels that its checkpoint rests on. */
    @Test
    void choicesAreKeptInTheRun() throws IOException {
        RunDirectory run = RunDirectory.createAt(folder.resolve("run"));
        TrainConfig config = Blobs.config(
                "dcgan", Map.of("device", "sim?kernels=auto", "threads", 0, "batch", 2, "steps", 4, "width", 1));
        try (Trainer trainer =
                Trainer.create(config.with(Map.of("steps", 2)), Blobs.dataset(24), new TrainListener() {})) {
            trainer.keepIn(run);
            trainer.run();
        }
        String kept = Files.readString(run.plan());
        assertThat(kept).startsWith("cgan plan 1\ngpu ").contains("\nconv2d_forward [", "\ncudnn_filter n");
        String other = kept.replaceAll("\tvendor\t(?=handwritten )", "\thandwritten\t");
        assertThat(other).isNotEqualTo(kept);

        Files.writeString(run.plan(), other);
        try (Trainer trainer = Trainer.resume(run, config, Blobs.dataset(24), new TrainListener() {})) {
            trainer.run();
            assertThat(trainer.deviceReport()).doesNotContain(": vendor ");
        }
        assertThat(Files.readAllLines(run.plan())).containsAll(other.lines().toList());
        Files.writeString(run.plan(), other.replace("\nprecision fp32\n", "\nprecision tf32\n"));
        assertThatThrownBy(() -> Trainer.resume(run, config, Blobs.dataset(24), new TrainListener() {}))
                .hasMessageContaining("cannot be used: it was made for another machine or version (gpu ");
    }

    @Test
    void pinnedKernelsChooseNothing() throws IOException {
        train("sim?kernels=vendor", 3);
        assertThat(choices).isEmpty();
    }

    @Test
    void aVendorThatFailsIsReportedAndTrainingGoesOn() throws IOException {
        try (Simulator simulator = new Simulator()) {
            train("sim?kernels=vendor", 5); // opens the libraries, whose calls are counted
            simulator.set("reset", 0);
            simulator.set("fail_vendor", 60);
            train("sim?kernels=auto", 5);
        }
        assertThat(warnings).hasSize(1);
        assertThat(warnings.getFirst()).matches("\\w+ \\[.*: handwritten, for the vendor failed: \\w+: .+");
    }
}
