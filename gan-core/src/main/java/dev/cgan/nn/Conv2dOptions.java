package dev.cgan.nn;

import dev.cgan.bindings.Conv2dParams;
import dev.cgan.tensor.Shape;

/**
 * How a convolution goes over its image, and what is fused to it.
 *
 * @param strideH rows from one result to the next, at least 1
 * @param strideW columns from one result to the next, at least 1
 * @param padding zeros around the image, after upsampling
 * @param upsample 1, or 2: the image is first enlarged 2x by nearest neighbour
 * @param activation applied to the result
 */
public record Conv2dOptions(int strideH, int strideW, Padding padding, int upsample, Activation activation) {
    /** Stride 1, same padding, no upsampling, no activation. */
    public static final Conv2dOptions DEFAULT = new Conv2dOptions(1, 1, Padding.same(), 1, Activation.none());

    /** Checks stride and upsampling. */
    public Conv2dOptions {
        if (Math.min(strideH, strideW) < 1) {
            throw new IllegalArgumentException("the stride must be at least 1, but is " + strideH + "x" + strideW);
        }
        if (upsample != 1 && upsample != 2) {
            throw new IllegalArgumentException("a convolution upsamples by 1 or 2, not " + upsample);
        }
    }

    /** {@return these with another stride, the same in both directions} */
    public Conv2dOptions withStride(int other) {
        return withStride(other, other);
    }

    /** {@return these with another stride} */
    public Conv2dOptions withStride(int rows, int columns) {
        return new Conv2dOptions(rows, columns, padding, upsample, activation);
    }

    /** {@return these with other padding} */
    public Conv2dOptions withPadding(Padding other) {
        return new Conv2dOptions(strideH, strideW, other, upsample, activation);
    }

    /** {@return these with upsampling} */
    public Conv2dOptions withUpsample(int other) {
        return new Conv2dOptions(strideH, strideW, padding, other, activation);
    }

    /** {@return these with an activation} */
    public Conv2dOptions withActivation(Activation other) {
        return new Conv2dOptions(strideH, strideW, padding, upsample, other);
    }

    /**
     * {@return the native parameters of a convolution with these options}
     *
     * @param src [n, h, w, c], before it is enlarged
     * @param r rows of the kernel
     * @param s columns of the kernel
     */
    public Conv2dParams params(Shape src, long r, long s) {
        if (src.rank() != 4) {
            throw new IllegalArgumentException("conv2d: src must be [n,h,w,c]; it is " + src);
        }
        int[] vertical = padding.vertical(upsample * src.dim(1), r, strideH);
        int[] horizontal = padding.horizontal(upsample * src.dim(2), s, strideW);
        return new Conv2dParams(
                strideH,
                strideW,
                vertical[0],
                horizontal[0],
                vertical[1],
                horizontal[1],
                upsample,
                activation.kind(),
                activation.slope());
    }
}
