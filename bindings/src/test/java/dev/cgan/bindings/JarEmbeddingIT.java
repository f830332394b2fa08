package dev.cgan.bindings;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that has just the jar on its class path, and is nowhere near this repository, gets the library. */
class JarEmbeddingIT {
    private static final String APPLICATION = """
            import dev.cgan.bindings.NativeCalls;
            import dev.cgan.bindings.NativeLoader;

            class Application {
                public static void main(String[] args) {
                    try (NativeCalls cpu = NativeCalls.open("cpu?threads=1")) {
                        System.out.println(NativeLoader.load().source() + " " + NativeLoader.load().path());
                        System.out.println(cpu.describe());
                        NativeCalls.devices().forEach(d -> System.out.println(d.name() + " = " + d.description()));
                    }
                }
            }
            """;

    @TempDir
    private Path temp;

    @Test
    void theJarAloneIsEnough() throws Exception {
        Path jar = temp.resolve("cgan.jar");
        Files.copy(Path.of(System.getProperty("cgan.jar")), jar);
        Path source = Files.writeString(temp.resolve("Application.java"), APPLICATION);
        for (int run = 0; run < 2; run++) { // the second finds it unpacked
            List<String> lines = run(jar, source);
            assertThat(lines).hasSizeGreaterThanOrEqualTo(2);
            assertThat(lines.get(0)).startsWith("jar " + temp.resolve("cache").resolve("cgan"));
            assertThat(lines.get(1)).startsWith("cpu: ");
            assertThat(plugins(jar))
                    .allSatisfy(plugin -> assertThat(lines)
                            .as(
                                    "a plugin of the jar is found beside the library: it names its devices, or why there are none")
                            .anyMatch(line -> line.matches("sim = simulated GPU.*|cuda(:0)? = (no GPU|.*, sm_).*")
                                    && line.startsWith(plugin)));
        }
    }

    /** {@return "cuda" for native/linux-x86_64/libcgan_cuda.so, and so on; not what plugins open in their turn} */
    private static List<String> plugins(Path jar) throws Exception {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(entry ->
                            Pattern.compile("native/.*/libcgan_([a-z]+)\\.so").matcher(entry.getName()))
                    .filter(Matcher::matches)
                    .map(matcher -> matcher.group(1))
                    .toList();
        }
    }

    private List<String> run(Path jar, Path source) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(
                java, "--enable-native-access=ALL-UNNAMED", "-cp", jar.toString(), source.toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("CGAN_"));
        builder.environment().put("XDG_CACHE_HOME", temp.resolve("cache").toString());
        Process process =
                builder.directory(temp.toFile()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.lines().toList();
    }
}
