package dev.cgan.tensor;

import dev.cgan.bindings.TensorView;
import dev.cgan.bindings.UnaryKind;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.Function;

/**
 * A dense, row-major array of numbers on a device.
 *
 * <p>All operators return new tensors, which join the innermost open scope of the device; they leave their operands as they
 * are. Operators on floating types are differentiable: results remember how they came about if an operand descends from a
 * tensor marked by {@link #requiresGrad()}.
 *
 * <p>Operands of one call are of the same type and device; a binary operator repeats dimensions that are missing or of size 1
 * as NumPy does. A wrong shape, type or axis is an {@link IllegalArgumentException}; use after the scope has closed is an
 * {@link IllegalStateException} that names the tensor; with the system property {@code cgan.track=true}, read when the device is
 * opened, its cause is the stack of the closing.
 */
public class Tensor {
    private final Device device;
    private final long id;
    private final DType dtype;
    private final Shape shape;

    private Block block;
    private View view;
    private TensorScope scope;
    private int slot;
    private Node node;
    private boolean leaf;
    private Throwable closedAt;

    Tensor(Device device, long id, DType dtype, Shape shape, Block block, long offsetBytes) {
        this.device = device;
        this.id = id;
        this.dtype = dtype;
        this.shape = shape;
        this.block = block;
        this.view = new View(dtype, shape, block, offsetBytes);
    }

    /**
     * Takes over a tensor's memory, its place in its scope included; the other one is closed by this. For kinds of tensors
     * that are defined elsewhere, such as parameters.
     */
    @SuppressWarnings("this-escape") // the scope only stores it
    protected Tensor(Tensor other) {
        this(other.device, other.id, other.dtype, other.shape, other.view().block, other.view.offsetBytes);
        TensorScope owner = other.scope;
        owner.replace(other, this);
        other.closed();
    }

    // ---- what it is ----

    /** {@return the sizes of its dimensions} */
    public final Shape shape() {
        return shape;
    }

    /** {@return the type of its elements} */
    public final DType dtype() {
        return dtype;
    }

    /** {@return the device that it lives on} */
    public final Device device() {
        return device;
    }

    /** {@return its number, counted for each device from 1; a result has a greater one than its operands} */
    public final long id() {
        return id;
    }

    /** {@return the size of one dimension; negative axes count from the end} */
    public final long dim(int axis) {
        return shape.dim(axis);
    }

    /** {@return the number of elements} */
    public final long size() {
        return shape.size();
    }

    /** {@return the number of bytes that its elements take} */
    public final long bytes() {
        return shape.size() * dtype.bytes();
    }

    /** {@return whether it was released, or its scope closed} */
    public final boolean isClosed() {
        return view == null;
    }

    /** {@return whether no other tensor is a view of its memory} */
    public final boolean isSoleView() {
        return view().block.views == 1;
    }

    /** Frees it now instead of when its scope closes. Its memory is reused once no view of it is left. */
    public final void release() {
        if (view != null) {
            scope.remove(this);
            device.forget(this);
            closed();
        }
    }

    /**
     * Marks it as a tensor to differentiate by.
     *
     * @return this
     * @throws IllegalArgumentException unless it is of a floating type
     * @throws IllegalStateException if it is the result of a recorded operator; {@link #detach()} it first
     */
    public final Tensor requiresGrad() {
        if (!dtype.floating()) {
            throw new IllegalArgumentException(this + " has no gradient: its elements are not floating-point numbers");
        }
        if (node != null) {
            throw new IllegalStateException(this + " is the result of " + node.operator() + "; detach() it first");
        }
        leaf = true;
        return this;
    }

    /** {@return whether it descends from a tensor marked by {@link #requiresGrad()}, or is one} */
    public final boolean isDifferentiable() {
        return leaf || node != null;
    }

    /** {@return how it came about, or null if that was not recorded} */
    public final Node node() {
        return node;
    }

    /** {@return for example {@code Tensor#412 f32[16,64,32,32] scope=d-step}} */
    @Override
    public String toString() {
        return "Tensor#" + id + " " + dtype + shape + " scope=" + scope.name();
    }

