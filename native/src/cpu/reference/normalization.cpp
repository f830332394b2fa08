// Normalisation over rows (batch norm: each channel over all pixels) and over features (layer norm: each
// row).
#include <cmath>

#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {
namespace {

struct Moments {
    double mean, variance; // biased
};

// Of `count` elements that lie `stride` apart. Two passes, so that a large mean does not hide the variance.
template <class T> Moments moments(const T* src, std::int64_t count, std::int64_t stride) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < count; i++) sum += src[i * stride];
    const double mean = sum / static_cast<double>(count);
    for (std::int64_t i = 0; i < count; i++) squares += (src[i * stride] - mean) * (src[i * stride] - mean);
    return {mean, squares / static_cast<double>(count)};
}

template <class T> double element_or(const View& vector, std::int64_t i, double absent) {
    return vector.present() ? vector.as<T>()[i] : absent;
}

template <class T> void update_running(const View& running, std::int64_t i, double momentum, double value) {
    T& kept = running.as<T>()[i];
    kept = static_cast<T>(momentum * kept + (1 - momentum) * value);
}

} // namespace

void batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                         const View& running_mean, const View& running_var, const View& dst, const View& mean,
                         const View& rstd) {
    const std::int64_t rows = src.rows(), channels = src.last();
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t c = 0; c < channels; c++) {
            const T* x = src.as<T>() + c;
            T* y = dst.as<T>() + c;
            const Moments m = moments(x, rows, channels);
            const double scale = 1 / std::sqrt(m.variance + p.epsilon);
            const double g = element_or<T>(gamma, c, 1), b = element_or<T>(beta, c, 0);
            for (std::int64_t i = 0; i < rows; i++) {
                y[i * channels] = static_cast<T>(g * ((x[i * channels] - m.mean) * scale) + b);
            }
            mean.as<T>()[c] = static_cast<T>(m.mean);
            rstd.as<T>()[c] = static_cast<T>(scale);
            if (!running_mean.present()) continue;
            update_running<T>(running_mean, c, p.momentum, m.mean);
            update_running<T>(running_var, c, p.momentum, m.variance);
        }
    });
}

void batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                          const View& running_mean, const View& running_var, const View& dst) {
    const std::int64_t rows = src.rows(), channels = src.last();
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < rows; i++) {
            for (std::int64_t c = 0; c < channels; c++) {
                const double scale = 1 / std::sqrt(running_var.as<T>()[c] + p.epsilon);
                const double centred =
                    static_cast<double>(src.as<T>()[i * channels + c]) - running_mean.as<T>()[c];
                dst.as<T>()[i * channels + c] = static_cast<T>(
                    element_or<T>(gamma, c, 1) * (centred * scale) + element_or<T>(beta, c, 0));
            }
        }
    });
}

void batch_norm_backward(const cgan_norm_params&, const View& src, const View& gamma, const View& mean,
                         const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                         const View& d_beta) {
    const std::int64_t rows = src.rows(), channels = src.last();
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t c = 0; c < channels; c++) {
            const T *x = src.as<T>() + c, *dy = d_dst.as<T>() + c;
            const double mu = mean.as<T>()[c], scale = rstd.as<T>()[c];
            double sum = 0, product = 0; // of dy, of dy * normalised x
            for (std::int64_t i = 0; i < rows; i++) {
                sum += dy[i * channels];
                product += dy[i * channels] * ((x[i * channels] - mu) * scale);
            }
            const double g = element_or<T>(gamma, c, 1), n = static_cast<double>(rows);
            for (std::int64_t i = 0; i < rows; i++) {
                const double normalised = (x[i * channels] - mu) * scale;
                d_src.as<T>()[i * channels + c] =
                    static_cast<T>(g * scale * (dy[i * channels] - sum / n - normalised * (product / n)));
            }
            if (d_gamma.present()) d_gamma.as<T>()[c] = static_cast<T>(product);
            if (d_beta.present()) d_beta.as<T>()[c] = static_cast<T>(sum);
        }
    });
}

void layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                        const View& dst, const View& mean, const View& rstd) {
    const std::int64_t rows = src.dims[0], features = src.dims[1];
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t row = 0; row < rows; row++) {
            const T* x = src.as<T>() + row * features;
            const Moments m = moments(x, features, 1);
            const double scale = 1 / std::sqrt(m.variance + p.epsilon);
            for (std::int64_t f = 0; f < features; f++) {
                dst.as<T>()[row * features + f] = static_cast<T>(
                    element_or<T>(gamma, f, 1) * ((x[f] - m.mean) * scale) + element_or<T>(beta, f, 0));
            }
            mean.as<T>()[row] = static_cast<T>(m.mean);
            rstd.as<T>()[row] = static_cast<T>(scale);
        }
    });
}

namespace {

// d_src of one row of layer normalisation.
template <class T> void layer_norm_row(const T* x, const T* dy, const View& gamma, double mu, double scale,
                                       std::int64_t features, T* dx) {
    double sum = 0, product = 0; // of gamma * dy, of gamma * dy * normalised x
    for (std::int64_t f = 0; f < features; f++) {
        const double weighted = element_or<T>(gamma, f, 1) * dy[f];
        sum += weighted;
        product += weighted * ((x[f] - mu) * scale);
    }
    const double n = static_cast<double>(features);
    for (std::int64_t f = 0; f < features; f++) {
        const double weighted = element_or<T>(gamma, f, 1) * dy[f], normalised = (x[f] - mu) * scale;
        dx[f] = static_cast<T>(scale * (weighted - sum / n - normalised * (product / n)));
    }
}

} // namespace

void layer_norm_backward(const cgan_norm_params&, const View& src, const View& gamma, const View& mean,
                         const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                         const View& d_beta) {
    const std::int64_t rows = src.dims[0], features = src.dims[1];
    for_float(src.dtype, [&]<class T>(T) {
        const T *x = src.as<T>(), *dy = d_dst.as<T>(), *mu = mean.as<T>(), *scale = rstd.as<T>();
        for (std::int64_t row = 0; row < rows; row++) {
            const std::int64_t at = row * features;
            layer_norm_row(x + at, dy + at, gamma, mu[row], scale[row], features, d_src.as<T>() + at);
        }
        for (std::int64_t f = 0; f < features; f++) {
            double sum = 0, product = 0;
            for (std::int64_t row = 0; row < rows; row++) {
                const std::int64_t i = row * features + f;
                sum += dy[i];
                product += dy[i] * ((x[i] - static_cast<double>(mu[row])) * scale[row]);
            }
            if (d_gamma.present()) d_gamma.as<T>()[f] = static_cast<T>(product);
            if (d_beta.present()) d_beta.as<T>()[f] = static_cast<T>(sum);
        }
    });
}

} // namespace cgan::reference
