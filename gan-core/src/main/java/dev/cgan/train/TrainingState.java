package dev.cgan.train;

import dev.cgan.gan.CommonSettings;
import dev.cgan.gan.GanModel;
import dev.cgan.gan.Generator;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Network;
import dev.cgan.optim.Optimizer;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** All tensors that training changes: a model, its optimizers, the average of its generator. */
final class TrainingState {
    private final GanModel model;
    private final Optional<GeneratorAverage> average;

    /**
     * Makes a fresh model; its tensors join the innermost scope.
     *
     * @param type its type
     * @param plan what it is made from
     */
    TrainingState(ModelType type, ModelType.Plan plan) {
        model = type.create(plan);
        double decay = CommonSettings.average(plan.settings());
        average = decay > 0
                ? Optional.of(new GeneratorAverage(model.generator(), type.createGenerator(plan), decay))
                : Optional.empty();
    }

    GanModel model() {
        return model;
    }

    /** {@return the generator that pictures are drawn from: the average, if there is one} */
    Generator drawing() {
        return average.map(GeneratorAverage::generator).orElseGet(model::generator);
    }

    /** Writes to device memory what differs from step to step: the learning rate, and the decay of the average. */
    void begin(long step, double learningRate) {
        for (Network network : model.networks()) {
            network.optimizer().learningRate(learningRate);
        }
        average.ifPresent(it -> it.at(step));
    }

    /** Takes the generator, as it is after a step, into the average. */
    void average() {
        average.ifPresent(GeneratorAverage::update);
    }

    /** {@return parameters and buffers by name} */
    Map<String, Tensor> networks() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (Network network : model.networks()) {
            tensors.putAll(network.player().stateDict());
        }
        return tensors;
    }

    /** {@return everything by the names of a checkpoint} */
    Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = networks();
        average.ifPresent(it ->
                it.generator().stateDict().forEach((name, tensor) -> tensors.put(Checkpoint.AVERAGE + name, tensor)));
        for (Network network : model.networks()) {
            String prefix = Checkpoint.OPTIMIZER + network.name() + ".";
            network.optimizer().state().forEach((name, tensor) -> tensors.put(prefix + name, tensor));
        }
        return tensors;
    }

    /** Goes on from a checkpoint of the same model and settings. */
    void restore(Path checkpoint) throws IOException {
        Checkpoint.restore(checkpoint, tensors(), true);
        for (Network network : model.networks()) {
            reread(network.optimizer());
        }
    }

    /** Tells an optimizer, which keeps its rate and step on the host too, that its state has changed. */
    private void reread(Optimizer optimizer) {
        try (TensorScope _ = device().scope("restore")) {
            Map<String, Tensor> copies = new LinkedHashMap<>();
            optimizer.state().forEach((name, tensor) -> copies.put(name, tensor.copy()));
            optimizer.restore(copies);
        }
    }

    private Device device() {
        return model.generator().parameters().getFirst().device();
    }

    /** {@return the name of a tensor with a value that is not finite, if there is one} */
    Optional<String> notFinite() {
        for (var entry : networks().entrySet()) {
            try (TensorScope _ = device().scope("check " + entry.getKey())) {
                // NaN and infinity both survive a mean of magnitudes, so that one number tells of them all.
                if (!Float.isFinite(entry.getValue().detach().abs().mean().item())) {
                    return Optional.of(entry.getKey());
                }
            }
        }
        return Optional.empty();
    }
}