    // ---- arithmetic ----

    /** {@return this + other} */
    public final Tensor plus(Tensor other) {
        return Elementwise.add(this, other);
    }

    /** {@return this + value} */
    public final Tensor plus(double value) {
        return Elementwise.affine(this, 1, value);
    }

    /** {@return this - other} */
    public final Tensor minus(Tensor other) {
        return Elementwise.subtract(this, other);
    }

    /** {@return this - value} */
    public final Tensor minus(double value) {
        return Elementwise.affine(this, 1, -value);
    }

    /** {@return this * other} */
    public final Tensor times(Tensor other) {
        return Elementwise.multiply(this, other);
    }

    /** {@return this * value} */
    public final Tensor times(double value) {
        return Elementwise.affine(this, value, 0);
    }

    /** {@return this / other} */
    public final Tensor dividedBy(Tensor other) {
        return Elementwise.divide(this, other);
    }

    /** {@return this / value} */
    public final Tensor dividedBy(double value) {
        return Elementwise.affine(this, 1 / value, 0);
    }

    /** {@return scale * this + shift, in one pass} */
    public final Tensor affine(double scale, double shift) {
        return Elementwise.affine(this, scale, shift);
    }

    /** {@return -this} */
    public final Tensor negate() {
        return Elementwise.affine(this, -1, 0);
    }

    /** {@return this * this} */
    public final Tensor square() {
        return Elementwise.square(this);
    }

    /** {@return the square root} */
    public final Tensor sqrt() {
        return Elementwise.sqrt(this);
    }

    /** {@return 1 / the square root} */
    public final Tensor rsqrt() {
        return Elementwise.rsqrt(this);
    }

    /** {@return e to the power of each element} */
    public final Tensor exp() {
        return Elementwise.exp(this);
    }

    /** {@return the natural logarithm} */
    public final Tensor log() {
        return Elementwise.log(this);
    }

    /** {@return the absolute value; its derivative at 0 is 0} */
    public final Tensor abs() {
        return Elementwise.abs(this);
    }

    /** {@return each element moved into [low, high]; the derivative is 1 inside and 0 outside and on the bounds} */
    public final Tensor clamp(double low, double high) {
        return Elementwise.clamp(this, low, high);
    }

    // ---- activations ----

    /** {@return the hyperbolic tangent} */
    public final Tensor tanh() {
        return Elementwise.activation(this, UnaryKind.TANH, 0);
    }

    /** {@return 1 / (1 + exp(-x))} */
    public final Tensor sigmoid() {
        return Elementwise.activation(this, UnaryKind.SIGMOID, 0);
    }

    /** {@return log(1 + exp(x)), without overflow} */
    public final Tensor softplus() {
        return Elementwise.activation(this, UnaryKind.SOFTPLUS, 0);
    }

    /** {@return max(x, 0); its derivative at 0 is 0} */
    public final Tensor relu() {
        return Elementwise.activation(this, UnaryKind.RELU, 0);
    }

    /**
     * {@return x > 0 ? x : slope * x; its derivative at 0 is the slope}
     *
     * @param slope not negative
     */
    public final Tensor leakyRelu(double slope) {
        return Elementwise.activation(this, UnaryKind.LEAKY_RELU, slope);
    }

    // ---- reductions ----

    /** {@return sums over the given axes, which disappear; over all if none is given} */
    public final Tensor sum(int... axes) {
        return Reduction.sum(this, shape.mask(axes), false);
    }

    /** {@return sums over the given axes, which stay with size 1; over all if none is given} */
    public final Tensor sumKeepDims(int... axes) {
        return Reduction.sum(this, shape.mask(axes), true);
    }

    /** {@return means over the given axes, which disappear; over all if none is given; 0 for no elements} */
    public final Tensor mean(int... axes) {
        return Reduction.mean(this, shape.mask(axes), false);
    }

    /** {@return means over the given axes, which stay with size 1; over all if none is given} */
    public final Tensor meanKeepDims(int... axes) {
        return Reduction.mean(this, shape.mask(axes), true);
    }

