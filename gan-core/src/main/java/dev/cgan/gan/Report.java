package dev.cgan.gan;

import dev.cgan.autograd.Autograd;
import dev.cgan.nn.Activation;
import dev.cgan.nn.BatchNorm;
import dev.cgan.nn.Conv2d;
import dev.cgan.nn.Dense;
import dev.cgan.nn.Embedding;
import dev.cgan.nn.Flatten;
import dev.cgan.nn.Initializer;
import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Parameter;
import dev.cgan.nn.ParameterFactory;
import dev.cgan.nn.Pass;
import dev.cgan.nn.Reshape;
import dev.cgan.nn.Sequential;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The reference experiment: a generator of upsampling and tanh convolutions against a discriminator of tanh convolutions and
 * max pooling, as it was written for Keras.
 *
 * <p>With {@code conditional} both see the label (Mirza and Osindero 2014): one-hot beside the noise in G; as a trained plane
 * of the image's size, one more input channel, in D.
 */
public final class Report implements GanModel {
    /** Makes models of this type. */
    public static final ModelType TYPE = new ModelType(
            "report",
            "the reference experiment: tanh networks, and generated images made in inference mode for D",
            "Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661",
            CommonSettings.add(Settings.builder(), 2e-4, 0.5, 0.999, 0)
                    .choice("objective", "non-saturating", Objective.names(), "loss of both networks")
                    .integer("latent", 100, 1, 65536, "numbers of noise for an image")
                    .integer("width", 64, 1, 4096, "channels at full size; twice as many at half")
                    .integer("hidden", 1024, 1, 65536, "units of D's dense layer")
                    .flag("conditional", false, "give both networks the labels")
                    .build(),
            4,
            Report::generator,
            Report::new);

    private final Objective objective;
    private final Generator generator;
    private final Discriminator discriminator;
    private final Network trainedGenerator;
    private final Network trainedDiscriminator;

    private Report(ModelType.Plan plan) {
        objective = Objective.named(plan.settings().text("objective"));
        generator = generator(plan);
        discriminator = new PlaneDiscriminator(plan);
        trainedGenerator = new Network("generator", generator, CommonSettings.adam(generator, plan.settings()));
        trainedDiscriminator =
                new Network("discriminator", discriminator, CommonSettings.adam(discriminator, plan.settings()));
    }

    /**
     * Goodfellow et al. 2014, algorithm 1 with k = 1. D sees real and generated rows as one batch; for it, G runs in inference
     * mode, so that only G's own update moves the statistics of its batch normalisation.
     */
    @Override
    public Losses step(Batch real, Step step) {
        int n = real.size();
        Tensor yD = generator.isConditional() ? step.labels("y_d", n) : real.labels();
        Tensor fake = Autograd.noGrad(() -> generator.apply(generator.noise(step, "z_d", n), yD, step.inference()));
        Tensor logits = discriminator.apply(
                Tensor.concat(0, real.images(), fake), Tensor.concat(0, real.labels(), yD), step.training());
        Tensor onReal = logits.slice(0, 0, n);
        Tensor onFake = logits.slice(0, n, n);
        Tensor dLoss = objective.discriminator(onReal, onFake);
        trainedDiscriminator.minimize(dLoss);

        Tensor yG = generator.isConditional() ? step.labels("y_g", n) : real.labels();
        Tensor drawn = generator.apply(generator.noise(step, "z_g", n), yG, step.training());
        Tensor gLoss = objective.generator(discriminator.apply(drawn, yG, step.training()));
        trainedGenerator.minimize(gLoss);
        return new Losses(dLoss, gLoss, objective.probability(onReal), objective.probability(onFake), fake);
    }

    @Override
    public Generator generator() {
        return generator;
    }

    @Override
    public List<Network> networks() {
        return List.of(trainedGenerator, trainedDiscriminator);
    }

    @Override
    public Objective objective() {
        return objective;
    }

    @Override
    public boolean usesFileOrder() {
        return true;
    }

    @Override
    public boolean showsStepImages() {
        return true;
    }

    private static Generator generator(ModelType.Plan plan) {
        ParameterFactory make = plan.parameters();
        Settings settings = plan.settings();
        int latent = settings.integer("latent");
        int classes = settings.flag("conditional") ? plan.images().classes() : 0;
        int c1 = settings.integer("width");
        int c2 = 2 * c1;
        int h = plan.images().height() / 4;
        int w = plan.images().width() / 4;
        Activation tanh = Activation.tanh();
        Sequential layers = new Sequential(
                "generator",
                Dense.builder("g_dense1", latent + classes, h * w * c2)
                        .activation(tanh)
                        .build(make),
                BatchNorm.builder("g_bn1", h * w * c2)
                        .momentum(0.99)
                        .epsilon(1e-3)
                        .build(make),
                new Reshape("g_reshape", Shape.of(h, w, c2)),
                Conv2d.builder("g_conv1", c2, c1, 5)
                        .upsample(2)
                        .activation(tanh)
                        .build(make),
                Conv2d.builder("g_out", c1, plan.images().channels(), 5)
                        .upsample(2)
                        .activation(tanh)
                        .build(make));
        return new NoiseGenerator(layers, NoiseGenerator.Noise.UNIFORM, latent, classes);
    }

    /** D, with the label as one more plane of the image if it is conditional. */
    private static final class PlaneDiscriminator implements Discriminator {
        private final ImageShape images;
        private final Embedding plane;
        private final Sequential layers;

        PlaneDiscriminator(ModelType.Plan plan) {
            ParameterFactory make = plan.parameters();
            images = plan.images();
            int c1 = plan.settings().integer("width");
            int hidden = plan.settings().integer("hidden");
            int pixels = images.height() * images.width();
            plane = plan.settings().flag("conditional")
                    ? new Embedding("d_embedding", images.classes(), pixels, Initializer.glorotUniform(), make)
                    : null;
            Activation tanh = Activation.tanh();
            layers = new Sequential(
                    "discriminator",
                    Conv2d.builder("d_conv1", images.channels() + (plane == null ? 0 : 1), c1, 5)
                            .activation(tanh)
                            .maxPool(true)
                            .build(make),
                    Conv2d.builder("d_conv2", c1, 2 * c1, 5)
                            .activation(tanh)
                            .maxPool(true)
                            .build(make),
                    new Flatten("d_flatten"),
                    Dense.builder("d_dense1", pixels / 16 * 2 * c1, hidden)
                            .activation(Activation.relu())
                            .build(make),
                    Dense.builder("d_out", hidden, 1).build(make));
        }

        @Override
        public Tensor apply(Tensor x, Tensor labels, Pass pass) {
            Tensor seen = plane == null
                    ? x
                    : Tensor.concat(3, x, plane.apply(labels).reshape(-1, images.height(), images.width(), 1));
            return layers.apply(seen, pass).reshape(-1);
        }

        @Override
        public List<Parameter> parameters() {
            List<Parameter> parameters = new ArrayList<>(layers.parameters());
            if (plane != null) {
                parameters.addAll(plane.parameters());
            }
            return List.copyOf(parameters);
        }

        @Override
        public Map<String, Tensor> buffers() {
            return layers.buffers();
        }

        @Override
        public List<LayerInfo> describe(long batch) {
            List<LayerInfo> lines = new ArrayList<>();
            int channels = images.channels();
            if (plane != null) {
                lines.addAll(plane.describe(Shape.of(batch)));
                channels++;
            }
            lines.addAll(layers.describe(Shape.of(batch, images.height(), images.width(), channels)));
            return lines;
        }
    }
}
