package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens on a {@link PrivateDisk} that takes no writes: not even root may, unlike in a folder without rights. */
@Timeout(300)
class ReadOnlyDiskTest {
    @TempDir
    Path folder;

    private PrivateDisk disk;

    @BeforeEach
    void requireMounts() throws Exception {
        disk = PrivateDisk.under(folder);
    }

    @Test
    void everyCommandThatWritesNamesTheFileTheFolderAndTheRemedy() throws Exception {
        Path run = disk.mounted().resolve("run");
        String output = disk.shell("""
                mount -t tmpfs -o size=4m tmpfs "$disk"
                cgan "$@"
                mkdir "$disk/empty"
                mount -o remount,ro "$disk"
                cgan "${@/%run/new}"
                cgan "${@/%run/empty}"
                cgan train --resume "$disk/run" --steps 9 --quiet
                cgan sample "$disk/run" --out "$disk/x.png" --count 4
                cgan sample "$disk/run" --raw "$disk/x.safetensors" --count 4
                cgan sample "$disk/run" --out "$copy/x.png" --count 4
                """, TinyData.train(folder, "--quiet", "--steps", "2", "--out", run.toString()));
        assertThat(output)
                .isEqualTo("exit 0\n"
                        + refused("new", "")
                        + refused("empty/samples", "/empty")
                        + refused("run/.lock", "/run")
                        + refused("x.png", "")
                        + refused("x.safetensors", "")
                        + "wrote 4 images to " + disk.kept().resolve("x.png") + "\nexit 0\n");
        assertThat(disk.kept().resolve("x.png")).isNotEmptyFile();
    }

    private String refused(String file, String folder) {
        return "error: cannot write " + disk.mounted() + "/" + file + ": folder " + disk.mounted() + folder
                + " is not writable; choose a folder that is\nexit 1\n";
    }
}
