package dev.cgan.metric;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TrainingMonitorTest {
    private static final double[] REAL = {10, 10};

    private final List<Warning> warnings = new ArrayList<>();

    @Test
    void aHealthyRunIsNotDisturbed() {
        Random random = new Random(1);
        TrainingMonitor monitor = new TrainingMonitor(true, REAL);
        for (int step = 1; step <= 3000; step++) {
            double real = 0.6 + 0.1 * random.nextGaussian();
            double fake = 0.4 + 0.1 * random.nextGaussian();
            monitor.step(step, 0.6, 1.0, real, fake).ifPresent(warnings::add);
            if (step % 50 == 0) {
                monitor.samples(step, samples(random, 0.5f), 784, labels()).ifPresent(warnings::add);
            }
        }
        assertThat(warnings).isEmpty();
    }

    @Test
    void lossesThatAreNotNumbersAreFatal() {
        TrainingMonitor monitor = new TrainingMonitor(false, REAL);
        Warning warning = monitor.step(7, Double.NaN, 1, 0, 0).orElseThrow();
        assertThat(warning.isFatal()).isTrue();
        assertThat(warning.text())
                .isEqualTo(
                        "step 7: d_loss is NaN and g_loss is 1.0, training cannot go on. The last good checkpoint is "
                                + "kept: resume it with a lower --lr, or try another --objective.");
        assertThat(monitor.step(8, 1, Double.NEGATIVE_INFINITY, 0, 0)
                        .orElseThrow()
                        .isFatal())
                .isTrue();
    }

    @Test
    void aDiscriminatorThatHasWonIsReportedOnceInAWhile() {
        TrainingMonitor monitor = new TrainingMonitor(true, REAL);
        for (int step = 1; step <= 1300; step++) {
            monitor.step(step, 0.01, 6, 0.999, 0.001).ifPresent(warnings::add);
        }
        assertThat(warnings).extracting(Warning::step).containsExactly(101L, 601L, 1101L);
        assertThat(warnings).extracting(Warning::kind).containsOnly(Warning.Kind.DISCRIMINATOR_WON);
        assertThat(warnings.getFirst().isFatal()).isFalse();
        assertThat(warnings.getFirst().text())
                .startsWith("the discriminator has won: D(x) is 0.999 and D(G(z)) is 0.001 for over 100 steps");
    }

    @Test
    void aShortVictoryAndACriticAreNotJudged() {
        TrainingMonitor monitor = new TrainingMonitor(true, REAL);
        for (int step = 1; step <= 2000; step++) {
            boolean low = step % 90 < 30;
            monitor.step(step, 0.1, 3, low ? 0.7 : 0.999, low ? 0.3 : 0.001).ifPresent(warnings::add);
        }
        TrainingMonitor critic = new TrainingMonitor(false, REAL);
        for (int step = 1; step <= 2000; step++) {
            critic.step(step, -3, 1, 40, -40).ifPresent(warnings::add);
        }
        assertThat(warnings).isEmpty();
    }

    @Test
    void aDiscriminatorThatTellsNothingApartIsReported() {
        TrainingMonitor monitor = new TrainingMonitor(true, REAL);
        for (int step = 1; step <= 150; step++) {
            monitor.step(step, 0.693, 0.693, 0.5, 0.5).ifPresent(warnings::add);
        }
        assertThat(warnings).singleElement().satisfies(warning -> {
            assertThat(warning.kind()).isEqualTo(Warning.Kind.DISCRIMINATOR_IDLE);
            assertThat(warning.text()).startsWith("the discriminator tells nothing apart: D(x) is 0.500");
        });
    }

    @Test
    void collapsedSamplesAreReportedWhenTheyStaySo() {
        Random random = new Random(1);
        TrainingMonitor monitor = new TrainingMonitor(true, REAL);
        for (int step = 50; step <= 900; step += 50) {
            monitor.samples(step, samples(random, 0.02f), 784, labels()).ifPresent(warnings::add);
        }
        assertThat(warnings).singleElement().satisfies(warning -> {
            assertThat(warning.kind()).isEqualTo(Warning.Kind.COLLAPSED);
            assertThat(warning.step()).isEqualTo(550);
            assertThat(warning.text())
                    .startsWith("the samples of a class are nearly alike: they differ by 8 % of what");
        });
    }

    @Test
    void aGeneratorThatStandsStillIsReported() {
        TrainingMonitor monitor = new TrainingMonitor(true, REAL);
        float[] same = samples(new Random(1), 0.5f);
        assertThat(monitor.samples(50, same, 784, labels())).isEmpty();
        assertThat(monitor.samples(100, same, 784, labels())).get().satisfies(warning -> {
            assertThat(warning.kind()).isEqualTo(Warning.Kind.STUCK);
            assertThat(warning.text()).startsWith("the samples have not changed since the last ones (by 0.0e+00");
        });
        assertThat(monitor.samples(150, same, 784, labels())).isEmpty();
    }

    /** 20 images around one shape; two of them are about 40 * spread apart. */
    private static float[] samples(Random random, float spread) {
        float[] images = new float[20 * 784];
        for (int i = 0; i < images.length; i++) {
            images[i] = (float) Math.sin(i % 784) * 0.3f + spread * (float) random.nextGaussian();
        }
        return images;
    }

    private static int[] labels() {
        int[] labels = new int[20];
        for (int i = 0; i < 20; i++) {
            labels[i] = i % 2;
        }
        return labels;
    }
}