    /** {@return I32 [...]: for each row along the last axis the index of its greatest element; not differentiable} */
    public final Tensor argmax() {
        return Kernels.argmax(this);
    }

    // ---- shape ----

    /**
     * {@return a view of the same elements in another shape}
     *
     * @param dims with the same number of elements; one of them may be -1, which is then computed
     */
    public final Tensor reshape(long... dims) {
        return Movement.reshape(this, dims);
    }

    /**
     * {@return this with its axes reordered}
     *
     * @param axes axis i of the result is axis {@code axes[i]} of this
     */
    public final Tensor permute(int... axes) {
        return Movement.permute(this, axes);
    }

    /** {@return a matrix [m, n] as [n, m]} */
    public final Tensor transpose() {
        return Movement.transpose(this);
    }

    /** {@return this repeated along missing and 1-sized dimensions to the target's shape} */
    public final Tensor broadcastTo(Shape target) {
        return Movement.broadcastTo(this, target);
    }

    /** {@return this summed to a shape that broadcasts to its own: the transpose of {@link #broadcastTo}} */
    public final Tensor sumTo(Shape target) {
        return Movement.sumTo(this, target);
    }

    /** {@return elements start .. start + count - 1 along an axis; a view where no axis before it exceeds 1} */
    public final Tensor slice(int axis, long start, long count) {
        return Movement.slice(this, shape.axis(axis), start, count);
    }

    /**
     * {@return the tensors one after the other along an axis; other dimensions agree}
     *
     * @param tensors at least one
     */
    public static Tensor concat(int axis, Tensor... tensors) {
        return Movement.concat(axis, tensors);
    }

    /** {@return this with zeros added before and after along an axis} */
    public final Tensor pad(int axis, long before, long after) {
        return Movement.pad(this, shape.axis(axis), before, after);
    }

    // ---- matrix products ----

    /** {@return the matrix product of this [m, k] and other [k, n]: [m, n]} */
    public final Tensor matmul(Tensor other) {
        return MatrixProduct.apply(this, false, other, false);
    }

    /** {@return the product of two matrices, each transposed first if its flag is set} */
    public final Tensor matmul(Tensor other, boolean transposeThis, boolean transposeOther) {
        return MatrixProduct.apply(this, transposeThis, other, transposeOther);
    }

    // ---- copies and types ----

    /** {@return a view of the same elements that does not remember how they came about} */
    public final Tensor detach() {
        return device.view(this, shape, view().offsetBytes);
    }

    /** {@return a view of the same elements, differentiable as this is; it lives in the innermost open scope} */
    public final Tensor alias() {
        return Movement.alias(this);
    }

    /** {@return a copy with memory of its own} */
    public final Tensor copy() {
        return Elementwise.convert(this, dtype, 1, 0);
    }

    /** {@return the elements converted to another type; this itself if it is of that type} */
    public final Tensor to(DType type) {
        return type == dtype ? this : Elementwise.convert(this, type, 1, 0);
    }

    /**
     * {@return scale * this + shift, converted: from bytes to [-1, 1] with F32, 1 / 127.5, -1}
     *
     * <p>Computed in F32 for F32 results and else in F64; integers round towards zero and saturate.
     */
    public final Tensor convert(DType type, double scale, double shift) {
        return Elementwise.convert(this, type, scale, shift);
    }

    // ---- to and from the host ----

    /**
     * {@return the only element, after waiting for it}
     *
     * @throws IllegalArgumentException if there are more or fewer than one
     */
    public final float item() {
        if (size() != 1) {
            throw new IllegalArgumentException(this + " has " + size() + " elements; item() needs exactly one");
        }
        return dtype == DType.F32 ? toFloats()[0] : (float) toDoubles()[0];
    }

    /** {@return all elements, row-major; integers and F64 converted} */
    public final float[] toFloats() {
        if (dtype != DType.F32) {
            return withTemporary(DType.F32, Tensor::toFloats);
        }
        float[] values = new float[hostLength()];
        read(MemorySegment.ofArray(values));
        return values;
    }

