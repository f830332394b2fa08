package dev.cgan.tensor;

import dev.cgan.bindings.BinaryKind;
import dev.cgan.bindings.ReduceKind;
import java.util.Arrays;

/** Differentiable operators that move elements: views, permutations, slices, repetition. */
final class Movement {
    private Movement() {}

    static Tensor reshape(Tensor x, long... dims) {
        return reshape(x, resolve(x, dims));
    }

    static Tensor reshape(Tensor x, Shape shape) {
        return Node.record(viewOf(x, shape), "reshape", (g, needs) -> new Tensor[] {reshape(g, x.shape())}, x);
    }

    static Tensor alias(Tensor x) {
        return Node.record(viewOf(x, x.shape()), "alias", (g, needs) -> new Tensor[] {g}, x);
    }

    /** The same elements in another shape, not recorded. */
    static Tensor viewOf(Tensor x, Shape shape) {
        return x.device().view(x, shape, x.view().offsetBytes);
    }

    private static Shape resolve(Tensor x, long... dims) {
        long[] resolved = dims.clone();
        int open = -1;
        long known = 1;
        for (int i = 0; i < dims.length; i++) {
            if (dims[i] == -1 && open < 0) {
                open = i;
            } else {
                known *= dims[i];
            }
        }
        if (open >= 0) {
            resolved[open] = known <= 0 ? -1 : x.size() / known;
        }
        if (Arrays.stream(resolved).anyMatch(d -> d < 0) || Shape.of(resolved).size() != x.size()) {
            throw new IllegalArgumentException(
                    x + " with " + x.size() + " elements cannot be reshaped to " + Arrays.toString(dims));
        }
        return Shape.owning(resolved);
    }

    static Tensor transpose(Tensor x) {
        if (x.shape().rank() != 2) {
            throw new IllegalArgumentException("transpose: " + x + " is not a matrix; use permute");
        }
        return permute(x, 1, 0);
    }

    static Tensor permute(Tensor x, int... axes) {
        int rank = x.shape().rank();
        int[] order = new int[rank];
        int[] inverse = new int[rank];
        int seen = 0;
        for (int i = 0; i < axes.length && i < rank; i++) {
            order[i] = x.shape().axis(axes[i]);
            inverse[order[i]] = i;
            seen |= 1 << order[i];
        }
        if (axes.length != rank || seen != (1 << rank) - 1) {
            throw new IllegalArgumentException(
                    "permute: " + Arrays.toString(axes) + " does not name each axis of " + x + " once");
        }
        return Node.record(Kernels.permute(order, x), "permute", (g, needs) -> new Tensor[] {permute(g, inverse)}, x);
    }

    static Tensor broadcastTo(Tensor x, Shape target) {
        if (x.shape().equals(target)) {
            return x;
        }
        if (!Shape.broadcast(x.shape(), target).equals(target)) {
            throw new IllegalArgumentException(x + " does not broadcast to " + target);
        }
        // Zeros of size 1 wherever x has its full size: the sum is x, repeated.
        long[] dims = target.dims();
        for (int i = 1; i <= x.shape().rank(); i++) {
            if (x.dim(-i) == target.dim(-i)) {
                dims[target.rank() - i] = 1;
            }
        }
        Tensor zeros = x.device().zeros(x.dtype(), Shape.owning(dims));
        return Node.record(
                Kernels.binary(BinaryKind.ADD, x, zeros),
                "broadcastTo",
                (g, needs) -> new Tensor[] {g.sumTo(x.shape())},
                x);
    }

