package dev.cgan.bindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.cgan.bindings.gen.Cgan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An open device, and every function of {@code cgan.h} as a method: the one class that calls the generated code.
 *
 * <p>Methods have the names, operands and shapes of the functions they call; see the header. Operands marked (nullable)
 * there may be null here. A failure becomes an {@link IllegalArgumentException} if the caller can fix it, else a
 * {@link NativeCallException}; its message is the library's. After {@link #close} every method throws
 * {@link IllegalStateException}.
 *
 * <p>Arguments are laid out in memory that was allocated once, so calls make no garbage to speak of. An instance may be
 * used from any thread; calls take turns.
 */
public final class NativeCalls implements AutoCloseable {
    /** Major number of the ABI that these bindings speak. */
    public static final int ABI_MAJOR = Cgan.CGAN_ABI_MAJOR();

    /** Minor number of the ABI that these bindings speak. */
    public static final int ABI_MINOR = Cgan.CGAN_ABI_MINOR();

    private static final int TEXT_BYTES = 4096;

    private final String device;
    private final CallFrame frame = new CallFrame();
    private MemorySegment context;

    /** A function that copies text: at most cap - 1 bytes and a zero into dst, returning the full length. */
    @FunctionalInterface
    private interface TextCall {
        long copy(MemorySegment dst, long cap);
    }

    /** A function that copies bytes into a buffer. */
    @FunctionalInterface
    private interface CopyCall {
        int copy(MemorySegment ctx, MemorySegment buffer, long offset, MemorySegment src, long bytes);
    }

    private NativeCalls(String device, MemorySegment context) {
        this.device = device;
        this.context = context;
    }

    // ---- library -------------------------------------------------------------------------------------------------

    /** {@return the version of the library, such as 0.1.0} Loads it if need be. */
    public static String version() {
        NativeLoader.load();
        return text(Cgan::cgan_version);
    }

    /** {@return the ABI of the library, major << 16 | minor} Loads it if need be. */
    public static int abiVersion() {
        NativeLoader.load();
        return Cgan.cgan_abi_version();
    }

    /** {@return the size of a structure as the library was compiled, or -1 for an unknown kind} */
    public static long sizeof(int structKind) {
        NativeLoader.load();
        return Cgan.cgan_sizeof(structKind);
    }

    /** {@return the devices that the library knows, usable or not} Loads it if need be. */
    public static List<DeviceInfo> devices() {
        NativeLoader.load();
        return text(Cgan::cgan_describe_devices)
                .lines()
                .map(line -> line.split("\t", 3))
                .map(field -> new DeviceInfo(field[0], field[1].equals("ok"), field[2]))
                .toList();
    }

    /**
     * {@return libcgan first, then each optional library, usable or not} Loads libcgan if need be.
     *
     * @throws NativeLoadException if there is no libcgan
     */
    public static List<LibraryInfo> libraries() {
        List<LibraryInfo> libraries = new ArrayList<>();
        String path = NativeLoader.load().path().toString();
        libraries.add(new LibraryInfo("libcgan", path, version(), "ok"));
        text(Cgan::cgan_describe_libraries)
                .lines()
                .map(line -> line.split("\t", 4))
                .map(field -> new LibraryInfo(field[0], field[1], field[2], field[3]))
                .forEach(libraries::add);
        return List.copyOf(libraries);
    }

    // ---- context -------------------------------------------------------------------------------------------------

