package dev.cgan.tensor;

import dev.cgan.bindings.Activation;
import dev.cgan.bindings.AdamParams;
import dev.cgan.bindings.BinaryKind;
import dev.cgan.bindings.Conv2dParams;
import dev.cgan.bindings.Pool2dParams;
import dev.cgan.bindings.PoolKind;
import dev.cgan.bindings.RandomKind;
import dev.cgan.bindings.ReduceKind;
import dev.cgan.bindings.UnaryKind;
import java.util.ArrayList;
import java.util.List;

/**
 * The operators of {@code cgan.h} on tensors, one native call each and nothing recorded: what differentiable operators are
 * made of. Results that are returned are new and join the innermost open scope; tensors that are changed in place are
 * marked as changed. Operands documented as nullable may be null. Shapes and types are checked by the library.
 */
public final class Kernels {
    private Kernels() {}

    // ---- element-wise ----

    /** dst[i] = value. */
    public static void fill(double value, Tensor dst) {
        Tensor.View to = changed(dst);
        dst.device().run(calls -> calls.fill(value, to));
    }

    /** dst[i] = scale * src[i] + shift, converted between any two types; as many elements in any shape. */
    public static void convert(double scale, double shift, Tensor src, Tensor dst) {
        changed(dst);
        run(dst, (calls, v) -> calls.convert(scale, shift, v[0], v[1]), src, dst);
    }

    /** {@return f(src), of its shape} */
    public static Tensor unary(UnaryKind kind, double alpha, double beta, Tensor src) {
        Tensor dst = like(src);
        run(src, (calls, v) -> calls.unary(kind, alpha, beta, v[0], v[1]), src, dst);
        return dst;
    }

    /** {@return dDst * f'(x), from dst = f(x)} */
    public static Tensor activationBackward(Activation activation, double alpha, Tensor dst, Tensor dDst) {
        Tensor dSrc = like(dst);
        run(dst, (calls, v) -> calls.activationBackward(activation, alpha, v[0], v[1], v[2]), dst, dDst, dSrc);
        return dSrc;
    }

    /** {@return a op b, of the shape that both broadcast to} */
    public static Tensor binary(BinaryKind kind, Tensor a, Tensor b) {
        Tensor dst = a.device().empty(a.dtype(), Shape.broadcast(a.shape(), b.shape()));
        run(a, (calls, v) -> calls.binary(kind, v[0], v[1], v[2]), a, b, dst);
        return dst;
    }

    /** dst += src, in place; src broadcasts to dst's shape. */
    public static void addInPlace(Tensor dst, Tensor src) {
        changed(dst);
        run(dst, (calls, v) -> calls.binary(BinaryKind.ADD, v[0], v[1], v[0]), dst, src);
    }

    // ---- reductions and data movement ----

    /** {@return src reduced over the axes whose bits are set; they keep size 1} */
    public static Tensor reduce(ReduceKind kind, int axisMask, Tensor src) {
        Tensor dst = src.device().empty(src.dtype(), src.shape().reduced(axisMask, true));
        run(src, (calls, v) -> calls.reduce(kind, axisMask, v[0], v[1]), src, dst);
        return dst;
    }

    /** {@return I32 [...]: the index of the greatest element of each row of src [..., c], the first of equals} */
    public static Tensor argmax(Tensor src) {
        Shape rows = src.shape().reduced(1 << src.shape().axis(-1), false);
        Tensor dst = src.device().empty(DType.I32, rows);
        run(src, (calls, v) -> calls.argmax(v[0], v[1]), src, dst);
        return dst;
    }

    /** {@return src with axis i taken from axis axes[i]} */
    public static Tensor permute(int[] axes, Tensor src) {
        long[] dims = new long[axes.length];
        for (int i = 0; i < axes.length; i++) {
            dims[i] = src.dim(axes[i]);
        }
        Tensor dst = src.device().empty(src.dtype(), Shape.owning(dims));
        run(src, (calls, v) -> calls.permute(axes, v[0], v[1]), src, dst);
        return dst;
    }

