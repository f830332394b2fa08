package dev.cgan.gan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cgan.autograd.Autograd;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ObjectiveTest {
    private final Device device = Device.open("cpu");

    @AfterEach
    void close() {
        device.close();
    }

    private Tensor logits(double... values) {
        return device.doubles(values).requiresGrad();
    }

    private static double value(Tensor scalar) {
        return scalar.toDoubles()[0];
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Test
    void nonSaturatingIsTheMeanCrossEntropyOfBothHalves() {
        Objective objective = Objective.named("non-saturating");
        double wanted = -(Math.log(sigmoid(0.3))
                        + Math.log(sigmoid(-1.2))
                        + Math.log(1 - sigmoid(0.7))
                        + Math.log(1 - sigmoid(2)))
                / 4;
        assertThat(value(objective.discriminator(logits(0.3, -1.2), logits(0.7, 2))))
                .isCloseTo(wanted, within(1e-12));
        double generator = -(Math.log(sigmoid(0.7)) + Math.log(sigmoid(2))) / 2;
        assertThat(value(objective.generator(logits(0.7, 2)))).isCloseTo(generator, within(1e-12));
    }

    @Test
    void minimaxIsAZeroSumGame() {
        Objective objective = Objective.named("minimax");
        Tensor fake = logits(0.7, 2);
        Tensor discriminator = objective.discriminator(logits(0.3, -1.2), fake);
        Tensor generator = objective.generator(fake);
        double[] ofD =
                Autograd.gradients(discriminator, List.of(fake)).getFirst().toDoubles();
        double[] ofG = Autograd.gradients(generator, List.of(fake)).getFirst().toDoubles();
        assertThat(ofG[0]).isCloseTo(-ofD[0], within(1e-12)).isNotZero();
        assertThat(ofG[1]).isCloseTo(-ofD[1], within(1e-12)).isNotZero();
        double wanted = (Math.log(1 - sigmoid(0.7)) + Math.log(1 - sigmoid(2))) / 4;
        assertThat(value(generator)).isCloseTo(wanted, within(1e-12));
    }

    @Test
    void leastSquaresKeepsTheHalf() {
        Objective objective = new Objective.LeastSquares(-1, 1, 0);
        double wanted = 0.5 * (0.7 * 0.7 + 2.2 * 2.2) / 2 + 0.5 * (1.7 * 1.7 + 9) / 2;
        assertThat(value(objective.discriminator(logits(0.3, -1.2), logits(0.7, 2))))
                .isCloseTo(wanted, within(1e-12));
        assertThat(value(objective.generator(logits(0.7, 2)))).isCloseTo(0.5 * (0.49 + 4) / 2, within(1e-12));
        assertThat(objective.probability(logits(-1, 1)).toDoubles()).containsExactly(0, 1);
    }

    @Test
    void hingeIsFlatBeyondItsMargin() {
        Objective objective = Objective.named("hinge");
        double wanted = (0.7 + 0) / 2 + (1.7 + 0) / 2;
        Tensor real = logits(0.3, 1.2);
        Tensor fake = logits(0.7, -2);
        Tensor loss = objective.discriminator(real, fake);
        assertThat(value(loss)).isCloseTo(wanted, within(1e-12));
        assertThat(Autograd.gradients(loss, List.of(real)).getFirst().toDoubles())
                .containsExactly(-0.5, 0);
        assertThat(Autograd.gradients(loss, List.of(fake)).getFirst().toDoubles())
                .containsExactly(0.5, 0);
        assertThat(value(objective.generator(fake))).isCloseTo(0.65, within(1e-12));
    }

    @Test
    void wassersteinIsADifferenceOfMeans() {
        Objective objective = Objective.named("wasserstein");
        assertThat(value(objective.discriminator(logits(0.5, 1.5), logits(0.7, 2))))
                .isCloseTo(0.35, within(1e-12));
        assertThat(value(objective.generator(logits(0.7, 2)))).isCloseTo(-1.35, within(1e-12));
        assertThat(objective.probability(logits(-7, 3)).toDoubles()).containsExactly(-7, 3);
        assertThat(objective.givesProbabilities()).isFalse();
    }

    static List<String> names() {
        return Objective.names();
    }

    @ParameterizedTest
    @MethodSource("names")
    void lossesAndGradientsStayFiniteForHugeLogits(String name) {
        Objective objective = Objective.named(name);
        assertThat(objective.name()).isEqualTo(name);
        for (float size : new float[] {0, 1, 90, 1e4f}) {
            Tensor real = device.floats(new float[] {size, -size}).requiresGrad();
            Tensor fake = device.floats(new float[] {size, -size}).requiresGrad();
            Tensor discriminator = objective.discriminator(real, fake);
            Tensor generator = objective.generator(fake);
            assertThat(Float.isFinite(discriminator.item())).isTrue();
            assertThat(Float.isFinite(generator.item())).isTrue();
            for (Tensor gradient : Autograd.gradients(discriminator, List.of(real, fake))) {
                assertThat(gradient.toFloats()).doesNotContain(Float.NaN);
            }
            assertThat(Autograd.gradients(generator, List.of(fake)).getFirst().toFloats())
                    .doesNotContain(Float.NaN);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void discriminatorWantsRealUpAndFakeDown(String name) {
        Tensor real = logits(0.1);
        Tensor fake = logits(0.1);
        Objective objective = Objective.named(name);
        List<Tensor> gradients = Autograd.gradients(objective.discriminator(real, fake), List.of(real, fake));
        assertThat(value(gradients.get(0))).isNegative();
        assertThat(value(gradients.get(1))).isPositive();
        assertThat(value(Autograd.gradients(objective.generator(fake), List.of(fake))
                        .getFirst()))
                .isNegative();
    }

    @Test
    void unknownNameSuggestsTheNearest() {
        assertThatThrownBy(() -> Objective.named("hinges"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("unknown objective 'hinges'; did you mean hinge?");
    }

    @Test
    void leastSquaresRefusesEqualTargets() {
        assertThatThrownBy(() -> new Objective.LeastSquares(1, 1, 0))
                .hasMessage("least squares needs different targets, a = b = 1.0");
    }
}
