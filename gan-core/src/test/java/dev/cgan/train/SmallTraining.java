package dev.cgan.train;

import dev.cgan.gan.Batch;
import dev.cgan.gan.CommonSettings;
import dev.cgan.gan.ImageShape;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Models;
import dev.cgan.gan.Network;
import dev.cgan.gan.Settings;
import dev.cgan.nn.Philox;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** A model of few channels on images of 8x8x1, trained step by step without a folder. */
final class SmallTraining {
    private static final int SIDE = 8;

    private final Device device;
    private final int rows;
    private final Philox random;
    private final LabelPrior labels;
    private final TrainingState state;
    private final double learningRate;

    /** Makes the model in the innermost scope of the device. */
    SmallTraining(Device device, String model, int batch, Map<String, ?> changes) {
        this.device = device;
        ModelType type = Models.named(model);
        Settings settings = type.defaults().with("width", 1).with("latent", 2);
        settings = settings.has("hidden") ? settings.with("hidden", 2) : settings;
        settings = settings.has("critic_steps") ? settings.with("critic_steps", 2) : settings;
        for (var change : changes.entrySet()) {
            settings = settings.has(change.getKey()) ? settings.with(change.getKey(), change.getValue()) : settings;
        }
        learningRate = CommonSettings.schedule(settings, 1).at(1);
        random = new Philox(device, 1);
        labels = new LabelPrior(Blobs.dataset(6), device);
        ImageShape images = new ImageShape(SIDE, SIDE, 1, 3);
        state = new TrainingState(type, new ModelType.Plan(device, images, settings, 1, DType.F32));
        rows = batch * state.model().batchesPerStep();
    }

    /** What a test does with a model and what makes its steps. */
    interface Body {
        void accept(SmallTraining training, StepRunner runner);
    }

    /** Makes a model on a device of its own, and what makes steps of two images. */
    static void run(String deviceName, String model, Body body, Consumer<String> onDecline) {
        try (Device device = Device.open(deviceName);
                TensorScope _ = device.scope("model")) {
            SmallTraining it = new SmallTraining(device, model, 2, Map.of());
            Shape images = Shape.of(it.rows, SIDE, SIDE, 1);
            try (StepRunner runner = new StepRunner(device, it.state, it.random, it.labels, images, true, onDecline)) {
                body.accept(it, runner);
            }
        }
    }

    /** {@return the learning rate of all steps} */
    double learningRate() {
        return learningRate;
    }

    /** Shows the gradients of each parameter to someone before the optimizer uses them. */
    void onGradients(BiConsumer<String, float[]> watcher) {
        for (Network network : state.model().networks()) {
            network.onGradients(gradients -> {
                for (int i = 0; i < gradients.size(); i++) {
                    String name = network.player().parameters().get(i).name();
                    watcher.accept(name, gradients.get(i).toFloats());
                }
            });
        }
    }

    /** Makes one step on random images. */
    Figures step(long number) {
        try (TensorScope _ = device.scope("step")) {
            Tensor images = random.at(number).uniform("real", -1, 1, rows, SIDE, SIDE, 1);
            state.begin(number, learningRate);
            Batch real = new Batch(images, device.ints(new int[rows]));
            TrainerStep draws = new TrainerStep(random.at(number), number, labels);
            Figures figures = Figures.read(state.model().step(real, draws));
            state.average();
            state.notFinite();
            return figures;
        }
    }

    /** {@return the values of the parameters and buffers of all networks, by name} */
    Map<String, float[]> networks() {
        return values(state.networks());
    }

    /** {@return everything that a checkpoint holds in float32, by name} */
    Map<String, float[]> everything() {
        return values(state.tensors());
    }

    private static Map<String, float[]> values(Map<String, Tensor> tensors) {
        Map<String, float[]> values = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            if (tensor.dtype() == DType.F32) {
                values.put(name, tensor.toFloats());
            }
        });
        return values;
    }
}
