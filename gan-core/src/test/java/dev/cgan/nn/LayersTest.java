package dev.cgan.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.testkit.TinyGan;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LayersTest {
    private Device device;
    private ParameterFactory factory;

    @BeforeEach
    void open() {
        device = Device.open("cpu?threads=1");
        factory = new ParameterFactory(device, DType.F32, 7);
    }

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void namesAndShapesOfParameters() {
        Conv2d conv = Conv2d.builder("d_conv1", 3, 8, 5).build(factory);
        assertThat(conv.stateDict().keySet()).containsExactly("d_conv1.weight", "d_conv1.bias");
        assertThat(conv.weight().shape()).isEqualTo(Shape.of(8, 5, 5, 3));
        assertThat(conv.bias().toFloats()).containsOnly(0).hasSize(8);
        assertThat(conv.parameterCount()).isEqualTo(8 * 75 + 8);
        assertThat(conv.weight().toString()).startsWith("d_conv1.weight (Tensor#");

        ConvTranspose2d transposed =
                ConvTranspose2d.builder("g_up", 8, 3, 4).bias(false).build(factory);
        assertThat(transposed.stateDict().keySet()).containsExactly("g_up.weight");
        assertThat(transposed.weight().shape()).isEqualTo(Shape.of(8, 4, 4, 3));

        BatchNorm norm = BatchNorm.builder("g_norm", 4).build(factory);
        assertThat(norm.stateDict().keySet())
                .containsExactly("g_norm.gamma", "g_norm.beta", "g_norm.running_mean", "g_norm.running_var");
        assertThat(norm.runningVar().toFloats()).containsOnly(1);
        assertThat(norm.parameters()).hasSize(2);
    }

    @Test
    void describedShapesAreTheRealOnes() {
        TinyGan gan = new TinyGan(device, 3);
        Pass pass = Pass.training(new Philox(device, 3).at(1));
        Tensor x = device.zeros(DType.F32, Shape.of(2, 4));
        for (Sequential network : List.of(gan.generator(), gan.critic())) {
            Shape output = network.outputShape(x.shape());
            List<LayerInfo> lines = network.describe(x.shape());
            assertThat(lines).hasSameSizeAs(network.layers());
            for (int i = 0; i < lines.size(); i++) {
                x = network.layers().get(i).apply(x, pass);
                assertThat(x.shape()).isEqualTo(lines.get(i).output());
            }
            assertThat(x.shape()).isEqualTo(output);
            assertThat(lines.stream().mapToLong(LayerInfo::parameters).sum()).isEqualTo(network.parameterCount());
        }
        Shape image = Shape.of(2, 8, 8, 1);
        assertThat(gan.critic().describe(image).getFirst())
                .isEqualTo(new LayerInfo(
                        "d_conv1",
                        "Conv2d 3x3 softplus, MaxPool2d 2x2",
                        image,
                        Shape.of(2, 4, 4, 2),
                        20,
                        gan.critic().layers().getFirst()));
    }

    @Test
    void otherLayersHaveTheShapesTheySay() {
        Tensor image = device.zeros(DType.F32, Shape.of(2, 6, 4, 3));
        for (Layer layer : List.of(
                new Upsample2d("up", 3),
                new MaxPool2d("max", 2, 2),
                new AveragePool2d("average", 3, 1),
                new Dropout("drop", 0.5),
                new Flatten("flat"),
                new Reshape("reshape", Shape.of(8, 9)),
                Activation.sigmoid())) {
            assertThat(layer.apply(image, Pass.inference()).shape())
                    .as(layer.name())
                    .isEqualTo(layer.outputShape(image.shape()));
            assertThat(layer.parameters()).isEmpty();
        }
        Embedding embedding = new Embedding("class", 10, 5, Initializer.normal(0, 1), factory);
        Tensor rows = embedding.apply(device.ints(new int[] {9, 9, 0}));
        assertThat(rows.shape()).isEqualTo(embedding.outputShape(Shape.of(3)));
        assertThat(rows.slice(0, 0, 1).toFloats()).isEqualTo(rows.slice(0, 1, 1).toFloats());
    }

    @Test
    void emptyBatchesPass() {
        TinyGan gan = new TinyGan(device, 3);
        Tensor none = device.zeros(DType.F32, Shape.of(0, 4));
        Tensor images = gan.generator().apply(none, Pass.inference());
        assertThat(images.shape()).isEqualTo(Shape.of(0, 8, 8, 1));
        assertThat(gan.critic().apply(images, Pass.inference()).shape()).isEqualTo(Shape.of(0, 1));
    }

    @Test
    void batchNormUsesTheStatisticsThatThePassSays() {
        BatchNorm norm = BatchNorm.builder("n", 1).momentum(0.75).build(factory);
        Tensor x = device.floats(new float[] {1, 3}, 2, 1);
        assertThat(norm.apply(x, Pass.inference()).toFloats()[0]).isBetween(0.99f, 1f);
        float[] trained = norm.apply(x, Pass.training(factory.random())).toFloats();
        assertThat(trained[0]).isBetween(-1f, -0.99f);
        assertThat(norm.runningMean().toFloats()).containsExactly(0.5f);
        assertThat(norm.runningVar().toFloats()).containsExactly(1);
    }

    @Test
    void normalisationsRefuseImpossibleNumbers() {
        for (double bad : new double[] {-0.1, 1.1, Double.NaN}) {
            String text = "momentum must be of [0, 1], but is " + bad;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> BatchNorm.builder("n", 1).momentum(bad))
                    .withMessage(text);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ConditionalBatchNorm.builder("n", 2, 1).momentum(bad))
                    .withMessage(text);
        }
        for (double bad : new double[] {0, -1e-3, Double.NaN}) {
            String text = "epsilon must be more than 0, but is " + bad;
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> BatchNorm.builder("n", 1).epsilon(bad))
                    .withMessage(text);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ConditionalBatchNorm.builder("n", 2, 1).epsilon(bad))
                    .withMessage(text);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new LayerNorm("n", Shape.of(3), bad, factory))
                    .withMessage(text);
        }
    }

    @Test
    void conditionalBatchNormScalesByClass() {
        ConditionalBatchNorm norm = ConditionalBatchNorm.builder("n", 3, 2).build(factory);
        Map<String, Tensor> state = norm.stateDict();
        state.get("n.gamma").copyFrom(new float[] {1, 1, 2, 2, 3, 3});
        state.get("n.beta").copyFrom(new float[] {0, 0, 0, 0, 10, 20});
        Tensor x = device.full(1, DType.F32, Shape.of(2, 1, 1, 2));
        Tensor y = norm.apply(x, device.ints(new int[] {2, 1}), Pass.inference());
        float one = (float) (1 / Math.sqrt(1.001));
        float[] wanted = {3 * one + 10, 3 * one + 20, 2 * one, 2 * one};
        float[] found = y.toFloats();
        for (int i = 0; i < 4; i++) {
            assertThat(Math.abs(found[i] - wanted[i]) <= 1e-5).isTrue();
        }
    }

    @Test
    void dropoutKeepsTheMeanInTraining() {
        Tensor ones = device.full(1, DType.F32, Shape.of(100, 100));
        Dropout dropout = new Dropout("drop", 0.25);
        RandomSource random = new Philox(device, 5).at(1);
        float[] first = dropout.apply(ones, Pass.training(random)).toFloats();
        int dropped = 0;
        for (float value : first) {
            assertThat(value == 0 || Math.abs(value - 4f / 3) <= 1e-6).isTrue();
            dropped += value == 0 ? 1 : 0;
        }
        assertThat(dropped).isBetween(2300, 2700);
        assertThat(dropout.apply(ones, Pass.training(random)).toFloats()).isNotEqualTo(first);
        assertThat(dropout.apply(ones, Pass.inference())).isSameAs(ones);
    }

    @Test
    void samePaddingIsKerass() {
        assertThat(Padding.same().vertical(8, 5, 2)).containsExactly(1, 2);
        assertThat(Padding.same().vertical(7, 5, 2)).containsExactly(2, 2);
        assertThat(Padding.same().horizontal(28, 5, 1)).containsExactly(2, 2);
        assertThat(Padding.same().horizontal(4, 1, 2)).containsExactly(0, 0);
        assertThat(Padding.of(1)).isEqualTo(Padding.of(1, 1, 1, 1)).isNotEqualTo(Padding.valid());
        assertThat(Padding.same()).hasToString("same");
    }

    @Test
    void initialisersHaveTheirMoments() {
        Shape shape = Shape.of(100, 200);
        double glorot = Math.sqrt(6.0 / 300);
        double he = Math.sqrt(6.0 / 200);
        checkUniform("glorot_uniform", Initializer.glorotUniform(), shape, glorot);
        checkUniform("he_uniform", Initializer.heUniform(), shape, he);
        checkMoments("glorot_normal", Initializer.glorotNormal(), shape, 0, glorot / Math.sqrt(3));
        checkMoments("he_normal", Initializer.heNormal(), shape, 0, he / Math.sqrt(3));
        checkMoments("dcgan", Initializer.normal(1, 0.02), shape, 1, 0.02);
        assertThat(Initializer.zeros().create(factory, "z", Shape.of(3), 1, 1).toFloats())
                .containsOnly(0);
        assertThat(factory.parameter("same", shape, Initializer.heNormal(), 1, 1)
                        .toBytes())
                .isEqualTo(factory.parameter("same", shape, Initializer.heNormal(), 1, 1)
                        .toBytes());
    }

    private void checkUniform(String name, Initializer initializer, Shape shape, double limit) {
        checkMoments(name, initializer, shape, 0, limit / Math.sqrt(3));
        for (float value : initializer.create(factory, name, shape, 200, 100).toFloats()) {
            assertThat(Math.abs(value) <= limit).isTrue();
        }
    }

    private void checkMoments(String name, Initializer initializer, Shape shape, double mean, double deviation) {
        float[] values = initializer.create(factory, name, shape, 200, 100).toFloats();
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            sum += value;
            squares += (value - mean) * (value - mean);
        }
        assertThat(Math.abs(sum / values.length - mean) <= 4 * deviation / Math.sqrt(values.length))
                .isTrue();
        assertThat(Math.abs(Math.sqrt(squares / values.length) / deviation - 1) <= 0.03)
                .isTrue();
    }

    @Test
    void statesAreLoadedWholeOrNotAtAll() {
        Dense source =
                Dense.builder("d", 2, 2).initializer(Initializer.constant(3)).build(factory);
        Dense target = Dense.builder("d", 2, 2).build(factory);
        byte[] before = target.weight().toBytes();
        assertThatThrownBy(() -> target.loadState(Map.of("d.weight", source.weight())))
                .hasMessageContaining("there is no tensor d.bias among");
        assertThatThrownBy(() -> target.loadState(Map.of("d.weight", source.weight(), "d.bias", source.weight())))
                .hasMessage("d.bias has shape [2], but the state gives [2,2]");
        assertThat(target.weight().toBytes()).isEqualTo(before);
        target.loadState(source.stateDict());
        assertThat(target.weight().toFloats()).containsOnly(3);
    }

    @Test
    void wrongUseIsNamed() {
        Dense dense = Dense.builder("d_out", 4, 1).build(factory);
        Tensor wrong = device.zeros(DType.F32, Shape.of(2, 5));
        assertThatThrownBy(() -> dense.apply(wrong, Pass.inference()))
                .hasMessageContaining("x must be [n,in] and weight [out,in] with equal in");
        assertThatThrownBy(() -> dense.outputShape(wrong.shape())).hasMessage("d_out takes [n,4], not [2,5]");
        Conv2d conv = Conv2d.builder("c", 3, 4, 5).padding(Padding.valid()).build(factory);
        assertThatThrownBy(() -> conv.outputShape(Shape.of(1, 3, 3, 3)))
                .hasMessageContaining("larger than the padded src");
        assertThatThrownBy(() -> conv.outputShape(Shape.of(1, 8, 8, 1))).hasMessageContaining("with equal c");
        assertThatThrownBy(() -> new Sequential("net", dense, dense))
                .hasMessage("two parameters of net are named d_out.weight");
        assertThatThrownBy(() -> new Dropout("d", 1)).hasMessage("the dropout rate must be of [0, 1), but is 1.0");
        assertThatThrownBy(() -> new Pass(Mode.TRAINING, null))
                .hasMessageContaining("needs a source of random numbers");
        assertThatThrownBy(() -> Conv2dOptions.DEFAULT.withUpsample(3)).hasMessageContaining("by 1 or 2, not 3");
        assertThatThrownBy(() -> new Reshape("r", Shape.of(5)).outputShape(Shape.of(2, 4)))
                .hasMessage("r cannot make examples of [5] from [2,4]");
        assertThatThrownBy(() -> Functional.gather(dense.weight(), device.ints(new int[] {0, 7})))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("7");
    }
}
