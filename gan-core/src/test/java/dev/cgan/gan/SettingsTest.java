package dev.cgan.gan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    private final Settings settings = Settings.builder()
            .real("lr", 2e-4, 1e-9, 10, "rate")
            .integer("width", 64, 1, 4096, "channels")
            .flag("conditional", false, "labels")
            .choice("objective", "hinge", List.of("hinge", "minimax"), "loss")
            .build();

    @Test
    void valuesChangeOnlyInTheCopy() {
        Settings changed = settings.withAll(Map.of("width", "16", "lr", 0.5, "conditional", true));
        assertThat(changed.integer("width")).isEqualTo(16);
        assertThat(changed.real("lr")).isEqualTo(0.5);
        assertThat(changed.flag("conditional")).isTrue();
        assertThat(changed.text("objective")).isEqualTo("hinge");
        assertThat(settings.integer("width")).isEqualTo(64);
        assertThat(settings.with("width", 16L).with("width", 64L))
                .isEqualTo(settings)
                .hasSameHashCodeAs(settings);
    }

    @Test
    void valuesComeBackInOrderAndType() {
        assertThat(settings.values().keySet()).containsExactly("lr", "width", "conditional", "objective");
        assertThat(settings.values().values()).containsExactly(2e-4, 64L, false, "hinge");
        assertThat(settings.description("width")).isEqualTo("channels");
        assertThat(settings.has("width")).isTrue();
        assertThat(settings.has("depth")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "width | 0 | width must be in 1 to 4096, not 0",
                "width | -3 | width must be in 1 to 4096, not -3",
                "width | 1.5 | width must be a whole number, not '1.5'",
                "width | 99999999999999999999 | width must be a whole number, not '99999999999999999999'",
                "lr | 0 | lr must be in 1.0E-9 to 10.0, not 0.0",
                "lr | NaN | lr must be in 1.0E-9 to 10.0, not NaN",
                "lr | fast | lr must be a number, not 'fast'",
                "conditional | maybe | conditional must be one of true, false, not 'maybe'",
                "objective | hing | objective must be one of hinge, minimax, not 'hing'",
                "depth | 3 | unknown setting 'depth'; this model has lr, width, conditional, objective"
            })
    void wrongValuesAreNamed(String key, String value, String message) {
        assertThatThrownBy(() -> settings.with(key, value))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }
}
