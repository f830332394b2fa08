package dev.cgan.nn;

import dev.cgan.bindings.Conv2dParams;
import dev.cgan.bindings.Pool2dParams;
import dev.cgan.bindings.PoolKind;
import dev.cgan.tensor.ActivationGradient;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Node;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;

/**
 * The operators of layers, without state. All are differentiable in their floating operands, and so are their gradients;
 * results join the innermost open scope. A bias may be null.
 */
public final class Functional {
    private Functional() {}

    // ---- dense ----

    /**
     * {@return activation(x weight^T + bias): [n, out]}
     *
     * @param x [n, in]
     * @param weight [out, in]
     * @param bias [out] or null
     */
    public static Tensor dense(Tensor x, Tensor weight, Tensor bias, Activation activation) {
        if (x.shape().rank() != 2 || weight.shape().rank() != 2 || x.dim(1) != weight.dim(1)) {
            throw new IllegalArgumentException(
                    "dense: x must be [n,in] and weight [out,in] with equal in; they are " + x + " and " + weight);
        }
        Tensor y = Kernels.dense(activation.kind(), activation.slope(), x, weight, bias);
        return Node.record(
                y,
                "dense",
                (g, needs) -> {
                    Tensor before = ActivationGradient.of(y, activation.kind(), activation.slope(), g, needs.graph());
                    return new Tensor[] {
                        needs.input(0) ? before.matmul(weight) : null,
                        needs.input(1) ? before.matmul(x, true, false) : null,
                        needs.inputs() == 3 && needs.input(2) ? before.sum(0) : null
                    };
                },
                bias == null ? new Tensor[] {x, weight} : new Tensor[] {x, weight, bias});
    }

    // ---- convolution ----