    static Tensor sumTo(Tensor x, Shape target) {
        if (x.shape().equals(target)) {
            return x;
        }
        if (!Shape.broadcast(target, x.shape()).equals(x.shape())) {
            throw new IllegalArgumentException(
                    x + " cannot be summed to " + target + ", which does not broadcast to it");
        }
        int mask = 0;
        int added = x.shape().rank() - target.rank();
        for (int i = 0; i < x.shape().rank(); i++) {
            if (i < added || target.dim(i - added) != x.dim(i)) {
                mask |= 1 << i;
            }
        }
        Tensor reduced = mask == 0 ? x : Kernels.reduce(ReduceKind.SUM, mask, x);
        return Node.record(viewOf(reduced, target), "sumTo", (g, needs) -> new Tensor[] {g.broadcastTo(x.shape())}, x);
    }

    static Tensor slice(Tensor x, int axis, long start, long count) {
        long size = x.dim(axis);
        if (start < 0 || count < 0 || start > size - count) {
            throw new IllegalArgumentException("slice: elements " + start + " .. " + (start + count - 1) + " of axis "
                    + axis + " are outside " + x);
        }
        Shape shape = x.shape().with(axis, count);
        return Node.record(
                isContiguous(x.shape(), axis) ? sliceView(x, axis, start, shape) : sliceCopy(x, axis, start, shape),
                "slice",
                (g, needs) -> new Tensor[] {pad(g, axis, start, size - start - count)},
                x);
    }

    private static boolean isContiguous(Shape shape, int axis) {
        for (int i = 0; i < axis; i++) {
            if (shape.dim(i) != 1) {
                return false;
            }
        }
        return true;
    }

    private static Tensor sliceView(Tensor x, int axis, long start, Shape shape) {
        long stride = x.dtype().bytes();
        for (int i = axis + 1; i < x.shape().rank(); i++) {
            stride *= x.dim(i);
        }
        return x.device().view(x, shape, x.view().offsetBytes + start * stride);
    }

    private static Tensor sliceCopy(Tensor x, int axis, long start, Shape shape) {
        Tensor y = x.device().empty(x.dtype(), shape);
        Kernels.sliceCopy(axis, start, 0, shape.dim(axis), x, y);
        return y;
    }

    static Tensor concat(int axis, Tensor... parts) {
        if (parts.length == 0) {
            throw new IllegalArgumentException("concat needs at least one tensor");
        }
        Tensor first = parts[0];
        int along = first.shape().axis(axis);
        long total = 0;
        for (Tensor part : parts) {
            if (part.shape().rank() != first.shape().rank()
                    || !part.shape().with(along, 1).equals(first.shape().with(along, 1))
                    || part.dtype() != first.dtype()) {
                throw new IllegalArgumentException(
                        "concat: " + part + " and " + first + " differ in more than axis " + along);
            }
            total += part.dim(along);
        }
        Tensor result = first.device().empty(first.dtype(), first.shape().with(along, total));
        long start = 0;
        for (Tensor part : parts) {
            Kernels.sliceCopy(along, 0, start, part.dim(along), part, result);
            start += part.dim(along);
        }
        return Node.record(result, "concat", (g, needs) -> concatBackward(along, parts, g, needs), parts.clone());
    }

    private static Tensor[] concatBackward(int axis, Tensor[] parts, Tensor g, Node.Needs needs) {
        Tensor[] gradients = new Tensor[parts.length];
        long start = 0;
        for (int i = 0; i < parts.length; i++) {
            long count = parts[i].dim(axis);
            gradients[i] = needs.input(i) ? g.slice(axis, start, count) : null;
            start += count;
        }
        return gradients;
    }

    static Tensor pad(Tensor x, int axis, long before, long after) {
        if (before < 0 || after < 0) {
            throw new IllegalArgumentException("pad: " + before + " and " + after + " must not be negative");
        }
        long count = x.dim(axis);
        if (before == 0 && after == 0) {
            return x;
        }
        Tensor result = x.device().zeros(x.dtype(), x.shape().with(axis, before + count + after));
        Kernels.sliceCopy(axis, 0, before, count, x, result);
        return Node.record(result, "pad", (g, needs) -> new Tensor[] {g.slice(axis, before, count)}, x);
    }
}
