package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.cgan.testkit.Seeds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsLogTest {
    @TempDir
    Path folder;

    @Test
    void oneObjectALineInOrder() throws IOException {
        Path path = folder.resolve("metrics.jsonl");
        try (MetricsLog log = MetricsLog.create(path)) {
            log.append(figures(1, 0.5));
            log.append(figures(2, Double.NaN));
            // Nothing is held back: the lines are there before the log is closed.
            assertThat(Files.readString(path))
                    .isEqualTo("{\"step\":1,\"d_loss\":0.5}\n{\"step\":2,\"d_loss\":\"NaN\"}\n");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> log.append(Map.of("d_loss", 1.0)))
                    .withMessage("a line of metrics needs a step: {\"d_loss\":1.0}");
        }
        List<Double> losses = new ArrayList<>();
        MetricsLog.read(path, (step, figures) -> losses.add(Json.number(figures.get("d_loss"))));
        assertThat(losses).containsExactly(0.5, Double.NaN);
    }

    @Test
    void resumingCutsWhatFollowsTheStep() throws IOException {
        Path path = folder.resolve("metrics.jsonl");
        write(path, 10);
        try (MetricsLog log = MetricsLog.resume(path, 6)) {
            log.append(figures(7, -7));
        }
        assertThat(steps(path)).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L);
        assertThat(Files.readString(path)).endsWith("{\"step\":7,\"d_loss\":-7.0}\n");
        MetricsLog.resume(path, 100).close();
        assertThat(steps(path)).hasSize(7);
        MetricsLog.resume(folder.resolve("new.jsonl"), 3).close();
        assertThat(folder.resolve("new.jsonl")).isEmptyFile();
    }

    @Test
    void aLogTornAnywhereLosesOnlyItsLastLine() throws IOException {
        Random random = Seeds.random("MetricsLogTest.torn");
        Path path = folder.resolve("metrics.jsonl");
        write(path, 40);
        byte[] whole = Files.readAllBytes(path);
        for (int round = 0; round < 300; round++) {
            byte[] torn = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
            Files.write(path, torn);
            int lines = 0;
            for (byte b : torn) {
                lines += b == '\n' ? 1 : 0;
            }
            assertThat(steps(path)).hasSize(lines);
            try (MetricsLog log = MetricsLog.resume(path, 1000)) {
                log.append(figures(999, 0));
            }
            assertThat(steps(path)).hasSize(lines + 1).endsWith(999L);
        }
    }

    @Test
    void damageInTheMiddleIsNamed() throws IOException {
        Path path = folder.resolve("metrics.jsonl");
        Files.writeString(path, "{\"step\":1}\n{\"stop\":2}\n{\"step\":3}\n");
        assertThatThrownBy(() -> MetricsLog.resume(path, 5))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(path + ": line 2 is not a JSON object with a step; remove that line");
        Files.writeString(path, "{\"step\":1}\ngarbage\n");
        assertThat(steps(path)).containsExactly(1L);
    }

    @Test
    void aFullDiskIsNamed() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "needs a device that is always full");
        try (MetricsLog log = MetricsLog.create(full)) {
            assertThatThrownBy(() -> log.append(figures(1, 1)))
                    .isInstanceOf(FileWriteException.class)
                    .hasMessageStartingWith("cannot write /dev/full: disk full, needs ");
        }
        assertThatThrownBy(() -> MetricsLog.create(folder)).isInstanceOf(FileWriteException.class);
    }

    private static void write(Path path, int steps) throws IOException {
        try (MetricsLog log = MetricsLog.create(path)) {
            for (int step = 1; step <= steps; step++) {
                log.append(figures(step, step / 3.0));
            }
        }
    }

    private static List<Long> steps(Path path) throws IOException {
        List<Long> steps = new ArrayList<>();
        MetricsLog.read(path, (step, figures) -> steps.add(step));
        return steps;
    }

    private static Map<String, Object> figures(long step, double loss) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("step", step);
        figures.put("d_loss", loss);
        return figures;
    }
}
