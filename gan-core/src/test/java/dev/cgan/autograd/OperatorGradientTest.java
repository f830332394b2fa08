package dev.cgan.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.bindings.Pool2dParams;
import dev.cgan.bindings.PoolKind;
import dev.cgan.nn.Activation;
import dev.cgan.nn.Conv2dOptions;
import dev.cgan.nn.Functional;
import dev.cgan.nn.Padding;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import dev.cgan.testkit.GradientCheck;
import dev.cgan.testkit.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** First and second derivatives of every differentiable operator against central differences. */
class OperatorGradientTest {
    private static final int MOST_DRAWS = 200;

    /** Kinks nearer than this are moved away from: thousands of steps of the difference quotient. */
    private static final double MARGIN = 2e-3;

    private static Device device;

    /**
     * An operator with the shapes of its inputs.
     *
     * @param linear the part whose result must stay away from kinks, or null if there are none
     * @param pooled whether the kinks are ties within 2x2 windows of that part instead of zeros
     */
    private record Case(
            String name,
            List<Shape> shapes,
            Function<List<Tensor>, Tensor> function,
            double low,
            double high,
            Function<List<Tensor>, Tensor> linear,
            boolean pooled) {
        Case in(double newLow, double newHigh) {
            return new Case(name, shapes, function, newLow, newHigh, linear, pooled);
        }

        Case kinksAtZeroOf(Function<List<Tensor>, Tensor> part) {
            return new Case(name, shapes, function, low, high, part, false);
        }

        Case kinksAtTiesOf(Function<List<Tensor>, Tensor> part) {
            return new Case(name, shapes, function, low, high, part, true);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void open() {
        device = Device.open("cpu?threads=1");
    }

    @AfterAll
    static void close() {
        assertThat(device.memory().liveTensors()).isZero();
        device.close();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void derivativesAgreeWithDifferences(Case operator) {
        Random random = Seeds.random(operator.name());
        double[][] values = awayFromKinks(operator, random);
        GradientCheck check = new GradientCheck(device, operator.shapes(), values, operator.function(), random);
        int elements = operator.shapes().stream().mapToInt(s -> (int) s.size()).sum();
        assertThat(check.first()).isEqualTo(elements).isPositive();
        assertThat(check.second()).isEqualTo(elements);
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        elementwise(cases);
        activations(cases);
        reductionsAndMovement(cases);
        matrices(cases);
        convolutions(cases);
        pooling(cases);
        normalization(cases);
        rows(cases);
        return cases;
    }

    private static void elementwise(List<Case> cases) {
        cases.add(binary("plus, broadcast", Shape.of(2, 3, 4), Shape.of(3, 1), Tensor::plus));
        cases.add(binary("minus, broadcast", Shape.of(1, 3), Shape.of(5, 1), Tensor::minus));
        cases.add(binary("times", Shape.of(7), Shape.of(7), Tensor::times));
        cases.add(binary("times, broadcast", Shape.of(2, 1, 3), Shape.of(4, 1), Tensor::times));
        cases.add(binary("dividedBy", Shape.of(2, 3), Shape.of(3), Tensor::dividedBy)
                .in(0.5, 2));
        cases.add(unary("affine", x -> x.affine(-1.5, 2)));
        cases.add(unary("square", Tensor::square));
        cases.add(unary("sqrt", Tensor::sqrt).in(0.5, 2));
        cases.add(unary("rsqrt", Tensor::rsqrt).in(0.5, 2));
        cases.add(unary("exp", Tensor::exp));
        cases.add(unary("log", Tensor::log).in(0.5, 2));
        cases.add(unary("abs", x -> x.abs().square()).kinksAtZeroOf(List::getFirst));
        cases.add(unary("clamp", x -> x.clamp(-0.5, 0.5).square())
                .kinksAtZeroOf(in -> in.getFirst().abs().minus(0.5)));
        cases.add(unary("convert", x -> x.convert(DType.F64, 3, 1).square()));
        cases.add(unary("copy", x -> x.copy().times(x)));
        cases.add(unary("one input twice", x -> x.times(x).plus(x).times(x)));
    }

    private static void activations(List<Case> cases) {
        cases.add(unary("tanh", Tensor::tanh));
        cases.add(unary("sigmoid", Tensor::sigmoid));
        cases.add(unary("softplus", Tensor::softplus));
        cases.add(unary("relu", x -> x.relu().square()).kinksAtZeroOf(List::getFirst));
        cases.add(unary("leakyRelu", x -> x.leakyRelu(0.2).square()).kinksAtZeroOf(List::getFirst));
        cases.add(unary("leakyRelu, slope 0", x -> x.leakyRelu(0).square()).kinksAtZeroOf(List::getFirst));
    }

    private static void reductionsAndMovement(List<Case> cases) {
        cases.add(moving("sum of all", x -> x.sum()));
        cases.add(moving("sum", x -> x.sum(0, 2)));
        cases.add(moving("sumKeepDims", x -> x.sumKeepDims(1)));
        cases.add(moving("mean of all", x -> x.mean()));
        cases.add(moving("mean", x -> x.mean(-1)));
        cases.add(moving("meanKeepDims", x -> x.meanKeepDims(0, 1)));
        cases.add(moving("reshape", x -> x.reshape(4, -1)));
        cases.add(moving("permute", x -> x.permute(2, 0, 1)));
        cases.add(moving("broadcastTo", x -> x.reshape(2, 1, 3, 4).broadcastTo(Shape.of(2, 5, 3, 4))));
        cases.add(moving("sumTo", x -> x.sumTo(Shape.of(3, 1))));
        cases.add(moving("slice, view", x -> x.slice(0, 1, 1)));
        cases.add(moving("slice, copy", x -> x.slice(2, 1, 2)));
        cases.add(moving("pad", x -> x.pad(1, 2, 1)));
        cases.add(moving("alias", Tensor::alias));
        cases.add(new Case(
                "concat",
                List.of(Shape.of(2, 3), Shape.of(2, 1)),
                in -> Tensor.concat(1, in.get(0), in.get(1), in.get(0)).square(),
                -1,
                1,
                null,
                false));
    }

    private static void matrices(List<Case> cases) {
        cases.add(binary(
                "transpose",
                Shape.of(3, 2),
                Shape.of(2, 3),
                (a, b) -> a.transpose().times(b)));
        for (boolean a : new boolean[] {false, true}) {
            for (boolean b : new boolean[] {false, true}) {
                cases.add(binary(
                        "matmul " + a + " " + b,
                        a ? Shape.of(4, 3) : Shape.of(3, 4),
                        b ? Shape.of(2, 4) : Shape.of(4, 2),
                        (x, y) -> x.matmul(y, a, b)));
            }
        }
        List<Shape> shapes = List.of(Shape.of(3, 5), Shape.of(4, 5), Shape.of(4));
        for (Activation activation : allActivations()) {
            Case dense = new Case(
                    "dense " + activation,
                    shapes,
                    in -> Functional.dense(in.get(0), in.get(1), in.get(2), activation),
                    -1,
                    1,
                    null,
                    false);
            cases.add(dense.kinksAtZeroOf(in -> Functional.dense(in.get(0), in.get(1), in.get(2), Activation.none())));
        }
        cases.add(binary(
                "dense without bias",
                Shape.of(2, 3),
                Shape.of(4, 3),
                (x, w) -> Functional.dense(x, w, null, Activation.tanh())));
    }

    private static List<Activation> allActivations() {
        return List.of(
                Activation.none(),
                Activation.tanh(),
                Activation.sigmoid(),
                Activation.softplus(),
                Activation.relu(),
                Activation.leakyRelu(0.2));
    }

    private static void convolutions(List<Case> cases) {
        Conv2dOptions same = Conv2dOptions.DEFAULT;
        Shape image = Shape.of(2, 4, 3, 2);
        cases.add(convolution("conv2d same", image, Shape.of(3, 3, 3, 2), same));
        cases.add(convolution("conv2d stride 2", Shape.of(1, 5, 6, 2), Shape.of(2, 3, 3, 2), same.withStride(2)));
        cases.add(convolution(
                "conv2d valid, stride 2x1",
                Shape.of(1, 5, 4, 1),
                Shape.of(2, 3, 2, 1),
                same.withStride(2, 1).withPadding(Padding.valid())));
        cases.add(convolution(
                "conv2d uneven padding", image, Shape.of(1, 4, 4, 2), same.withPadding(Padding.of(2, 1, 1, 2))));
        cases.add(convolution("conv2d upsample", Shape.of(1, 3, 2, 2), Shape.of(2, 5, 5, 2), same.withUpsample(2)));
        for (Activation activation : allActivations()) {
            Conv2dOptions with = same.withActivation(activation);
            cases.add(convolution("conv2d " + activation, image, Shape.of(2, 3, 3, 2), with));
            cases.add(convolution(
                    "conv2d upsample " + activation, Shape.of(1, 2, 3, 1), Shape.of(2, 5, 5, 1), with.withUpsample(2)));
            cases.add(fusedPool("conv2dMaxPool " + activation, Shape.of(1, 5, 4, 2), Shape.of(2, 3, 3, 2), with));
            cases.add(transposed(
                    "convTranspose2d " + activation,
                    Shape.of(1, 2, 3, 2),
                    Shape.of(2, 4, 4, 2),
                    with.withStride(2),
                    0));
        }
        cases.add(
                fusedPool("conv2dMaxPool upsample", Shape.of(1, 2, 3, 1), Shape.of(2, 3, 3, 1), same.withUpsample(2)));
        cases.add(transposed(
                "convTranspose2d output padding",
                Shape.of(2, 2, 1, 2),
                Shape.of(2, 3, 3, 1),
                same.withStride(2).withPadding(Padding.of(1)),
                1));
    }

    private static Case convolution(String name, Shape x, Shape w, Conv2dOptions options) {
        List<Shape> shapes = List.of(x, w, Shape.of(w.dim(0)));
        return new Case(
                        name,
                        shapes,
                        in -> Functional.conv2d(in.get(0), in.get(1), in.get(2), options),
                        -1,
                        1,
                        null,
                        false)
                .kinksAtZeroOf(in ->
                        Functional.conv2d(in.get(0), in.get(1), in.get(2), options.withActivation(Activation.none())));
    }

    private static Case fusedPool(String name, Shape x, Shape w, Conv2dOptions options) {
        List<Shape> shapes = List.of(x, w, Shape.of(w.dim(0)));
        return new Case(
                        name,
                        shapes,
                        in -> Functional.conv2dMaxPool(in.get(0), in.get(1), in.get(2), options),
                        -1,
                        1,
                        null,
                        false)
                .kinksAtTiesOf(in ->
                        Functional.conv2d(in.get(0), in.get(1), in.get(2), options.withActivation(Activation.none())));
    }

    private static Case transposed(String name, Shape x, Shape w, Conv2dOptions options, int outputPadding) {
        List<Shape> shapes = List.of(x, w, Shape.of(w.dim(3)));
        return new Case(
                        name,
                        shapes,
                        in -> Functional.convTranspose2d(in.get(0), in.get(1), in.get(2), options, outputPadding),
                        -1,
                        1,
                        null,
                        false)
                .kinksAtZeroOf(in -> Functional.convTranspose2d(
                        in.get(0), in.get(1), in.get(2), options.withActivation(Activation.none()), outputPadding));
    }

    private static void pooling(List<Case> cases) {
        Shape image = Shape.of(2, 5, 4, 2);
        cases.add(unary("maxPool2d", image, x -> Functional.maxPool2d(x, 2, 2).square())
                .kinksAtTiesOf(List::getFirst));
        cases.add(unary(
                "averagePool2d", image, x -> Functional.averagePool2d(x, 2, 2).square()));
        cases.add(unary(
                "averagePool2d overlapping",
                image,
                x -> Functional.averagePool2d(x, 3, 1).square()));
        Pool2dParams padded = new Pool2dParams(PoolKind.AVERAGE, 3, 2, 2, 1, 1, 1, 1, 0);
        cases.add(unary(
                "averagePool2d padded", image, x -> Functional.pool2d(x, padded).square()));
        Pool2dParams whole = new Pool2dParams(PoolKind.MAX, 2, 2, 2, 2, 0, 0, 1, 0);
        cases.add(unary(
                        "maxPool2d padded",
                        image,
                        x -> Functional.pool2d(x, whole).square())
                .kinksAtTiesOf(List::getFirst));
        cases.add(unary("upsample2d", image, x -> Functional.upsample2d(x, 3).square()));
    }

    private static void normalization(List<Case> cases) {
        for (Shape shape : List.of(Shape.of(4, 3), Shape.of(2, 2, 3, 2))) {
            Shape features = Shape.of(shape.dim(-1));
            List<Shape> shapes = List.of(shape, features, features);
            cases.add(new Case(
                    "batchNormTraining " + shape,
                    shapes,
                    in -> Functional.batchNormTraining(in.get(0), in.get(1), in.get(2), null, null, 1e-3, 0.9),
                    -1,
                    1,
                    null,
                    false));
            cases.add(new Case(
                    "batchNormInference " + shape,
                    shapes,
                    in -> Functional.batchNormInference(
                            in.get(0),
                            in.get(1),
                            in.get(2),
                            device.full(0.3, DType.F64, features),
                            device.full(1.7, DType.F64, features),
                            1e-3),
                    -1,
                    1,
                    null,
                    false));
            cases.add(unary(
                    "batchNormTraining without scale " + shape,
                    shape,
                    x -> Functional.batchNormTraining(x, null, null, null, null, 1e-3, 0.9)));
            Shape example = Shape.of(shape.with(0, 1).size());
            cases.add(new Case(
                    "layerNorm " + shape,
                    List.of(shape, example, example),
                    in -> Functional.layerNorm(in.get(0), in.get(1), in.get(2), 1e-5),
                    -1,
                    1,
                    null,
                    false));
            cases.add(unary("layerNorm without scale " + shape, shape, x -> Functional.layerNorm(x, null, null, 1e-5)));
        }
    }

    private static void rows(List<Case> cases) {
        cases.add(unary("softmax", Shape.of(3, 4), Functional::softmax));
        cases.add(unary("logSoftmax", Shape.of(3, 4), Functional::logSoftmax));
        cases.add(unary(
                "softmaxCrossEntropy",
                Shape.of(3, 4),
                x -> Functional.softmaxCrossEntropy(x, device.ints(new int[] {1, 0, 3}))));
        int[] index = {2, 0, 2, 2};
        cases.add(unary(
                "gather",
                Shape.of(4, 3),
                x -> Functional.gather(x, device.ints(index)).square()));
        cases.add(unary(
                "scatterAdd",
                Shape.of(4, 3),
                x -> Functional.scatterAdd(device.ints(index), x, 5).square()));
    }

    private static Case unary(String name, UnaryOperator<Tensor> function) {
        return unary(name, Shape.of(2, 5), function);
    }

    private static Case unary(String name, Shape shape, UnaryOperator<Tensor> function) {
        return new Case(name, List.of(shape), in -> function.apply(in.getFirst()), -1, 1, null, false);
    }

    /** Linear operators are squared, so that second derivatives exist. */
    private static Case moving(String name, UnaryOperator<Tensor> function) {
        return unary(name, Shape.of(2, 3, 4), x -> function.apply(x).square());
    }

    private static Case binary(String name, Shape a, Shape b, BinaryOperator<Tensor> function) {
        return new Case(name, List.of(a, b), in -> function.apply(in.get(0), in.get(1)), -1, 1, null, false);
    }

    /** Inputs drawn again until no kink is near. */
    private static double[][] awayFromKinks(Case operator, Random random) {
        for (int draw = 0; draw < MOST_DRAWS; draw++) {
            double[][] values = new double[operator.shapes().size()][];
            for (int i = 0; i < values.length; i++) {
                int size = (int) operator.shapes().get(i).size();
                values[i] =
                        random.doubles(size, operator.low(), operator.high()).toArray();
            }
            if (operator.linear() == null || distance(operator, values) > MARGIN) {
                return values;
            }
        }
        throw new AssertionError("no inputs of " + operator + " away from its kinks in " + MOST_DRAWS + " draws");
    }

    private static double distance(Case operator, double[][] values) {
        try (TensorScope _ = device.scope("kinks")) {
            List<Tensor> inputs = new ArrayList<>();
            for (int i = 0; i < values.length; i++) {
                inputs.add(device.doubles(values[i])
                        .reshape(operator.shapes().get(i).dims()));
            }
            Tensor part = operator.linear().apply(inputs);
            double[] result = part.toDoubles();
            double nearest = Double.POSITIVE_INFINITY;
            for (double value : result) {
                nearest = Math.min(nearest, Math.abs(value));
            }
            return operator.pooled() ? Math.min(nearest, smallestGap(result, part.shape())) : nearest;
        }
    }

    /** The smallest difference of two values of one 2x2 window. */
    private static double smallestGap(double[] v, Shape shape) {
        int h = (int) shape.dim(1);
        int w = (int) shape.dim(2);
        int c = (int) shape.dim(3);
        double gap = Double.POSITIVE_INFINITY;
        for (int i = 0; i < v.length; i++) {
            int y = i / (w * c) % h;
            int x = i / c % w;
            for (int j = i + 1; j < Math.min(v.length, i + w * c + c + 1); j++) {
                boolean window = j / (h * w * c) == i / (h * w * c)
                        && j % c == i % c
                        && j / (w * c) % h / 2 == y / 2
                        && j / c % w / 2 == x / 2;
                gap = window ? Math.min(gap, Math.abs(v[i] - v[j])) : gap;
            }
        }
        return gap;
    }
}
