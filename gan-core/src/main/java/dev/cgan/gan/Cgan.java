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
 * A conditional GAN (Mirza and Osindero 2014) of the reference experiment's size: G with batch normalisation and relu, D
 * with leaky relu that meets the label by projection (Miyato and Koyama 2018). Drawn from the average of G's weights.
 */
public final class Cgan implements GanModel {
    /** Makes models of this type. */
    public static final ModelType TYPE = new ModelType(
            "cgan",
            "draws what the label says: batch-normalised G, projection D, averaged weights",
            "Mirza and Osindero 2014, https://arxiv.org/abs/1411.1784;"
                    + " Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637",
            CommonSettings.add(Settings.builder(), 2e-4, 0.5, 0.999, 0.995)
                    .choice("objective", "non-saturating", Objective.names(), "loss of both networks")
                    .integer("latent", 100, 1, 65536, "numbers of noise for an image")
                    .integer("width", 64, 1, 4096, "channels at full size; twice as many at half")
                    .integer("hidden", 1024, 1, 65536, "units of D's dense layer")
                    .build(),
            4,
            Cgan::generator,
            Cgan::new);

    private final Objective objective;
    private final Generator generator;
    private final Discriminator discriminator;
    private final Network trainedGenerator;
    private final Network trainedDiscriminator;

    private Cgan(ModelType.Plan plan) {
        objective = Objective.named(plan.settings().text("objective"));
        generator = generator(plan);
        discriminator = new ProjectionDiscriminator(plan);
        trainedGenerator = new Network("generator", generator, CommonSettings.adam(generator, plan.settings()));
        trainedDiscriminator =
                new Network("discriminator", discriminator, CommonSettings.adam(discriminator, plan.settings()));
    }

    /** Mirza and Osindero 2014, with one update of D and one of G. D sees real and generated rows as one batch. */
    @Override
    public Losses step(Batch real, Step step) {
        int n = real.size();
        Tensor yD = step.labels("y_d", n);
        Tensor fake = Autograd.noGrad(() -> generator.apply(generator.noise(step, "z_d", n), yD, step.training()));
        Tensor logits = discriminator.apply(
                Tensor.concat(0, real.images(), fake), Tensor.concat(0, real.labels(), yD), step.training());
        Tensor onReal = logits.slice(0, 0, n);
        Tensor onFake = logits.slice(0, n, n);
        Tensor dLoss = objective.discriminator(onReal, onFake);
        trainedDiscriminator.minimize(dLoss);

        Tensor yG = step.labels("y_g", n);
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

    private static Generator generator(ModelType.Plan plan) {
        ParameterFactory make = plan.parameters();
        int latent = plan.settings().integer("latent");
        int classes = plan.images().classes();
        int c1 = plan.settings().integer("width");
        int c2 = 2 * c1;
        int h = plan.images().height() / 4;
        int w = plan.images().width() / 4;
        // No bias where the normalisation that follows would subtract it again.
        Sequential layers = new Sequential(
                "generator",
                Dense.builder("g_dense1", latent + classes, h * w * c2)
                        .bias(false)
                        .build(make),
                new Reshape("g_reshape", Shape.of(h, w, c2)),
                BatchNorm.builder("g_bn1", c2).momentum(0.9).epsilon(1e-5).build(make),
                Activation.relu(),
                Conv2d.builder("g_conv1", c2, c1, 5).upsample(2).bias(false).build(make),
                BatchNorm.builder("g_bn2", c1).momentum(0.9).epsilon(1e-5).build(make),
                Activation.relu(),
                Conv2d.builder("g_out", c1, plan.images().channels(), 5)
                        .upsample(2)
                        .activation(Activation.tanh())
                        .build(make));
        return new NoiseGenerator(layers, NoiseGenerator.Noise.NORMAL, latent, classes);
    }

    /** D: features f of the image; the logit is a linear function of f plus the product of f and the label's embedding. */
    private static final class ProjectionDiscriminator implements Discriminator {
        private final ImageShape images;
        private final Sequential features;
        private final Dense out;
        private final Embedding embedding;

        ProjectionDiscriminator(ModelType.Plan plan) {
            ParameterFactory make = plan.parameters();
            images = plan.images();
            int c1 = plan.settings().integer("width");
            int hidden = plan.settings().integer("hidden");
            Activation leaky = Activation.leakyRelu(0.2);
            features = new Sequential(
                    "discriminator",
                    Conv2d.builder("d_conv1", images.channels(), c1, 5)
                            .activation(leaky)
                            .maxPool(true)
                            .build(make),
                    Conv2d.builder("d_conv2", c1, 2 * c1, 5)
                            .activation(leaky)
                            .maxPool(true)
                            .build(make),
                    new Flatten("d_flatten"),
                    Dense.builder("d_dense1", images.height() / 4 * (images.width() / 4) * 2 * c1, hidden)
                            .activation(leaky)
                            .build(make));
            out = Dense.builder("d_out", hidden, 1).build(make);
            embedding = new Embedding("d_embedding", images.classes(), hidden, Initializer.glorotUniform(), make);
        }

        @Override
        public Tensor apply(Tensor x, Tensor labels, Pass pass) {
            Tensor f = features.apply(x, pass);
            Tensor projection = f.times(embedding.apply(labels)).sum(1);
            return out.apply(f, pass).reshape(-1).plus(projection);
        }

        @Override
        public List<Parameter> parameters() {
            List<Parameter> parameters = new ArrayList<>(features.parameters());
            parameters.addAll(out.parameters());
            parameters.addAll(embedding.parameters());
            return List.copyOf(parameters);
        }

        @Override
        public Map<String, Tensor> buffers() {
            return features.buffers();
        }

        @Override
        public List<LayerInfo> describe(long batch) {
            Shape input = Shape.of(batch, images.height(), images.width(), images.channels());
            List<LayerInfo> lines = new ArrayList<>(features.describe(input));
            lines.addAll(out.describe(features.outputShape(input)));
            lines.addAll(embedding.describe(Shape.of(batch)));
            return lines;
        }
    }
}
