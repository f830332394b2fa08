package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.io.ConfigException;
import dev.cgan.io.Json;
import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TrainConfigTest {
    @Test
    void defaultsAreThoseOfTheDocumentation() {
        TrainConfig config = TrainConfig.defaults();
        assertThat(config.model()).isEqualTo("cgan");
        assertThat(config.data()).isEqualTo("mnist");
        assertThat(List.of(
                        config.steps(), config.batch(), config.sampleEvery(), config.checkpointEvery(), config.keep()))
                .containsExactly(3000, 64, 50, 500, 3);
        assertThat(config.seed()).isEqualTo(42);
        assertThat(config.deviceName()).isEqualTo("auto");
        assertThat(config.settings().real("ema")).isEqualTo(0.995);
    }

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        TrainConfig config = TrainConfig.of(Map.of(
                "model",
                "report",
                "seed",
                -7,
                "conditional",
                "true",
                "lr",
                1e-3,
                "data",
                List.of("a", "b"),
                "threads",
                2,
                "graph",
                false));
        assertThat(config.graph()).isEqualTo("off");
        assertThat(TrainConfig.defaults().graph()).isEqualTo("auto");
        assertThat(config.data()).isEqualTo("a,b");
        assertThat(config.deviceName()).isEqualTo("auto?threads=2");
        assertThat(TrainConfig.deviceName("cpu?isa=baseline", 1, "fp32")).isEqualTo("cpu?isa=baseline&threads=1");
        @SuppressWarnings("unchecked")
        Map<String, Object> map = (Map<String, Object>) Json.parse(Json.write(config.toMap()));
        assertThat(TrainConfig.of(map)).isEqualTo(config);
    }

    @Test
    void precisionIsAConfigurationsAndNotOnlyADevices() {
        TrainConfig plain = TrainConfig.of(Map.of("device", "cuda:0?kernels=vendor"));
        assertThat(plain.precision()).isEqualTo("fp32");
        assertThat(plain.deviceName()).isEqualTo("cuda:0?kernels=vendor");
        TrainConfig rounded = plain.with(Map.of("precision", "tf32"));
        assertThat(rounded.deviceName()).isEqualTo("cuda:0?kernels=vendor&precision=tf32");
        assertThat(rounded.toMap()).containsEntry("precision", "tf32").containsEntry("device", "cuda:0?kernels=vendor");
        assertThat(rounded.with(Map.of("device", "cuda:1")).deviceName()).isEqualTo("cuda:1?precision=tf32");
        assertThat(rounded.with(Map.of("device", "cuda:1?precision=fp32")).deviceName())
                .isEqualTo("cuda:1");
        assertThat(TrainConfig.of(Map.of("device", "sim?precision=tf32&kernels=auto")))
                .isEqualTo(TrainConfig.of(Map.of("device", "sim?kernels=auto", "precision", "tf32")));
        assertThat(TrainConfig.deviceName("sim?precision=tf32", 0, "tf32")).isEqualTo("sim?precision=tf32");
    }

    @Test
    void kernelsBelongToTheDevice() {
        TrainConfig vendor = TrainConfig.of(Map.of("device", "sim?transforms=off", "kernels", "vendor"));
        assertThat(vendor.device()).isEqualTo("sim?transforms=off&kernels=vendor");
        assertThat(vendor.kernels()).contains("vendor");
        assertThat(vendor.toMap()).doesNotContainKey("kernels");
        assertThat(vendor.with(Map.of("kernels", "auto")).device()).isEqualTo("sim?transforms=off&kernels=auto");
        assertThat(vendor.with(Map.of("kernels", "auto", "device", "cpu")).device())
                .isEqualTo("cpu?kernels=auto");
        assertThat(vendor.with(Map.of("device", "cpu")).kernels()).isEmpty();
        assertThat(TrainConfig.of(Map.of("kernels", "auto")).device()).isEqualTo("auto?kernels=auto");
        assertThatThrownBy(() -> vendor.with(Map.of("kernels", "auto", "device", "cpu?kernels=vendor")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("kernels is auto, but device 'cpu?kernels=vendor' says vendor; say it once");
    }

    @Test
    void changesGoToTheirPlace() {
        TrainConfig config =
                TrainConfig.defaults().with(Map.of("sample-every", "9", "width", 8, "settings", Map.of("hidden", 5)));
        assertThat(config.sampleEvery()).isEqualTo(9);
        assertThat(config.settings().integer("width")).isEqualTo(8);
        assertThat(config.settings().integer("hidden")).isEqualTo(5);
        assertThat(config.settings().integer("latent")).isEqualTo(100);
    }

    @Test
    void mistakesNameKeyAndValue() {
        assertThatThrownBy(() -> TrainConfig.of(Map.of("steps", "many")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("steps must be a whole number, not 'many'");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("batch", 5_000_000_000L)))
                .hasMessage("batch must be less than 2147483648, not 5000000000");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("data", " ")))
                .hasMessage("data must name a data set, a folder or files");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("graph", "always")))
                .hasMessage("graph must be auto or off, not 'always'");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("precision", "fp16")))
                .hasMessage("precision must be fp32 or tf32, not 'fp16'");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("device", "sim?precision=fp16")))
                .hasMessage("precision must be fp32 or tf32, not 'fp16'");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("device", "sim?precision=tf32", "precision", "fp32")))
                .hasMessage("precision is fp32, but device 'sim?precision=tf32' says tf32; say it once");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("settings", 3)))
                .hasMessage("settings must be a map of keys to values, not 3");
        assertThatThrownBy(() -> TrainConfig.of(Map.of("sampel_every", 3)))
                .hasMessage("unknown setting 'sampel_every' of model cgan; did you mean sample_every?");
    }

    @Test
    void damagedConfigurationsAreRefusedOrMakeSense() throws IOException {
        Random random = Seeds.random("TrainConfigTest");
        byte[] original = Json.writePretty(TrainConfig.defaults().toMap()).getBytes(StandardCharsets.UTF_8);
        int refused = 0;
        int accepted = 0;
        for (int i = 0; i < 5000; i++) {
            String text = new String(Mutations.mutate(original, random), StandardCharsets.UTF_8);
            try {
                if (Json.parse(text) instanceof Map<?, ?> map) {
                    Map<String, Object> values = new LinkedHashMap<>();
                    map.forEach((key, value) -> values.put((String) key, value));
                    assertThat(TrainConfig.of(values).steps()).isPositive();
                    accepted++;
                }
            } catch (ConfigException | Json.SyntaxException e) {
                assertThat(e.getMessage()).isNotBlank();
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(1000);
        assertThat(accepted).isPositive();
    }
}