    /** Copies count indices of an axis from srcStart on to dstStart on; the rest of dst stays. */
    public static void sliceCopy(int axis, long srcStart, long dstStart, long count, Tensor src, Tensor dst) {
        changed(dst);
        run(dst, (calls, v) -> calls.sliceCopy(axis, srcStart, dstStart, count, v[0], v[1]), src, dst);
    }

    /** {@return [n, e]: row index[i] of table [v, e] for each i of index, I32 [n]} */
    public static Tensor gatherRows(Tensor table, Tensor index) {
        Tensor dst = table.device().empty(table.dtype(), Shape.of(index.size(), table.dim(-1)));
        run(table, (calls, v) -> calls.gatherRows(v[0], v[1], v[2]), table, index, dst);
        return dst;
    }

    /** {@return [rows, e]: for each row the sum of dDst[i, :] over the i with index[i] = row} */
    public static Tensor scatterAddRows(Tensor index, Tensor dDst, long rows) {
        Tensor dTable = dDst.device().empty(dDst.dtype(), Shape.of(rows, dDst.dim(-1)));
        run(dDst, (calls, v) -> calls.scatterAddRows(v[0], v[1], v[2]), index, dDst, dTable);
        return dTable;
    }

    /** {@return softmax over the last axis, or its logarithm} */
    public static Tensor softmax(boolean log, Tensor src) {
        Tensor dst = like(src);
        run(src, (calls, v) -> calls.softmaxForward(log, v[0], v[1]), src, dst);
        return dst;
    }

    /** {@return the gradient of {@link #softmax} for src, from its result dst} */
    public static Tensor softmaxBackward(boolean log, Tensor dst, Tensor dDst) {
        Tensor dSrc = like(dst);
        run(dst, (calls, v) -> calls.softmaxBackward(log, v[0], v[1], v[2]), dst, dDst, dSrc);
        return dSrc;
    }

    // ---- matrix products ----

    /** {@return [m, n] = op(a) op(b); op transposes its matrix if the flag is set} */
    public static Tensor matmul(boolean transposeA, boolean transposeB, Tensor a, Tensor b) {
        Shape shape = Shape.of(a.dim(transposeA ? 1 : 0), b.dim(transposeB ? 0 : 1));
        Tensor dst = a.device().empty(a.dtype(), shape);
        run(a, (calls, v) -> calls.matmul(transposeA, transposeB, v[0], v[1], v[2]), a, b, dst);
        return dst;
    }

    /** {@return [n, o] = act(src [n, i] * wei[o, i]^T + bia[o] (nullable))} */
    public static Tensor dense(Activation activation, double alpha, Tensor src, Tensor wei, Tensor bia) {
        Tensor dst = src.device().empty(src.dtype(), Shape.of(src.dim(0), wei.dim(0)));
        run(src, (calls, v) -> calls.denseForward(activation, alpha, v[0], v[1], v[2], v[3]), src, wei, bia, dst);
        return dst;
    }

    // ---- convolution ----

    /** {@return dst [n, oh, ow, k] = act(conv(up(src [n, h, w, c]), wei [k, r, s, c]) + bia [k] (nullable))} */
    public static Tensor conv2d(Conv2dParams params, Tensor src, Tensor wei, Tensor bia) {
        Tensor dst = src.device().empty(src.dtype(), convolved(params, src.shape(), wei.shape()));
        run(src, (calls, v) -> calls.conv2dForward(params, v[0], v[1], v[2], v[3]), src, wei, bia, dst);
        return dst;
    }

    /**
     * {@return dSrc = act(transposed convolution of dDst [n, oh, ow, k] + bia [c] (nullable))}
     *
     * @param srcShape [n, h, w, c]
     */
    public static Tensor conv2dBackwardData(Conv2dParams params, Tensor wei, Tensor dDst, Tensor bia, Shape srcShape) {
        Tensor dSrc = dDst.device().empty(dDst.dtype(), srcShape);
        run(dDst, (calls, v) -> calls.conv2dBackwardData(params, v[0], v[1], v[2], v[3]), wei, dDst, bia, dSrc);
        return dSrc;
    }

