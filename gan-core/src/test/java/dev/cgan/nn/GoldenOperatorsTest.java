package dev.cgan.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.autograd.Autograd;
import dev.cgan.io.Json;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import dev.cgan.testkit.Golden;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Results and gradients of single operators against PyTorch's, in F64 and F32. */
class GoldenOperatorsTest {
    private static Device device;
    private static Golden golden;

    @BeforeAll
    static void open() {
        device = Device.open("cpu?threads=2");
        golden = new Golden("operators");
    }

    @AfterAll
    static void close() {
        golden.close();
        device.close();
    }

    static Stream<String> cases() {
        try (Golden file = new Golden("operators")) {
            return List.copyOf(file.file().metadata().keySet()).stream()
                    .filter(name -> name.contains(".") && !name.startsWith("optimizer."))
                    .sorted();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesInF64(String name) throws Json.SyntaxException {
        check(name, DType.F64, 1e-12);
    }

    /** 8 * 2^-24 * sqrt(K) for the longest sum among the cases: 5 * 5 * 8 products of a convolution. */
    @ParameterizedTest
    @MethodSource("cases")
    void agreesInF32(String name) throws Json.SyntaxException {
        check(name, DType.F32, 8 * Math.pow(2, -24) * Math.sqrt(200));
    }

    private void check(String name, DType dtype, double tolerance) throws Json.SyntaxException {
        Map<?, ?> attributes = (Map<?, ?>) Json.parse(golden.file().metadata().get(name));
        try (TensorScope _ = device.scope(name)) {
            List<String> roles = new ArrayList<>();
            List<Tensor> inputs = new ArrayList<>();
            for (String role : List.of("src", "wei", "bia", "gamma", "beta")) {
                if (golden.has(name + "." + role)) {
                    roles.add(role);
                    inputs.add(golden.tensor(device, name + "." + role, dtype).requiresGrad());
                }
            }
            Tensor dst = apply(name, attributes, inputs, dtype);
            int compared = golden.compare(name + ".dst", dst, tolerance);
            Tensor loss = golden.has(name + ".d_dst")
                    ? dst.times(golden.tensor(device, name + ".d_dst", dtype)
                                    .reshape(dst.shape().dims()))
                            .sum()
                    : dst;
            List<Tensor> gradients = Autograd.gradients(loss, inputs);
            for (int i = 0; i < roles.size(); i++) {
                compared += golden.compare(name + ".d_" + roles.get(i), gradients.get(i), tolerance);
            }
            assertThat(compared).isGreaterThan((int) dst.size());
        }
    }

    private Tensor apply(String name, Map<?, ?> attributes, List<Tensor> in, DType dtype) {
        Tensor x = in.getFirst();
        return switch ((String) attributes.get("op")) {
            case "conv2d" -> Functional.conv2d(x, in.get(1), in.get(2), options(attributes));
            case "upsample2x_conv2d" ->
                Functional.conv2d(x, in.get(1), in.get(2), options(attributes).withUpsample(2));
            case "conv2d_max_pool_tanh" ->
                Functional.conv2dMaxPool(
                        x, in.get(1), in.get(2), options(attributes).withActivation(Activation.tanh()));
            case "conv_transpose2d" -> Functional.convTranspose2d(x, in.get(1), in.get(2), options(attributes), 0);
            case "dense" -> Functional.dense(x, in.get(1), in.get(2), Activation.none());
            case "max_pool2d" -> Functional.maxPool2d(x, 2, 2);
            case "avg_pool2d" -> Functional.averagePool2d(x, 2, 2);
            case "upsample2x" -> Functional.upsample2d(x, 2);
            case "batch_norm" -> batchNorm(name, attributes, in, dtype);
            case "layer_norm" -> Functional.layerNorm(x.reshape(-1, x.dim(-1)), in.get(1), in.get(2), 1e-5);
            case "relu" -> x.relu();
            case "leaky_relu" -> x.leakyRelu(0.2);
            case "tanh" -> x.tanh();
            case "sigmoid" -> x.sigmoid();
            case "softplus" -> x.softplus();
            case "bce_with_logits" ->
                x.softplus()
                        .minus(x.times(golden.tensor(device, name + ".target", dtype)))
                        .mean();
            case "softmax_cross_entropy" -> Functional.softmaxCrossEntropy(x, golden.labels(device, name + ".labels"));
            case "embedding" -> Functional.gather(x, golden.labels(device, name + ".labels"));
            default -> throw new AssertionError("no operator for " + attributes);
        };
    }

    private Tensor batchNorm(String name, Map<?, ?> attributes, List<Tensor> in, DType dtype) {
        Tensor mean = golden.tensor(device, name + ".moving_mean", dtype);
        Tensor variance = golden.tensor(device, name + ".moving_variance", dtype);
        if (Boolean.FALSE.equals(attributes.get("training"))) {
            return Functional.batchNormInference(in.get(0), in.get(1), in.get(2), mean, variance, 1e-3);
        }
        Tensor dst = Functional.batchNormTraining(in.get(0), in.get(1), in.get(2), mean, variance, 1e-3, 0.99);
        double tolerance = dtype == DType.F64 ? 1e-14 : 1e-6;
        golden.compare(name + ".new_moving_mean", mean, tolerance);
        golden.compare(name + ".new_moving_variance", variance, tolerance);
        return dst;
    }

    /** Golden paddings are top, bottom, left, right. */
    private static Conv2dOptions options(Map<?, ?> attributes) {
        List<?> stride = (List<?>) attributes.get("stride");
        List<?> pad = (List<?>) attributes.get("pad");
        return Conv2dOptions.DEFAULT
                .withStride(whole(stride.get(0)), whole(stride.get(1)))
                .withPadding(Padding.of(whole(pad.get(0)), whole(pad.get(2)), whole(pad.get(1)), whole(pad.get(3))));
    }

    private static int whole(Object number) {
        return ((Number) number).intValue();
    }
}