    /** {@return all elements, row-major; other types converted} */
    public final double[] toDoubles() {
        if (dtype != DType.F64) {
            return withTemporary(DType.F64, Tensor::toDoubles);
        }
        double[] values = new double[hostLength()];
        read(MemorySegment.ofArray(values));
        return values;
    }

    /** {@return all elements, row-major; other types rounded towards zero} */
    public final int[] toInts() {
        if (dtype != DType.I32) {
            return withTemporary(DType.I32, Tensor::toInts);
        }
        int[] values = new int[hostLength()];
        read(MemorySegment.ofArray(values));
        return values;
    }

    /** {@return all elements, row-major; other types rounded towards zero} */
    public final long[] toLongs() {
        if (dtype != DType.I64) {
            return withTemporary(DType.I64, Tensor::toLongs);
        }
        long[] values = new long[hostLength()];
        read(MemorySegment.ofArray(values));
        return values;
    }

    /** {@return the memory of all elements, of whatever type, row-major in the machine's byte order} */
    public final byte[] toBytes() {
        byte[] values = new byte[Math.toIntExact(bytes())];
        read(MemorySegment.ofArray(values));
        return values;
    }

    /**
     * Copies a part of {@link #toBytes()} to the host: for tensors that shall not be there as a whole.
     *
     * @param offset where the part begins, in bytes
     * @param destination as long as the part, on the heap or not
     * @throws IndexOutOfBoundsException if the part is not inside
     */
    public final void readBytes(long offset, MemorySegment destination) {
        View from = part(offset, destination);
        device.run(calls -> calls.bufferRead(from.buffer(), from.offsetBytes + offset, destination));
    }

    /**
     * Replaces the elements, row-major. For parameters, buffers and inputs: gradients through the old values are refused
     * afterwards.
     *
     * @return this
     * @throws IllegalArgumentException unless this is F32 with as many elements
     */
    public final Tensor copyFrom(float[] values) {
        checkSource(DType.F32, values.length);
        return write(MemorySegment.ofArray(values));
    }

    /** Replaces the elements of an F64 tensor; as {@link #copyFrom(float[])}. */
    public final Tensor copyFrom(double[] values) {
        checkSource(DType.F64, values.length);
        return write(MemorySegment.ofArray(values));
    }

    /** Replaces the elements of an I32 tensor; as {@link #copyFrom(float[])}. */
    public final Tensor copyFrom(int[] values) {
        checkSource(DType.I32, values.length);
        return write(MemorySegment.ofArray(values));
    }

    /** Replaces the elements of an I64 tensor; as {@link #copyFrom(float[])}. */
    public final Tensor copyFrom(long[] values) {
        checkSource(DType.I64, values.length);
        return write(MemorySegment.ofArray(values));
    }

    /**
     * Replaces the memory of all elements, of whatever type, row-major in the machine's byte order; as
     * {@link #toBytes()} gave it.
     */
    public final Tensor copyFrom(byte[] values) {
        if (values.length != bytes()) {
            throw new IllegalArgumentException(
                    this + " takes " + bytes() + " bytes, but " + values.length + " were given");
        }
        return write(MemorySegment.ofArray(values));
    }

    /**
     * Replaces a part of the memory of the elements; as {@link #copyFrom(float[])}.
     *
     * @param offset where the part begins, in bytes
     * @param source as {@link #readBytes} gave it, on the heap or not
     * @throws IndexOutOfBoundsException if the part is not inside
     */
    public final Tensor writeBytes(long offset, MemorySegment source) {
        View to = part(offset, source);
        to.block.version++;
        device.run(calls -> calls.bufferWrite(to.buffer(), to.offsetBytes + offset, source));
        return this;
    }

    /**
     * Replaces the memory of all elements as {@link #copyFrom(byte[])} does, but beside the work that is queued: the copy
     * waits for the operators up to the last one so far that uses this tensor's memory, and operators called later that
     * use it see the copy. So the data of the next step travels while this one runs.
     */
    public final Tensor upload(byte[] values) {
        if (values.length != bytes()) {
            throw new IllegalArgumentException(
                    this + " takes " + bytes() + " bytes, but " + values.length + " were given");
        }
        return upload(MemorySegment.ofArray(values));
    }