    /** Writes the gradients of the weights, dWei [k, r, s, c], and of the bias, dBia [k] (nullable). */
    public static void conv2dBackwardFilter(Conv2dParams params, Tensor src, Tensor dDst, Tensor dWei, Tensor dBia) {
        changed(dWei);
        run(src, (calls, v) -> calls.conv2dBackwardFilter(params, v[0], v[1], v[2], v[3]), src, dDst, dWei, dBia);
    }

    /** Writes dst [n, oh/2, ow/2, k] = act(max pool 2x2 of (conv(src, wei) + bia (nullable))) and arg (U8, dst's shape). */
    public static void conv2dPool(Conv2dParams params, Tensor src, Tensor wei, Tensor bia, Tensor dst, Tensor arg) {
        changed(dst);
        run(src, (calls, v) -> calls.conv2dPoolForward(params, v[0], v[1], v[2], v[3], v[4]), src, wei, bia, dst, arg);
    }

    /** {@return the gradient of {@link #conv2dPool} for src, of shape srcShape} */
    public static Tensor conv2dPoolBackwardData(
            Conv2dParams params, Tensor wei, Tensor dst, Tensor dDst, Tensor arg, Shape srcShape) {
        Tensor dSrc = dDst.device().empty(dDst.dtype(), srcShape);
        run(
                dDst,
                (calls, v) -> calls.conv2dPoolBackwardData(params, v[0], v[1], v[2], v[3], v[4]),
                wei,
                dst,
                dDst,
                arg,
                dSrc);
        return dSrc;
    }

    /** Writes the gradients of {@link #conv2dPool} for wei and bia (nullable). */
    public static void conv2dPoolBackwardFilter(
            Conv2dParams params, Tensor src, Tensor dst, Tensor dDst, Tensor arg, Tensor dWei, Tensor dBia) {
        changed(dWei);
        run(
                src,
                (calls, v) -> calls.conv2dPoolBackwardFilter(params, v[0], v[1], v[2], v[3], v[4], v[5]),
                src,
                dst,
                dDst,
                arg,
                dWei,
                dBia);
    }

    /**
     * {@return the shape of a convolution's result}
     *
     * @param src [n, h, w, c]
     * @param wei [k, r, s, c]
     * @throws IllegalArgumentException if the ranks or channels do not fit, or the kernel exceeds the padded image
     */
    public static Shape convolved(Conv2dParams params, Shape src, Shape wei) {
        if (src.rank() != 4 || wei.rank() != 4 || src.dim(3) != wei.dim(3)) {
            throw new IllegalArgumentException(
                    "conv2d: src must be [n,h,w,c] and wei [k,r,s,c] with equal c; they are " + src + " and " + wei);
        }
        long height = params.upsample() * src.dim(1) + params.padTop() + params.padBottom() - wei.dim(1);
        long width = params.upsample() * src.dim(2) + params.padLeft() + params.padRight() - wei.dim(2);
        if (height < 0 || width < 0) {
            throw new IllegalArgumentException(
                    "conv2d: the kernel of wei " + wei + " is larger than the padded src " + src + "; add padding");
        }
        return Shape.of(src.dim(0), height / params.strideH() + 1, width / params.strideW() + 1, wei.dim(0));
    }

    // ---- pooling and upsampling ----

    /** {@return src [n, h, w, c] pooled: [n, oh, ow, c]} For MAX arg (U8, the result's shape) is written, else null. */
    public static Tensor pool2d(Pool2dParams params, Tensor src, Tensor arg) {
        Tensor dst = src.device().empty(src.dtype(), pooled(params, src.shape()));
        run(src, (calls, v) -> calls.pool2dForward(params, v[0], v[1], v[2]), src, dst, arg);
        return dst;
    }

