package dev.cgan.nn;

import java.util.Objects;

/** Zeros around an image, in pixels. */
public final class Padding {
    private static final Padding SAME = new Padding(true, 0, 0, 0, 0);
    private static final Padding VALID = new Padding(false, 0, 0, 0, 0);

    private final boolean same;
    private final int top;
    private final int left;
    private final int bottom;
    private final int right;

    private Padding(boolean same, int top, int left, int bottom, int right) {
        this.same = same;
        this.top = top;
        this.left = left;
        this.bottom = bottom;
        this.right = right;
    }

    /**
     * {@return as much as it takes for ceil(size / stride) outputs, or size * stride of a transposed convolution; the odd
     * pixel goes to the bottom and right, as in Keras}
     */
    public static Padding same() {
        return SAME;
    }

    /** {@return none} */
    public static Padding valid() {
        return VALID;
    }

    /** {@return the same on all sides} */
    public static Padding of(int pixels) {
        return of(pixels, pixels, pixels, pixels);
    }

    /** {@return on each side its own} */
    public static Padding of(int top, int left, int bottom, int right) {
        if (Math.min(Math.min(top, left), Math.min(bottom, right)) < 0) {
            throw new IllegalArgumentException(
                    "padding must not be negative: " + top + ", " + left + ", " + bottom + ", " + right);
        }
        return new Padding(false, top, left, bottom, right);
    }

    /** {@return whether it follows from the image's size} */
    public boolean isSame() {
        return same;
    }

    /** Before and after along the height; for same, of an image of this size. */
    int[] vertical(long size, long kernel, int stride) {
        return same ? split(size, kernel, stride) : new int[] {top, bottom};
    }

    /** Before and after along the width; for same, of an image of this size. */
    int[] horizontal(long size, long kernel, int stride) {
        return same ? split(size, kernel, stride) : new int[] {left, right};
    }

    private static int[] split(long size, long kernel, int stride) {
        long outputs = (size + stride - 1) / stride;
        int total = Math.toIntExact(Math.max(0, (outputs - 1) * stride + kernel - size));
        return new int[] {total / 2, total - total / 2};
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Padding that
                && that.same == same
                && that.top == top
                && that.left == left
                && that.bottom == bottom
                && that.right == right;
    }

    @Override
    public int hashCode() {
        return Objects.hash(same, top, left, bottom, right);
    }

    /** {@return {@code same} or the four sides} */
    @Override
    public String toString() {
        return same ? "same" : "[" + top + "," + left + "," + bottom + "," + right + "]";
    }
}
