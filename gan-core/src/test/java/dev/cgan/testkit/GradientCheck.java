package dev.cgan.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import dev.cgan.autograd.Autograd;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * Compares gradients with central differences in F64.
 *
 * <p>The scalar is a random projection of the result, not its sum: the gradient of normalisations and softmax under a sum
 * vanishes and would hide errors.
 */
public final class GradientCheck {
    private static final double STEP = 1e-6;
    private static final double ABSOLUTE = 1e-7;
    private static final double RELATIVE = 1e-6;

    private final Device device;
    private final Function<List<Tensor>, Tensor> function;
    private final List<Shape> shapes;
    private final double[][] values;
    private final Random random;

    /**
     * Prepares a check.
     *
     * @param values of the inputs; further from any kink than a few steps
     */
    public GradientCheck(
            Device device,
            List<Shape> shapes,
            double[][] values,
            Function<List<Tensor>, Tensor> function,
            Random random) {
        this.device = device;
        this.function = function;
        this.shapes = shapes;
        this.values = values;
        this.random = random;
    }

    /** Checks the gradient for every element of every input. {@return the number of elements compared} */
    public int first() {
        double[] projection = projection();
        double[][] analytic = gradients(values, projection, false);
        int compared = 0;
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < values[i].length; j++) {
                double numeric = (projected(moved(i, j, STEP), projection) - projected(moved(i, j, -STEP), projection))
                        / (2 * STEP);
                compare("gradient of input " + i + " element " + j, analytic[i][j], numeric);
                compared++;
            }
        }
        return compared;
    }

    /**
     * Checks the second derivatives along a random direction, and that the differentiable gradient equals the fused one.
     * {@return the number of elements compared}
     */
    public int second() {
        double[] projection = projection();
        double[][] direction = new double[values.length][];
        for (int i = 0; i < values.length; i++) {
            direction[i] = random.doubles(values[i].length, -1, 1).toArray();
        }
        double[][] fused = gradients(values, projection, false);
        double[][] composed = gradients(values, projection, true);
        double[][] above = gradients(along(direction, STEP), projection, false);
        double[][] below = gradients(along(direction, -STEP), projection, false);
        double[][] analytic = secondDerivative(projection, direction);
        int compared = 0;
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < values[i].length; j++) {
                compare("composed gradient of input " + i + " element " + j, composed[i][j], fused[i][j]);
                double numeric = (above[i][j] - below[i][j]) / (2 * STEP);
                compare("second derivative of input " + i + " element " + j, analytic[i][j], numeric);
                compared++;
            }
        }
        return compared;
    }

    private static void compare(String what, double analytic, double numeric) {
        double limit = ABSOLUTE + RELATIVE * Math.max(Math.abs(analytic), Math.abs(numeric));
        if (!(Math.abs(analytic - numeric) <= limit)) {
            fail("%s: %.12g, but the difference quotient is %.12g".formatted(what, analytic, numeric));
        }
    }

    private double[] projection() {
        try (TensorScope _ = device.scope("projection")) {
            int size = (int) function.apply(inputs(values)).size();
            assertThat(size).isPositive();
            return random.doubles(size, -1, 1).toArray();
        }
    }

    private double projected(double[][] at, double[] projection) {
        try (TensorScope _ = device.scope("projected")) {
            return loss(inputs(at), projection).toDoubles()[0];
        }
    }

    private double[][] gradients(double[][] at, double[] projection, boolean graph) {
        try (TensorScope _ = device.scope("gradients of the check")) {
            List<Tensor> inputs = inputs(at);
            List<Tensor> gradients = Autograd.gradients(loss(inputs, projection), inputs, graph);
            return gradients.stream().map(Tensor::toDoubles).toArray(double[][]::new);
        }
    }

    /** The gradient of (gradient . direction): the matrix of second derivatives times the direction. */
    private double[][] secondDerivative(double[] projection, double[][] direction) {
        try (TensorScope _ = device.scope("second derivative")) {
            List<Tensor> inputs = inputs(values);
            List<Tensor> gradients = Autograd.gradients(loss(inputs, projection), inputs, true);
            Tensor along = null;
            for (int i = 0; i < gradients.size(); i++) {
                Tensor v = device.doubles(direction[i]);
                Tensor term =
                        gradients.get(i).times(v.reshape(shapes.get(i).dims())).sum();
                along = along == null ? term : along.plus(term);
            }
            return Autograd.gradients(along, inputs).stream()
                    .map(Tensor::toDoubles)
                    .toArray(double[][]::new);
        }
    }

    private Tensor loss(List<Tensor> inputs, double[] projection) {
        Tensor result = function.apply(inputs);
        return result.times(device.doubles(projection).reshape(result.shape().dims()))
                .sum();
    }

    private List<Tensor> inputs(double[][] at) {
        List<Tensor> inputs = new ArrayList<>();
        for (int i = 0; i < at.length; i++) {
            inputs.add(
                    device.doubles(at[i]).reshape(shapes.get(i).dims()).detach().requiresGrad());
        }
        return inputs;
    }

    private double[][] moved(int input, int element, double by) {
        double[][] moved = values.clone();
        moved[input] = values[input].clone();
        moved[input][element] += by;
        return moved;
    }

    private double[][] along(double[][] direction, double by) {
        double[][] moved = new double[values.length][];
        for (int i = 0; i < values.length; i++) {
            moved[i] = values[i].clone();
            for (int j = 0; j < moved[i].length; j++) {
                moved[i][j] += by * direction[i][j];
            }
        }
        return moved;
    }
}
