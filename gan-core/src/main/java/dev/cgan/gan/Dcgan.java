package dev.cgan.gan;

import dev.cgan.autograd.Autograd;
import dev.cgan.nn.Activation;
import dev.cgan.nn.BatchNorm;
import dev.cgan.nn.Conv2d;
import dev.cgan.nn.ConvTranspose2d;
import dev.cgan.nn.Dense;
import dev.cgan.nn.Flatten;
import dev.cgan.nn.Initializer;
import dev.cgan.nn.Layer;
import dev.cgan.nn.Padding;
import dev.cgan.nn.ParameterFactory;
import dev.cgan.nn.Reshape;
import dev.cgan.nn.Sequential;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Deep convolutional GAN (Radford, Metz and Chintala 2016): strided convolutions in D, transposed ones in G, batch
 * normalisation everywhere but at G's output and D's input. Images are halved until a side would be odd or less than 4.
 *
 * <p>Filters are 4x4 where the paper's are 5x5: a size that the stride divides covers all pixels equally often.
 */
public final class Dcgan implements GanModel {
    /** Makes models of this type. */
    public static final ModelType TYPE = new ModelType(
            "dcgan",
            "strided and transposed convolutions with batch normalisation; also for colour and 64x64",
            "Radford, Metz and Chintala 2016, https://arxiv.org/abs/1511.06434",
            CommonSettings.add(Settings.builder(), 2e-4, 0.5, 0.999, 0)
                    .choice("objective", "non-saturating", Objective.names(), "loss of both networks")
                    .integer("latent", 100, 1, 65536, "numbers of noise for an image")
                    .integer("width", 64, 1, 4096, "channels at half size; twice as many at each halving")
                    .build(),
            4,
            Dcgan::generator,
            Dcgan::new);

    private static final Initializer WEIGHTS = Initializer.normal(0, 0.02);
    private static final Initializer SCALES = Initializer.normal(1, 0.02);

    private final Objective objective;
    private final Generator generator;
    private final Discriminator discriminator;
    private final Network trainedGenerator;
    private final Network trainedDiscriminator;

    private Dcgan(ModelType.Plan plan) {
        objective = Objective.named(plan.settings().text("objective"));
        generator = generator(plan);
        discriminator = discriminator(plan);
        trainedGenerator = new Network("generator", generator, CommonSettings.adam(generator, plan.settings()));
        trainedDiscriminator =
                new Network("discriminator", discriminator, CommonSettings.adam(discriminator, plan.settings()));
    }

    /** One update of D and one of G. D sees real and generated images as two batches, each with its own statistics. */
    @Override
    public Losses step(Batch real, Step step) {
        int n = real.size();
        Tensor y = real.labels();
        Tensor fake = Autograd.noGrad(() -> generator.apply(generator.noise(step, "z_d", n), y, step.training()));
        Tensor onReal = discriminator.apply(real.images(), y, step.training());
        Tensor onFake = discriminator.apply(fake, y, step.training());
        Tensor dLoss = objective.discriminator(onReal, onFake);
        trainedDiscriminator.minimize(dLoss);

        Tensor drawn = generator.apply(generator.noise(step, "z_g", n), y, step.training());
        Tensor gLoss = objective.generator(discriminator.apply(drawn, y, step.training()));
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
        int halvings = halvings(plan.images());
        int h = plan.images().height() >> halvings;
        int w = plan.images().width() >> halvings;
        int channels = plan.settings().integer("width") << (halvings - 1);
        List<Layer> layers = new ArrayList<>();
        layers.add(Dense.builder("g_dense1", latent, h * w * channels)
                .bias(false)
                .initializer(WEIGHTS)
                .build(make));
        layers.add(new Reshape("g_reshape", Shape.of(h, w, channels)));
        layers.add(normalization("g_bn1", channels, make));
        layers.add(Activation.relu());
        for (int i = 1; i < halvings; i++, channels /= 2) {
            layers.add(up("g_conv" + i, channels, channels / 2).bias(false).build(make));
            layers.add(normalization("g_bn" + (i + 1), channels / 2, make));
            layers.add(Activation.relu());
        }
        layers.add(up("g_out", channels, plan.images().channels())
                .activation(Activation.tanh())
                .build(make));
        return new NoiseGenerator(
                new Sequential("generator", layers.toArray(Layer[]::new)), NoiseGenerator.Noise.UNIFORM, latent, 0);
    }

    private static Discriminator discriminator(ModelType.Plan plan) {
        ParameterFactory make = plan.parameters();
        int halvings = halvings(plan.images());
        int channels = plan.settings().integer("width");
        Activation leaky = Activation.leakyRelu(0.2);
        List<Layer> layers = new ArrayList<>();
        layers.add(down("d_conv1", plan.images().channels(), channels)
                .activation(leaky)
                .build(make));
        for (int i = 2; i <= halvings; i++, channels *= 2) {
            layers.add(down("d_conv" + i, channels, 2 * channels).bias(false).build(make));
            layers.add(normalization("d_bn" + i, 2 * channels, make));
            layers.add(leaky);
        }
        int pixels = (plan.images().height() >> halvings) * (plan.images().width() >> halvings);
        layers.add(new Flatten("d_flatten"));
        layers.add(Dense.builder("d_out", pixels * channels, 1)
                .initializer(WEIGHTS)
                .build(make));
        return new PlainDiscriminator(new Sequential("discriminator", layers.toArray(Layer[]::new)), plan.images());
    }

    private static int halvings(ImageShape images) {
        int halvings = 2;
        while (isHalved(images.height() >> halvings) && isHalved(images.width() >> halvings)) {
            halvings++;
        }
        return halvings;
    }

    private static boolean isHalved(int side) {
        return side % 2 == 0 && side >= 8;
    }

    private static ConvTranspose2d.Builder up(String name, int in, int out) {
        return ConvTranspose2d.builder(name, in, out, 4)
                .stride(2)
                .padding(Padding.of(1))
                .initializer(WEIGHTS);
    }

    private static Conv2d.Builder down(String name, int in, int out) {
        return Conv2d.builder(name, in, out, 4).stride(2).padding(Padding.of(1)).initializer(WEIGHTS);
    }

    private static BatchNorm normalization(String name, int channels, ParameterFactory make) {
        return BatchNorm.builder(name, channels)
                .momentum(0.9)
                .epsilon(1e-5)
                .gamma(SCALES)
                .build(make);
    }
}
