// layers.cu: pooling, activations and batch normalisation by cuDNN
#include "../divider.h"
#include "descriptors.h"
#include "glue.h"
#include "operators.h"

namespace cgan::cuda::vendor {
namespace {

TensorDescriptor describe_image(const Machine& m, const View& v) {
    return describe_tensor(m, int(v.dims[0]), int(v.dims[1]), int(v.dims[2]), int(v.dims[3]));
}

// ---- pooling ------------------------------------------------------------------------------------

// cuDNN pads both sides alike: windows, and so results, are ours if that gives as many of them.
bool same_windows(const cgan_pool2d_params& p, const View& src, const View& dst) {
    return (src.dims[1] + 2 * p.pad_top - p.window_h) / p.stride_h + 1 == dst.dims[1] &&
           (src.dims[2] + 2 * p.pad_left - p.window_w) / p.stride_w + 1 == dst.dims[2];
}

Owned<cudnnPoolingDescriptor_t> describe_pooling(const Machine& m, const cgan_pool2d_params& p) {
    auto pooling = CGAN_CUDNN_DESCRIPTOR(m, Pooling);
    CGAN_CUDNN(m, cudnnSetPooling2dDescriptor, pooling.get(),
               p.kind == CGAN_POOL_MAX ? CUDNN_POOLING_MAX_DETERMINISTIC
                                       : CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING,
               CUDNN_PROPAGATE_NAN, p.window_h, p.window_w, p.pad_top, p.pad_left, p.stride_h, p.stride_w);
    return pooling;
}

bool fits(const View& a, const View& b) { return a.elems() <= kMaxIndex && b.elems() <= kMaxIndex; }

// ---- activations --------------------------------------------------------------------------------

bool has_activation(int kind) {
    return kind == CGAN_UNARY_RELU || kind == CGAN_UNARY_TANH || kind == CGAN_UNARY_SIGMOID;
}

Owned<cudnnActivationDescriptor_t> describe_activation(const Machine& m, int kind) {
    auto activation = CGAN_CUDNN_DESCRIPTOR(m, Activation);
    CGAN_CUDNN(m, cudnnSetActivationDescriptor, activation.get(),
               kind == CGAN_UNARY_RELU   ? CUDNN_ACTIVATION_RELU
               : kind == CGAN_UNARY_TANH ? CUDNN_ACTIVATION_TANH
                                         : CUDNN_ACTIVATION_SIGMOID,
               CUDNN_PROPAGATE_NAN, 0.0);
    return activation;
}

// ---- batch normalisation ------------------------------------------------------------------------

constexpr std::int64_t kMostRows = 65535; // images of a batch that cuDNN's kernels take

bool normalizes(const View& src) { return src.elems() <= kMaxIndex && src.rows() <= kMostRows; }

// Rows as images of one pixel: memory is the same, and the statistics are of channels in either case.
TensorDescriptor describe_rows(const Machine& m, const View& v) {
    return describe_tensor(m, int(v.rows()), 1, 1, int(v.last()));
}

// gamma and beta, which cuDNN does not let one leave out.
class Parameter {
  public:
    Parameter(const Device& device, const View& given, std::int64_t count, float otherwise)
        : made_(device, given.present() ? 0 : count),
          data_(given.present() ? given.as<float>() : made_.data()) {
        if (!given.present()) set_all(device, made_.data(), count, otherwise);
    }
    float* data() const { return data_; }

  private:
    Scratch<float> made_;
    float* data_;
};

} // namespace

bool Operators::pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                               const View& arg) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || !fits(src, dst) || !same_windows(p, src, dst)) return false;
    m.device().activate();
    const auto pooling = describe_pooling(m, p);
    const TensorDescriptor x_desc = describe_image(m, src), y_desc = describe_image(m, dst);
    const AlignedInput x(m.device(), src);
    const AlignedOutput y(m.device(), dst);
    CGAN_CUDNN(m, cudnnPoolingForward, m.dnn(), pooling.get(), &kOne, x_desc.get(), x.data(), &kZero,
               y_desc.get(), y.data());
    y.finish();
    if (p.kind == CGAN_POOL_MAX) locate_maxima(m.device(), p, src, dst, arg.as<std::uint8_t>());
    return true;
}

// An average's gradient follows from d_dst alone; that of a maximum needs the operands, which cgan does not keep.
bool Operators::pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& d_src) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || p.kind == CGAN_POOL_MAX || !fits(d_src, d_dst) || !same_windows(p, d_src, d_dst))
        return false;
    m.device().activate();
    const auto pooling = describe_pooling(m, p);
    const TensorDescriptor x_desc = describe_image(m, d_src), y_desc = describe_image(m, d_dst);
    const AlignedInput dy(m.device(), d_dst);
    const AlignedOutput dx(m.device(), d_src);
    CGAN_CUDNN(m, cudnnPoolingBackward, m.dnn(), pooling.get(), &kOne, y_desc.get(), dy.data(), y_desc.get(),
               dy.data(), x_desc.get(), dx.data(), &kZero, x_desc.get(), dx.data());
    dx.finish();
    return true;
}

