package dev.cgan.tensor;

import java.util.Arrays;

/** The sizes of a tensor's dimensions, outermost first. Rank 0 is a scalar; a size of 0 makes an empty tensor. */
public final class Shape {
    /** The greatest rank of a tensor. */
    public static final int MAX_RANK = 8;

    private static final Shape SCALAR = new Shape(new long[0], 1);

    private final long[] dims;
    private final long size;

    private Shape(long[] dims, long size) {
        this.dims = dims;
        this.size = size;
    }

    /**
     * {@return the shape of these dimensions}
     *
     * @throws IllegalArgumentException for more than {@link #MAX_RANK} dimensions, a negative one, or more elements than
     *     a long can count
     */
    public static Shape of(long... dims) {
        return dims.length == 0 ? SCALAR : owning(dims.clone());
    }

    /** {@return the shape of a scalar} */
    public static Shape scalar() {
        return SCALAR;
    }

    /** The caller gives the array away. */
    static Shape owning(long[] dims) {
        if (dims.length > MAX_RANK) {
            throw new IllegalArgumentException(
                    "shape " + Arrays.toString(dims) + " has rank " + dims.length + "; at most " + MAX_RANK);
        }
        long size = 1;
        for (long dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("shape " + Arrays.toString(dims) + " has a negative dimension");
            }
            long high = Math.multiplyHigh(size, dim);
            size *= dim;
            if (high != 0 || size < 0) {
                throw new IllegalArgumentException(
                        "shape " + Arrays.toString(dims) + " has more than 2^63 - 1 elements");
            }
        }
        return new Shape(dims, size);
    }

    /** {@return the number of dimensions} */
    public int rank() {
        return dims.length;
    }

    /**
     * {@return the size of one dimension}
     *
     * @param axis 0 .. rank - 1, or -rank .. -1 counted from the end
     */
    public long dim(int axis) {
        return dims[axis(axis)];
    }

    /** {@return the number of elements, 1 for a scalar} */
    public long size() {
        return size;
    }

    /** {@return the dimensions, as an array of the caller's own} */
    public long[] dims() {
        return dims.clone();
    }

    /**
     * {@return an axis counted from 0}
     *
     * @param axis 0 .. rank - 1, or -rank .. -1 counted from the end
     * @throws IllegalArgumentException for an axis that this shape does not have
     */
    public int axis(int axis) {
        int index = axis < 0 ? axis + dims.length : axis;
        if (index < 0 || index >= dims.length) {
            throw new IllegalArgumentException("axis " + axis + " is outside shape " + this);
        }
        return index;
    }

    /** {@return this shape with one dimension replaced} */
    public Shape with(int axis, long dim) {
        long[] changed = dims.clone();
        changed[axis(axis)] = dim;
        return owning(changed);
    }

    /**
     * {@return the shape that two operands are repeated to: aligned at their last dimension, a missing or 1-sized
     * dimension is repeated}
     *
     * @throws IllegalArgumentException if two dimensions differ and neither is 1
     */
    public static Shape broadcast(Shape a, Shape b) {
        if (a.equals(b)) {
            return a;
        }
        int rank = Math.max(a.rank(), b.rank());
        long[] dims = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long x = i <= a.rank() ? a.dims[a.rank() - i] : 1;
            long y = i <= b.rank() ? b.dims[b.rank() - i] : 1;
            if (x != y && x != 1 && y != 1) {
                throw new IllegalArgumentException("shapes " + a + " and " + b + " do not broadcast: " + x + " against "
                        + y + " in dimension " + (rank - i));
            }
            dims[rank - i] = x == 1 ? y : x;
        }
        return owning(dims);
    }

    /** The mask of the given axes, all of them if none is named: bit i for axis i. */
    int mask(int... axes) {
        if (axes.length == 0) {
            return (1 << dims.length) - 1;
        }
        int mask = 0;
        for (int axis : axes) {
            int bit = 1 << axis(axis);
            if ((mask & bit) != 0) {
                throw new IllegalArgumentException("axis " + axis + " of " + this + " is named twice");
            }
            mask |= bit;
        }
        return mask;
    }

    /** This shape with the axes of the mask of size 1, or without them. */
    Shape reduced(int mask, boolean keepDims) {
        long[] kept = new long[keepDims ? dims.length : dims.length - Integer.bitCount(mask)];
        int next = 0;
        for (int i = 0; i < dims.length; i++) {
            boolean gone = (mask >> i & 1) != 0;
            if (keepDims) {
                kept[i] = gone ? 1 : dims[i];
            } else if (!gone) {
                kept[next++] = dims[i];
            }
        }
        return owning(kept);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /** {@return the dimensions as in {@code [16,28,28,1]}} */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < dims.length; i++) {
            text.append(i == 0 ? "" : ",").append(dims[i]);
        }
        return text.append(']').toString();
    }
}