    /** {@return the gradient of {@link #pool2d} for src; arg for MAX, else null} */
    public static Tensor pool2dBackward(Pool2dParams params, Tensor dDst, Tensor arg, Shape srcShape) {
        Tensor dSrc = dDst.device().empty(dDst.dtype(), srcShape);
        run(dDst, (calls, v) -> calls.pool2dBackward(params, v[0], v[1], v[2]), dDst, arg, dSrc);
        return dSrc;
    }

    /** {@return the elements of src that arg names, of its shape: the transpose of {@link #pool2dBackward} for MAX} */
    public static Tensor pool2dGather(Pool2dParams params, Tensor src, Tensor arg) {
        Tensor dst = src.device().empty(src.dtype(), arg.shape());
        run(src, (calls, v) -> calls.pool2dGather(params, v[0], v[1], v[2]), src, arg, dst);
        return dst;
    }

    /**
     * {@return the shape of a pooling's result, from src [n, h, w, c]}
     *
     * @throws IllegalArgumentException if the rank is not 4 or the window exceeds the padded image
     */
    public static Shape pooled(Pool2dParams params, Shape src) {
        if (src.rank() != 4) {
            throw new IllegalArgumentException("pool2d: src must be [n,h,w,c]; it is " + src);
        }
        long height = src.dim(1) + params.padTop() + params.padBottom() - params.windowH();
        long width = src.dim(2) + params.padLeft() + params.padRight() - params.windowW();
        if (height < 0 || width < 0) {
            throw new IllegalArgumentException("pool2d: the window " + params.windowH() + "x" + params.windowW()
                    + " is larger than the padded src " + src);
        }
        return Shape.of(src.dim(0), height / params.strideH() + 1, width / params.strideW() + 1, src.dim(3));
    }

    /** {@return each pixel of src [n, h, w, c] repeated: [n, h * factor, w * factor, c]} */
    public static Tensor upsample2d(int factor, Tensor src) {
        Shape up = Shape.of(src.dim(0), src.dim(1) * factor, src.dim(2) * factor, src.dim(3));
        Tensor dst = src.device().empty(src.dtype(), up);
        run(src, (calls, v) -> calls.upsample2dForward(factor, factor, v[0], v[1]), src, dst);
        return dst;
    }

    /** {@return the sums of dDst over each block: the gradient of {@link #upsample2d}} */
    public static Tensor upsample2dBackward(int factor, Tensor dDst) {
        Shape down = Shape.of(dDst.dim(0), dDst.dim(1) / factor, dDst.dim(2) / factor, dDst.dim(3));
        Tensor dSrc = dDst.device().empty(dDst.dtype(), down);
        run(dDst, (calls, v) -> calls.upsample2dBackward(factor, factor, v[0], v[1]), dDst, dSrc);
        return dSrc;
    }

    // ---- normalisation ----

