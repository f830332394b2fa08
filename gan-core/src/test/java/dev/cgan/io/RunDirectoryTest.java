package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunDirectoryTest {
    @TempDir
    Path folder;

    @Test
    void runsAreNumbered() throws IOException {
        Path runs = folder.resolve("deep/runs");
        assertThat(RunDirectory.create(runs, "cgan-mnist").path()).isEqualTo(runs.resolve("0001-cgan-mnist"));
        assertThat(RunDirectory.create(runs, "report-../my data!").path())
                .isEqualTo(runs.resolve("0002-report-..-my-data"));
        Files.createDirectory(runs.resolve("0041-other"));
        RunDirectory run = RunDirectory.create(runs, "x".repeat(300));
        assertThat(run.path().getFileName().toString()).isEqualTo("0042-" + "x".repeat(60));
        assertThat(run.samples()).isDirectory();
        assertThat(run.checkpoints()).isDirectory();
        assertThat(run.sample(50)).isEqualTo(run.path().resolve("samples/0050.png"));
        assertThat(run.sample(123456)).isEqualTo(run.path().resolve("samples/123456.png"));
    }

    @Test
    void numbersAreNeverGivenTwice() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<RunDirectory>> created = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                String name = "run" + i % 3;
                created.add(threads.submit(() -> RunDirectory.create(folder, name)));
            }
            List<Integer> numbers = new ArrayList<>();
            for (Future<RunDirectory> run : created) {
                numbers.add(Integer.parseInt(
                        run.get().path().getFileName().toString().substring(0, 4)));
            }
            assertThat(numbers)
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.rangeClosed(1, 64).boxed().toList());
        }
    }

    @Test
    void aChosenFolderMustBeNewOrEmpty() throws IOException {
        Path chosen = folder.resolve("mine");
        RunDirectory run = RunDirectory.createAt(chosen);
        ConfigFile.write(run.config(), java.util.Map.of("model", "cgan"));
        assertThat(RunDirectory.open(chosen).metrics()).isEqualTo(chosen.resolve("metrics.jsonl"));
        assertThatThrownBy(() -> RunDirectory.createAt(chosen))
                .isInstanceOf(FileWriteException.class)
                .hasMessage("cannot write " + chosen
                        + ": it already holds a run; name a new folder, or resume the run that is there");
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> RunDirectory.createAt(file))
                .hasMessage("cannot write " + file + ": it is a file; name a folder");
        assertThatThrownBy(() -> RunDirectory.create(file, "x"))
                .isInstanceOf(FileWriteException.class)
                .hasMessage("cannot write " + file + ": there is a file of that name; choose another folder");
    }

    @Test
    void onlyRunsAreOpened() {
        assertThatThrownBy(() -> RunDirectory.open(folder.resolve("absent")))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(folder.resolve("absent")
                        + ": no such run; name the folder that `train` printed, such as runs/0001-...");
        assertThatThrownBy(() -> RunDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(folder + ": not the folder of a run: it has no config.json; "
                        + "name the folder that `train` printed");
    }

    @Test
    void aRunIsClaimedByOne() throws IOException {
        RunDirectory run = RunDirectory.createAt(folder.resolve("mine"));
        try (RunDirectory.Claim claim = run.claim()) {
            assertThat(claim).isNotNull();
            assertThatThrownBy(run::claim)
                    .isInstanceOf(FileWriteException.class)
                    .hasMessage(
                            "cannot write " + run + ": another process is training in it; wait for its end or stop it");
        }
        run.claim().close();
    }
}
