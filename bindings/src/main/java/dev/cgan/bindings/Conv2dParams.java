package dev.cgan.bindings;

/**
 * A convolution's geometry and what is fused to it, {@code cgan_conv2d_params}.
 *
 * @param upsample 1, or 2: src is first enlarged 2x by nearest neighbour
 * @param activation applied to the result of a forward pass or of a transposed convolution
 * @param alpha slope of leaky relu
 */
public record Conv2dParams(
        int strideH,
        int strideW,
        int padTop,
        int padLeft,
        int padBottom,
        int padRight,
        int upsample,
        Activation activation,
        double alpha) {

    /** {@return the same geometry with another activation} */
    public Conv2dParams withActivation(Activation other, double otherAlpha) {
        return new Conv2dParams(strideH, strideW, padTop, padLeft, padBottom, padRight, upsample, other, otherAlpha);
    }
}