    /**
     * Normalises src [..., c] by its own statistics: writes dst, mean and rstd [c], and moves the running statistics
     * (nullable together) towards the batch's. gamma and beta are nullable.
     */
    public static void batchNormTraining(
            double epsilon,
            double momentum,
            Tensor src,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVar,
            Tensor dst,
            Tensor mean,
            Tensor rstd) {
        changed(dst);
        if (runningMean != null) {
            changed(runningMean);
            changed(runningVar);
        }
        run(
                src,
                (calls, v) ->
                        calls.batchNormTraining(epsilon, momentum, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]),
                src,
                gamma,
                beta,
                runningMean,
                runningVar,
                dst,
                mean,
                rstd);
    }

    /** {@return gamma * (src - runningMean) / sqrt(runningVar + epsilon) + beta; gamma and beta nullable} */
    public static Tensor batchNormInference(
            double epsilon, Tensor src, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVar) {
        Tensor dst = like(src);
        run(
                src,
                (calls, v) -> calls.batchNormInference(epsilon, v[0], v[1], v[2], v[3], v[4], v[5]),
                src,
                gamma,
                beta,
                runningMean,
                runningVar,
                dst);
        return dst;
    }

    /** {@return the gradient of {@link #batchNormTraining} for src} Writes dGamma and dBeta (nullable). */
    public static Tensor batchNormBackward(
            double epsilon,
            Tensor src,
            Tensor gamma,
            Tensor mean,
            Tensor rstd,
            Tensor dDst,
            Tensor dGamma,
            Tensor dBeta) {
        Tensor dSrc = like(src);
        run(
                src,
                (calls, v) -> calls.batchNormBackward(epsilon, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]),
                src,
                gamma,
                mean,
                rstd,
                dDst,
                dSrc,
                dGamma,
                dBeta);
        return dSrc;
    }

    /** Normalises each row of src [n, f]: writes dst, mean and rstd [n]. gamma and beta [f] are nullable. */
    public static void layerNorm(
            double epsilon, Tensor src, Tensor gamma, Tensor beta, Tensor dst, Tensor mean, Tensor rstd) {
        changed(dst);
        run(
                src,
                (calls, v) -> calls.layerNormForward(epsilon, v[0], v[1], v[2], v[3], v[4], v[5]),
                src,
                gamma,
                beta,
                dst,
                mean,
                rstd);
    }

    /** {@return the gradient of {@link #layerNorm} for src} Writes dGamma and dBeta (nullable). */
    public static Tensor layerNormBackward(
            double epsilon,
            Tensor src,
            Tensor gamma,
            Tensor mean,
            Tensor rstd,
            Tensor dDst,
            Tensor dGamma,
            Tensor dBeta) {
        Tensor dSrc = like(src);
        run(
                src,
                (calls, v) -> calls.layerNormBackward(epsilon, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]),
                src,
                gamma,
                mean,
                rstd,
                dDst,
                dSrc,
                dGamma,
                dBeta);
        return dSrc;
    }

    // ---- random numbers ----

    /** Fills dst with Philox4x32-10 numbers of (seed, stream, step); step is one I64. */
    public static void random(RandomKind kind, long seed, int stream, double a, double b, Tensor step, Tensor dst) {
        changed(dst);
        run(dst, (calls, v) -> calls.random(kind, seed, stream, a, b, v[0], v[1]), step, dst);
    }

    // ---- optimizers: hyper is F64 [2], the learning rate and the number of the step ----

    /** hyper[1] += 1. */
    public static void optimizerAdvance(Tensor hyper) {
        Tensor.View view = changed(hyper);
        hyper.device().run(calls -> calls.optimizerAdvance(view));
    }

    /** One step of Adam or AdamW for all parameters; param, m and v change. */
    public static void adam(
            AdamParams params,
            Tensor hyper,
            List<? extends Tensor> param,
            List<? extends Tensor> grad,
            List<? extends Tensor> m,
            List<? extends Tensor> v) {
        Tensor.View hyperView = hyper.view();
        List<Tensor.View> gradViews = views(grad);
        List<Tensor.View> mViews = changed(m);
        List<Tensor.View> vViews = changed(v);
        List<Tensor.View> paramViews = changed(param);
        hyper.device().run(calls -> calls.adam(params, hyperView, paramViews, gradViews, mViews, vViews));
    }

    /** One step of gradient descent; velocity is null when momentum is 0. */
    public static void sgd(
            double momentum,
            boolean nesterov,
            double weightDecay,
            Tensor hyper,
            List<? extends Tensor> param,
            List<? extends Tensor> grad,
            List<? extends Tensor> velocity) {
        Tensor.View hyperView = hyper.view();
        List<Tensor.View> gradViews = views(grad);
        List<Tensor.View> velocityViews = velocity == null ? null : changed(velocity);
        List<Tensor.View> paramViews = changed(param);
        hyper.device()
                .run(calls ->
                        calls.sgd(momentum, nesterov, weightDecay, hyperView, paramViews, gradViews, velocityViews));
    }

    /** One step of RMSProp; param and v change. */
    public static void rmsprop(
            double rho,
            double epsilon,
            Tensor hyper,
            List<? extends Tensor> param,
            List<? extends Tensor> grad,
            List<? extends Tensor> v) {
        Tensor.View hyperView = hyper.view();
        List<Tensor.View> gradViews = views(grad);
        List<Tensor.View> vViews = changed(v);
        List<Tensor.View> paramViews = changed(param);
        hyper.device().run(calls -> calls.rmsprop(rho, epsilon, hyperView, paramViews, gradViews, vViews));
    }

    /** dst = decay * dst + (1 - decay) * src for each pair. */
    public static void ema(double decay, List<? extends Tensor> src, List<? extends Tensor> dst) {
        if (dst.isEmpty()) {
            return;
        }
        List<Tensor.View> from = views(src);
        List<Tensor.View> to = changed(dst);
        dst.getFirst().device().run(calls -> calls.ema(decay, from, to));
    }

    /** As {@link #ema}, with the decay in an F64 tensor of one element. */
    public static void emaBy(Tensor decay, List<? extends Tensor> src, List<? extends Tensor> dst) {
        if (dst.isEmpty()) {
            return;
        }
        Tensor.View by = decay.view();
        List<Tensor.View> from = views(src);
        List<Tensor.View> to = changed(dst);
        decay.device().run(calls -> calls.emaBy(by, from, to));
    }

    /** Moves every element of every tensor into [low, high]. */
    public static void clamp(double low, double high, List<? extends Tensor> tensors) {
        if (tensors.isEmpty()) {
            return;
        }
        List<Tensor.View> views = changed(tensors);
        tensors.getFirst().device().run(calls -> calls.clamp(low, high, views));
    }

    /** {@return a scalar: the root of the sum of the squares of all elements of all tensors, of which there is one} */
    public static Tensor globalNorm(List<? extends Tensor> tensors) {
        Tensor first = tensors.getFirst();
        Tensor norm = first.device().empty(first.dtype(), Shape.scalar());
        List<Tensor.View> from = views(tensors);
        Tensor.View to = norm.view();
        first.device().run(calls -> calls.globalNorm(from, to));
        return norm;
    }

    /** Scales all tensors by min(1, maxNorm / norm). */
    public static void clipByNorm(double maxNorm, Tensor norm, List<? extends Tensor> tensors) {
        Tensor.View by = norm.view();
        List<Tensor.View> views = changed(tensors);
        norm.device().run(calls -> calls.clipByNorm(maxNorm, by, views));
    }

    // ---- calling ----

    /** A call with its operands' views in order. */
    @FunctionalInterface
    private interface Call {
        void on(dev.cgan.bindings.NativeCalls calls, Tensor.View[] v);
    }

    private static void run(Tensor on, Call call, Tensor... operands) {
        Tensor.View[] views = new Tensor.View[operands.length];
        for (int i = 0; i < operands.length; i++) {
            views[i] = operands[i] == null ? null : operands[i].view();
            if (operands[i] != null && operands[i].device() != on.device()) {
                throw new IllegalArgumentException(operands[i] + " is on another device than " + on);
            }
        }
        on.device().run(calls -> call.on(calls, views));
    }

    /**
     * {@return the parameters of a max or average pooling without padding}
     *
     * @param kind maximum or average
     */
    public static Pool2dParams pooling(PoolKind kind, int window, int stride) {
        return new Pool2dParams(kind, window, window, stride, stride, 0, 0, 0, 0);
    }

    private static Tensor like(Tensor tensor) {
        return tensor.device().empty(tensor.dtype(), tensor.shape());
    }

    private static Tensor.View changed(Tensor tensor) {
        Tensor.View view = tensor.view();
        view.block.version++;
        return view;
    }

    private static List<Tensor.View> changed(List<? extends Tensor> tensors) {
        List<Tensor.View> views = new ArrayList<>(tensors.size());
        for (Tensor tensor : tensors) {
            views.add(changed(tensor));
        }
        return views;
    }

    private static List<Tensor.View> views(List<? extends Tensor> tensors) {
        List<Tensor.View> views = new ArrayList<>(tensors.size());
        for (Tensor tensor : tensors) {
            views.add(tensor.view());
        }
        return views;
    }
}
