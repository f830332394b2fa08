package peers;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Adam;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;

/**
 * A training step of the reference experiment in DJL on its PyTorch engine, as torch_report.py makes it in PyTorch. DJL has no
 * channels-last layout; D is frozen while G learns, so no gradients of its weights are computed.
 */
public final class DjlReport {
    private static final int LATENT = 100;

    private final NDManager manager = NDManager.newBaseManager();
    private final Loss loss = Loss.sigmoidBinaryCrossEntropyLoss();
    private final Block g = generator();
    private final Block d = discriminator();
    private final int batch;
    private final Trainer gTrainer;
    private final Trainer dTrainer;
    private final NDArray pixels;
    private final NDArray target;
    private int count;

    private DjlReport(int batch) {
        this.batch = batch;
        gTrainer = trainer("g", g, new Shape(batch, LATENT));
        dTrainer = trainer("d", d, new Shape(2L * batch, 1, 28, 28));
        pixels = manager.randomUniform(0, 256, new Shape(32, batch, 1, 28, 28)).toType(DataType.UINT8, true);
        target = manager.ones(new Shape(batch, 1)).concat(manager.zeros(new Shape(batch, 1)), 0);
    }

    public static void main(String[] arguments) throws IOException {
        DjlReport report = new DjlReport(Integer.parseInt(arguments[0]));
        Engine engine = Engine.getInstance();
        Serving.serve("djl " + Engine.getDjlVersion() + ", " + engine.getEngineName() + " " + engine.getVersion(),
                report::step);
    }

    private static Block generator() {
        return new SequentialBlock()
                .add(Linear.builder().setUnits(7 * 7 * 128).build())
                .add(Activation::tanh)
                .add(BatchNorm.builder().optEpsilon(1e-3f).build())
                .add(new LambdaBlock(x -> new NDList(x.singletonOrThrow().reshape(-1, 128, 7, 7))))
                .add(new LambdaBlock(DjlReport::enlarge))
                .add(convolution(64))
                .add(Activation::tanh)
                .add(new LambdaBlock(DjlReport::enlarge))
                .add(convolution(1))
                .add(Activation::tanh);
    }

    private static Block discriminator() {
        Shape two = new Shape(2, 2);
        return new SequentialBlock()
                .add(convolution(64))
                .add(Activation::tanh)
                .add(Pool.maxPool2dBlock(two, two))
                .add(convolution(128))
                .add(Activation::tanh)
                .add(Pool.maxPool2dBlock(two, two))
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(1024).build())
                .add(Activation::relu)
                .add(Linear.builder().setUnits(1).build());
    }

    private static Conv2d convolution(int filters) {
        return Conv2d.builder()
                .setKernelShape(new Shape(5, 5))
                .optPadding(new Shape(2, 2))
                .setFilters(filters)
                .build();
    }

    /** Twice the height and width, by nearest neighbour. */
    private static NDList enlarge(NDList input) {
        NDArray x = input.singletonOrThrow();
        long[] size = {2 * x.getShape().get(2), 2 * x.getShape().get(3)};
        return new NDList(x.getNDArrayInternal().interpolation(size, 0, false));
    }

    private Trainer trainer(String name, Block block, Shape input) {
        Model model = Model.newInstance(name, "PyTorch");
        model.setBlock(block);
        Adam adam = Adam.builder()
                .optLearningRateTracker(Tracker.fixed(2e-4f))
                .optBeta1(0.5f)
                .optEpsilon(1e-7f)
                .build();
        Trainer trainer = model.newTrainer(new DefaultTrainingConfig(loss)
                .optInitializer(new XavierInitializer(), "weight")
                .optOptimizer(adam));
        trainer.initialize(input);
        return trainer;
    }

    private NDArray noise(NDManager step) {
        return step.randomUniform(-1, 1, new Shape(batch, LATENT));
    }

    private float[] step() {
        try (NDManager step = manager.newSubManager()) {
            NDArray bytes = pixels.get(count++ % 32);
            bytes.attach(step);
            NDArray real = bytes.toType(DataType.FLOAT32, false).sub(127.5f).div(127.5f);
            NDArray fake = gTrainer.evaluate(new NDList(noise(step))).singletonOrThrow();
            fake.attach(step);
            NDArray both = NDArrays.concat(new NDList(real, fake));
            d.freezeParameters(false);
            float dLoss;
            try (GradientCollector collector = dTrainer.newGradientCollector()) {
                NDList scores = dTrainer.forward(new NDList(both));
                scores.attach(step);
                NDArray value = loss.evaluate(new NDList(target), scores);
                collector.backward(value);
                dLoss = value.getFloat();
            }
            dTrainer.step();

            d.freezeParameters(true);
            float gLoss;
            try (GradientCollector collector = gTrainer.newGradientCollector()) {
                NDList drawn = gTrainer.forward(new NDList(noise(step)));
                drawn.attach(step);
                NDList scores = dTrainer.forward(drawn);
                scores.attach(step);
                NDArray ones = target.get("0:" + batch);
                ones.attach(step);
                NDArray value = loss.evaluate(new NDList(ones), scores);
                collector.backward(value);
                gLoss = value.getFloat();
            }
            gTrainer.step();
            return new float[] {dLoss, gLoss};
        }
    }
}
