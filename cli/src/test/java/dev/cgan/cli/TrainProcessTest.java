package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.io.AtomicFiles;
import dev.cgan.io.CheckpointStore;
import dev.cgan.io.Json;
import dev.cgan.io.MetricsLog;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens to a training whose process is interrupted, killed, or out of disk. */
@Timeout(400)
class TrainProcessTest {
    private static final int KILLS = 30;

    @TempDir
    Path folder;

    private Path run;
    private Path output;

    @BeforeEach
    void name() {
        run = folder.resolve("run");
        output = folder.resolve("output.txt");
    }

    private CliProcess train(String shell, String... more) throws IOException {
        return CliProcess.start(output, shell, TinyData.train(folder, more));
    }

    private List<String> metrics(Path of) throws IOException {
        List<String> lines = new ArrayList<>();
        MetricsLog.read(of.resolve("metrics.jsonl"), (step, figures) -> {
            figures.remove("seconds");
            return lines.add(Json.write(figures));
        });
        return lines;
    }

    @Test
    void interruptFinishesTheStepAndSavesWithCode130() throws Exception {
        try (CliProcess process = train("", "--steps", "1000000", "--out", run.toString(), "--sample-every", "0")) {
            process.awaitStep(run.resolve("metrics.jsonl"), 5);
            process.signal("INT");
            assertThat(process.await()).as(process.output()).isEqualTo(130);
            assertThat(process.output())
                    .contains("stopping after this step and saving; Ctrl-C again stops at once")
                    .containsPattern("stopped after step \\d+; go on with: cgan-cli train --resume " + run);
        }
        List<String> before = metrics(run);
        Path newest = CheckpointStore.list(run.resolve("checkpoints")).getLast();
        assertThat(CheckpointStore.step(newest)).isEqualTo(before.size());
        String steps = Integer.toString(before.size() + 5);
        assertThat(Cli.call("train", "--resume", run.toString(), "--steps", steps, "--quiet"))
                .isEqualTo(new Cli(0, "", ""));

        Path whole = folder.resolve("whole");
        Cli cli = Cli.call(TinyData.train(folder, "--steps", steps, "--out", whole.toString(), "--sample-every", "0"));
        assertThat(cli.code()).isZero();
        assertThat(metrics(run)).isEqualTo(metrics(whole));
    }

    @Test
    void secondInterruptEndsAtOnce() throws Exception {
        // A step of full-size networks on a large batch takes long enough to be interrupted twice.
        try (CliProcess process = CliProcess.start(
                output,
                "",
                "train",
                "--steps",
                "3",
                "--batch",
                "4096",
                "--device",
                "cpu?kernels=reference",
                "--out",
                run.toString())) {
            while (!process.output().contains("run     ")) {
                assertThat(process.isAlive()).as(process.output()).isTrue();
                Thread.sleep(20);
            }
            Thread.sleep(200);
            process.signal("INT");
            while (!process.output().contains("stopping after this step")) {
                assertThat(process.isAlive()).as(process.output()).isTrue();
                Thread.sleep(20);
            }
            long begin = System.nanoTime();
            process.signal("INT");
            assertThat(process.await()).isEqualTo(130);
            assertThat(System.nanoTime() - begin).isLessThan(5_000_000_000L);
        }
        assertThat(CheckpointStore.list(run.resolve("checkpoints"))).isEmpty();
    }

    @Test
    void killedThirtyTimesEveryCheckpointLoadsAndTheRunGoesOn() throws Exception {
        long seed = Long.getLong("cgan.test.seed", System.nanoTime());
        System.out.println("TrainProcessTest: repeat with -Dcgan.test.seed=" + seed);
        Random random = new Random(seed);
        String[] first = {
            "--steps",
            "1000000",
            "--out",
            run.toString(),
            "--sample-every",
            "7",
            "--checkpoint-every",
            "1",
            "--keep",
            "2"
        };
        long reached = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            try (CliProcess process =
                    kill == 0 ? train("", first) : CliProcess.start(output, "", "train", "--resume", run.toString())) {
                process.awaitStep(run.resolve("metrics.jsonl"), reached + 1);
                Thread.sleep(random.nextInt(120));
                process.signal("KILL");
                assertThat(process.await()).isEqualTo(128 + 9);
            }
            reached = requireEveryCheckpointLoads();
        }
        String steps = Long.toString(reached + 3);
        Cli last = Cli.call("train", "--resume", run.toString(), "--steps", steps, "--checkpoint-every", "0");
        assertThat(last.code()).as(last.err()).isZero();
        assertThat(metrics(run)).hasSize((int) reached + 3);
        try (Stream<Path> files = Files.list(run.resolve("checkpoints"))) {
            assertThat(files).noneMatch(AtomicFiles::isTemporary);
        }
    }

    private long requireEveryCheckpointLoads() throws IOException {
        List<Path> files = CheckpointStore.list(run.resolve("checkpoints"));
        long reached = 0;
        for (Path file : files) {
            assertThat(Checkpoint.read(file).step()).isEqualTo(CheckpointStore.step(file));
            reached = CheckpointStore.step(file);
            int read = 0;
            try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
                for (String name : tensors.names()) {
                    read += tensors.entry(name).type().name().equals("F64")
                            ? tensors.doubles(name).length
                            : tensors.floats(name).length;
                }
            }
            assertThat(read).isGreaterThan(100);
        }
        return reached;
    }

    @Test
    void fullDiskIsAFailureThatLeavesNothingHalfWritten() throws Exception {
        // The limit on the size of a file stands for a disk that is full when the first checkpoint is written.
        try (CliProcess process =
                train("ulimit -f 8", "--steps", "4", "--out", run.toString(), "--sample-every", "0")) {
            assertThat(process.await()).as(process.output()).isEqualTo(1);
            assertThat(process.output())
                    .containsPattern("error: cannot write " + run + "/checkpoints/step-00000004.safetensors: .+; .+")
                    .doesNotContain("\tat ", "Exception");
        }
        assertThat(run.resolve("checkpoints")).isEmptyDirectory();
        assertThat(metrics(run)).hasSize(4);
    }

    @Test
    void stackTraceIsShownOnlyWhenAskedFor() throws Exception {
        try (CliProcess process =
                CliProcess.start(output, "", "sample", folder.resolve("none").toString())) {
            assertThat(process.await()).isEqualTo(1);
            assertThat(process.output()).hasLineCount(1).startsWith("error: ");
        }
        try (CliProcess process =
                CliProcess.start(output, "", "sample", folder.resolve("none").toString(), "--verbose")) {
            assertThat(process.await()).isEqualTo(1);
            assertThat(process.output()).startsWith("error: ").contains("\tat dev.cgan");
        }
    }
}
