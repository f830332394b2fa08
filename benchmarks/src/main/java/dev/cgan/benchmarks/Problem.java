package dev.cgan.benchmarks;

import dev.cgan.tensor.Device;

/**
 * One operator at one shape, as a training step of a model calls it.
 *
 * @param operator as the library counts it, such as {@code conv2d_forward}
 * @param shape its operands and parameters in words, which together with the operator identify the problem
 * @param flops multiplications and additions of the plain algorithm; 0 where memory is all that counts
 * @param bytes of all operands, each read or written once
 * @param call allocates operands on a device and gives the call, which may leave results in the innermost scope
 */
record Problem(String operator, String shape, double flops, double bytes, Call call) {

    /** Makes a problem's call. */
    @FunctionalInterface
    interface Call {
        Runnable on(Device device);
    }

    String id() {
        return operator + " " + shape;
    }
}
