// Stands in for libcudnn.so on the simulator: pooling, activations and batch normalisation.
#include <cmath>
#include <vector>

#include "cudnn_objects.h"

using namespace cgan_sim::vendor;

namespace {

const float* floats(const void* p) { return static_cast<const float*>(p); }

void require_same(const TensorShape* a, const TensorShape* b, const char* argument) {
    require(a->same(*b), kShapeMismatch, argument, "is " + a->text() + ", must be " + b->text());
}

// ---- pooling ------------------------------------------------------------------------------------

struct Pooling {
    int n, h, w, c, oh, ow;
    PoolingWindow p;

    bool average() const { return p.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING; }

    // body(window, pixel): each an offset of an element
    template <class Body> void each(Body&& body) const {
        for (int i = 0; i < n; i++)
            for (int oy = 0; oy < oh; oy++)
                for (int ox = 0; ox < ow; ox++)
                    for (int a = 0; a < p.window_h; a++)
                        for (int b = 0; b < p.window_w; b++) {
                            const int y = oy * p.stride_h - p.pad_h + a, x = ox * p.stride_w - p.pad_w + b;
                            if (y < 0 || y >= h || x < 0 || x >= w) continue;
                            const std::int64_t window = (std::int64_t(i) * oh + oy) * ow + ox;
                            const std::int64_t pixel = (std::int64_t(i) * h + y) * w + x;
                            for (int k = 0; k < c; k++) body(window * c + k, pixel * c + k);
                        }
    }
    double area() const { return double(p.window_h) * p.window_w; }
};

Pooling check_pooling(const cudnnPoolingStruct* p, const cudnnTensorStruct* x, const cudnnTensorStruct* y) {
    require_set(p, "poolingDesc");
    require_set(x, "xDesc");
    require_set(y, "yDesc");
    TensorShape want;
    want.n = x->n, want.c = x->c;
    want.h = 1 + (x->h + 2 * p->pad_h - p->window_h) / p->stride_h;
    want.w = 1 + (x->w + 2 * p->pad_w - p->window_w) / p->stride_w;
    require_same(y, &want, "yDesc");
    return {x->n, x->h, x->w, x->c, y->h, y->w, *p};
}

// ---- activations --------------------------------------------------------------------------------

float activate(cudnnActivationMode_t mode, float x) {
    if (mode == CUDNN_ACTIVATION_RELU) return x <= 0 ? 0 : x; // NaN stays
    return float(mode == CUDNN_ACTIVATION_TANH ? std::tanh(double(x)) : 1 / (1 + std::exp(-double(x))));
}

double slope(cudnnActivationMode_t mode, double y) {
    if (mode == CUDNN_ACTIVATION_RELU) return y > 0 ? 1 : 0;
    return mode == CUDNN_ACTIVATION_TANH ? 1 - y * y : y * (1 - y);
}

// ---- batch normalisation ------------------------------------------------------------------------

constexpr double kLeastEpsilon = 0; // CUDNN_BN_MIN_EPSILON

void check_norm(cudnnBatchNormMode_t mode, const cudnnTensorStruct* x, const cudnnTensorStruct* params,
                double epsilon) {
    require(mode == CUDNN_BATCHNORM_SPATIAL, kBadParam, "mode", "is " + std::to_string(int(mode)));
    require_set(x, "xDesc");
    require_set(params, "bnScaleBiasMeanVarDesc");
    TensorShape want;
    want.n = want.h = want.w = 1;
    want.c = x->c;
    require_same(params, &want, "bnScaleBiasMeanVarDesc");
    require(epsilon >= kLeastEpsilon, kBadParam, "epsilon", "is " + std::to_string(epsilon));
}

// The parameters are vectors, of which nothing but the alignment of floats is asked.
void require_vector(const cudnnTensorStruct* params, const void* p, const char* argument) {
    require_floats(p, params->c, kBadParam, argument);
}

struct Statistics {
    double mean = 0, variance = 0; // biased
};

Statistics channel_statistics(const float* x, std::int64_t rows, int c, int channel) {
    Statistics s;
    for (std::int64_t i = 0; i < rows; i++) s.mean += double(x[i * c + channel]);
    s.mean /= double(rows);
    for (std::int64_t i = 0; i < rows; i++) {
        const double d = double(x[i * c + channel]) - s.mean;
        s.variance += d * d;
    }
    s.variance /= double(rows);
    return s;
}

} // namespace

cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t pooling,
                                  const void* alpha, const cudnnTensorDescriptor_t x_desc, const void* x,
                                  const void* beta, const cudnnTensorDescriptor_t y_desc, void* y) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        const Pooling p = check_pooling(pooling, x_desc, y_desc);
        const Scaling scaling = read_scaling(alpha, beta);
        require_data(x_desc, x, "x");
        require_data(y_desc, y, "y");
        require_apart(x_desc, x, y_desc, y, "y");
        cgan_sim::enqueue_vendor_work(
            handle->stream, [=, from = floats(x), to = static_cast<float*>(y), count = y_desc->elems()] {
                std::vector<double> values(std::size_t(count), p.average() ? 0.0 : -INFINITY);
                p.each([&](std::int64_t window, std::int64_t pixel) {
                    double& value = values[std::size_t(window)];
                    const double v = double(from[pixel]);
                    if (p.average())
                        value += v / p.area();
                    else if (!(v <= value) && value == value)
                        value = v; // NaN wins
                });
                for (std::int64_t i = 0; i < count; i++) to[i] = scaling(values[std::size_t(i)], to[i]);
            });
    });
}

// Of averages only: a maximum's needs x and y, which nobody here keeps.
cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t pooling,
                                   const void* alpha, const cudnnTensorDescriptor_t y_desc, const void* y,
                                   const cudnnTensorDescriptor_t dy_desc, const void* dy,
                                   const cudnnTensorDescriptor_t x_desc, const void* x, const void* beta,
                                   const cudnnTensorDescriptor_t dx_desc, void* dx) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        const Pooling p = check_pooling(pooling, x_desc, y_desc);
        require(p.average(), kNotSupported, "poolingDesc", "is a maximum");
        require_set(dy_desc, "dyDesc");
        require_set(dx_desc, "dxDesc");
        require_same(dy_desc, y_desc, "dyDesc");
        require_same(dx_desc, x_desc, "dxDesc");
        const Scaling scaling = read_scaling(alpha, beta);
        require_data(y_desc, y, "y");
        require_data(dy_desc, dy, "dy");
        require_data(x_desc, x, "x");
        require_data(dx_desc, dx, "dx");
        require_apart(dy_desc, dy, dx_desc, dx, "dx");
        cgan_sim::enqueue_vendor_work(
            handle->stream, [=, from = floats(dy), to = static_cast<float*>(dx), count = dx_desc->elems()] {
                std::vector<double> sums(static_cast<std::size_t>(count));
                p.each([&](std::int64_t window, std::int64_t pixel) {
                    sums[std::size_t(pixel)] += double(from[window]) / p.area();
                });
                for (std::int64_t i = 0; i < count; i++) to[i] = scaling(sums[std::size_t(i)], to[i]);
            });
    });
}

cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t activation,
                                     const void* alpha, const cudnnTensorDescriptor_t x_desc, const void* x,
                                     const void* beta, const cudnnTensorDescriptor_t y_desc, void* y) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        require_set(activation, "activationDesc");
        require_set(x_desc, "xDesc");
        require_set(y_desc, "yDesc");
        require_same(y_desc, x_desc, "yDesc");
        const Scaling scaling = read_scaling(alpha, beta);
        require_data(x_desc, x, "x");
        require_data(y_desc, y, "y");
        if (x != y) require_apart(x_desc, x, y_desc, y, "y"); // in place is allowed
        cgan_sim::enqueue_vendor_work(handle->stream, [=, from = floats(x), to = static_cast<float*>(y),
                                                       mode = activation->mode, count = x_desc->elems()] {
            for (std::int64_t i = 0; i < count; i++) to[i] = scaling(double(activate(mode, from[i])), to[i]);
        });
    });
}

cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t activation,
                                      const void* alpha, const cudnnTensorDescriptor_t y_desc, const void* y,
                                      const cudnnTensorDescriptor_t dy_desc, const void* dy,
                                      const cudnnTensorDescriptor_t x_desc, const void* x, const void* beta,
                                      const cudnnTensorDescriptor_t dx_desc, void* dx) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        require_set(activation, "activationDesc");
        for (const cudnnTensorStruct* t : {y_desc, dy_desc, x_desc, dx_desc}) {
            require_set(t, "yDesc, dyDesc, xDesc, dxDesc");
            require_same(t, y_desc, "dyDesc, xDesc, dxDesc");
        }
        const Scaling scaling = read_scaling(alpha, beta);
        require_data(y_desc, y, "y");
        require_data(dy_desc, dy, "dy");
        require_data(x_desc, x, "x");
        require_data(dx_desc, dx, "dx");
        if (dx != dy) require_apart(dy_desc, dy, dx_desc, dx, "dx"); // in place is allowed
        cgan_sim::enqueue_vendor_work(handle->stream, [=, result = floats(y), from = floats(dy),
                                                       to = static_cast<float*>(dx), mode = activation->mode,
                                                       count = y_desc->elems()] {
            for (std::int64_t i = 0; i < count; i++)
                to[i] = scaling(double(from[i]) * slope(mode, double(result[i])), to[i]);
        });
    });
}

cudnnStatus_t cudnnBatchNormalizationForwardTraining(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha, const void* beta,
    const cudnnTensorDescriptor_t x_desc, const void* x, const cudnnTensorDescriptor_t y_desc, void* y,
    const cudnnTensorDescriptor_t param_desc, const void* scale, const void* bias, double average_factor,
    void* running_mean, void* running_variance, double epsilon, void* save_mean, void* save_inv_variance) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        check_norm(mode, x_desc, param_desc, epsilon);
        require_set(y_desc, "yDesc");
        require_same(y_desc, x_desc, "yDesc");
        const Scaling scaling = read_scaling(alpha, beta);
        require_data(x_desc, x, "x");
        require_data(y_desc, y, "y");
        require_vector(param_desc, scale, "bnScale");
        require_vector(param_desc, bias, "bnBias");
        require((running_mean == nullptr) == (running_variance == nullptr), kBadParam, "resultRunningMean",
                "and resultRunningVariance must be null together");
        require((save_mean == nullptr) == (save_inv_variance == nullptr), kBadParam, "resultSaveMean",
                "and resultSaveInvVariance must be null together");
        if (running_mean) {
            require_vector(param_desc, running_mean, "resultRunningMean");
            require_vector(param_desc, running_variance, "resultRunningVariance");
        }
        if (save_mean) {
            require_vector(param_desc, save_mean, "resultSaveMean");
            require_vector(param_desc, save_inv_variance, "resultSaveInvVariance");
        }
        const int c = x_desc->c;
        const std::int64_t rows = x_desc->elems() / c;
        cgan_sim::enqueue_vendor_work(handle->stream, [=, from = floats(x), to = static_cast<float*>(y),
                                                       gamma = floats(scale), offset = floats(bias),
                                                       means = static_cast<float*>(running_mean),
                                                       variances = static_cast<float*>(running_variance),
                                                       mean_out = static_cast<float*>(save_mean),
                                                       inverse_out = static_cast<float*>(save_inv_variance)] {
            for (int k = 0; k < c; k++) {
                const Statistics s = channel_statistics(from, rows, c, k);
                const double inverse = 1 / std::sqrt(s.variance + epsilon);
                for (std::int64_t i = k; i < rows * c; i += c)
                    to[i] = scaling(
                        (double(from[i]) - s.mean) * inverse * double(gamma[k]) + double(offset[k]), to[i]);
                if (mean_out) mean_out[k] = float(s.mean), inverse_out[k] = float(inverse);
                if (!means) continue;
                // The running variance is that of the population, with rows - 1 in the denominator.
                const double unbiased = rows > 1 ? s.variance * double(rows) / double(rows - 1) : s.variance;
                means[k] = float(double(means[k]) * (1 - average_factor) + s.mean * average_factor);
                variances[k] = float(double(variances[k]) * (1 - average_factor) + unbiased * average_factor);
            }
        });
    });
}

