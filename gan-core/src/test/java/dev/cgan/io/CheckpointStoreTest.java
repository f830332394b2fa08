package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
    @TempDir
    Path folder;

    @Test
    void keepsTheLastAndTheBest() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 2);
        save(store, 500, 3);
        save(store, 1000, 1);
        save(store, 1500, 2);
        save(store, 2000, Double.NaN);
        assertThat(names())
                .containsExactly(
                        "best.json", "best.safetensors", "step-00001500.safetensors", "step-00002000.safetensors");
        assertThat(stepIn(CheckpointStore.findBest(folder).orElseThrow())).isEqualTo(1000);
    }

    @Test
    void theBestIsRememberedAcrossRuns() throws IOException {
        save(CheckpointStore.open(folder, 3), 1, 5);
        save(CheckpointStore.open(folder, 3), 2, 6);
        assertThat(stepIn(CheckpointStore.findBest(folder).orElseThrow())).isEqualTo(1);
        save(CheckpointStore.open(folder, 3), 3, 4);
        assertThat(stepIn(CheckpointStore.findBest(folder).orElseThrow())).isEqualTo(3);
        Files.writeString(folder.resolve("best.json"), "damaged");
        save(CheckpointStore.open(folder, 3), 4, 9);
        assertThat(stepIn(CheckpointStore.findBest(folder).orElseThrow())).isEqualTo(4);
    }

    @Test
    void readsTheNewestThatIsWhole() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 5);
        for (int step : new int[] {10, 20, 30}) {
            save(store, step, Double.NaN);
        }
        Files.createFile(folder.resolve(".cgan-step-00000040.safetensors-7.tmp"));
        Files.write(store.file(30), Arrays.copyOf(Files.readAllBytes(store.file(30)), 100));
        assertThat((long) CheckpointStore.readNewest(folder, CheckpointStoreTest::stepIn))
                .isEqualTo(20);
        CheckpointStore again = CheckpointStore.open(folder, 5);
        again.removeAfter(20);
        assertThat(names()).containsExactly("step-00000010.safetensors", "step-00000020.safetensors");
        for (int step : new int[] {10, 20}) {
            Files.write(store.file(step), new byte[3]);
        }
        assertThatThrownBy(() -> CheckpointStore.readNewest(folder, CheckpointStoreTest::stepIn))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(folder + ": none of its 2 checkpoints can be read; the newest, step-00000020.safetensors: "
                        + "truncated: 3 bytes, a safetensors file has at least 10; copy or write the file again");
    }

    @Test
    void aFailedSaveKeepsWhatIsThere() throws IOException {
        CheckpointStore store = CheckpointStore.open(folder, 1);
        save(store, 1, 1);
        assertThatThrownBy(() -> store.save(2, 0, file -> {
                    throw new IOException("no");
                }))
                .hasMessage("no");
        assertThat(names()).containsExactly("best.json", "best.safetensors", "step-00000001.safetensors");
        assertThat(stepIn(CheckpointStore.findBest(folder).orElseThrow())).isEqualTo(1);
    }

    @Test
    void emptyFoldersAndNonsenseAreNamed() {
        assertThatThrownBy(() -> CheckpointStore.readNewest(folder, CheckpointStoreTest::stepIn))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(folder + ": no checkpoint; train longer, or save more often");
        assertThatThrownBy(() -> CheckpointStore.readNewest(folder.resolve("absent"), CheckpointStoreTest::stepIn))
                .isInstanceOf(InvalidFileException.class);
        assertThat(CheckpointStore.findBest(folder)).isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CheckpointStore.open(folder, 0))
                .withMessage("cannot keep the last 0 checkpoints; keep at least 1");
        assertThatIllegalArgumentException().isThrownBy(() -> CheckpointStore.step(Path.of("step-1.safetensors")));
    }

    private static void save(CheckpointStore store, long step, double score) throws IOException {
        store.save(
                step,
                score,
                file -> new SafetensorsWriter()
                        .metadata("step", Long.toString(step))
                        .add("w", new long[] {100}, new float[100])
                        .write(file));
    }

    private static long stepIn(Path file) throws IOException {
        try (SafetensorsFile checkpoint = SafetensorsFile.open(file)) {
            return Long.parseLong(checkpoint.metadata().get("step"));
        }
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
