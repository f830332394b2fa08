package dev.cgan.bindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cgan.bindings.gen.cgan_adam_params;
import dev.cgan.bindings.gen.cgan_binary_params;
import dev.cgan.bindings.gen.cgan_clamp_params;
import dev.cgan.bindings.gen.cgan_clip_params;
import dev.cgan.bindings.gen.cgan_conv2d_params;
import dev.cgan.bindings.gen.cgan_dense_params;
import dev.cgan.bindings.gen.cgan_ema_params;
import dev.cgan.bindings.gen.cgan_matmul_params;
import dev.cgan.bindings.gen.cgan_memory_stats;
import dev.cgan.bindings.gen.cgan_norm_params;
import dev.cgan.bindings.gen.cgan_permute_params;
import dev.cgan.bindings.gen.cgan_pool2d_params;
import dev.cgan.bindings.gen.cgan_random_params;
import dev.cgan.bindings.gen.cgan_reduce_params;
import dev.cgan.bindings.gen.cgan_rmsprop_params;
import dev.cgan.bindings.gen.cgan_sgd_params;
import dev.cgan.bindings.gen.cgan_slice_params;
import dev.cgan.bindings.gen.cgan_softmax_params;
import dev.cgan.bindings.gen.cgan_tensor;
import dev.cgan.bindings.gen.cgan_unary_params;
import dev.cgan.bindings.gen.cgan_upsample2d_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The native memory in which one context lays out the arguments of its calls, made once and written anew for each call:
 * operand descriptors, one parameter structure, one result slot, a staging area for copies from and to the heap.
 */
final class CallFrame implements AutoCloseable {
    static final int STAGING_BYTES = 256 * 1024;

    private static final int FIRST_TENSORS = 64;
    private static final long PARAM_BYTES = 128;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment params = arena.allocate(PARAM_BYTES, 8);
    private final MemorySegment out = arena.allocate(ADDRESS);
    private final MemorySegment staging = arena.allocate(STAGING_BYTES, 64);
    private MemorySegment[] tensors = {};
    private int used;

    CallFrame() {
        reserve(FIRST_TENSORS);
    }

    /** Begins a call with at most this many operands; segments of the call before are void. */
    void begin(int operands) {
        used = 0;
        if (operands > tensors.length) {
            reserve(Math.max(operands, 2 * tensors.length));
        }
    }

