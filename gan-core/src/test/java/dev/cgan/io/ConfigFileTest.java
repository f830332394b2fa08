package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFileTest {
    @TempDir
    Path folder;

    @Test
    void jsonAndYamlGiveTheSame() throws IOException {
        Path json = Files.writeString(folder.resolve("a.json"), "{\"model\": \"cgan\", \"lr\": 1e-4, \"ema\": false}");
        Path yaml = Files.writeString(folder.resolve("a.YML"), "# mine\nmodel: cgan\nlr: 1.0e-4\nema: false\n");
        assertThat(ConfigFile.read(json)).isEqualTo(Map.of("model", "cgan", "lr", 1e-4, "ema", false));
        assertThat(ConfigFile.read(yaml)).isEqualTo(ConfigFile.read(json));
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Path path = folder.resolve("config.json");
        Map<String, Object> values = Map.of("steps", 5L, "settings", Map.of("latent", 100L));
        ConfigFile.write(path, values);
        assertThat(ConfigFile.read(path)).isEqualTo(values);
        assertThat(Files.readString(path)).contains("\n  \"steps\": 5").endsWith("}\n");
    }

    @Test
    void badFilesAreNamed() throws IOException {
        Path path = folder.resolve("a.json");
        refused(path, "no such file; check the path");
        refused(folder, "it is a folder, not a file of settings; name the file itself");
        Files.writeString(path, "steps: 5");
        refused(path, "not valid JSON: Unrecognized token 'steps'");
        Files.writeString(path, "[1]");
        refused(path, "it holds no map of keys to values; write lines such as `steps: 500`");
        Files.write(path, new byte[] {'{', (byte) 0xff, '}'});
        refused(path, "not UTF-8 text; save it as UTF-8");
        Files.write(path, new byte[2 << 20]);
        refused(path, "2097152 bytes, settings take at most 1048576; check that it is the right file");
        Path yaml = Files.writeString(folder.resolve("a.yaml"), "a: [1\nb: 2");
        refused(yaml, "not valid YAML: ");
    }

    @Test
    void mutatedFilesAreReadOrRefusedAndNeverMore() throws IOException {
        Random random = Seeds.random("ConfigFileTest.fuzz");
        byte[] json = "{\"model\": \"cgan\", \"steps\": 500, \"lr\": 2e-4}".getBytes(StandardCharsets.UTF_8);
        byte[] yaml = "model: cgan\nsteps: 500\nlr: 2.0e-4\nsettings: {latent: 100}\n".getBytes(StandardCharsets.UTF_8);
        int[] outcomes = new int[2];
        for (int round = 0; round < 4000; round++) {
            boolean asJson = random.nextBoolean();
            Path path = folder.resolve(asJson ? "fuzz.json" : "fuzz.yaml");
            Files.write(path, Mutations.mutate(asJson ? json : yaml, random));
            try {
                assertThat(ConfigFile.read(path)).isNotNull();
                outcomes[0]++;
            } catch (InvalidFileException e) {
                assertThat(e.getMessage()).startsWith(path + ": ");
                outcomes[1]++;
            }
        }
        assertThat(outcomes[0]).isGreaterThan(100);
        assertThat(outcomes[1]).isGreaterThan(100);
    }

    private static void refused(Path path, String message) {
        assertThatThrownBy(() -> ConfigFile.read(path))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith(path + ": " + message);
    }
}
