package dev.cgan.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A real file system in memory, mounted by a script in a mount namespace that any user may make, and gone with it.
 *
 * @param mounted where scripts mount it, as {@code $disk}
 * @param kept a folder outside it, {@code $copy}, in which scripts keep what shall be looked at
 */
record PrivateDisk(Path mounted, Path kept) {
    /** {@return one below a folder; the test is skipped, with the system's reason, where none can be mounted} */
    static PrivateDisk under(Path folder) throws Exception {
        PrivateDisk disk = new PrivateDisk(
                Files.createDirectory(folder.resolve("disk")), Files.createDirectory(folder.resolve("copy")));
        String output = disk.shell("mount -t tmpfs -o size=64k tmpfs \"$disk\" && echo mounted");
        assumeTrue(output.endsWith("mounted\n"), "no file system can be mounted here: " + output);
        return disk;
    }

    /**
     * Runs a script in a namespace of its own. There, {@code cgan} is the program and says its exit code, and {@code leave N}
     * fills the disk but for N bytes.
     *
     * @param script of Bash
     * @param arguments its {@code "$@"}
     * @return what it printed
     */
    String shell(String script, String... arguments) throws Exception {
        String begin = "disk=$1; copy=$2; shift 2\n"
                + "while [[ $1 != -- ]]; do java+=(\"$1\"); shift; done; shift\n"
                + "cgan() { \"${java[@]}\" \"$@\"; echo \"exit $?\"; }\n"
                + "leave() { rm -f \"$disk/fill\"; cat /dev/zero >\"$disk/fill\" 2>/dev/null;"
                + " truncate -s \"-$1\" \"$disk/fill\"; }\n";
        List<String> command = new ArrayList<>(List.of("unshare", "-rm", "bash", "-c", begin + script, "bash"));
        command.addAll(List.of(mounted.toString(), kept.toString()));
        command.addAll(CliProcess.program());
        command.add("--");
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }
}