bool Operators::unary(const cgan_unary_params& p, const View& src, const View& dst) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || !has_activation(p.kind) || src.elems() > kMaxIndex) return false;
    m.device().activate();
    const auto activation = describe_activation(m, p.kind);
    const TensorDescriptor desc = describe_tensor(m, 1, 1, 1, int(src.elems()));
    const AlignedInput x(m.device(), src);
    const AlignedOutput y(m.device(), dst);
    CGAN_CUDNN(m, cudnnActivationForward, m.dnn(), activation.get(), &kOne, desc.get(), x.data(), &kZero,
               desc.get(), y.data());
    y.finish();
    return true;
}

// Of these three, cuDNN's derivative follows from y; x is y, as after an activation in place.
bool Operators::activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                                    const View& d_src) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || !has_activation(p.kind) || dst.elems() > kMaxIndex) return false;
    m.device().activate();
    const auto activation = describe_activation(m, p.kind);
    const TensorDescriptor desc = describe_tensor(m, 1, 1, 1, int(dst.elems()));
    const AlignedInput y(m.device(), dst), dy(m.device(), d_dst);
    const AlignedOutput dx(m.device(), d_src);
    CGAN_CUDNN(m, cudnnActivationBackward, m.dnn(), activation.get(), &kOne, desc.get(), y.data(), desc.get(),
               dy.data(), desc.get(), y.data(), &kZero, desc.get(), dx.data());
    dx.finish();
    return true;
}

// cuDNN's running variance is the unbiased one, ours the biased: it updates statistics of its own, which start at
// nothing and take the whole of this batch, and ours follow from those.
bool Operators::batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma,
                                    const View& beta, const View& running_mean, const View& running_var,
                                    const View& dst, const View& mean, const View& rstd) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || !normalizes(src)) return false;
    m.device().activate();
    const std::int64_t c = src.last(), batch_elems = running_mean.present() ? 2 * c : 0;
    const Parameter scale(m.device(), gamma, c, 1), offset(m.device(), beta, c, 0);
    const Scratch<float> batch(m.device(), batch_elems);
    if (batch_elems) set_all(m.device(), batch.data(), batch_elems, 0); // cuDNN reads it, times zero
    const TensorDescriptor desc = describe_rows(m, src), params = describe_tensor(m, 1, 1, 1, int(c));
    const AlignedInput x(m.device(), src);
    const AlignedOutput y(m.device(), dst);
    CGAN_CUDNN(m, cudnnBatchNormalizationForwardTraining, m.dnn(), CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero,
               desc.get(), x.data(), desc.get(), y.data(), params.get(), scale.data(), offset.data(), 1.0,
               batch.data(), batch_elems ? batch.data() + c : nullptr, p.epsilon, mean.as<float>(),
               rstd.as<float>());
    y.finish();
    if (batch_elems)
        update_running(m.device(), p.momentum, src.rows(), c, batch.data(), running_mean.as<float>(),
                       running_var.as<float>());
    return true;
}

bool Operators::batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& beta, const View& running_mean, const View& running_var,
                                     const View& dst) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || !normalizes(src)) return false;
    m.device().activate();
    const std::int64_t c = src.last();
    const Parameter scale(m.device(), gamma, c, 1), offset(m.device(), beta, c, 0);
    const TensorDescriptor desc = describe_rows(m, src), params = describe_tensor(m, 1, 1, 1, int(c));
    const AlignedInput x(m.device(), src);
    const AlignedOutput y(m.device(), dst);
    CGAN_CUDNN(m, cudnnBatchNormalizationForwardInference, m.dnn(), CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero,
               desc.get(), x.data(), desc.get(), y.data(), params.get(), scale.data(), offset.data(),
               running_mean.as<float>(), running_var.as<float>(), p.epsilon);
    y.finish();
    return true;
}

bool Operators::batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma,
                                    const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                    const View& d_gamma, const View& d_beta) {
    const Machine& m = *machine_;
    if (!m.has_cudnn() || !normalizes(src)) return false;
    m.device().activate();
    const std::int64_t c = src.last();
    const Parameter scale(m.device(), gamma, c, 1), d_scale(m.device(), d_gamma, c, 0),
        d_offset(m.device(), d_beta, c, 0);
    const TensorDescriptor desc = describe_rows(m, src), params = describe_tensor(m, 1, 1, 1, int(c));
    const AlignedInput x(m.device(), src), dy(m.device(), d_dst);
    const AlignedOutput dx(m.device(), d_src);
    CGAN_CUDNN(m, cudnnBatchNormalizationBackward, m.dnn(), CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero, &kOne,
               &kZero, desc.get(), x.data(), desc.get(), dy.data(), desc.get(), dx.data(), params.get(),
               scale.data(), d_scale.data(), d_offset.data(), p.epsilon, mean.as<float>(), rstd.as<float>());
    dx.finish();
    return true;
}

} // namespace cgan::cuda::vendor
