package dev.cgan.benchmarks;

import dev.cgan.bindings.Activation;
import dev.cgan.bindings.AdamForm;
import dev.cgan.bindings.AdamParams;
import dev.cgan.bindings.Conv2dParams;
import dev.cgan.bindings.Pool2dParams;
import dev.cgan.bindings.PoolKind;
import dev.cgan.gan.GanModel;
import dev.cgan.gan.ImageShape;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Models;
import dev.cgan.gan.Network;
import dev.cgan.nn.BatchNorm;
import dev.cgan.nn.Conv2d;
import dev.cgan.nn.ConvTranspose2d;
import dev.cgan.nn.Dense;
import dev.cgan.nn.Functional;
import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Parameter;
import dev.cgan.nn.Philox;
import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The operator calls of models, found by walking their layers: each layer's forward pass and its gradients, the pooling and
 * upsampling that are fused to convolutions also by themselves, and Adam for all parameters of a network.
 */
final class ModelProblems {
    private static final int CLASSES = 10;

    /** Making a model takes longer than most measurements. */
    private static final Map<String, Collection<Problem>> KNOWN = new ConcurrentHashMap<>();

    private final Map<String, Problem> problems = new LinkedHashMap<>();

    private ModelProblems() {}

    /**
     * Lists the problems of models, each once.
     *
     * @param models names as {@code report}, or with an image size as {@code dcgan:64x64x3}; 28x28x1 if none is given
     * @param batch images in a batch
     */
    static Collection<Problem> of(List<String> models, int batch) {
        return KNOWN.computeIfAbsent(models + " " + batch, _ -> walk(models, batch));
    }

    private static Collection<Problem> walk(List<String> models, int batch) {
        ModelProblems found = new ModelProblems();
        for (String model : models) {
            found.walk(model, batch);
        }
        return found.problems.values();
    }

    private void walk(String model, int batch) {
        String[] parts = model.split(":", 2);
        ModelType type = Models.named(parts[0]);
        int[] size = imageSize(parts.length == 2 ? parts[1] : "28x28x1");
        ImageShape images = new ImageShape(size[0], size[1], size[2], CLASSES);
        try (Device device = Device.open("cpu?threads=1")) {
            GanModel gan = type.create(new ModelType.Plan(device, images, type.defaults(), 1, DType.F32));
            for (Network network : gan.networks()) {
                network.player().describe(batch).forEach(this::layer);
                adam(network.player().parameters().stream()
                        .map(Parameter::shape)
                        .toList());
            }
        }
    }

    /** {@return height, width and channels of a size such as 28x28x1} */
    static int[] imageSize(String text) {
        String[] sides = text.split("x");
        if (sides.length != 3) {
            throw new IllegalArgumentException("an image size is written as 28x28x1, not " + text);
        }
        return List.of(sides).stream().mapToInt(Integer::parseInt).toArray();
    }

    private void layer(LayerInfo info) {
        switch (info.layer()) {
            case Conv2d conv -> convolution(conv, info.input());
            case ConvTranspose2d conv -> transposed(conv, info.input(), info.output());
            case Dense dense -> dense(dense, info.input());
            case BatchNorm norm -> batchNorm(norm, info.input());
            default -> {} // activations and reshapes; no model has layers of another kind by themselves
        }
    }

    private void convolution(Conv2d conv, Shape x) {
        Shape w = conv.weight().shape();
        Conv2dParams p = conv.options().params(x, w.dim(1), w.dim(2));
        Shape y = Kernels.convolved(p, x, w);
        boolean bias = conv.bias() != null;
        if (p.upsample() == 2) {
            upsampling(x);
        }
        if (conv.maxPool()) {
            pooledConvolution(p, x, w, y);
            pooling(y);
            return;
        }
        forward(p, x, w, y, bias);
        backwardData(linear(p), x, w, y, false);
        backwardFilter(linear(p), x, w, y, bias);
    }

    /** The forward pass is a convolution's backward-data pass, and its gradient for the input a forward pass. */
    private void transposed(ConvTranspose2d conv, Shape x, Shape y) {
        Shape w = conv.weight().shape();
        Conv2dParams p = conv.options().params(y, w.dim(1), w.dim(2));
        backwardData(p, y, w, x, conv.bias() != null);
        forward(linear(p), y, w, x, false);
        backwardFilter(linear(p), y, w, x, false);
    }

    private void forward(Conv2dParams p, Shape x, Shape w, Shape y, boolean bias) {
        add("conv2d_forward", text(p, x, w), flops(w, y), bytes(x, w, y), device -> {
            Operands make = new Operands(device);
            Tensor src = make.random(x);
            Tensor wei = make.random(w);
            Tensor bia = bias ? make.random(Shape.of(w.dim(0))) : null;
            return () -> Kernels.conv2d(p, src, wei, bia);
        });
    }

