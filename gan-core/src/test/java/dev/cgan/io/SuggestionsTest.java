package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SuggestionsTest {
    private static final List<String> KEYS = List.of("steps", "batch", "lr", "beta1", "sample_every");

    @ParameterizedTest
    @CsvSource({
        "step, steps",
        "setps, steps",
        "bacth, batch",
        "beta, beta1",
        "sampleEvery, sample_every",
        "sample-evry, sample_every",
        "LR, lr"
    })
    void findsWhatWasMeant(String typed, String meant) {
        assertThat(Suggestions.nearest(typed, KEYS)).contains(meant);
        assertThat(Suggestions.didYouMean(typed, KEYS)).isEqualTo("did you mean " + meant + "?");
    }

    @Test
    void listsTheChoicesWhenNothingIsNear() {
        assertThat(Suggestions.nearest("gradient", KEYS)).isEmpty();
        assertThat(Suggestions.nearest("x".repeat(1_000_000), KEYS)).isEmpty();
        assertThat(Suggestions.didYouMean("gradient", KEYS))
                .isEqualTo("choose one of steps, batch, lr, beta1, sample_every");
    }
}
