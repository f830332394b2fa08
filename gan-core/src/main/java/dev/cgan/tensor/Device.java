package dev.cgan.tensor;

import dev.cgan.bindings.MemoryStats;
import dev.cgan.bindings.NativeCalls;
import dev.cgan.bindings.UnsupportedOperatorException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A device in use: its memory pool, its scopes, its calls into the native library.
 *
 * <p>The outermost scope, named {@code device}, is open as long as the device. Use by one thread at a time; see the
 * package.
 */
public final class Device implements AutoCloseable {
    private static final int FIRST_SCOPE_CAPACITY = 64;
    private static final int REPORTED_TENSORS = 8;

    private static final VarHandle USER;

    static {
        try {
            USER = MethodHandles.lookup().findVarHandle(Device.class, "user", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final NativeCalls calls;
    private final MemoryPool pool;
    private final List<MemoryPool> graphMemory = new ArrayList<>();
    private final ArrayDeque<Tensor[]> spareStorage = new ArrayDeque<>();

    private final boolean tracksClosing = Boolean.getBoolean("cgan.track");

    private TensorScope innermost;
    private MemoryPool capturing; // where tensors are made while a graph is captured, else null
    private long lastId;
    private long liveTensors;
    private boolean open = true;

    @SuppressWarnings("unused") // through USER
    private Thread user;

    private Device(String name, NativeCalls calls) {
        this.name = name;
        this.calls = calls;
        this.pool = new MemoryPool(calls);
        this.innermost = new TensorScope(this, "device", null, new Tensor[FIRST_SCOPE_CAPACITY]);
    }

    /**
     * Opens a device.
     *
     * @param name {@code auto}, {@code cpu}, {@code cuda:0}, {@code sim}, with options as in {@code cpu?threads=2};
     *     {@code faulty:cpu?fail=3} fails its third operator call, for tests
     * @throws IllegalArgumentException for an unknown name or option; the message lists the known ones
     */
    public static Device open(String name) {
        return new Device(name, NativeCalls.open(name));
    }

    /** {@return the name that the device was opened by} */
    public String name() {
        return name;
    }

    /**
     * {@return what was opened, in words; further lines say why {@code auto} declined other devices, and which candidate has
     * served each operator so far}
     */
    public String describe() {
        return calls.describe();
    }

    /** {@return the lines of {@link #describe} that a user wants at the start: what was opened, what was declined, and why} */
    public String summary() {
        List<String> lines = describe().lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> i == 0 || lines.get(i).startsWith("auto: "))
                .mapToObj(lines::get)
                .collect(Collectors.joining("\n"));
    }

    /**
     * Opens a scope inside the innermost open one.
     *
     * @param scopeName what messages and reports call it
     */
    public TensorScope scope(String scopeName) {
        enter();
        try {
            checkOpen();
            Tensor[] storage = spareStorage.isEmpty() ? new Tensor[FIRST_SCOPE_CAPACITY] : spareStorage.pop();
            innermost = new TensorScope(this, scopeName, innermost, storage);
            return innermost;
        } finally {
            exit();
        }
    }

    // ---- making tensors: each result joins the innermost open scope ----

    /** {@return a tensor whose elements are undefined until they are written} */
    public Tensor empty(DType dtype, Shape shape) {
        enter();
        try {
            checkOpen();
            Block block = source().take(Math.multiplyExact(shape.size(), (long) dtype.bytes()));
            return adopt(new Tensor(this, ++lastId, dtype, shape, block, 0));
        } catch (dev.cgan.bindings.DeviceOutOfMemoryException first) {
            return emptyAfterTrim(dtype, shape, first);
        } finally {
            exit();
        }
    }

    private Tensor emptyAfterTrim(DType dtype, Shape shape, RuntimeException first) {
        pool.trim();
        try {
            Block block = source().take(shape.size() * dtype.bytes());
            return adopt(new Tensor(this, ++lastId, dtype, shape, block, 0));
        } catch (dev.cgan.bindings.DeviceOutOfMemoryException second) {
            throw outOfMemory("for " + dtype + shape, first);
        }
    }

    private MemoryPool source() {
        return capturing == null ? pool : capturing;
    }

    /** {@return zeros} */
    public Tensor zeros(DType dtype, Shape shape) {
        return full(0, dtype, shape);
    }

    /** {@return a tensor whose elements all have one value} */
    public Tensor full(double value, DType dtype, Shape shape) {
        Tensor result = empty(dtype, shape);
        Kernels.fill(value, result);
        return result;
    }

    /** {@return a rank-0 tensor} */
    public Tensor scalar(double value, DType dtype) {
        return full(value, dtype, Shape.scalar());
    }

    /**
     * {@return an F32 tensor of these values}
     *
     * @param dims its shape; none means [values.length]
     * @throws IllegalArgumentException if the shape has another number of elements
     */
    public Tensor floats(float[] values, long... dims) {
        return empty(DType.F32, shapeFor(values.length, dims)).copyFrom(values);
    }

    /** {@return an F64 tensor of these values; shape as in {@link #floats}} */
    public Tensor doubles(double[] values, long... dims) {
        return empty(DType.F64, shapeFor(values.length, dims)).copyFrom(values);
    }

    /** {@return an I32 tensor of these values; shape as in {@link #floats}} */
    public Tensor ints(int[] values, long... dims) {
        return empty(DType.I32, shapeFor(values.length, dims)).copyFrom(values);
    }

    /** {@return an I64 tensor of these values; shape as in {@link #floats}} */
    public Tensor longs(long[] values, long... dims) {
        return empty(DType.I64, shapeFor(values.length, dims)).copyFrom(values);
    }

    /** {@return a U8 tensor of these values; shape as in {@link #floats}} */
    public Tensor bytes(byte[] values, long... dims) {
        return empty(DType.U8, shapeFor(values.length, dims)).copyFrom(values);
    }

    private static Shape shapeFor(int length, long... dims) {
        Shape shape = dims.length == 0 ? Shape.of(length) : Shape.of(dims);
        if (shape.size() != length) {
            throw new IllegalArgumentException(
                    "shape " + shape + " has " + shape.size() + " elements, but " + length + " values were given");
        }
        return shape;
    }

    // ---- graphs ----

    /** {@return whether this device can {@link #capture}; the CPU, which runs each operator at once, cannot} */
    public boolean canCapture() {
        try {
            run(NativeCalls::graphBegin);
            run(NativeCalls::graphDiscard);
            return true;
        } catch (UnsupportedOperatorException e) {
            return false;
        }
    }

    /**
     * Captures the operators that a body calls: they are checked, but do not run before the {@linkplain Graph#launch launch}
     * of the result. What is fixed is which operators run, on which tensors, with which numbers given by value; what they
     * read from tensors is read at each launch.
     *
     * <p>Tensors that the body makes belong to the graph, and no other operator gets their memory. Those that it keeps in a
     * scope that stays open hold the results of the latest launch.
     *
     * @param body must not copy between host and device, for instance by {@link Tensor#item()}
     * @return the graph, to be closed before the device
     * @throws NotCapturableException if the body does what cannot be captured
     */
    public Graph capture(Runnable body) {
        trim(); // the memory that the operators used when they ran by themselves
        MemoryPool memory = new MemoryPool(calls);
        MemorySegment[] handle = new MemorySegment[1];
        try {
            once(NativeCalls::graphBegin);
            graphMemory.add(memory);
            capturing = memory;
            try {
                body.run();
                once(open -> handle[0] = open.graphEnd());
            } catch (RuntimeException | Error e) {
                abandon(e);
                throw e;
            } finally {
                capturing = null;
            }
            return new Graph(this, handle[0], memory);
        } catch (UnsupportedOperatorException
                | dev.cgan.bindings.DeviceOutOfMemoryException
                | DeviceOutOfMemoryException e) {
            throw new NotCapturableException(e);
        } finally {
            if (handle[0] == null) {
                retire(memory);
            }
        }
    }

    /** Ends a capture that failed, unless the failure ended it. */
    private void abandon(Throwable failure) {
        try {
            once(NativeCalls::graphDiscard);
        } catch (IllegalArgumentException e) {
            // nothing is captured any more: it was the end that failed
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    /** A graph is gone: its memory goes back to the native library. */
    void retire(MemoryPool memory) {
        enter();
        try {
            memory.retire();
            if (memory.liveBytes() == 0) {
                graphMemory.remove(memory);
            }
        } finally {
            exit();
        }
    }

    // ---- memory ----

    /** {@return live, cached and peak bytes, and counts; all memory of graphs is live} */
    public MemoryReport memory() {
        MemoryStats stats = calls.memory();
        long graphBytes = graphMemory.stream()
                .mapToLong(memory -> memory.liveBytes() + memory.cachedBytes())
                .sum();
        return new MemoryReport(
                pool.liveBytes() + graphBytes,
                pool.cachedBytes(),
                pool.peakBytes() + graphBytes,
                liveTensors,
                stats.liveBytes(),
                stats.workspaceBytes(),
                stats.allocations(),
                stats.calls());
    }

    /** Lets {@link MemoryReport#peakBytes} start again from the bytes that are live now. */
    public void resetPeak() {
        pool.resetPeak();
    }

    /** Gives the blocks that the pool has cached back to the native library. */
    public void trim() {
        enter();
        try {
            pool.trim();
        } finally {
            exit();
        }
    }

    /** {@return the open scopes as a tree, outermost first, each with its largest tensors} */
    public String report() {
        ArrayDeque<TensorScope> outermostFirst = new ArrayDeque<>();
        for (TensorScope scope = innermost; scope != null; scope = scope.parent()) {
            outermostFirst.push(scope);
        }
        StringBuilder text = new StringBuilder("%s: %,d bytes live, %,d cached, peak %,d, %d tensors%n"
                .formatted(name, pool.liveBytes(), pool.cachedBytes(), pool.peakBytes(), liveTensors));
        int depth = 1;
        for (TensorScope scope : outermostFirst) {
            scope.describe(text, depth++, REPORTED_TENSORS);
        }
        return text.toString();
    }

    /**
     * Makes {@code kernels=auto} choose between candidates as a file says, if it exists, and keep there what it measures:
     * with the same file the same bits follow. Before the first operator; no effect on other devices.
     *
     * @param plan the file
     * @throws IllegalArgumentException if the file is no plan, one of another machine or version, or cannot be written
     */
    public void keepPlan(Path plan) {
        run(calls -> calls.keepPlan(plan.toString()));
    }

    /** Waits until all queued work is done, and throws what failed in it. */
    public void synchronize() {
        run(NativeCalls::synchronize);
    }

    /** Starts a stopwatch on the device's own clock, behind all queued work. */
    public void startTimer() {
        run(NativeCalls::timerStart);
    }

    /** {@return the seconds that the device took for what was queued since {@link #startTimer}} Waits for it. */
    public double stopTimer() {
        double[] seconds = new double[1];
        run(calls -> seconds[0] = calls.timerStop());
        return seconds[0];
    }

    /** Closes the scopes that are still open, innermost first, and the device. Closing again does nothing. */
    @Override
    public void close() {
        if (!open) {
            return;
        }
        enter();
        try {
            open = false;
            for (TensorScope scope = innermost; scope != null; scope = scope.parent()) {
                scope.closeMembers();
            }
            innermost = null;
            calls.close();
        } finally {
            exit();
        }
    }

    @Override
    public String toString() {
        return "Device " + name;
    }

    // ---- inside the package ----

    /** Runs one native call; if memory ran out, once more after trimming the pool. */
    void run(Consumer<NativeCalls> call) {
        try {
            once(call);
        } catch (dev.cgan.bindings.DeviceOutOfMemoryException first) {
            trim();
            try {
                once(call);
            } catch (dev.cgan.bindings.DeviceOutOfMemoryException second) {
                throw outOfMemory("for the workspace of an operator", first);
            }
        }
    }

    private void once(Consumer<NativeCalls> call) {
        enter();
        try {
            checkOpen();
            call.accept(calls);
        } finally {
            exit();
        }
    }

    /** Whether closed tensors remember where they were closed. */
    boolean tracksClosing() {
        return tracksClosing;
    }

    /** Another view of a tensor's block, in the innermost open scope. */
    Tensor view(Tensor of, Shape shape, long offsetBytes) {
        of.view();
        return adopt(new Tensor(this, ++lastId, of.dtype(), shape, of.block(), offsetBytes));
    }

    private Tensor adopt(Tensor tensor) {
        tensor.block().views++;
        liveTensors++;
        innermost.add(tensor);
        return tensor;
    }

    /** A tensor has closed: its block is free if it was the last view. */
    void forget(Tensor tensor) {
        liveTensors--;
        if (--tensor.block().views == 0) {
            tensor.block().pool.giveBack(tensor.block());
        }
    }

    /** Takes a scope that is about to close off the stack. */
    void leave(TensorScope scope) {
        enter();
        try {
            if (scope != innermost) {
                throw new IllegalStateException("scope " + scope.name() + " cannot close before scope "
                        + innermost.name() + ", which was opened after it; close that first");
            }
            if (scope.parent() == null) {
                throw new IllegalStateException("scope device closes with its device");
            }
            innermost = scope.parent();
        } finally {
            exit();
        }
    }

    void recycle(Tensor[] storage) {
        spareStorage.push(storage);
    }

    private void checkOpen() {
        if (!open) {
            throw new IllegalStateException("device " + name + " is closed");
        }
    }

    private void enter() {
        Thread current = Thread.currentThread();
        Thread other = (Thread) USER.compareAndExchangeAcquire(this, (Thread) null, current);
        if (other != null) {
            throw new IllegalStateException("device " + name + " is in use by thread " + other.getName() + "; thread "
                    + current.getName() + " must wait for it");
        }
    }

    private void exit() {
        USER.setRelease(this, (Thread) null);
    }

    private DeviceOutOfMemoryException outOfMemory(String what, RuntimeException cause) {
        return new DeviceOutOfMemoryException(
                "no device memory " + what + ": " + cause.getMessage() + "\n" + report(), cause);
    }
}