    /**
     * {@return activation(conv(x, weight) + bias): [n, oh, ow, k], cross-correlation}
     *
     * @param x [n, h, w, c]
     * @param weight [k, r, s, c]
     * @param bias [k] or null
     */
    public static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, Conv2dOptions options) {
        return Convolution.forward(params(x, weight, options), x, weight, bias);
    }

    /**
     * {@return activation(maxPool 2x2, stride 2, of (conv(x, weight) + bias)): [n, oh/2, ow/2, k]} An odd last row or column
     * is dropped. The same as pooling after the activation, which is monotone, at a quarter of its cost.
     */
    public static Tensor conv2dMaxPool(Tensor x, Tensor weight, Tensor bias, Conv2dOptions options) {
        return Convolution.pooled(params(x, weight, options), x, weight, bias);
    }

    private static Conv2dParams params(Tensor x, Tensor weight, Conv2dOptions options) {
        Shape kernel = weight.shape();
        if (kernel.rank() != 4) {
            throw new IllegalArgumentException("conv2d: weight must be [k,r,s,c]; it is " + weight);
        }
        return options.params(x.shape(), kernel.dim(1), kernel.dim(2));
    }

    /**
     * {@return activation(transposed convolution of x + bias): [n, oh, ow, c]}
     *
     * <p>oh = h * stride for same padding, else (h - 1) * stride - top - bottom + r + outputPadding; ow likewise.
     *
     * @param x [n, h, w, k]
     * @param weight [k, r, s, c]: k channels in, c channels out
     * @param bias [c] or null
     * @param options stride, padding, activation; upsampling must be 1
     * @param outputPadding rows and columns added at the bottom and right, less than the stride; 0 for same
     *     padding
     */
    public static Tensor convTranspose2d(
            Tensor x, Tensor weight, Tensor bias, Conv2dOptions options, int outputPadding) {
        Shape src = transposedShape(x.shape(), weight.shape(), options, outputPadding);
        Conv2dParams p = options.params(src, weight.dim(1), weight.dim(2));
        return Convolution.transposed(p, x, weight, bias, src);
    }

    /** The shape of a transposed convolution's result. */
    static Shape transposedShape(Shape x, Shape weight, Conv2dOptions options, int outputPadding) {
        if (x.rank() != 4 || weight.rank() != 4 || x.dim(3) != weight.dim(0)) {
            throw new IllegalArgumentException(
                    "convTranspose2d: x must be [n,h,w,k] and weight [k,r,s,c] with equal k; they are " + x + " and "
                            + weight);
        }
        int mostPadding = options.padding().isSame() ? 0 : Math.min(options.strideH(), options.strideW()) - 1;
        if (options.upsample() != 1 || outputPadding < 0 || outputPadding > mostPadding) {
            throw new IllegalArgumentException("convTranspose2d: upsample " + options.upsample()
                    + " must be 1, and outputPadding " + outputPadding + " of 0 .. " + mostPadding);
        }
        long height = x.dim(1) * options.strideH();
        long width = x.dim(2) * options.strideW();
        if (!options.padding().isSame()) {
            int[] vertical = options.padding().vertical(0, 0, 1);
            int[] horizontal = options.padding().horizontal(0, 0, 1);
            height += weight.dim(1) - options.strideH() - vertical[0] - vertical[1] + outputPadding;
            width += weight.dim(2) - options.strideW() - horizontal[0] - horizontal[1] + outputPadding;
        }
        if (height < 0 || width < 0) {
            throw new IllegalArgumentException(
                    "convTranspose2d: padding " + options.padding() + " is larger than the result of " + x);
        }
        return Shape.of(x.dim(0), height, width, weight.dim(3));
    }

    // ---- pooling ----

    /**
     * {@return the maximum of each window: [n, oh, ow, c]; rows and columns that fill no window are dropped}
     *
     * @param x [n, h, w, c]
     * @param window rows and columns of a window
     * @param stride from one window to the next
     */
    public static Tensor maxPool2d(Tensor x, int window, int stride) {
        return Pooling.pool(Kernels.pooling(PoolKind.MAX, window, stride), x);
    }

    /** {@return the mean of each window; shapes as in {@link #maxPool2d}} */
    public static Tensor averagePool2d(Tensor x, int window, int stride) {
        return Pooling.pool(Kernels.pooling(PoolKind.AVERAGE, window, stride), x);
    }

    /** {@return windows reduced with any geometry; padding never wins a maximum, and counts as 0 in a mean} */
    public static Tensor pool2d(Tensor x, Pool2dParams params) {
        return Pooling.pool(params, x);
    }

    /** {@return each pixel of x [n, h, w, c] repeated: [n, h * factor, w * factor, c]} */
    public static Tensor upsample2d(Tensor x, int factor) {
        if (x.shape().rank() != 4 || factor < 1) {
            throw new IllegalArgumentException(
                    "upsample2d: " + x + " must be [n,h,w,c] and the factor " + factor + " at least 1");
        }
        return Pooling.upsample(factor, x);
    }

    // ---- normalisation ----

    /**
     * {@return x normalised by the batch's mean and biased variance over all axes but the last (Ioffe and Szegedy 2015)}
     *
     * @param x [..., c]
     * @param gamma scale [c] or null for 1
     * @param beta shift [c] or null for 0
     * @param runningMean [c], moved towards the batch's mean; null together with runningVar
     * @param runningVar [c], moved towards the batch's biased variance
     * @param epsilon added to the variance
     * @param momentum share of the running statistics that stays
     */
    public static Tensor batchNormTraining(
            Tensor x,
            Tensor gamma,
            Tensor beta,
            Tensor runningMean,
            Tensor runningVar,
            double epsilon,
            double momentum) {
        return Normalization.batchTraining(x, gamma, beta, runningMean, runningVar, epsilon, momentum);
    }

    /** {@return x normalised by given statistics; operands as in {@link #batchNormTraining}} */
    public static Tensor batchNormInference(
            Tensor x, Tensor gamma, Tensor beta, Tensor runningMean, Tensor runningVar, double epsilon) {
        return Normalization.batchInference(x, gamma, beta, runningMean, runningVar, epsilon);
    }

    /**
     * {@return each row normalised by its own mean and biased variance (Ba, Kiros and Hinton 2016)}
     *
     * @param x [n, ...]; a row is all of one n
     * @param gamma scale, as many values as a row, or null
     * @param beta shift, as many values as a row, or null
     */
    public static Tensor layerNorm(Tensor x, Tensor gamma, Tensor beta, double epsilon) {
        long features = x.shape().with(0, 1).size();
        Tensor rows = x.reshape(x.dim(0), features);
        Tensor scale = gamma == null ? null : gamma.reshape(features);
        Tensor shift = beta == null ? null : beta.reshape(features);
        return Normalization.layer(rows, scale, shift, epsilon)
                .reshape(x.shape().dims());
    }

    // ---- rows, classes ----

    /**
     * {@return row index[i] of the table for each i: [n, e]}
     *
     * @param table [v, e]
     * @param index I32 [n], of 0 .. v - 1
     */
    public static Tensor gather(Tensor table, Tensor index) {
        return Node.record(
                Kernels.gatherRows(table, index),
                "gather",
                (g, needs) -> new Tensor[] {scatterAdd(index, g, table.dim(0))},
                table);
    }

    /** {@return [rows, e]: for each row the sum of the x[i, :] with index[i] = row; the transpose of {@link #gather}} */
    public static Tensor scatterAdd(Tensor index, Tensor x, long rows) {
        return Node.record(
                Kernels.scatterAddRows(index, x, rows), "scatterAdd", (g, needs) -> new Tensor[] {gather(g, index)}, x);
    }

    /**
     * {@return [n, classes]: 1 at each label, else 0}
     *
     * @param labels I32 [n], of 0 .. classes - 1
     */
    public static Tensor oneHot(Tensor labels, int classes, DType dtype) {
        Device device = labels.device();
        // On the device, so that a step with labels can be captured: ones classes + 1 apart lie on the diagonal.
        Tensor ones = device.full(1, dtype, Shape.of(classes, 1));
        Tensor spaced = Tensor.concat(1, ones, device.zeros(dtype, Shape.of(classes, classes)));
        Tensor identity =
                spaced.reshape(-1).slice(0, 0, (long) classes * classes).reshape(classes, classes);
        return Kernels.gatherRows(identity, labels);
    }

    /** {@return softmax over the last axis} */
    public static Tensor softmax(Tensor x) {
        Tensor y = Kernels.softmax(false, x);
        return Node.record(
                y,
                "softmax",
                (g, needs) -> new Tensor[] {
                    needs.graph() ? y.times(g.minus(g.times(y).sumKeepDims(-1))) : Kernels.softmaxBackward(false, y, g)
                },
                x);
    }

    /** {@return the logarithm of softmax over the last axis} */
    public static Tensor logSoftmax(Tensor x) {
        Tensor y = Kernels.softmax(true, x);
        return Node.record(
                y,
                "logSoftmax",
                (g, needs) -> new Tensor[] {
                    needs.graph() ? g.minus(y.exp().times(g.sumKeepDims(-1))) : Kernels.softmaxBackward(true, y, g)
                },
                x);
    }

    /**
     * {@return the mean of -log softmax(logits) at the labels, a scalar}
     *
     * @param logits [n, classes]
     * @param labels I32 [n]
     */
    public static Tensor softmaxCrossEntropy(Tensor logits, Tensor labels) {
        int classes = Math.toIntExact(logits.dim(1));
        Tensor picked = logSoftmax(logits).times(oneHot(labels, classes, logits.dtype()));
        return picked.sum().times(-1.0 / Math.max(1, logits.dim(0)));
    }

    // ---- noise ----

    /**
     * {@return x with elements set to 0 with probability {@code rate}, the others scaled by 1 / (1 - rate) (Srivastava et
     * al. 2014)}
     *
     * @param purpose what the mask is drawn for
     */
    public static Tensor dropout(Tensor x, double rate, String purpose, RandomSource random) {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException("the dropout rate must be of [0, 1), but is " + rate);
        }
        return x.times(
                random.bernoulli(purpose, 1 - rate, 1 / (1 - rate), x.shape().dims()));
    }
}
