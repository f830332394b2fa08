package dev.cgan.train;

import dev.cgan.data.DataBatch;
import dev.cgan.gan.Batch;
import dev.cgan.gan.Losses;
import dev.cgan.nn.Philox;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Graph;
import dev.cgan.tensor.NotCapturableException;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes the steps of a training: each operator by itself, or all of them replayed from a capture of one step, with the same
 * bits. The batch of the next step can be uploaded while this one runs.
 *
 * <p>What differs from step to step is in device memory: the batch, the step's number, the learning rate. Its tensors join
 * the scope that is innermost when it is made; scopes that are opened while a graph is in use lie inside the graph's.
 */
final class StepRunner implements AutoCloseable {
    private final Device device;
    private final TrainingState state;
    private final LabelPrior labels;
    private final Philox random;
    private final Tensor number;
    private final Input[] slots = new Input[2]; // one is trained on while the other is filled
    private final Consumer<String> onDecline;
    private boolean capture;
    private boolean warm;
    private Captured captured;

    /** A batch in device memory, as the data set has it, and the step that it is for. */
    private static final class Input {
        private final Tensor pixels;
        private final Tensor labels;
        private long step;

        Input(Device device, Shape images) {
            pixels = device.empty(DType.U8, images);
            labels = device.empty(DType.I32, Shape.of(images.dim(0)));
        }

        void copyFrom(Input other) {
            pixels.copyFrom(other.pixels);
            labels.copyFrom(other.labels);
        }

        Batch batch() {
            // In the order (p - 127.5) / 127.5 the difference is exact, so that opposite pixels become opposite
            // numbers.
            return new Batch(pixels.convert(DType.F32, 1, -127.5).dividedBy(127.5), labels);
        }
    }

    /** A captured step: what it reads, and what it gives. */
    private record Captured(TensorScope scope, Graph graph, Input input, Tensor figures, Tensor images)
            implements AutoCloseable {
        @Override
        public void close() {
            graph.close();
            scope.close();
        }
    }

    /** A step that was made. Its tensors are of use until it is closed, and those of a replay until the next one. */
    record Made(Batch real, Map<String, Tensor> draws, Tensor figures, Tensor images, Runnable end)
            implements AutoCloseable {
        @Override
        public void close() {
            end.run();
        }
    }

    /**
     * Prepares to make steps.
     *
     * @param state what is trained
     * @param random the run's seed
     * @param labels how labels are drawn
     * @param images the shape of the images of one step
     * @param capture whether to capture the step where the device can
     * @param onDecline is told why a step was not captured, if it should have been
     */
    StepRunner(
            Device device,
            TrainingState state,
            Philox random,
            LabelPrior labels,
            Shape images,
            boolean capture,
            Consumer<String> onDecline) {
        this.device = device;
        this.state = state;
        this.random = random;
        this.labels = labels;
        this.onDecline = onDecline;
        this.capture = capture && device.canCapture();
        number = device.longs(new long[] {0});
        slots[0] = new Input(device, images);
        slots[1] = new Input(device, images);
    }

    /** {@return whether the batch of a step has been uploaded} */
    boolean holds(long step) {
        return slot(step).step == step;
    }

    /** Copies a batch to the device, beside the work that is queued. The host's buffer is free afterwards. */
    void upload(DataBatch host) {
        Input slot = slot(host.step());
        slot.pixels.upload(host.pixels());
        slot.labels.upload(host.labels());
        slot.step = host.step();
    }

    /** {@return whether steps are replayed from a capture} */
    boolean replays() {
        return captured != null;
    }

    /**
     * Makes a step, or queues it.
     *
     * @param step its number, whose batch has been uploaded
     * @param learningRate of all optimizers
     * @param traced whether its batch and draws are wanted; such a step is not replayed
     * @return the step, to be closed
     */
    Made make(long step, double learningRate, boolean traced) {
        state.begin(step, learningRate);
        number.copyFrom(new long[] {step});
        // The first step runs by itself: kernels are chosen then, and memory is found.
        if (capture && warm && !traced && captured == null) {
            captured = tryCapture();
        }
        if (captured != null && !traced) {
            captured.input().copyFrom(slot(step));
            captured.graph().launch();
            return new Made(null, Map.of(), captured.figures(), captured.images(), () -> {});
        }
        warm = true;
        return eager(step);
    }

    private Made eager(long step) {
        TensorScope scope = device.scope("step");
        try {
            Batch real = slot(step).batch();
            TrainerStep draws = new TrainerStep(random.at(number), step, labels);
            Losses losses = state.model().step(real, draws);
            state.average();
            return new Made(real, draws.draws(), Figures.gather(losses), losses.images(), scope::close);
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    private Captured tryCapture() {
        TensorScope scope = device.scope("graph");
        try {
            Input input = new Input(device, slots[0].pixels.shape());
            Tensor[] results = new Tensor[2];
            Graph graph = device.capture(() -> {
                try (TensorScope step = device.scope("step")) {
                    Losses losses = state.model().step(input.batch(), TrainerStep.captured(random.at(number), labels));
                    state.average();
                    results[0] = step.keep(Figures.gather(losses));
                    results[1] = step.keep(losses.images());
                }
            });
            return new Captured(scope, graph, input, results[0], results[1]);
        } catch (NotCapturableException e) {
            capture = false;
            scope.close();
            onDecline.accept(e.getMessage());
            return null;
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    private Input slot(long step) {
        return slots[(int) (step & 1)];
    }

    /** Frees the captured step; what it read and gave is of no use any more. */
    @Override
    public void close() {
        if (captured != null) {
            captured.close();
            captured = null;
        }
    }
}