    private void reserve(int count) {
        long size = cgan_tensor.sizeof();
        MemorySegment slab = cgan_tensor.allocateArray(count, arena); // the old one is freed with the arena
        tensors = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            tensors[i] = slab.asSlice(i * size, size);
            cgan_tensor.struct_size(tensors[i], (int) size);
        }
    }

    /** {@return the descriptor of an operand, or NULL for null} */
    MemorySegment tensor(TensorView view) {
        return view == null ? MemorySegment.NULL : write(view);
    }

    /** {@return the first of consecutive descriptors, or NULL for null} */
    MemorySegment tensors(List<? extends TensorView> views) {
        if (views == null) {
            return MemorySegment.NULL;
        }
        int first = used;
        for (int i = 0; i < views.size(); i++) {
            write(views.get(i));
        }
        return first == used ? MemorySegment.NULL : tensors[first];
    }

    private MemorySegment write(TensorView view) {
        MemorySegment segment = tensors[used++];
        int rank = view.rank();
        if (rank < 0 || rank > cgan_tensor.dims$dimensions()[0]) {
            throw new IllegalArgumentException("a tensor has 0 to 8 dimensions, not " + rank);
        }
        cgan_tensor.dtype(segment, view.dtype().code());
        cgan_tensor.rank(segment, rank);
        cgan_tensor.buffer(segment, view.buffer());
        cgan_tensor.offset_bytes(segment, view.offsetBytes());
        for (int i = 0; i < rank; i++) {
            segment.set(JAVA_LONG, cgan_tensor.dims$offset() + 8L * i, view.dim(i));
        }
        return segment;
    }

    /** {@return the slot for a result that is a pointer} */
    MemorySegment out() {
        return out;
    }

    /** {@return the staging area} */
    MemorySegment staging() {
        return staging;
    }

    private MemorySegment params(long size) {
        params.asSlice(0, size).fill((byte) 0);
        params.set(JAVA_INT, 0, (int) size); // struct_size is first in every structure
        return params;
    }

    MemorySegment unary(int kind, double alpha, double beta) {
        MemorySegment p = params(cgan_unary_params.sizeof());
        cgan_unary_params.kind(p, kind);
        cgan_unary_params.alpha(p, alpha);
        cgan_unary_params.beta(p, beta);
        return p;
    }

    MemorySegment binary(BinaryKind kind) {
        MemorySegment p = params(cgan_binary_params.sizeof());
        cgan_binary_params.kind(p, kind.code());
        return p;
    }

    MemorySegment reduce(ReduceKind kind, int axisMask) {
        MemorySegment p = params(cgan_reduce_params.sizeof());
        cgan_reduce_params.kind(p, kind.code());
        cgan_reduce_params.axis_mask(p, axisMask);
        return p;
    }

    MemorySegment permute(int[] axes) {
        if (axes.length > cgan_permute_params.axes$dimensions()[0]) {
            throw new IllegalArgumentException("a tensor has 0 to 8 dimensions, not " + axes.length);
        }
        MemorySegment p = params(cgan_permute_params.sizeof());
        for (int i = 0; i < axes.length; i++) {
            // Not the generated indexed setter: it leaves out the offset of the array.
            p.set(JAVA_INT, cgan_permute_params.axes$offset() + 4L * i, axes[i]);
        }
        return p;
    }

    MemorySegment slice(int axis, long srcStart, long dstStart, long count) {
        MemorySegment p = params(cgan_slice_params.sizeof());
        cgan_slice_params.axis(p, axis);
        cgan_slice_params.src_start(p, srcStart);
        cgan_slice_params.dst_start(p, dstStart);
        cgan_slice_params.count(p, count);
        return p;
    }

    MemorySegment softmax(boolean log) {
        MemorySegment p = params(cgan_softmax_params.sizeof());
        cgan_softmax_params.log(p, log ? 1 : 0);
        return p;
    }

    MemorySegment matmul(boolean transposeA, boolean transposeB) {
        MemorySegment p = params(cgan_matmul_params.sizeof());
        cgan_matmul_params.transpose_a(p, transposeA ? 1 : 0);
        cgan_matmul_params.transpose_b(p, transposeB ? 1 : 0);
        return p;
    }

    MemorySegment dense(Activation activation, double alpha) {
        MemorySegment p = params(cgan_dense_params.sizeof());
        cgan_dense_params.activation(p, activation.code());
        cgan_dense_params.alpha(p, alpha);
        return p;
    }

    MemorySegment conv2d(Conv2dParams v) {
        MemorySegment p = params(cgan_conv2d_params.sizeof());
        cgan_conv2d_params.stride_h(p, v.strideH());
        cgan_conv2d_params.stride_w(p, v.strideW());
        cgan_conv2d_params.pad_top(p, v.padTop());
        cgan_conv2d_params.pad_left(p, v.padLeft());
        cgan_conv2d_params.pad_bottom(p, v.padBottom());
        cgan_conv2d_params.pad_right(p, v.padRight());
        cgan_conv2d_params.upsample(p, v.upsample());
        cgan_conv2d_params.activation(p, v.activation().code());
        cgan_conv2d_params.alpha(p, v.alpha());
        return p;
    }

    MemorySegment pool2d(Pool2dParams v) {
        MemorySegment p = params(cgan_pool2d_params.sizeof());
        cgan_pool2d_params.kind(p, v.kind().code());
        cgan_pool2d_params.window_h(p, v.windowH());
        cgan_pool2d_params.window_w(p, v.windowW());
        cgan_pool2d_params.stride_h(p, v.strideH());
        cgan_pool2d_params.stride_w(p, v.strideW());
        cgan_pool2d_params.pad_top(p, v.padTop());
        cgan_pool2d_params.pad_left(p, v.padLeft());
        cgan_pool2d_params.pad_bottom(p, v.padBottom());
        cgan_pool2d_params.pad_right(p, v.padRight());
        return p;
    }

    MemorySegment upsample2d(int factorH, int factorW) {
        MemorySegment p = params(cgan_upsample2d_params.sizeof());
        cgan_upsample2d_params.factor_h(p, factorH);
        cgan_upsample2d_params.factor_w(p, factorW);
        return p;
    }

    MemorySegment norm(double epsilon, double momentum) {
        MemorySegment p = params(cgan_norm_params.sizeof());
        cgan_norm_params.epsilon(p, epsilon);
        cgan_norm_params.momentum(p, momentum);
        return p;
    }

    MemorySegment random(RandomKind kind, long seed, int stream, double a, double b) {
        MemorySegment p = params(cgan_random_params.sizeof());
        cgan_random_params.kind(p, kind.code());
        cgan_random_params.seed(p, seed);
        cgan_random_params.stream(p, stream);
        cgan_random_params.a(p, a);
        cgan_random_params.b(p, b);
        return p;
    }

    MemorySegment adam(AdamParams v) {
        MemorySegment p = params(cgan_adam_params.sizeof());
        cgan_adam_params.form(p, v.form().code());
        cgan_adam_params.beta1(p, v.beta1());
        cgan_adam_params.beta2(p, v.beta2());
        cgan_adam_params.epsilon(p, v.epsilon());
        cgan_adam_params.weight_decay(p, v.weightDecay());
        return p;
    }

    MemorySegment sgd(double momentum, boolean nesterov, double weightDecay) {
        MemorySegment p = params(cgan_sgd_params.sizeof());
        cgan_sgd_params.nesterov(p, nesterov ? 1 : 0);
        cgan_sgd_params.momentum(p, momentum);
        cgan_sgd_params.weight_decay(p, weightDecay);
        return p;
    }

    MemorySegment rmsprop(double rho, double epsilon) {
        MemorySegment p = params(cgan_rmsprop_params.sizeof());
        cgan_rmsprop_params.rho(p, rho);
        cgan_rmsprop_params.epsilon(p, epsilon);
        return p;
    }

    MemorySegment ema(double decay) {
        MemorySegment p = params(cgan_ema_params.sizeof());
        cgan_ema_params.decay(p, decay);
        return p;
    }

    MemorySegment clamp(double low, double high) {
        MemorySegment p = params(cgan_clamp_params.sizeof());
        cgan_clamp_params.low(p, low);
        cgan_clamp_params.high(p, high);
        return p;
    }

    MemorySegment clip(double maxNorm) {
        MemorySegment p = params(cgan_clip_params.sizeof());
        cgan_clip_params.max_norm(p, maxNorm);
        return p;
    }

    /** {@return room for the statistics of a context, to be read by {@link #memoryStats()}} */
    MemorySegment memoryStatsOut() {
        return params(cgan_memory_stats.sizeof());
    }

    MemoryStats memoryStats() {
        return new MemoryStats(
                cgan_memory_stats.live_bytes(params),
                cgan_memory_stats.peak_bytes(params),
                cgan_memory_stats.live_buffers(params),
                cgan_memory_stats.workspace_bytes(params),
                cgan_memory_stats.allocations(params),
                cgan_memory_stats.calls(params));
    }

    @Override
    public void close() {
        arena.close();
    }
}
