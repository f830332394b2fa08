package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.gan.Models;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.TensorScope;
import dev.cgan.testkit.Accelerators;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole training steps of every model, second derivatives included, on each device that runs CUDA kernels: as on the CPU's
 * plain loops, which accumulate in float64.
 */
class WholeStepsTest {
    private static final int STEPS = 3;

    /** Losses and probabilities are means of few numbers of magnitude 1. */
    private static final double LOSS = 2e-6;

    /** Relative to a gradient's norm. Most reach 5e-7; one that nearly cancels, as a bias's can, loses the rest. */
    private static final double GRADIENT = 1e-4;

    /** In learning rates: Adam's steps have about its length however small the gradient, and hide no error of it. */
    private static final double PARAMETER = 1e-3;

    static List<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (String device : Accelerators.names()) {
            for (String model : Models.names()) {
                cases.add(Arguments.of(device, model));
            }
        }
        return cases;
    }

    /** One training: figures and gradients in the order of their making, and what came of it. */
    private record Run(
            List<Figures> figures,
            List<Map.Entry<String, float[]>> gradients,
            Map<String, float[]> networks,
            double learningRate) {}

    private static Run train(String name, String model) {
        try (Device device = Device.open(name);
                TensorScope _ = device.scope("model")) {
            SmallTraining training =
                    new SmallTraining(device, model, 3, Map.of("width", 4, "latent", 5, "hidden", 8, "ema", 0.9));
            List<Figures> figures = new ArrayList<>();
            List<Map.Entry<String, float[]>> gradients = new ArrayList<>();
            training.onGradients((parameter, values) -> gradients.add(Map.entry(parameter, values)));
            for (int step = 1; step <= STEPS; step++) {
                figures.add(training.step(step));
            }
            return new Run(figures, gradients, training.networks(), training.learningRate());
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("cases")
    void agreeWithTheCpu(String device, String model) {
        Run want = train("cpu?kernels=reference", model);
        Run got = train(device, model);
        assertThat(want.figures()).doesNotHaveDuplicates();
        for (int i = 0; i < STEPS; i++) {
            Map<String, Double> values = got.figures().get(i).toMap();
            want.figures()
                    .get(i)
                    .toMap()
                    .forEach((name, value) -> assertThat(Math.abs(values.get(name) - value))
                            .as("%s: %s and %s", name, values.get(name), value)
                            .isLessThanOrEqualTo(LOSS * Math.max(1, Math.abs(value))));
        }

        assertThat(got.gradients()).hasSameSizeAs(want.gradients());
        for (int i = 0; i < want.gradients().size(); i++) {
            var expected = want.gradients().get(i);
            var actual = got.gradients().get(i);
            assertThat(actual.getKey()).isEqualTo(expected.getKey());
            assertThat(distance(actual.getValue(), expected.getValue()))
                    .as("gradient %d, of %s", i, expected.getKey())
                    .isLessThanOrEqualTo(GRADIENT * norm(expected.getValue()));
        }
        assertThat(want.gradients().stream().filter(gradient -> norm(gradient.getValue()) > 0))
                .as("gradients that are not all zeros")
                .hasSizeGreaterThan(want.gradients().size() * 8 / 10);

        assertThat(got.networks()).containsOnlyKeys(want.networks().keySet());
        want.networks()
                .forEach((name, values) -> assertThat(
                                greatestDifference(got.networks().get(name), values))
                        .as(name)
                        .isLessThanOrEqualTo(PARAMETER * want.learningRate() + 1e-6 * greatest(values)));
    }

    private static double norm(float[] values) {
        return distance(values, new float[values.length]);
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < b.length; i++) {
            sum += Math.pow((double) a[i] - b[i], 2);
        }
        return Math.sqrt(sum);
    }

    private static double greatest(float[] values) {
        return greatestDifference(values, new float[values.length]);
    }

    private static double greatestDifference(float[] a, float[] b) {
        double greatest = 0;
        for (int i = 0; i < b.length; i++) {
            greatest = Math.max(greatest, Math.abs((double) a[i] - b[i])); // NaN stays
        }
        return greatest;
    }
}
