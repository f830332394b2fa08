package dev.cgan.testkit;

import dev.cgan.autograd.Autograd;
import dev.cgan.nn.Activation;
import dev.cgan.nn.BatchNorm;
import dev.cgan.nn.Conv2d;
import dev.cgan.nn.ConvTranspose2d;
import dev.cgan.nn.Dense;
import dev.cgan.nn.Dropout;
import dev.cgan.nn.Flatten;
import dev.cgan.nn.LayerNorm;
import dev.cgan.nn.ParameterFactory;
import dev.cgan.nn.Pass;
import dev.cgan.nn.Philox;
import dev.cgan.nn.RandomSource;
import dev.cgan.nn.Reshape;
import dev.cgan.nn.Sequential;
import dev.cgan.optim.Adam;
import dev.cgan.optim.Ema;
import dev.cgan.optim.GradientClip;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.List;

/** The smallest networks that use every kind of layer, trained with a gradient penalty, clipping and a moving average. */
public final class TinyGan {
    private static final int BATCH = 3;
    private static final int LATENT = 4;

    private final Device device;
    private final Philox random;
    private final Sequential generator;
    private final Sequential critic;
    private final Adam generatorOptimizer;
    private final Adam criticOptimizer;
    private final Ema average;

    /** Makes networks and optimisers in the innermost open scope. */
    public TinyGan(Device device, long seed) {
        this.device = device;
        random = new Philox(device, seed);
        ParameterFactory factory = new ParameterFactory(device, DType.F32, seed);
        generator = new Sequential(
                "generator",
                Dense.builder("g_dense", LATENT, 8).build(factory),
                BatchNorm.builder("g_norm", 8).build(factory),
                Activation.relu(),
                new Reshape("g_reshape", Shape.of(2, 2, 2)),
                Conv2d.builder("g_conv", 2, 3, 3)
                        .upsample(2)
                        .activation(Activation.leakyRelu(0.2))
                        .build(factory),
                ConvTranspose2d.builder("g_out", 3, 1, 4)
                        .activation(Activation.tanh())
                        .build(factory));
        critic = new Sequential(
                "critic",
                Conv2d.builder("d_conv1", 1, 2, 3)
                        .activation(Activation.softplus())
                        .maxPool(true)
                        .build(factory),
                Conv2d.builder("d_conv2", 2, 3, 3)
                        .stride(2)
                        .activation(Activation.leakyRelu(0.2))
                        .build(factory),
                new LayerNorm("d_norm", Shape.of(2, 2, 3), 1e-5, factory),
                new Dropout("d_dropout", 0.25),
                new Flatten("d_flatten"),
                Dense.builder("d_out", 12, 1).build(factory));
        generatorOptimizer = new Adam(generator.parameters(), 1e-3, Adam.Options.KERAS.withBetas(0.5, 0.999));
        criticOptimizer = new Adam(critic.parameters(), 1e-3, Adam.Options.TORCH.withBetas(0, 0.9));
        average = new Ema(generator.parameters(), 0.99);
    }

    /** {@return the generator} */
    public Sequential generator() {
        return generator;
    }

    /** {@return the critic} */
    public Sequential critic() {
        return critic;
    }

    /** Makes one step, in a scope of its own. {@return the losses of critic and generator} */
    public float[] step(long number) {
        try (TensorScope _ = device.scope("step")) {
            RandomSource source = random.at(number);
            return new float[] {criticStep(source), generatorStep(source)};
        }
    }

    private float criticStep(RandomSource source) {
        Pass pass = Pass.training(source);
        Tensor real = source.uniform("real", -1, 1, BATCH, 8, 8, 1);
        Tensor fake = Autograd.noGrad(() -> generator.apply(source.normal("noise", 0, 1, BATCH, LATENT), pass));
        Tensor both = critic.apply(Tensor.concat(0, real, fake), pass);
        Tensor difference =
                both.slice(0, BATCH, BATCH).mean().minus(both.slice(0, 0, BATCH).mean());
        Tensor mixing = source.uniform("mixing", 0, 1, BATCH, 1, 1, 1);
        Tensor mixed = real.minus(fake).times(mixing).plus(fake).detach().requiresGrad();
        Tensor slope = Autograd.gradients(critic.apply(mixed, pass).sum(), List.of(mixed), true)
                .getFirst();
        Tensor norm = slope.square().sum(1, 2, 3).plus(1e-12).sqrt();
        Tensor loss = difference.plus(norm.minus(1).square().mean().times(10));
        List<Tensor> gradients = Autograd.gradients(loss, critic.parameters());
        GradientClip.byGlobalNorm(5).apply(gradients);
        criticOptimizer.step(gradients);
        return loss.item();
    }

    private float generatorStep(RandomSource source) {
        Pass pass = Pass.training(source);
        Tensor fake = generator.apply(source.normal("noise", 0, 1, BATCH, LATENT), pass);
        Tensor loss = critic.apply(fake, pass).mean().negate();
        generatorOptimizer.step(Autograd.gradients(loss, generator.parameters()));
        average.update();
        return loss.item();
    }
}
