package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.io.AtomicFiles;
import dev.cgan.io.CheckpointStore;
import dev.cgan.io.MetricsLog;
import dev.cgan.train.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What happens when a real file system is full: a {@link PrivateDisk} of some kilobytes. Where the system forbids those,
 * {@link TrainProcessTest} still limits the size of files.
 */
@Timeout(300)
class FullDiskTest {
    private static final String FULL =
            ": disk full(, needs [0-9]+ bytes)?, [0-9]+ bytes free; free some space or write to another disk";

    @TempDir
    Path folder;

    private PrivateDisk disk;

    @BeforeEach
    void requireMounts() throws Exception {
        disk = PrivateDisk.under(folder);
    }

    private static void requireWhole(Path run, int leastCheckpoints) throws IOException {
        List<Path> checkpoints = CheckpointStore.list(run.resolve("checkpoints"));
        assertThat(checkpoints).hasSizeGreaterThanOrEqualTo(leastCheckpoints);
        for (Path file : checkpoints) {
            assertThat(Checkpoint.read(file).step()).isEqualTo(CheckpointStore.step(file));
        }
        try (Stream<Path> files = Files.walk(run)) {
            assertThat(files).noneMatch(AtomicFiles::isTemporary);
        }
    }

    private static int steps(Path run) throws IOException {
        int[] lines = {0};
        MetricsLog.read(run.resolve("metrics.jsonl"), (step, figures) -> step == ++lines[0]);
        return lines[0];
    }

    @Test
    void aRunThatFillsTheDiskFailsCleanlyAndGoesOnWhenThereIsRoom() throws Exception {
        Path run = disk.mounted().resolve("run");
        String output = disk.shell(
                """
                mount -t tmpfs -o size=160k tmpfs "$disk"
                cgan "$@"
                cp -a "$disk/run" "$copy/full"
                mount -o remount,size=4m "$disk"
                cgan train --resume "$disk/run" --steps 60 --checkpoint-every 0 --quiet
                cp -a "$disk/run" "$copy/after"
                """,
                TinyData.train(
                        folder,
                        "--quiet",
                        "--out",
                        run.toString(),
                        "--steps",
                        "60",
                        "--sample-every",
                        "0",
                        "--checkpoint-every",
                        "2",
                        "--keep",
                        "50"));
        assertThat(output).matches("error: cannot write " + run + "/[^ ]+" + FULL + "\nexit 1\nexit 0\n");
        requireWhole(disk.kept().resolve("full"), 2);
        requireWhole(disk.kept().resolve("after"), 3);
        assertThat(steps(disk.kept().resolve("full"))).isLessThan(60);
        assertThat(steps(disk.kept().resolve("after"))).isEqualTo(60);
    }

    @Test
    void everyFileThatDoesNotFitIsNamed() throws Exception {
        Path run = disk.mounted().resolve("run");
        String output = disk.shell(
                """
                mount -t tmpfs -o size=256k tmpfs "$disk"
                cgan "$@"
                leave 0
                cgan sample "$disk/run" --out "$disk/x.png" --count 4
                cgan sample "$disk/run" --raw "$disk/x.safetensors" --count 4
                cgan train --resume "$disk/run" --steps 9 --quiet
                cgan "${@/%run/new}"
                leave 8192
                cgan train --resume "$disk/run" --steps 4000 --sample-every 0 --checkpoint-every 0 --quiet
                leave 8192
                cgan train --resume "$disk/run" --steps 4 --sample-every 0 --quiet
                rm "$disk/fill"
                cp -a "$disk/run" "$copy/run"
                """, TinyData.train(folder, "--quiet", "--steps", "2", "--sample-every", "2", "--out", run.toString()));
        List<String> named = new ArrayList<>();
        for (String part : output.split("(?<=exit \\d{1,3})\n")) {
            named.add(part.replaceFirst(
                    "^error: cannot write " + disk.mounted() + "/([^ ]+)" + FULL + "\nexit 1$", "$1"));
        }
        assertThat(named)
                .containsExactly(
                        "exit 0",
                        "x.png",
                        "x.safetensors",
                        "run/config.json",
                        "new/config.json",
                        "run/metrics.jsonl",
                        "run/checkpoints/step-00000004.safetensors");
        requireWhole(disk.kept().resolve("run"), 1);
        try (Stream<Path> files = Files.list(disk.kept())) {
            assertThat(files).hasSize(1);
        }
    }
}
