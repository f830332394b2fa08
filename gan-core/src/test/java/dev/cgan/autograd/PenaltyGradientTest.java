package dev.cgan.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.nn.Activation;
import dev.cgan.nn.Conv2dOptions;
import dev.cgan.nn.Functional;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.testkit.GradientCheck;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The losses that differentiate a gradient, through whole networks, against central differences of the penalty. */
class PenaltyGradientTest {
    private enum Penalty {
        /** Gulrajani et al. 2017: the square of how far the slope's norm is from 1. */
        WGAN_GP(slope -> slope.square().sum(1).plus(1e-12).sqrt().minus(1).square()),
        /** Mescheder et al. 2018: half the square of the slope's norm. */
        R1(slope -> slope.square().sum(1).times(0.5));

        private final UnaryOperator<Tensor> ofSlope;

        Penalty(UnaryOperator<Tensor> ofSlope) {
            this.ofSlope = ofSlope;
        }
    }

    private static final List<Shape> SHAPES = List.of(
            Shape.of(2, 5, 4, 1), // images
            Shape.of(2, 3, 3, 1), // convolution with pooling
            Shape.of(2),
            Shape.of(2, 3, 3, 2), // convolution with stride
            Shape.of(2), // scale and shift of layer normalisation
            Shape.of(2),
            Shape.of(1, 2)); // the last layer

    private static Tensor critic(List<Tensor> in) {
        Conv2dOptions leaky = Conv2dOptions.DEFAULT.withActivation(Activation.leakyRelu(0.2));
        Tensor x = Functional.conv2dMaxPool(in.get(0), in.get(1), in.get(2), leaky);
        x = Functional.conv2d(
                x, in.get(3), null, Conv2dOptions.DEFAULT.withStride(2).withActivation(Activation.tanh()));
        x = Functional.averagePool2d(x, 1, 1).reshape(-1, 2);
        x = Functional.layerNorm(x, in.get(4), in.get(5), 1e-1).softplus();
        return Functional.dense(x, in.get(6), null, Activation.none());
    }

    @ParameterizedTest
    @EnumSource(Penalty.class)
    void theGradientOfThePenaltyAgreesWithDifferences(Penalty penalty) {
        Random random = new Random(11);
        double[][] values = SHAPES.stream()
                .map(shape -> random.doubles(shape.size(), -1, 1).toArray())
                .toArray(double[][]::new);
        try (Device device = Device.open("cpu?threads=1")) {
            GradientCheck check = new GradientCheck(
                    device,
                    SHAPES,
                    values,
                    in -> {
                        Tensor slope = Autograd.gradients(critic(in).sum(), in.subList(0, 1), true)
                                .getFirst();
                        return penalty.ofSlope.apply(slope.reshape(2, -1));
                    },
                    random);
            assertThat(check.first()).isEqualTo(40 + 18 + 2 + 36 + 2 + 2 + 2);
        }
    }
}
