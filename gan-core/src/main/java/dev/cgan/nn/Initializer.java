package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/** How a parameter begins. */
@FunctionalInterface
public interface Initializer {
    /**
     * {@return the first values of a parameter}
     *
     * @param factory whose device, type and random numbers are used
     * @param name of the parameter; its numbers are drawn for the purpose {@code init:name}
     * @param fanIn inputs that one output sums over
     * @param fanOut outputs that one input takes part in
     */
    Tensor create(ParameterFactory factory, String name, Shape shape, long fanIn, long fanOut);

    /** {@return uniform within sqrt(6 / (fanIn + fanOut)) of 0 (Glorot and Bengio 2010)} */
    static Initializer glorotUniform() {
        return (factory, name, shape, in, out) -> uniform(factory, name, shape, Math.sqrt(6.0 / (in + out)));
    }

    /** {@return normal with variance 2 / (fanIn + fanOut) (Glorot and Bengio 2010)} */
    static Initializer glorotNormal() {
        return (factory, name, shape, in, out) -> gaussian(factory, name, shape, 0, Math.sqrt(2.0 / (in + out)));
    }

    /** {@return uniform within sqrt(6 / fanIn) of 0 (He, Zhang, Ren and Sun 2015)} */
    static Initializer heUniform() {
        return (factory, name, shape, in, out) -> uniform(factory, name, shape, Math.sqrt(6.0 / in));
    }

    /** {@return normal with variance 2 / fanIn (He, Zhang, Ren and Sun 2015)} */
    static Initializer heNormal() {
        return (factory, name, shape, in, out) -> gaussian(factory, name, shape, 0, Math.sqrt(2.0 / in));
    }

    /** {@return normal; (0, 0.02) for DCGAN (Radford, Metz and Chintala 2016), (1, 0.02) for its scales} */
    static Initializer normal(double mean, double standardDeviation) {
        return (factory, name, shape, in, out) -> gaussian(factory, name, shape, mean, standardDeviation);
    }

    /** {@return one value everywhere} */
    static Initializer constant(double value) {
        return (factory, name, shape, in, out) -> factory.device().full(value, factory.dtype(), shape);
    }

    /** {@return zeros} */
    static Initializer zeros() {
        return constant(0);
    }

    private static Tensor uniform(ParameterFactory factory, String name, Shape shape, double limit) {
        return factory.random().uniform("init:" + name, -limit, limit, shape.dims());
    }

    private static Tensor gaussian(ParameterFactory factory, String name, Shape shape, double mean, double deviation) {
        return factory.random().normal("init:" + name, mean, deviation, shape.dims());
    }
}
