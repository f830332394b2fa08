package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * Sets elements to 0 with a probability in training, and scales the others by 1 / (1 - rate); does nothing in inference
 * (Srivastava et al. 2014). The mask is drawn for the purpose {@code dropout:name}.
 *
 * @param name the layer's name
 * @param rate of [0, 1)
 */
public record Dropout(String name, double rate) implements Layer {
    /** Checks the rate. */
    public Dropout {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("the dropout rate must be of [0, 1), but is " + rate);
        }
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        return pass.isTraining() && rate > 0 ? Functional.dropout(x, rate, "dropout:" + name, pass.random()) : x;
    }

    @Override
    public Shape outputShape(Shape input) {
        return input;
    }

    @Override
    public String type() {
        return "Dropout " + rate;
    }
}