    /** Replaces the elements of an I32 tensor; as {@link #upload(byte[])}. */
    public final Tensor upload(int[] values) {
        checkSource(DType.I32, values.length);
        return upload(MemorySegment.ofArray(values));
    }

    /**
     * Replaces the elements by those of another tensor of the same shape, converted if its type differs; as
     * {@link #copyFrom(float[])}.
     */
    public final Tensor copyFrom(Tensor other) {
        if (!other.shape.equals(shape)) {
            throw new IllegalArgumentException(this + " cannot take the values of " + other + ": the shapes differ");
        }
        Kernels.convert(1, 0, other, this);
        return this;
    }

    /**
     * Exchanges the elements with those of another tensor of the same device, shape and type, without copying them. Views of
     * either tensor stay with the memory that they were made of.
     */
    public final void exchange(Tensor other) {
        if (other.device != device || other.dtype != dtype || !other.shape.equals(shape)) {
            throw new IllegalArgumentException(this + " and " + other + " differ in device, type or shape");
        }
        View mine = view();
        View theirs = other.view();
        int version = Math.max(mine.block.version, theirs.block.version) + 1;
        mine.block.version = version;
        theirs.block.version = version;
        view = theirs;
        block = theirs.block;
        other.view = mine;
        other.block = mine.block;
    }

    // ---- inside the package ----

    private int hostLength() {
        if (size() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(this + " does not fit in a Java array; slice it");
        }
        return (int) size();
    }

    private void read(MemorySegment host) {
        readBytes(0, host);
    }

    private Tensor write(MemorySegment host) {
        return writeBytes(0, host);
    }

    private View part(long offset, MemorySegment host) {
        Objects.checkFromIndexSize(offset, host.byteSize(), bytes());
        return view();
    }

    private Tensor upload(MemorySegment host) {
        View to = view();
        to.block.version++;
        device.run(calls -> calls.bufferUpload(to.buffer(), to.offsetBytes, host));
        return this;
    }

    private void checkSource(DType type, int length) {
        if (dtype != type || size() != length) {
            throw new IllegalArgumentException(this + " cannot take " + length + " values of type " + type
                    + "; it holds " + size() + " of " + dtype);
        }
    }

    private <T> T withTemporary(DType type, Function<Tensor, T> read) {
        Tensor temporary = device.empty(type, shape);
        try {
            Kernels.convert(1, 0, this, temporary);
            return read.apply(temporary);
        } finally {
            temporary.release();
        }
    }

    /** The operand as native calls see it; fails if this is closed. */
    final View view() {
        if (view == null) {
            throw new IllegalStateException(this + " is closed", closedAt);
        }
        return view;
    }

    final Block block() {
        return block;
    }

    final TensorScope scope() {
        return scope;
    }

    final int slot() {
        return slot;
    }

    final void joined(TensorScope owner, int index) {
        scope = owner;
        slot = index;
    }

    final void recorded(Node how) {
        node = how;
    }

    private void closed() {
        view = null;
        node = null;
        closedAt = device.tracksClosing() ? new Throwable("closed here") : null;
    }

    /** An operand's place in memory. */
    static final class View implements TensorView {
        private final DType dtype;
        private final Shape shape;
        final Block block;
        final long offsetBytes;

        View(DType dtype, Shape shape, Block block, long offsetBytes) {
            this.dtype = dtype;
            this.shape = shape;
            this.block = block;
            this.offsetBytes = offsetBytes;
        }

        @Override
        public dev.cgan.bindings.DType dtype() {
            return dtype.binding();
        }

        @Override
        public int rank() {
            return shape.rank();
        }

        @Override
        public long dim(int axis) {
            return shape.dim(axis);
        }

        @Override
        public MemorySegment buffer() {
            return block.buffer;
        }

        @Override
        public long offsetBytes() {
            return offsetBytes;
        }
    }
}
