package dev.cgan.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.cgan.data.MemoryDataset;
import dev.cgan.image.Pixels;
import dev.cgan.testkit.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MetricTest {
    @Test
    void theAverageOfAConstantIsTheConstantFromTheFirstValueOn() {
        MovingAverage average = new MovingAverage(0.98);
        assertThat(average.value()).isNaN();
        for (int i = 0; i < 100; i++) {
            average.add(3);
            average.add(Double.NaN);
            assertThat(average.value()).isCloseTo(3, within(1e-12));
        }
        average.add(103);
        assertThat(average.value()).isBetween(4.9, 5.4);
        assertThatIllegalArgumentException().isThrownBy(() -> new MovingAverage(1));
        assertThatIllegalArgumentException().isThrownBy(() -> new MovingAverage(Double.NaN));
    }

    @Test
    void thePaceForgetsTheFirstStep() {
        Pace pace = new Pace(64);
        assertThat(pace.imagesPerSecond()).isZero();
        assertThat(pace.secondsLeft(10)).isNaN();
        pace.add(10);
        assertThat(pace.imagesPerSecond()).isEqualTo(6.4);
        pace.add(0.5);
        assertThat(pace.imagesPerSecond()).isEqualTo(128);
        pace.add(1.5);
        assertThat(pace.imagesPerSecond()).isEqualTo(64);
        assertThat(pace.secondsLeft(0)).isZero();
    }

    @Test
    void thePaceTellsTheTimeLeftOnceASlowStepDoesNotDecide() {
        Pace pace = new Pace(64);
        for (double seconds : new double[] {10, 30, 0.5}) {
            pace.add(seconds);
            assertThat(pace.secondsLeft(100)).isNaN();
        }
        pace.add(0.5);
        assertThat(pace.secondsLeft(100)).isEqualTo(50);
        for (int i = 0; i < 40; i++) {
            pace.add(i % 5 == 0 ? 20 : 0.25);
        }
        assertThat(pace.secondsLeft(100)).isEqualTo(25);
        for (int i = 0; i < 13; i++) {
            pace.add(2);
        }
        assertThat(pace.secondsLeft(100)).isEqualTo(200);
    }

    @Test
    void distancesAreThoseOfTheDefinition() {
        float[] images = {0, 0, 3, 4, 0, 0, 6, 8};
        assertThat(PairwiseDistance.mean(images, 2)).isCloseTo((5 + 0 + 10 + 5 + 5 + 10) / 6.0, within(1e-12));
        double[] within = PairwiseDistance.withinClasses(images, 2, new int[] {0, 0, 2, 1}, 3);
        assertThat(within[0]).isEqualTo(5);
        assertThat(within[1]).isNaN();
        assertThat(within[2]).isNaN();
        assertThat(PairwiseDistance.mean(new float[0], 2)).isNaN();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PairwiseDistance.mean(new float[3], 2))
                .withMessage("3 values are no images of 2");
    }

    @Test
    void aDataSetIsMeasuredClassByClass() {
        Random random = Seeds.random("MetricTest.dataset");
        List<Pixels> images = new ArrayList<>();
        int[] labels = new int[301];
        for (int i = 0; i < 301; i++) {
            labels[i] = i == 300 ? 2 : i % 2;
            int spread = labels[i] == 0 ? 20 : 200;
            byte[] data = new byte[100];
            for (int k = 0; k < 100; k++) {
                data[k] = (byte) random.nextInt(spread);
            }
            images.add(new Pixels(10, 10, 1, data));
        }
        MemoryDataset dataset = MemoryDataset.of("noise", images, labels, List.of("a", "b", "c"));
        double[] distances = PairwiseDistance.ofDataset(dataset, 50, 1);
        // Independent uniform values differ by spread^2 / 6 on average, squared.
        assertThat(distances[0]).isCloseTo(Math.sqrt(100 * 20 * 20 / 6.0) / 127.5, within(0.05));
        assertThat(distances[1]).isCloseTo(Math.sqrt(100 * 200 * 200 / 6.0) / 127.5, within(0.5));
        assertThat(distances[2]).isNaN();
        assertThat(PairwiseDistance.ofDataset(dataset, 50, 1)).isEqualTo(distances);
    }
}
