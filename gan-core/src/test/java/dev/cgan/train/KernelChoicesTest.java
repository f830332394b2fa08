package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.testkit.Accelerators;
import dev.cgan.testkit.Simulator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a training with {@code kernels=auto} tells of its candidates. Each test has shapes that no other has measured. */
class KernelChoicesTest {
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
                .allMatch(line -> line.matches("\\w+( \\[[0-9,]*\\])+[ 0-9-]*: (vendor|handwritten) \\(.+\\)"))
                .anyMatch(line -> line.matches(
                        "conv2d_forward .*: (vendor|handwritten) \\(vendor [0-9.]+ ms, handwritten [0-9.]+ ms\\)"));
        assertThat(warnings).isEmpty();
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
