package dev.cgan.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that regenerates the bindings: what it says of the committed ones, and of a jextract that it refuses. */
class GenerateScriptTest {
    private static final Path SCRIPT = Path.of("jextract", "generate.sh").toAbsolutePath();

    @TempDir
    private Path temp;

    private record Result(int code, String output) {}

    private Result run(String jextract, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(temp.toFile());
        builder.environment().remove("CGAN_ANY_JEXTRACT");
        if (jextract != null) {
            builder.environment().put("JEXTRACT", jextract);
        }
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }

    /** With the jextract that the script asks for at hand, the committed bindings are what it makes of the header. */
    @Test
    void theCommittedBindingsAreUpToDate() throws Exception {
        Result result = run(null, "--check");
        if (!jextractAtHand()) {
            assertThat(result.code).isEqualTo(1);
            assertThat(result.output).startsWith("generate.sh: no jextract: build revision ");
        } else if (!result.output.contains("is not version")) {
            assertThat(result).isEqualTo(new Result(0, ""));
        }
    }

    private static boolean jextractAtHand() {
        return System.getenv("JEXTRACT") != null
                || Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "jextract")));
    }

    @Test
    void anotherVersionIsRefused() throws Exception {
        Path other = Files.writeString(temp.resolve("jextract"), "#!/bin/sh\necho jextract 25\n");
        assertThat(other.toFile().setExecutable(true)).isTrue();
        assertThat(run(other.toString(), "--check"))
                .isEqualTo(new Result(
                        1,
                        "generate.sh: 'jextract 25' is not version 22 (revision 0b89a46); "
                                + "set CGAN_ANY_JEXTRACT=1 to use it all the same\n"));
    }

    @Test
    void unknownOptionsAreRefused() throws Exception {
        assertThat(run(null, "--chek"))
                .isEqualTo(new Result(1, "generate.sh: unknown option '--chek'; the only one is --check\n"));
    }
}
