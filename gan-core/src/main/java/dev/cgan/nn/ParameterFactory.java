package dev.cgan.nn;

import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;

/**
 * Makes the parameters and buffers of layers, in the innermost open scope of the device: open one that lives as long as the
 * network.
 *
 * @param device where they live
 * @param dtype F32, or F64 for gradient checks
 * @param seed of the initial values, which depend on it and on the parameter's name alone
 */
public record ParameterFactory(Device device, DType dtype, long seed) {
    /** Checks that the type has gradients. */
    public ParameterFactory {
        if (!dtype.floating()) {
            throw new IllegalArgumentException("parameters are f32 or f64, not " + dtype);
        }
    }

    /** {@return a new parameter; see {@link Initializer#create}} */
    public Parameter parameter(String name, Shape shape, Initializer initializer, long fanIn, long fanOut) {
        try (TensorScope scope = device.scope("init:" + name)) {
            return new Parameter(name, scope.keep(initializer.create(this, name, shape, fanIn, fanOut)));
        }
    }

    /** {@return a new parameter of one value everywhere} */
    public Parameter parameter(String name, Shape shape, double value) {
        return parameter(name, shape, Initializer.constant(value), 1, 1);
    }

    /** {@return a new tensor that training updates without a gradient} */
    public Tensor buffer(double value, Shape shape) {
        return device.full(value, dtype, shape);
    }

    /** {@return random numbers of the seed, at step 0} */
    public RandomSource random() {
        return new Philox(device, seed, dtype).at(0);
    }
}
