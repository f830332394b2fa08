package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.io.Json;
import dev.cgan.io.MetricsLog;
import dev.cgan.io.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a user does first, through the launcher: train the default model on the bundled MNIST, draw, go on. */
@Timeout(900)
class EndToEndIT {
    @TempDir
    Path folder;

    private String launch(String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of("..", "cgan-cli").toRealPath().toString());
        command.addAll(List.of(args));
        Path output = folder.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(600, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(Files.readString(output)).isZero();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output);
    }

    private List<Map<String, Object>> metrics(Path run) throws IOException {
        List<Map<String, Object>> lines = new ArrayList<>();
        MetricsLog.read(run.resolve("metrics.jsonl"), (step, figures) -> lines.add(figures));
        return lines;
    }

    private static double mean(List<Map<String, Object>> lines, String key) {
        return lines.stream()
                .mapToDouble(line -> Json.number(line.get(key)))
                .average()
                .orElseThrow();
    }

    @Test
    void trainsDrawsAndGoesOn() throws Exception {
        assertThat(launch("train", "--steps", "60", "--sample-every", "30"))
                .contains("data    mnist: 60000 images of 28x28x1 in 10 classes", "step 60/60");
        Path run = folder.resolve("runs/0001-cgan-mnist");
        for (String file : List.of(
                "config.json",
                "samples/0030.png",
                "samples/0060.png",
                "training.gif",
                "losses.png",
                "checkpoints/step-00000060.safetensors",
                "checkpoints/best.safetensors")) {
            assertThat(run.resolve(file)).isRegularFile();
        }
        List<Map<String, Object>> lines = metrics(run);
        assertThat(lines).hasSize(60);
        assertThat(Math.abs(mean(lines.subList(50, 60), "g_loss") - mean(lines.subList(0, 1), "g_loss")))
                .isGreaterThan(0.05);
        assertThat(Math.abs(mean(lines.subList(50, 60), "d_loss") - mean(lines.subList(0, 1), "d_loss")))
                .isGreaterThan(0.05);
        assertThat(mean(lines, "d_real")).isGreaterThan(mean(lines, "d_fake"));

        launch("sample", run.toString(), "--label", "7", "--count", "16", "--out", "seven.png", "--raw", "seven.st");
        assertThat(ImageIO.read(folder.resolve("seven.png").toFile()).getWidth())
                .isGreaterThan(4 * 28);
        try (SafetensorsFile raw = SafetensorsFile.open(folder.resolve("seven.st"))) {
            assertThat(raw.longs("labels")).hasSize(16).containsOnly(7);
            assertThat(raw.entry("images").shape()).containsExactly(16L, 28L, 28L, 1L);
        }

        assertThat(launch("train", "--resume", run.toString(), "--steps", "63")).contains("resumed after step 60");
        assertThat(metrics(run)).hasSize(63);
        assertThat(run.resolve("checkpoints/step-00000063.safetensors")).isRegularFile();
    }
}