    /**
     * Opens a device; loads the library if need be.
     *
     * @param device its name and options, such as {@code auto} or {@code cpu?threads=2}
     * @throws IllegalArgumentException for an unknown name or option
     * @throws DeviceUnavailableException if the device or its plugin is not there
     */
    public static NativeCalls open(String device) {
        Objects.requireNonNull(device, "device");
        NativeLoader.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            int status = Cgan.cgan_context_create(arena.allocateFrom(device), out);
            if (status != 0) {
                throw failure(status, MemorySegment.NULL);
            }
            return new NativeCalls(device, out.get(ADDRESS, 0));
        }
    }

    /** {@return the name that this device was opened by} */
    public String device() {
        return device;
    }

    /** {@return what was opened, in words; lines that follow say why others were declined and what serves what} */
    public synchronized String describe() {
        MemorySegment ctx = begin(0);
        return text((dst, cap) -> Cgan.cgan_context_describe(ctx, dst, cap));
    }

    /** Waits until all queued work is done; reports its failures. */
    public synchronized void synchronize() {
        check(Cgan.cgan_context_synchronize(begin(0)));
    }

    /**
     * Takes the choices between candidates of {@code kernels=auto} from a file, if it exists, and keeps them there. Before
     * the first operator.
     *
     * @throws IllegalArgumentException if the file is no plan, one of another machine or version, or cannot be written
     */
    public synchronized void keepPlan(String path) {
        MemorySegment ctx = begin(0);
        try (Arena arena = Arena.ofConfined()) {
            check(Cgan.cgan_context_keep_plan(ctx, arena.allocateFrom(path)));
        }
    }

    /** Starts the stopwatch on the device's own clock, behind all queued work. */
    public synchronized void timerStart() {
        check(Cgan.cgan_timer_start(begin(0)));
    }

    /** {@return the seconds that the device took for what was queued since {@link #timerStart}} Waits for it. */
    public synchronized double timerStop() {
        check(Cgan.cgan_timer_stop(begin(0), frame.out()));
        return frame.out().get(JAVA_DOUBLE, 0);
    }

    /** {@return what the context holds} */
    public synchronized MemoryStats memory() {
        check(Cgan.cgan_context_memory(begin(0), frame.memoryStatsOut()));
        return frame.memoryStats();
    }

    /** Releases the device and all its buffers. A second call does nothing. */
    @Override
    public synchronized void close() {
        if (context != null) {
            Cgan.cgan_context_destroy(context);
            context = null;
            frame.close();
        }
    }

    // ---- buffers -------------------------------------------------------------------------------------------------

    /** {@return a new buffer of device memory, contents undefined; owned by the caller until {@link #bufferDestroy}} */
    public synchronized MemorySegment bufferCreate(long bytes) {
        check(Cgan.cgan_buffer_create(begin(0), bytes, frame.out()));
        return frame.out().get(ADDRESS, 0);
    }

    /** Frees a buffer. */
    public synchronized void bufferDestroy(MemorySegment buffer) {
        check(Cgan.cgan_buffer_destroy(begin(0), buffer));
    }

    /** Copies all of src, on the heap or not, into the buffer; src may be reused afterwards. */
    public synchronized void bufferWrite(MemorySegment buffer, long offsetBytes, MemorySegment src) {
        copyIn(Cgan::cgan_buffer_write, buffer, offsetBytes, src);
    }

    /**
     * Copies as {@link #bufferWrite} does, but beside the queue: waits only for the calls up to the last one so far that
     * uses the buffer. Calls that are queued later and use it see the copy.
     */
    public synchronized void bufferUpload(MemorySegment buffer, long offsetBytes, MemorySegment src) {
        copyIn(Cgan::cgan_buffer_upload, buffer, offsetBytes, src);
    }

    private void copyIn(CopyCall call, MemorySegment buffer, long offsetBytes, MemorySegment src) {
        MemorySegment ctx = begin(0);
        if (src.isNative()) {
            check(call.copy(ctx, buffer, offsetBytes, src, src.byteSize()));
            return;
        }
        MemorySegment staging = frame.staging();
        long done = 0;
        do { // once even for 0 bytes, so that arguments are checked alike
            long bytes = Math.min(src.byteSize() - done, staging.byteSize());
            MemorySegment.copy(src, done, staging, 0, bytes);
            check(call.copy(ctx, buffer, offsetBytes + done, staging, bytes));
            done += bytes;
        } while (done < src.byteSize());
    }

    /** Fills all of dst, on the heap or not, from the buffer, after all queued work. */
    public synchronized void bufferRead(MemorySegment buffer, long offsetBytes, MemorySegment dst) {
        MemorySegment ctx = begin(0);
        if (dst.isNative()) {
            check(Cgan.cgan_buffer_read(ctx, buffer, offsetBytes, dst, dst.byteSize()));
            return;
        }
        MemorySegment staging = frame.staging();
        long done = 0;
        do {
            long bytes = Math.min(dst.byteSize() - done, staging.byteSize());
            check(Cgan.cgan_buffer_read(ctx, buffer, offsetBytes + done, staging, bytes));
            MemorySegment.copy(staging, 0, dst, done, bytes);
            done += bytes;
        } while (done < dst.byteSize());
    }

    // ---- graphs --------------------------------------------------------------------------------------------------

    /** From now on operator calls are recorded instead of run, until {@link #graphEnd} or {@link #graphDiscard}. */
    public synchronized void graphBegin() {
        check(Cgan.cgan_graph_begin(begin(0)));
    }

    /** Ends the recording: {@return the graph, owned by the caller until {@link #graphDestroy}} */
    public synchronized MemorySegment graphEnd() {
        check(Cgan.cgan_graph_end(begin(0), frame.out()));
        return frame.out().get(ADDRESS, 0);
    }

    /** Ends the recording and forgets it. */
    public synchronized void graphDiscard() {
        check(Cgan.cgan_graph_end(begin(0), MemorySegment.NULL));
    }

    /** Queues the recorded calls. */
    public synchronized void graphLaunch(MemorySegment graph) {
        check(Cgan.cgan_graph_launch(begin(0), graph));
    }

    /** Frees a graph. */
    public synchronized void graphDestroy(MemorySegment graph) {
        check(Cgan.cgan_graph_destroy(begin(0), graph));
    }

    // ---- element-wise --------------------------------------------------------------------------------------------

    /** dst[i] = value, converted to the type of dst. */
    public synchronized void fill(double value, TensorView dst) {
        check(Cgan.cgan_fill(begin(1), value, frame.tensor(dst)));
    }

    /** dst[i] = scale * src[i] + shift, converted between any two types. */
    public synchronized void convert(double scale, double shift, TensorView src, TensorView dst) {
        check(Cgan.cgan_convert(begin(2), scale, shift, frame.tensor(src), frame.tensor(dst)));
    }

    /** dst[i] = f(src[i]). In place allowed. */
    public synchronized void unary(UnaryKind kind, double alpha, double beta, TensorView src, TensorView dst) {
        check(Cgan.cgan_unary(begin(2), frame.unary(kind.code(), alpha, beta), frame.tensor(src), frame.tensor(dst)));
    }

    /** dSrc[i] = dDst[i] * f'(x), from dst = f(x). In place allowed: dSrc = dDst. */
    public synchronized void activationBackward(
            Activation activation, double alpha, TensorView dst, TensorView dDst, TensorView dSrc) {
        check(Cgan.cgan_activation_backward(
                begin(3),
                frame.unary(activation.code(), alpha, 0),
                frame.tensor(dst),
                frame.tensor(dDst),
                frame.tensor(dSrc)));
    }

    /** dst = a op b, broadcast as NumPy does. In place allowed for an operand of the shape of dst. */
    public synchronized void binary(BinaryKind kind, TensorView a, TensorView b, TensorView dst) {
        check(Cgan.cgan_binary(begin(3), frame.binary(kind), frame.tensor(a), frame.tensor(b), frame.tensor(dst)));
    }

    // ---- reductions and data movement ----------------------------------------------------------------------------

    /** Reduces the axes whose bits are set; dst keeps them with size 1. */
    public synchronized void reduce(ReduceKind kind, int axisMask, TensorView src, TensorView dst) {
        check(Cgan.cgan_reduce(begin(2), frame.reduce(kind, axisMask), frame.tensor(src), frame.tensor(dst)));
    }

    /** dst[i] (I32) = index of the greatest element in row i of src [..., c], the first of equals. */
    public synchronized void argmax(TensorView src, TensorView dst) {
        check(Cgan.cgan_argmax(begin(2), frame.tensor(src), frame.tensor(dst)));
    }

    /** Axis i of dst is axis axes[i] of src. */
    public synchronized void permute(int[] axes, TensorView src, TensorView dst) {
        check(Cgan.cgan_permute(begin(2), frame.permute(axes), frame.tensor(src), frame.tensor(dst)));
    }

    /** Copies count indices of one axis from srcStart on to dstStart on; the rest of dst stays. */
    public synchronized void sliceCopy(
            int axis, long srcStart, long dstStart, long count, TensorView src, TensorView dst) {
        check(Cgan.cgan_slice_copy(
                begin(2), frame.slice(axis, srcStart, dstStart, count), frame.tensor(src), frame.tensor(dst)));
    }

    /** dst[i, :] = table[index[i], :]; table [v, e], index [n] I32, dst [n, e]. */
    public synchronized void gatherRows(TensorView table, TensorView index, TensorView dst) {
        check(Cgan.cgan_gather_rows(begin(3), frame.tensor(table), frame.tensor(index), frame.tensor(dst)));
    }

    /** dTable[r, :] = sum of dDst[i, :] over i with index[i] = r. */
    public synchronized void scatterAddRows(TensorView index, TensorView dDst, TensorView dTable) {
        check(Cgan.cgan_scatter_add_rows(begin(3), frame.tensor(index), frame.tensor(dDst), frame.tensor(dTable)));
    }

    // ---- softmax -------------------------------------------------------------------------------------------------

    /** Softmax over the last axis, or its logarithm. */
    public synchronized void softmaxForward(boolean log, TensorView src, TensorView dst) {
        check(Cgan.cgan_softmax_forward(begin(2), frame.softmax(log), frame.tensor(src), frame.tensor(dst)));
    }

    /** Gradient of softmax, from its result dst. */
    public synchronized void softmaxBackward(boolean log, TensorView dst, TensorView dDst, TensorView dSrc) {
        check(Cgan.cgan_softmax_backward(
                begin(3), frame.softmax(log), frame.tensor(dst), frame.tensor(dDst), frame.tensor(dSrc)));
    }

    // ---- matrix products -----------------------------------------------------------------------------------------

    /** dst [m, n] = op(a) op(b), op(a) [m, k], op(b) [k, n]. */
    public synchronized void matmul(
            boolean transposeA, boolean transposeB, TensorView a, TensorView b, TensorView dst) {
        check(Cgan.cgan_matmul(
                begin(3), frame.matmul(transposeA, transposeB), frame.tensor(a), frame.tensor(b), frame.tensor(dst)));
    }

    /** dst [n, o] = act(src [n, i] * wei[o, i]^T + bia[o]). */
    public synchronized void denseForward(
            Activation activation, double alpha, TensorView src, TensorView wei, TensorView bia, TensorView dst) {
        check(Cgan.cgan_dense_forward(
                begin(4),
                frame.dense(activation, alpha),
                frame.tensor(src),
                frame.tensor(wei),
                frame.tensor(bia),
                frame.tensor(dst)));
    }

    // ---- convolution ---------------------------------------------------------------------------------------------

    /** dst [n, oh, ow, k] = act(conv(up(src [n, h, w, c]), wei [k, r, s, c]) + bia [k]). */
    public synchronized void conv2dForward(
            Conv2dParams params, TensorView src, TensorView wei, TensorView bia, TensorView dst) {
        check(Cgan.cgan_conv2d_forward(
                begin(4),
                frame.conv2d(params),
                frame.tensor(src),
                frame.tensor(wei),
                frame.tensor(bia),
                frame.tensor(dst)));
    }

    /** dSrc [n, h, w, c] = act(transposed convolution of dDst [n, oh, ow, k] + bia [c]). */
    public synchronized void conv2dBackwardData(
            Conv2dParams params, TensorView wei, TensorView dDst, TensorView bia, TensorView dSrc) {
        check(Cgan.cgan_conv2d_backward_data(
                begin(4),
                frame.conv2d(params),
                frame.tensor(wei),
                frame.tensor(dDst),
                frame.tensor(bia),
                frame.tensor(dSrc)));
    }

    /** dWei [k, r, s, c] and dBia [k], from dDst before the activation, which must be NONE. */
    public synchronized void conv2dBackwardFilter(
            Conv2dParams params, TensorView src, TensorView dDst, TensorView dWei, TensorView dBia) {
        check(Cgan.cgan_conv2d_backward_filter(
                begin(4),
                frame.conv2d(params),
                frame.tensor(src),
                frame.tensor(dDst),
                frame.tensor(dWei),
                frame.tensor(dBia)));
    }

    /** dst = act(maxpool2x2(conv(src, wei) + bia)), arg (U8) = position 0..3 of each maximum. */
    public synchronized void conv2dPoolForward(
            Conv2dParams params, TensorView src, TensorView wei, TensorView bia, TensorView dst, TensorView arg) {
        check(Cgan.cgan_conv2d_pool_forward(
                begin(5),
                frame.conv2d(params),
                frame.tensor(src),
                frame.tensor(wei),
                frame.tensor(bia),
                frame.tensor(dst),
                frame.tensor(arg)));
    }

    /** Gradient of {@link #conv2dPoolForward} for src. */
    public synchronized void conv2dPoolBackwardData(
            Conv2dParams params, TensorView wei, TensorView dst, TensorView dDst, TensorView arg, TensorView dSrc) {
        check(Cgan.cgan_conv2d_pool_backward_data(
                begin(5),
                frame.conv2d(params),
                frame.tensor(wei),
                frame.tensor(dst),
                frame.tensor(dDst),
                frame.tensor(arg),
                frame.tensor(dSrc)));
    }

    /** Gradient of {@link #conv2dPoolForward} for wei and bia. */
    public synchronized void conv2dPoolBackwardFilter(
            Conv2dParams params,
            TensorView src,
            TensorView dst,
            TensorView dDst,
            TensorView arg,
            TensorView dWei,
            TensorView dBia) {
        check(Cgan.cgan_conv2d_pool_backward_filter(
                begin(6),
                frame.conv2d(params),
                frame.tensor(src),
                frame.tensor(dst),
                frame.tensor(dDst),
                frame.tensor(arg),
                frame.tensor(dWei),
                frame.tensor(dBia)));
    }

    // ---- pooling and upsampling ----------------------------------------------------------------------------------

    /** dst [n, oh, ow, c] from src [n, h, w, c]; arg (U8) for MAX only, else null. */
    public synchronized void pool2dForward(Pool2dParams params, TensorView src, TensorView dst, TensorView arg) {
        check(Cgan.cgan_pool2d_forward(
                begin(3), frame.pool2d(params), frame.tensor(src), frame.tensor(dst), frame.tensor(arg)));
    }

    /** dSrc from dDst, and arg for MAX. */
    public synchronized void pool2dBackward(Pool2dParams params, TensorView dDst, TensorView arg, TensorView dSrc) {
        check(Cgan.cgan_pool2d_backward(
                begin(3), frame.pool2d(params), frame.tensor(dDst), frame.tensor(arg), frame.tensor(dSrc)));
    }

    /** dst = the elements of src that arg names: the transpose of {@link #pool2dBackward} for MAX. */
    public synchronized void pool2dGather(Pool2dParams params, TensorView src, TensorView arg, TensorView dst) {
        check(Cgan.cgan_pool2d_gather(
                begin(3), frame.pool2d(params), frame.tensor(src), frame.tensor(arg), frame.tensor(dst)));
    }

    /** Repeats each pixel: dst [n, h * factorH, w * factorW, c]. */
    public synchronized void upsample2dForward(int factorH, int factorW, TensorView src, TensorView dst) {
        check(Cgan.cgan_upsample2d_forward(
                begin(2), frame.upsample2d(factorH, factorW), frame.tensor(src), frame.tensor(dst)));
    }

    /** dSrc = sums of dDst over each block. */
    public synchronized void upsample2dBackward(int factorH, int factorW, TensorView dDst, TensorView dSrc) {
        check(Cgan.cgan_upsample2d_backward(
                begin(2), frame.upsample2d(factorH, factorW), frame.tensor(dDst), frame.tensor(dSrc)));
    }

    // ---- normalisation -------------------------------------------------------------------------------------------

    /** Batch normalisation over all axes but the last; running = momentum * running + (1 - momentum) * batch. */
    public synchronized void batchNormTraining(
            double epsilon,
            double momentum,
            TensorView src,
            TensorView gamma,
            TensorView beta,
            TensorView runningMean,
            TensorView runningVar,
            TensorView dst,
            TensorView mean,
            TensorView rstd) {
        check(Cgan.cgan_batch_norm_training(
                begin(8),
                frame.norm(epsilon, momentum),
                frame.tensor(src),
                frame.tensor(gamma),
                frame.tensor(beta),
                frame.tensor(runningMean),
                frame.tensor(runningVar),
                frame.tensor(dst),
                frame.tensor(mean),
                frame.tensor(rstd)));
    }

    /** dst = gamma * (src - runningMean) / sqrt(runningVar + epsilon) + beta. */
    public synchronized void batchNormInference(
            double epsilon,
            TensorView src,
            TensorView gamma,
            TensorView beta,
            TensorView runningMean,
            TensorView runningVar,
            TensorView dst) {
        check(Cgan.cgan_batch_norm_inference(
                begin(6),
                frame.norm(epsilon, 0),
                frame.tensor(src),
                frame.tensor(gamma),
                frame.tensor(beta),
                frame.tensor(runningMean),
                frame.tensor(runningVar),
                frame.tensor(dst)));
    }

    /** Gradients of {@link #batchNormTraining}. */
    public synchronized void batchNormBackward(
            double epsilon,
            TensorView src,
            TensorView gamma,
            TensorView mean,
            TensorView rstd,
            TensorView dDst,
            TensorView dSrc,
            TensorView dGamma,
            TensorView dBeta) {
        check(Cgan.cgan_batch_norm_backward(
                begin(8),
                frame.norm(epsilon, 0),
                frame.tensor(src),
                frame.tensor(gamma),
                frame.tensor(mean),
                frame.tensor(rstd),
                frame.tensor(dDst),
                frame.tensor(dSrc),
                frame.tensor(dGamma),
                frame.tensor(dBeta)));
    }

    /** Normalises each row of src [n, f]; mean, rstd [n]. */
    public synchronized void layerNormForward(
            double epsilon,
            TensorView src,
            TensorView gamma,
            TensorView beta,
            TensorView dst,
            TensorView mean,
            TensorView rstd) {
        check(Cgan.cgan_layer_norm_forward(
                begin(6),
                frame.norm(epsilon, 0),
                frame.tensor(src),
                frame.tensor(gamma),
                frame.tensor(beta),
                frame.tensor(dst),
                frame.tensor(mean),
                frame.tensor(rstd)));
    }

    /** Gradients of {@link #layerNormForward}. */
    public synchronized void layerNormBackward(
            double epsilon,
            TensorView src,
            TensorView gamma,
            TensorView mean,
            TensorView rstd,
            TensorView dDst,
            TensorView dSrc,
            TensorView dGamma,
            TensorView dBeta) {
        check(Cgan.cgan_layer_norm_backward(
                begin(8),
                frame.norm(epsilon, 0),
                frame.tensor(src),
                frame.tensor(gamma),
                frame.tensor(mean),
                frame.tensor(rstd),
                frame.tensor(dDst),
                frame.tensor(dSrc),
                frame.tensor(dGamma),
                frame.tensor(dBeta)));
    }

    // ---- random numbers ------------------------------------------------------------------------------------------

    /** Philox4x32-10 numbers of (seed, stream, step); step is one I64. The same bits on every device. */
    public synchronized void random(
            RandomKind kind, long seed, int stream, double a, double b, TensorView step, TensorView dst) {
        check(Cgan.cgan_random(
                begin(2), frame.random(kind, seed, stream, a, b), frame.tensor(step), frame.tensor(dst)));
    }

    // ---- optimizers: hyper is F64 [2], the learning rate and the step number; lists have one length --------------

    /** hyper[1] += 1. */
    public synchronized void optimizerAdvance(TensorView hyper) {
        check(Cgan.cgan_optimizer_advance(begin(1), frame.tensor(hyper)));
    }

    /** Adam or AdamW; updates param, m and v. */
    public synchronized void adam(
            AdamParams params,
            TensorView hyper,
            List<? extends TensorView> param,
            List<? extends TensorView> grad,
            List<? extends TensorView> m,
            List<? extends TensorView> v) {
        int count = sameSize(param, grad);
        sameSize(param, m);
        sameSize(param, v);
        check(Cgan.cgan_adam(
                begin(4 * count + 1),
                frame.adam(params),
                frame.tensor(hyper),
                count,
                frame.tensors(param),
                frame.tensors(grad),
                frame.tensors(m),
                frame.tensors(v)));
    }

    /** velocity = momentum * velocity + grad; param -= lr * velocity. No velocity when momentum is 0. */
    public synchronized void sgd(
            double momentum,
            boolean nesterov,
            double weightDecay,
            TensorView hyper,
            List<? extends TensorView> param,
            List<? extends TensorView> grad,
            List<? extends TensorView> velocity) {
        int count = sameSize(param, grad);
        sameSize(param, velocity);
        check(Cgan.cgan_sgd(
                begin(3 * count + 1),
                frame.sgd(momentum, nesterov, weightDecay),
                frame.tensor(hyper),
                count,
                frame.tensors(param),
                frame.tensors(grad),
                frame.tensors(velocity)));
    }

    /** v = rho * v + (1 - rho) * grad^2; param -= lr * grad / (sqrt(v) + epsilon). */
    public synchronized void rmsprop(
            double rho,
            double epsilon,
            TensorView hyper,
            List<? extends TensorView> param,
            List<? extends TensorView> grad,
            List<? extends TensorView> v) {
        int count = sameSize(param, grad);
        sameSize(param, v);
        check(Cgan.cgan_rmsprop(
                begin(3 * count + 1),
                frame.rmsprop(rho, epsilon),
                frame.tensor(hyper),
                count,
                frame.tensors(param),
                frame.tensors(grad),
                frame.tensors(v)));
    }

    /** dst = decay * dst + (1 - decay) * src. */
    public synchronized void ema(double decay, List<? extends TensorView> src, List<? extends TensorView> dst) {
        int count = sameSize(src, dst);
        check(Cgan.cgan_ema(begin(2 * count), frame.ema(decay), count, frame.tensors(src), frame.tensors(dst)));
    }

    /** The same with the decay, F64 [1], in device memory. */
    public synchronized void emaBy(TensorView decay, List<? extends TensorView> src, List<? extends TensorView> dst) {
        int count = sameSize(src, dst);
        check(Cgan.cgan_ema_by(
                begin(2 * count + 1), frame.tensor(decay), count, frame.tensors(src), frame.tensors(dst)));
    }

    /** Every element of every tensor into [low, high], in place. */
    public synchronized void clamp(double low, double high, List<? extends TensorView> tensors) {
        int count = tensors.size();
        check(Cgan.cgan_clamp(begin(count), frame.clamp(low, high), count, frame.tensors(tensors)));
    }

    /** dst (one element) = root of the sum of the squares of all elements. */
    public synchronized void globalNorm(List<? extends TensorView> tensors, TensorView dst) {
        int count = tensors.size();
        check(Cgan.cgan_global_norm(begin(count + 1), count, frame.tensors(tensors), frame.tensor(dst)));
    }

    /** Scales all tensors by min(1, maxNorm / norm), in place. */
    public synchronized void clipByNorm(double maxNorm, TensorView norm, List<? extends TensorView> tensors) {
        int count = tensors.size();
        check(Cgan.cgan_clip_by_norm(
                begin(count + 1), frame.clip(maxNorm), frame.tensor(norm), count, frame.tensors(tensors)));
    }

    // ---- calling -------------------------------------------------------------------------------------------------

    /** Begins a call: {@return the open context, with the frame ready for this many operands} */
    private MemorySegment begin(int operands) {
        if (context == null) {
            throw new IllegalStateException("device '" + device + "' is closed");
        }
        frame.begin(operands);
        return context;
    }

    private static int sameSize(List<?> first, List<?> second) {
        if (second != null && second.size() != first.size()) {
            throw new IllegalArgumentException(
                    "lists of %d and %d tensors; they must be of one length".formatted(first.size(), second.size()));
        }
        return first.size();
    }

    private void check(int status) {
        if (status != 0) {
            throw failure(status, context);
        }
    }

    private static RuntimeException failure(int status, MemorySegment ctx) {
        String text = text((dst, cap) -> Cgan.cgan_last_error(ctx, dst, cap));
        return Status.of(status).toException(text.isEmpty() ? "libcgan returned status " + status : text);
    }

    private static String text(TextCall call) {
        for (long cap = TEXT_BYTES; ; ) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment dst = arena.allocate(cap);
                long length = call.copy(dst, cap);
                if (length < cap) {
                    return new String(dst.asSlice(0, length).toArray(JAVA_BYTE), StandardCharsets.UTF_8);
                }
                cap = length + 1;
            }
        }
    }
}