    private void backwardData(Conv2dParams p, Shape x, Shape w, Shape y, boolean bias) {
        add("conv2d_backward_data", text(p, x, w), flops(w, y), bytes(x, w, y), device -> {
            Operands make = new Operands(device);
            Tensor wei = make.random(w);
            Tensor dDst = make.random(y);
            Tensor bia = bias ? make.random(Shape.of(w.dim(3))) : null;
            return () -> Kernels.conv2dBackwardData(p, wei, dDst, bia, x);
        });
    }

    private void backwardFilter(Conv2dParams p, Shape x, Shape w, Shape y, boolean bias) {
        add("conv2d_backward_filter", text(p, x, w), flops(w, y), bytes(x, w, y), device -> {
            Operands make = new Operands(device);
            Tensor src = make.random(x);
            Tensor dDst = make.random(y);
            Tensor dWei = make.random(w);
            Tensor dBia = bias ? make.random(Shape.of(w.dim(0))) : null;
            return () -> Kernels.conv2dBackwardFilter(p, src, dDst, dWei, dBia);
        });
    }

    private void pooledConvolution(Conv2dParams p, Shape x, Shape w, Shape full) {
        Shape y = Kernels.pooled(Kernels.pooling(PoolKind.MAX, 2, 2), full);
        String text = text(p, x, w);
        double traffic = bytes(x, w, y) + y.size();
        add("conv2d_pool_forward", text, flops(w, full), traffic, device -> {
            Pooled at = new Pooled(device, p, x, w, y);
            return () -> Kernels.conv2dPool(p, at.src, at.wei, at.bia, at.dst, at.arg);
        });
        add("conv2d_pool_backward_data", text, flops(w, full), traffic, device -> {
            Pooled at = new Pooled(device, p, x, w, y);
            return () -> Kernels.conv2dPoolBackwardData(p, at.wei, at.dst, at.dDst, at.arg, x);
        });
        add("conv2d_pool_backward_filter", text, flops(w, full), traffic, device -> {
            Pooled at = new Pooled(device, p, x, w, y);
            Tensor dWei = device.zeros(DType.F32, w);
            Tensor dBia = device.zeros(DType.F32, Shape.of(w.dim(0)));
            return () -> Kernels.conv2dPoolBackwardFilter(p, at.src, at.dst, at.dDst, at.arg, dWei, dBia);
        });
    }

    /** The operands of a pooled convolution; the backward passes need positions that a forward pass found. */
    private static final class Pooled {
        final Tensor src;
        final Tensor wei;
        final Tensor bia;
        final Tensor dst;
        final Tensor arg;
        final Tensor dDst;

        Pooled(Device device, Conv2dParams p, Shape x, Shape w, Shape y) {
            Operands make = new Operands(device);
            src = make.random(x);
            wei = make.random(w);
            bia = make.random(Shape.of(w.dim(0)));
            dDst = make.random(y);
            dst = device.empty(DType.F32, y);
            arg = device.empty(DType.U8, y);
            Kernels.conv2dPool(p, src, wei, bia, dst, arg);
        }
    }

    private void pooling(Shape x) {
        Pool2dParams p = Kernels.pooling(PoolKind.MAX, 2, 2);
        Shape y = Kernels.pooled(p, x);
        double traffic = bytes(x, y) + y.size();
        add("pool2d_forward", x + " max 2x2", 0, traffic, device -> {
            Tensor src = new Operands(device).random(x);
            Tensor arg = device.empty(DType.U8, y);
            return () -> Kernels.pool2d(p, src, arg);
        });
        add("pool2d_backward", x + " max 2x2", 0, traffic, device -> {
            Operands make = new Operands(device);
            Tensor arg = device.empty(DType.U8, y);
            Kernels.pool2d(p, make.random(x), arg);
            Tensor dDst = make.random(y);
            return () -> Kernels.pool2dBackward(p, dDst, arg, x);
        });
    }

    private void upsampling(Shape x) {
        Shape y = Shape.of(x.dim(0), 2 * x.dim(1), 2 * x.dim(2), x.dim(3));
        add("upsample2d_forward", x + " 2x", 0, bytes(x, y), device -> {
            Tensor src = new Operands(device).random(x);
            return () -> Kernels.upsample2d(2, src);
        });
        add("upsample2d_backward", x + " 2x", 0, bytes(x, y), device -> {
            Tensor dDst = new Operands(device).random(y);
            return () -> Kernels.upsample2dBackward(2, dDst);
        });
    }

    private void dense(Dense dense, Shape x) {
        Shape w = dense.weight().shape();
        Shape y = Shape.of(x.dim(0), w.dim(0));
        double flops = 2.0 * x.size() * w.dim(0);
        boolean bias = dense.bias() != null;
        add("dense_forward", x + " * " + w + "^T " + dense.activation(), flops, bytes(x, w, y), device -> {
            Operands make = new Operands(device);
            Tensor src = make.random(x);
            Tensor wei = make.random(w);
            Tensor bia = bias ? make.random(Shape.of(w.dim(0))) : null;
            return () -> Functional.dense(src, wei, bia, dense.activation());
        });
        product(y, w, false, flops, bytes(x, w, y));
        product(y, x, true, flops, bytes(x, w, y));
    }

