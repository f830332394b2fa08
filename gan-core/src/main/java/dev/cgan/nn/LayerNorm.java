package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * Layer normalisation of each example over all its features (Ba, Kiros and Hinton 2016): x [n, ...]. Parameters
 * {@code name.gamma} and {@code name.beta} have the shape of one example.
 */
public final class LayerNorm implements Layer {
    private final String name;
    private final Parameter gamma;
    private final Parameter beta;
    private final double epsilon;

    /**
     * Makes the layer; its parameters, 1 and 0, join the innermost open scope.
     *
     * @param example shape of one example, without the batch
     * @param epsilon added to the variance, more than 0, such as 1e-5
     */
    public LayerNorm(String name, Shape example, double epsilon, ParameterFactory factory) {
        this.name = name;
        this.epsilon = Normalization.requireEpsilon(epsilon);
        gamma = factory.parameter(name + ".gamma", example, 1);
        beta = factory.parameter(name + ".beta", example, 0);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Parameter> parameters() {
        return List.of(gamma, beta);
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return Functional.layerNorm(x, gamma, beta, epsilon);
    }

    @Override
    public Shape outputShape(Shape input) {
        boolean fits = input.rank() == gamma.shape().rank() + 1;
        for (int i = 1; fits && i < input.rank(); i++) {
            fits = input.dim(i) == gamma.dim(i - 1);
        }
        if (!fits) {
            throw new IllegalArgumentException(name + " takes examples of " + gamma.shape() + ", not " + input);
        }
        return input;
    }
}
