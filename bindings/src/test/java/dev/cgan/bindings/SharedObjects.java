package dev.cgan.bindings;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Small shared objects, compiled for a test, that pass for libcgan or fail to. */
final class SharedObjects {
    private SharedObjects() {}

    /** A library that says it speaks this ABI. */
    static Path withAbi(Path file, int major, int minor) throws Exception {
        return compile(file, "int cgan_abi_version(void) { return %d << 16 | %d; }".formatted(major, minor));
    }

    static Path compile(Path file, String source, String... options) throws Exception {
        Files.createDirectories(file.getParent());
        Path c = Files.writeString(file.resolveSibling(file.getFileName() + ".c"), source);
        List<String> command = new ArrayList<>(List.of("cc", "-shared", "-fPIC", "-o", file.toString(), c.toString()));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + output);
        }
        Files.delete(c);
        return file;
    }
}
