package dev.cgan.gan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Pass;
import dev.cgan.nn.Philox;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ModelsTest {
    static List<ModelType> types() {
        return Models.all();
    }

    private static GanModel tiny(ModelType type, Device device, ImageShape images) {
        Settings settings = type.defaults().with("width", 2).with("latent", 3);
        settings = settings.has("hidden") ? settings.with("hidden", 5) : settings;
        return type.create(new ModelType.Plan(device, images, settings, 7, DType.F32));
    }

    private static Batch noiseBatch(Device device, ImageShape images, int n) {
        Tensor pixels = new Philox(device, 1)
                .at(1)
                .uniform("pixels", -1, 1, n, images.height(), images.width(), images.channels());
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = i % images.classes();
        }
        return new Batch(pixels, device.ints(labels));
    }

    @ParameterizedTest
    @CsvSource({
        "report, 28, 28, 1",
        "report, 12, 8, 3",
        "cgan, 28, 28, 1",
        "cgan, 8, 20, 3",
        "dcgan, 28, 28, 1",
        "dcgan, 64, 64, 3",
        "dcgan, 8, 12, 1",
        "wgan-gp, 28, 28, 1",
        "wgan-gp, 12, 4, 3"
    })
    void everySizeTrainsAndDrawsImagesOfThatSize(String name, int height, int width, int channels) {
        ImageShape images = new ImageShape(height, width, channels, 3);
        try (Device device = Device.open("cpu")) {
            GanModel model = tiny(Models.named(name), device, images);
            int n = 2;
            try (TensorScope scope = device.scope("step")) {
                Batch real = noiseBatch(device, images, n * model.batchesPerStep());
                Losses losses = model.step(real, new SeededStep(new Philox(device, 5).at(1), 1, 3));
                for (Tensor tensor :
                        List.of(losses.discriminator(), losses.generator(), losses.real(), losses.fake())) {
                    for (float value : tensor.toFloats()) {
                        assertThat(Float.isFinite(value)).isTrue();
                    }
                }
                assertThat(losses.images().shape()).isEqualTo(Shape.of(n, height, width, channels));
                for (float pixel : losses.images().toFloats()) {
                    assertThat(pixel).isBetween(-1f, 1f);
                }
                assertThat(scope.name()).isEqualTo("step");
            }
            for (Network network : model.networks()) {
                assertThat(network.optimizer().steps())
                        .isEqualTo(network.name().equals("generator") ? 1 : model.batchesPerStep());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void descriptionAgreesWithTheParameters(ModelType type) {
        try (Device device = Device.open("cpu")) {
            ImageShape images = new ImageShape(28, 28, 1, 10);
            GanModel model = tiny(type, device, images);
            for (Network network : model.networks()) {
                List<LayerInfo> lines = network.player().describe(4);
                assertThat(lines.stream().mapToLong(LayerInfo::parameters).sum())
                        .isEqualTo(network.player().parameterCount());
                assertThat(lines).hasSizeGreaterThan(3);
            }
            List<LayerInfo> generator = model.generator().describe(4);
            assertThat(generator.getLast().output()).isEqualTo(Shape.of(4, 28, 28, 1));
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void sizesThatDoNotFitAreRefusedWithTheRemedy(ModelType type) {
        try (Device device = Device.open("cpu")) {
            assertThatThrownBy(() -> tiny(type, device, new ImageShape(30, 28, 1, 10)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(type.name() + " needs images whose sides are multiples of 4, not 30x28x1;"
                            + " --image-size 28 resizes them");
        }
    }

    @Test
    void conditionalModelsDrawWhatTheLabelSays() {
        try (Device device = Device.open("cpu")) {
            ImageShape images = new ImageShape(8, 8, 1, 3);
            for (Generator generator :
                    List.of(tiny(Cgan.TYPE, device, images).generator(), conditionalReport(device, images))) {
                assertThat(generator.isConditional()).isTrue();
                Tensor z = generator.noise(new Philox(device, 1).at(1), "z", 1);
                List<float[]> drawn = new ArrayList<>();
                for (int label = 0; label < 3; label++) {
                    drawn.add(generator
                            .apply(z, device.ints(new int[] {label}), Pass.inference())
                            .toFloats());
                }
                assertThat(drawn.get(0)).isNotEqualTo(drawn.get(1));
                assertThat(drawn.get(1)).isNotEqualTo(drawn.get(2));
            }
            assertThat(tiny(Dcgan.TYPE, device, images).generator().isConditional())
                    .isFalse();
        }
    }

    private static Generator conditionalReport(Device device, ImageShape images) {
        Settings settings = Report.TYPE
                .defaults()
                .with("width", 2)
                .with("latent", 3)
                .with("hidden", 5)
                .with("conditional", true);
        GanModel model = Report.TYPE.create(new ModelType.Plan(device, images, settings, 7, DType.F32));
        try (TensorScope scope = device.scope("step")) {
            Losses losses =
                    model.step(noiseBatch(device, images, 3), new SeededStep(new Philox(device, 5).at(1), 1, 3));
            assertThat(losses.discriminator().item()).isPositive();
            assertThat(scope.name()).isEqualTo("step");
        }
        return model.generator();
    }

    @Test
    void unknownModelSuggestsTheNearest() {
        assertThatThrownBy(() -> Models.named("wgangp")).hasMessage("unknown model 'wgangp'; did you mean wgan-gp?");
        assertThat(Models.names()).containsExactly("cgan", "report", "dcgan", "wgan-gp");
    }

    @Test
    void batchesAreCutIntoEqualParts() {
        try (Device device = Device.open("cpu")) {
            Batch batch = noiseBatch(device, new ImageShape(4, 4, 1, 6), 6);
            assertThat(batch.part(2, 3).labels().toInts()).containsExactly(4, 5);
            assertThat(batch.part(2, 3).images().toFloats())
                    .isEqualTo(batch.images().slice(0, 4, 2).toFloats());
            assertThatThrownBy(() -> batch.part(0, 4)).hasMessage("part 0 of 4 of a batch of 6");
            assertThatThrownBy(() -> new Batch(batch.images(), batch.labels().slice(0, 0, 5)))
                    .hasMessage("6 images, but 5 labels");
        }
    }
}