cudnnStatus_t cudnnBatchNormalizationForwardInference(cudnnHandle_t handle, cudnnBatchNormMode_t mode,
                                                      const void* alpha, const void* beta,
                                                      const cudnnTensorDescriptor_t x_desc, const void* x,
                                                      const cudnnTensorDescriptor_t y_desc, void* y,
                                                      const cudnnTensorDescriptor_t param_desc,
                                                      const void* scale, const void* bias, const void* mean,
                                                      const void* variance, double epsilon) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        check_norm(mode, x_desc, param_desc, epsilon);
        require_set(y_desc, "yDesc");
        require_same(y_desc, x_desc, "yDesc");
        const Scaling scaling = read_scaling(alpha, beta);
        require_data(x_desc, x, "x");
        require_data(y_desc, y, "y");
        require_vector(param_desc, scale, "bnScale");
        require_vector(param_desc, bias, "bnBias");
        require_vector(param_desc, mean, "estimatedMean");
        require_vector(param_desc, variance, "estimatedVariance");
        cgan_sim::enqueue_vendor_work(handle->stream, [=, from = floats(x), to = static_cast<float*>(y),
                                                       gamma = floats(scale), offset = floats(bias),
                                                       means = floats(mean), variances = floats(variance),
                                                       c = x_desc->c, count = x_desc->elems()] {
            for (std::int64_t i = 0; i < count; i++) {
                const std::int64_t k = i % c;
                const double normal =
                    (double(from[i]) - double(means[k])) / std::sqrt(double(variances[k]) + epsilon);
                to[i] = scaling(normal * double(gamma[k]) + double(offset[k]), to[i]);
            }
        });
    });
}

cudnnStatus_t cudnnBatchNormalizationBackward(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha_data, const void* beta_data,
    const void* alpha_param, const void* beta_param, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnTensorDescriptor_t dx_desc, void* dx,
    const cudnnTensorDescriptor_t param_desc, const void* scale, void* d_scale, void* d_bias, double epsilon,
    const void* saved_mean, const void* saved_inv_variance) {
    return dnn_call(__func__, [&] {
        require_handle(handle);
        check_norm(mode, x_desc, param_desc, epsilon);
        require_set(dy_desc, "dyDesc");
        require_set(dx_desc, "dxDesc");
        require_same(dy_desc, x_desc, "dyDesc");
        require_same(dx_desc, x_desc, "dxDesc");
        const Scaling data = read_scaling(alpha_data, beta_data),
                      params = read_scaling(alpha_param, beta_param);
        require_data(x_desc, x, "x");
        require_data(dy_desc, dy, "dy");
        require_data(dx_desc, dx, "dx");
        require_vector(param_desc, scale, "bnScale");
        require_vector(param_desc, d_scale, "dBnScaleResult");
        require_vector(param_desc, d_bias, "dBnBiasResult");
        require((saved_mean == nullptr) == (saved_inv_variance == nullptr), kBadParam, "savedMean",
                "and savedInvVariance must be null together");
        require_vector(param_desc, saved_mean, "savedMean");
        require_vector(param_desc, saved_inv_variance, "savedInvVariance");
        const int c = x_desc->c;
        const std::int64_t rows = x_desc->elems() / c;
        cgan_sim::enqueue_vendor_work(
            handle->stream,
            [=, from = floats(x), gradient = floats(dy), to = static_cast<float*>(dx), gamma = floats(scale),
             gamma_out = static_cast<float*>(d_scale), bias_out = static_cast<float*>(d_bias),
             means = floats(saved_mean), inverses = floats(saved_inv_variance)] {
                for (int k = 0; k < c; k++) {
                    const double mean = double(means[k]), inverse = double(inverses[k]);
                    double sum = 0, product = 0;
                    for (std::int64_t i = k; i < rows * c; i += c) {
                        sum += double(gradient[i]);
                        product += double(gradient[i]) * (double(from[i]) - mean) * inverse;
                    }
                    for (std::int64_t i = k; i < rows * c; i += c) {
                        const double normal = (double(from[i]) - mean) * inverse;
                        const double d =
                            double(gradient[i]) - sum / double(rows) - normal * product / double(rows);
                        to[i] = data(double(gamma[k]) * inverse * d, to[i]);
                    }
                    gamma_out[k] = params(product, gamma_out[k]);
                    bias_out[k] = params(sum, bias_out[k]);
                }
            });
    });
}