    /** a * b or a^T * b. */
    private void product(Shape a, Shape b, boolean transposed, double flops, double bytes) {
        add("matmul", a + (transposed ? "^T * " : " * ") + b, flops, bytes, device -> {
            Operands make = new Operands(device);
            Tensor left = make.random(a);
            Tensor right = make.random(b);
            return () -> Kernels.matmul(transposed, false, left, right);
        });
    }

    private void batchNorm(BatchNorm norm, Shape x) {
        double epsilon = norm.epsilon();
        Shape c = Shape.of(x.dim(x.rank() - 1));
        add("batch_norm_training", x.toString(), 0, bytes(x, x), device -> {
            Norm at = new Norm(device, x, c);
            return () -> at.train(epsilon);
        });
        add("batch_norm_inference", x.toString(), 0, bytes(x, x), device -> {
            Norm at = new Norm(device, x, c);
            return () -> Kernels.batchNormInference(epsilon, at.src, at.gamma, at.beta, at.mean, at.rstd);
        });
        add("batch_norm_backward", x.toString(), 0, bytes(x, x, x), device -> {
            Norm at = new Norm(device, x, c);
            Tensor dDst = new Operands(device).random(x);
            return () -> Kernels.batchNormBackward(
                    epsilon, at.src, at.gamma, at.mean, at.rstd, dDst, at.runningMean, at.runningVar);
        });
    }

    private static final class Norm {
        final Tensor src;
        final Tensor gamma;
        final Tensor beta;
        final Tensor runningMean;
        final Tensor runningVar;
        final Tensor dst;
        final Tensor mean;
        final Tensor rstd;

        Norm(Device device, Shape x, Shape c) {
            src = new Operands(device).random(x);
            gamma = device.full(1, DType.F32, c);
            beta = device.zeros(DType.F32, c);
            runningMean = device.zeros(DType.F32, c);
            runningVar = device.full(1, DType.F32, c);
            dst = device.empty(DType.F32, x);
            mean = device.empty(DType.F32, c);
            rstd = device.empty(DType.F32, c);
            train(1e-5);
        }

        void train(double epsilon) {
            Kernels.batchNormTraining(epsilon, 0.9, src, gamma, beta, runningMean, runningVar, dst, mean, rstd);
        }
    }

    private void adam(List<Shape> shapes) {
        long elements = shapes.stream().mapToLong(Shape::size).sum();
        String text = shapes.size() + " tensors of " + elements + " in all";
        add("adam", text, 0, 7.0 * 4 * elements, device -> {
            Operands make = new Operands(device);
            AdamParams params = new AdamParams(AdamForm.EPSILON_HAT, 0.5, 0.999, 1e-7, 0);
            Tensor hyper = device.doubles(new double[] {2e-4, 1});
            List<Tensor> param = shapes.stream().map(make::random).toList();
            List<Tensor> grad = shapes.stream().map(make::random).toList();
            List<Tensor> m = shapes.stream().map(make::zeros).toList();
            List<Tensor> v = shapes.stream().map(make::zeros).toList();
            return () -> Kernels.adam(params, hyper, param, grad, m, v);
        });
    }

    private void add(String operator, String shape, double flops, double bytes, Problem.Call call) {
        Problem problem = new Problem(operator, shape, flops, bytes, call);
        problems.putIfAbsent(problem.id(), problem);
    }

    private static Conv2dParams linear(Conv2dParams p) {
        return p.withActivation(Activation.NONE, 0);
    }

    private static String text(Conv2dParams p, Shape x, Shape w) {
        String text = x + (p.upsample() == 2 ? " up 2x" : "") + " * " + w + " stride " + p.strideH();
        return p.activation() == Activation.NONE
                ? text
                : text + " " + p.activation().name().toLowerCase(Locale.ROOT);
    }

    /** A multiplication and an addition for each element of y, tap and channel. */
    private static double flops(Shape w, Shape y) {
        return 2.0 * y.size() * w.dim(1) * w.dim(2) * w.dim(3);
    }

    private static double bytes(Shape... operands) {
        return 4.0 * List.of(operands).stream().mapToLong(Shape::size).sum();
    }

    /** Makes operands of numbers in [-1, 1). */
    private static final class Operands {
        private final Device device;
        private final RandomSource random;
        private int made;

        Operands(Device device) {
            this.device = device;
            random = new Philox(device, 1).at(1);
        }

        Tensor random(Shape shape) {
            return random.uniform("operand" + made++, -1, 1, shape.dims());
        }

        Tensor zeros(Shape shape) {
            return device.zeros(DType.F32, shape);
        }
    }
}
