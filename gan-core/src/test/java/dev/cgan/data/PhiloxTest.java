package dev.cgan.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.cgan.testkit.Seeds;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PhiloxTest {
    @Test
    void knownAnswersOfRandom123() {
        assertThat(block(0, 0, 0, 0, 0, 0)).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        assertThat(block(-1, -1, -1, -1, -1, -1)).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        assertThat(block(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0))
                .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    @Test
    void theCounterIsBlockStreamStepAndTheKeyTheSeed() {
        Philox philox = new Philox(0x299f31d0a4093822L, 7, 0x0370734413198a2eL);
        for (int block = 0; block < 3; block++) {
            int[] expected = block(block, 7, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0);
            for (int word : expected) {
                assertThat(philox.nextInt()).isEqualTo(word);
            }
        }
    }

    @Test
    void boundedNumbersAreUniform() {
        Philox philox = new Philox(Seeds.random("PhiloxTest.uniform").nextLong(), 0, 0);
        for (int bound : new int[] {1, 2, 7, 10, 1000, (1 << 30) + 1}) {
            int cells = Math.min(bound, 10);
            int[] counts = new int[cells];
            for (int i = 0; i < 100_000; i++) {
                counts[(int) ((long) philox.nextInt(bound) * cells / bound)]++;
            }
            double chi = 0;
            for (int count : counts) {
                chi += Math.pow(count - 100_000.0 / cells, 2) / (100_000.0 / cells);
            }
            // 9 degrees of freedom at most: 45 is exceeded once in a million runs.
            assertThat(chi).as("chi squared for bound " + bound).isLessThan(45);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> philox.nextInt(0));
    }

    @Test
    void floatsAreInTheUnitInterval() {
        Philox philox = new Philox(1, 2, 3);
        double sum = 0;
        for (int i = 0; i < 100_000; i++) {
            float value = philox.nextFloat();
            assertThat(value >= 0 && value < 1).isTrue();
            sum += value;
        }
        assertThat(sum / 100_000).isBetween(0.49, 0.51);
    }

    @Test
    void permutationsHoldEachNumberOnce() {
        Random random = Seeds.random("PhiloxTest.permutation");
        for (int count : new int[] {0, 1, 2, 100, 60_000}) {
            int[] order = new Philox(random.nextLong(), 0, 0).permutation(count);
            int[] sorted = order.clone();
            Arrays.sort(sorted);
            for (int i = 0; i < count; i++) {
                assertThat(sorted[i]).isEqualTo(i);
            }
        }
    }

    private static int[] block(int c0, int c1, int c2, int c3, int k0, int k1) {
        int[] out = new int[4];
        Philox.block(new int[] {c0, c1, c2, c3}, new int[] {k0, k1}, out);
        return out;
    }
}
