package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import dev.cgan.testkit.Seeds;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that saves without pause is killed at random moments: what it leaves on disk is always whole. */
@Timeout(300)
class CheckpointKillTest {
    private static final int KILLS = 12;
    private static final int ELEMENTS = 200_000;

    @TempDir
    Path folder;

    @Test
    void whateverIsKilledEveryCheckpointIsWhole() throws Exception {
        Random random = Seeds.random("CheckpointKillTest");
        long reached = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xshare:auto",
                            "-cp",
                            classPath(),
                            Saver.class.getName(),
                            folder.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("output.txt").toFile())
                    .start();
            try {
                awaitProgress(process, reached);
                Thread.sleep(random.nextInt(150));
            } finally {
                process.destroyForcibly();
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            }
            reached = check(reached);
        }
        assertThat(reached).isGreaterThan(KILLS);
        assertThat(CheckpointStore.findBest(folder)).isPresent();
    }

    /** Waits until the process has saved something new, so that every kill hits a process at work. */
    private void awaitProgress(Process process, long reached) throws Exception {
        while (newest() <= reached) {
            assertThat(process.isAlive()).as(() -> output()).isTrue();
            Thread.sleep(5);
        }
    }

    private long check(long reached) throws IOException {
        List<Path> files = CheckpointStore.list(folder);
        assertThat(files).isNotEmpty();
        for (Path file : files) {
            assertThat(step(file)).isEqualTo(CheckpointStore.step(file));
        }
        if (CheckpointStore.findBest(folder).isPresent()) {
            assertThat(step(CheckpointStore.findBest(folder).get())).isPositive();
        }
        long newest = CheckpointStore.readNewest(folder, CheckpointKillTest::step);
        assertThat(newest).isGreaterThan(reached);
        long[] last = new long[1];
        MetricsLog.read(folder.resolve("metrics.jsonl"), (step, figures) -> {
            assertThat(step).isEqualTo(last[0] + 1);
            last[0] = step;
            return true;
        });
        assertThat(last[0]).isGreaterThanOrEqualTo(newest);
        return newest;
    }

    private long newest() throws IOException {
        List<Path> files = CheckpointStore.list(folder);
        return files.isEmpty() ? 0 : CheckpointStore.step(files.getLast());
    }

    /** Reads a checkpoint whole: every element must be the step. */
    private static long step(Path file) throws IOException {
        try (SafetensorsFile checkpoint = SafetensorsFile.open(file)) {
            long step = Long.parseLong(checkpoint.metadata().get("step"));
            float[] values = checkpoint.floats("w");
            int wrong = values.length == ELEMENTS ? 0 : 1;
            for (float value : values) {
                wrong += value == step ? 0 : 1;
            }
            assertThat(wrong).isZero();
            return step;
        }
    }

    private String output() {
        try {
            return Files.readString(folder.resolve("output.txt"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Where the classes under test, these tests and the libraries lie, on a class path or a module path alike. */
    private static String classPath() {
        Set<String> places = new LinkedHashSet<>();
        for (Class<?> type : List.of(CheckpointStore.class, Saver.class, JsonFactory.class)) {
            String name = type.getName().replace('.', '/') + ".class";
            String url = type.getClassLoader().getResource(name).toString();
            String place = url.substring(0, url.length() - name.length() - 1).replaceFirst("^jar:", "");
            places.add(Path.of(URI.create(place.replaceFirst("!$", ""))).toString());
        }
        return String.join(File.pathSeparator, places);
    }

    /** Saves checkpoints and metrics as fast as it can, going on from what is there. */
    static final class Saver {
        private Saver() {}

        private static long savedStep(Path file) throws IOException {
            try (SafetensorsFile checkpoint = SafetensorsFile.open(file)) {
                return Long.parseLong(checkpoint.metadata().get("step"));
            }
        }

        public static void main(String[] args) throws IOException {
            Path folder = Path.of(args[0]);
            CheckpointStore store = CheckpointStore.open(folder, 3);
            long step =
                    CheckpointStore.list(folder).isEmpty() ? 0 : CheckpointStore.readNewest(folder, Saver::savedStep);
            store.removeAfter(step);
            try (MetricsLog log = MetricsLog.resume(folder.resolve("metrics.jsonl"), step)) {
                while (true) {
                    step++;
                    log.append(Map.of("step", step, "d_loss", 1.0 / step));
                    float[] values = new float[ELEMENTS];
                    Arrays.fill(values, step);
                    String text = Long.toString(step);
                    // The score falls now and then, so that the best changes too.
                    store.save(
                            step,
                            1.0 / (1 + step / 3),
                            file -> new SafetensorsWriter()
                                    .metadata("step", text)
                                    .add("w", new long[] {values.length}, values)
                                    .write(file));
                }
            }
        }
    }
}
