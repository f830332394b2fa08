package dev.cgan.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.nn.Parameter;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.testkit.Golden;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OptimizerTest {
    private enum Kind {
        ADAM("adam", p -> new Adam(p, 2e-4, Adam.Options.KERAS.withBetas(0.5, 0.999))),
        ADAMW("adamw", p -> new Adam(p, 1e-3, new Adam.Options(0.9, 0.99, 1e-8, 0.05, Adam.Form.KERAS))),
        RMSPROP("rmsprop", p -> new RmsProp(p, 5e-5, 0.9, 1e-7)),
        SGD("sgd", p -> new Sgd(p, 0.1)),
        SGD_MOMENTUM("sgd_momentum", p -> new Sgd(p, 0.1, 0.9, false, 0));

        private final String golden;
        private final Function<List<Parameter>, Optimizer> maker;

        Kind(String golden, Function<List<Parameter>, Optimizer> maker) {
            this.golden = "optimizer." + golden;
            this.maker = maker;
        }
    }

    private Device device;

    @BeforeEach
    void open() {
        device = Device.open("cpu?threads=1");
    }

    @AfterEach
    void close() {
        device.close();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void agreesWithTheReferenceForThreeSteps(Kind kind) {
        for (DType dtype : List.of(DType.F64, DType.F32)) {
            try (Golden golden = new Golden("operators")) {
                List<Parameter> parameters = parameters(golden, kind, dtype);
                Optimizer optimizer = kind.maker.apply(parameters);
                for (int t = 1; t <= 3; t++) {
                    optimizer.step(gradients(golden, kind, t, dtype));
                    for (int i = 0; i < 2; i++) {
                        String step = kind.golden + ".step" + t + "." + i;
                        assertThat(golden.compare(step, parameters.get(i), dtype == DType.F64 ? 1e-15 : 1e-7))
                                .isEqualTo(i == 0 ? 15 : 7);
                    }
                }
                assertThat(optimizer.steps()).isEqualTo(3);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void goesOnFromItsStateWithTheSameBits(Kind kind) {
        try (Golden golden = new Golden("operators")) {
            List<Parameter> straight = parameters(golden, kind, DType.F32);
            Optimizer first = kind.maker.apply(straight);
            first.step(gradients(golden, kind, 1, DType.F32));

            List<Parameter> resumed = parameters(golden, kind, DType.F32);
            Optimizer second = kind.maker.apply(resumed);
            second.restore(first.state());
            for (int i = 0; i < 2; i++) {
                resumed.get(i).copyFrom(straight.get(i));
            }
            for (int t = 2; t <= 3; t++) {
                first.step(gradients(golden, kind, t, DType.F32));
                second.step(gradients(golden, kind, t, DType.F32));
            }
            assertThat(second.steps()).isEqualTo(3);
            for (int i = 0; i < 2; i++) {
                assertThat(resumed.get(i).toBytes()).isEqualTo(straight.get(i).toBytes());
            }
        }
    }

    @Test
    void theTorchFormDividesTheMomentsFirst() {
        Parameter parameter = new Parameter("p", device.doubles(new double[] {1}));
        Adam adam = new Adam(List.of(parameter), 0.1, Adam.Options.TORCH.withBetas(0.5, 0.75));
        double m = 0;
        double v = 0;
        double value = 1;
        for (int t = 1; t <= 3; t++) {
            double g = 0.3 * t;
            adam.step(List.of(device.doubles(new double[] {g})));
            m = 0.5 * m + 0.5 * g;
            v = 0.75 * v + 0.25 * g * g;
            value -= 0.1 / (1 - Math.pow(0.5, t)) * m / (Math.sqrt(v / (1 - Math.pow(0.75, t))) + 1e-8);
            assertThat(Math.abs(parameter.toDoubles()[0] - value) <= 1e-15).isTrue();
        }
    }

    @Test
    void nesterovLooksAheadAndDecayPullsToZero() {
        Parameter parameter = new Parameter("p", device.doubles(new double[] {2}));
        Sgd sgd = new Sgd(List.of(parameter), 0.1, 0.5, true, 0.25);
        sgd.step(List.of(device.doubles(new double[] {1})));
        double g = 1 + 0.25 * 2;
        assertThat(Math.abs(parameter.toDoubles()[0] - (2 - 0.1 * (g + 0.5 * g))) <= 1e-15)
                .isTrue();
    }

    @Test
    void aWeightDecayMakesItAdamW() {
        Parameter parameter = new Parameter("p", device.doubles(new double[] {2}));
        AdamW.of(List.of(parameter), 0.1, 0.5).step(List.of(device.doubles(new double[] {0})));
        assertThat(Math.abs(parameter.toDoubles()[0] - 2 * (1 - 0.1 * 0.5)) <= 1e-15)
                .isTrue();
    }

    @Test
    void theLearningRateChangesBetweenSteps() {
        Parameter parameter = new Parameter("p", device.doubles(new double[] {1}));
        Sgd sgd = new Sgd(List.of(parameter), 0.5);
        Tensor one = device.doubles(new double[] {1});
        sgd.step(List.of(one));
        sgd.learningRate(0.25);
        sgd.step(List.of(one));
        assertThat(parameter.toDoubles()).containsExactly(0.25);
        assertThat(sgd.learningRate()).isEqualTo(0.25);
        assertThat(sgd.state().get("hyper").toDoubles()).containsExactly(0.25, 2);
    }

    @Test
    void wrongArgumentsAreNamed() {
        Parameter parameter = new Parameter("d.weight", device.zeros(DType.F32, Shape.of(2, 3)));
        Optimizer adam = new Adam(List.of(parameter), 1e-3, Adam.Options.KERAS);
        assertThatThrownBy(() -> adam.step(List.of())).hasMessage("0 gradients were given for 1 parameters");
        assertThatThrownBy(() -> adam.step(List.of(device.zeros(DType.F32, Shape.of(3, 2)))))
                .hasMessageContaining("does not have the shape of d.weight");
        assertThatThrownBy(() -> adam.learningRate(Double.NaN))
                .hasMessage("the learning rate must be at least 0 and finite, but is NaN");
        assertThatThrownBy(() -> adam.restore(Map.of())).hasMessage("the optimizer's state has no tensor hyper");
        assertThatThrownBy(() -> Adam.Options.KERAS.withBetas(1, 0)).hasMessage("beta1 must be of [0, 1), but is 1.0");
        assertThatThrownBy(() -> new Sgd(List.of(parameter), 1, 0, true, 0))
                .hasMessage("Nesterov's form needs a momentum above 0");
        assertThatThrownBy(() -> new Sgd(List.of(), 1)).hasMessage("an optimizer needs at least one parameter");
    }

    @Test
    void theAverageFollowsAndIsExchanged() {
        Parameter parameter = new Parameter("p", device.floats(new float[] {1, 2}));
        Ema ema = new Ema(List.of(parameter), 0.75);
        parameter.copyFrom(new float[] {5, 6});
        ema.update();
        assertThat(ema.state().get("p").toFloats()).containsExactly(2, 3);
        try (Ema.Swapped _ = ema.swap()) {
            assertThat(parameter.toFloats()).containsExactly(2, 3);
        }
        assertThat(parameter.toFloats()).containsExactly(5, 6);
        ema.restore(Map.of("p", device.floats(new float[] {7, 8})));
        assertThat(ema.state().get("p").toFloats()).containsExactly(7, 8);
        assertThatThrownBy(() -> ema.restore(Map.of())).hasMessageContaining("the moving average of p needs a tensor");
    }

    @Test
    void schedulesBeginAndEndWhereTheyShould() {
        assertThat(Schedule.constant(0.1).at(7)).isEqualTo(0.1);
        Schedule linear = Schedule.linear(1, 0, 11);
        assertThat(List.of(linear.at(1), linear.at(6), linear.at(11), linear.at(99)))
                .containsExactly(1.0, 0.5, 0.0, 0.0);
        Schedule cosine = Schedule.cosine(1, 0, 11);
        assertThat(cosine.at(1)).isEqualTo(1);
        assertThat(Math.abs(cosine.at(6) - 0.5) <= 1e-15).isTrue();
        assertThat(cosine.at(11)).isZero();
        Schedule step = Schedule.step(1, 0.5, 10);
        assertThat(List.of(step.at(1), step.at(10), step.at(11), step.at(21))).containsExactly(1.0, 1.0, 0.5, 0.25);
        assertThatThrownBy(() -> Schedule.linear(1, 0, 0)).hasMessage("a schedule needs at least 1 step, not 0");
    }

    @Test
    void gradientsAreClippedByTheirCommonNorm() {
        List<Tensor> gradients = List.of(device.floats(new float[] {3, 0}), device.floats(new float[] {4}));
        assertThat(GradientClip.byGlobalNorm(10).apply(gradients).item()).isEqualTo(5);
        assertThat(gradients.get(0).toFloats()).containsExactly(3, 0);
        assertThat(GradientClip.byGlobalNorm(2.5).apply(gradients).item()).isEqualTo(5);
        assertThat(gradients.get(0).toFloats()).containsExactly(1.5f, 0);
        assertThat(gradients.get(1).toFloats()).containsExactly(2);
    }

    @Test
    void weightsAreClamped() {
        Parameter parameter = new Parameter("p", device.floats(new float[] {-1, 0.005f, 1}));
        new WeightClamp(0.01).apply(List.of(parameter));
        assertThat(parameter.toFloats()).containsExactly(-0.01f, 0.005f, 0.01f);
    }

    private List<Parameter> parameters(Golden golden, Kind kind, DType dtype) {
        List<Parameter> parameters = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            parameters.add(new Parameter("p" + i, golden.tensor(device, kind.golden + ".param." + i, dtype)));
        }
        return parameters;
    }

    private List<Tensor> gradients(Golden golden, Kind kind, int step, DType dtype) {
        List<Tensor> gradients = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            gradients.add(golden.tensor(device, kind.golden + ".grad" + step + "." + i, dtype));
        }
        return gradients;
    }
}
