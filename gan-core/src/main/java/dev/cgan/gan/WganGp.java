package dev.cgan.gan;

import dev.cgan.autograd.Autograd;
import dev.cgan.nn.Activation;
import dev.cgan.nn.Conv2d;
import dev.cgan.nn.ConvTranspose2d;
import dev.cgan.nn.Dense;
import dev.cgan.nn.Flatten;
import dev.cgan.nn.Padding;
import dev.cgan.nn.ParameterFactory;
import dev.cgan.nn.Reshape;
import dev.cgan.nn.Sequential;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.List;

/**
 * Wasserstein GAN with gradient penalty (Gulrajani et al. 2017). The critic has no batch normalisation: its gradient at one
 * image must not depend on the others.
 */
public final class WganGp implements GanModel {
    /** Makes models of this type. */
    public static final ModelType TYPE = new ModelType(
            "wgan-gp",
            "a critic with gradient penalty; steady, slower, and its loss means something",
            "Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028",
            CommonSettings.add(Settings.builder(), 1e-4, 0.5, 0.9, 0)
                    .integer("latent", 128, 1, 65536, "numbers of noise for an image")
                    .integer(
                            "width", 64, 1, 4096, "channels of the critic's first layer; twice as many at each halving")
                    .integer("critic_steps", 5, 1, 1000, "critic updates for each update of G")
                    .real("penalty", 10, 0, 1e6, "weight of the gradient penalty")
                    .build(),
            4,
            WganGp::generator,
            WganGp::new);

    /** Keeps the derivative of the norm finite where the gradient is 0. */
    private static final double TINY = 1e-12;

    private final Objective objective = new Objective.Wasserstein();
    private final Generator generator;
    private final Discriminator critic;
    private final Network trainedGenerator;
    private final Network trainedCritic;
    private final int criticSteps;
    private final double lambda;

    private WganGp(ModelType.Plan plan) {
        criticSteps = plan.settings().integer("critic_steps");
        lambda = plan.settings().real("penalty");
        generator = generator(plan);
        critic = critic(plan);
        trainedGenerator = new Network("generator", generator, CommonSettings.adam(generator, plan.settings()));
        trainedCritic = new Network("critic", critic, CommonSettings.adam(critic, plan.settings()));
    }

    /** Gulrajani et al. 2017, algorithm 1: n_critic updates of the critic, each on its own batch, then one of G. */
    @Override
    public Losses step(Batch real, Step step) {
        Losses criticLosses = null;
        for (int t = 1; t <= criticSteps; t++) {
            criticLosses = criticUpdate(real.part(t - 1, criticSteps), step, "critic" + t);
        }
        int n = real.size() / criticSteps;
        Tensor drawn = generator.apply(generator.noise(step, "z_g", n), real.labels(), step.training());
        Tensor gLoss = objective.generator(critic.apply(drawn, real.labels(), step.training()));
        trainedGenerator.minimize(gLoss);
        return new Losses(
                criticLosses.discriminator(), gLoss, criticLosses.real(), criticLosses.fake(), criticLosses.images());
    }

    private Losses criticUpdate(Batch real, Step step, String purpose) {
        // A scope of its own, for second derivatives keep every intermediate result.
        try (TensorScope scope = real.images().device().scope(purpose)) {
            int n = real.size();
            Tensor x = real.images();
            Tensor y = real.labels();
            Tensor z = scope.keep(generator.noise(step, purpose + ".z", n));
            Tensor fake = Autograd.noGrad(() -> generator.apply(z, y, step.training()));
            Tensor epsilon = scope.keep(step.uniform(purpose + ".epsilon", 0, 1, n));

            Tensor onReal = critic.apply(x, y, step.training());
            Tensor onFake = critic.apply(fake, y, step.training());
            Tensor penalty = gradientPenalty(x, fake, epsilon.reshape(n, 1, 1, 1), step);
            Tensor loss = objective.discriminator(onReal, onFake).plus(penalty.times(lambda));
            trainedCritic.minimize(loss);
            return new Losses(
                    scope.keep(loss),
                    null,
                    scope.keep(objective.probability(onReal)),
                    scope.keep(objective.probability(onFake)),
                    scope.keep(fake));
        }
    }

    /** {@code E (|grad D(x^)| - 1)^2} at {@code x^ = epsilon x + (1 - epsilon) fake}, the norm over a whole image. */
    private Tensor gradientPenalty(Tensor x, Tensor fake, Tensor epsilon, Step step) {
        Tensor between =
                Autograd.noGrad(() -> fake.plus(epsilon.times(x.minus(fake)))).requiresGrad();
        Tensor score = critic.apply(between, null, step.training()).sum();
        Tensor slope = Autograd.gradients(score, List.of(between), true).getFirst();
        Tensor norm = slope.square().sum(1, 2, 3).plus(TINY).sqrt();
        return norm.minus(1).square().mean();
    }

    @Override
    public int batchesPerStep() {
        return criticSteps;
    }

    @Override
    public Generator generator() {
        return generator;
    }

    @Override
    public List<Network> networks() {
        return List.of(trainedGenerator, trainedCritic);
    }

    @Override
    public Objective objective() {
        return objective;
    }

    private static Generator generator(ModelType.Plan plan) {
        ParameterFactory make = plan.parameters();
        int latent = plan.settings().integer("latent");
        int width = plan.settings().integer("width");
        int h = plan.images().height() / 4;
        int w = plan.images().width() / 4;
        Activation relu = Activation.relu();
        Sequential layers = new Sequential(
                "generator",
                Dense.builder("g_dense1", latent, h * w * 4 * width)
                        .activation(relu)
                        .build(make),
                new Reshape("g_reshape", Shape.of(h, w, 4 * width)),
                up("g_conv1", 4 * width, 2 * width).activation(relu).build(make),
                up("g_out", 2 * width, plan.images().channels())
                        .activation(Activation.tanh())
                        .build(make));
        return new NoiseGenerator(layers, NoiseGenerator.Noise.NORMAL, latent, 0);
    }

    private static Discriminator critic(ModelType.Plan plan) {
        ParameterFactory make = plan.parameters();
        int width = plan.settings().integer("width");
        int h = (plan.images().height() + 7) / 8;
        int w = (plan.images().width() + 7) / 8;
        Sequential layers = new Sequential(
                "critic",
                down("d_conv1", plan.images().channels(), width).build(make),
                down("d_conv2", width, 2 * width).build(make),
                down("d_conv3", 2 * width, 4 * width).build(make),
                new Flatten("d_flatten"),
                Dense.builder("d_out", h * w * 4 * width, 1).build(make));
        return new PlainDiscriminator(layers, plan.images());
    }

    private static ConvTranspose2d.Builder up(String name, int in, int out) {
        return ConvTranspose2d.builder(name, in, out, 4).stride(2).padding(Padding.of(1));
    }

    private static Conv2d.Builder down(String name, int in, int out) {
        return Conv2d.builder(name, in, out, 5).stride(2).padding(Padding.of(2)).activation(Activation.leakyRelu(0.2));
    }
}
