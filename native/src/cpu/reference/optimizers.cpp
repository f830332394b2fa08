// Optimisers, each element updated in float64 and rounded once.
#include <cmath>

#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {
namespace {

double rate_of(const View& hyper) { return hyper.as<double>()[0]; }
double step_of(const View& hyper) { return hyper.as<double>()[1]; }

} // namespace

void optimizer_advance(const View& hyper) { hyper.as<double>()[1] += 1; }

void adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m, Views v) {
    const double rate = rate_of(hyper), step = step_of(hyper);
    const double first_correction = 1 - std::pow(p.beta1, step),
                 second_correction = 1 - std::pow(p.beta2, step);
    const bool corrected = p.form == CGAN_ADAM_CORRECTED;
    const double scale =
        corrected ? rate / first_correction : rate * std::sqrt(second_correction) / first_correction;
    const double divisor = corrected ? second_correction : 1; // of the second moment
    for (std::size_t tensor = 0; tensor < param.size(); tensor++) {
        for_float(param[tensor].dtype, [&]<class T>(T) {
            T *w = param[tensor].as<T>(), *first = m[tensor].as<T>(), *second = v[tensor].as<T>();
            const T* gradient = grad[tensor].as<T>();
            for (std::int64_t i = 0, n = param[tensor].elems(); i < n; i++) {
                const double g = gradient[i];
                const double mean = p.beta1 * first[i] + (1 - p.beta1) * g;
                const double square = p.beta2 * second[i] + (1 - p.beta2) * g * g;
                const double decayed = w[i] - rate * p.weight_decay * w[i];
                w[i] = static_cast<T>(decayed - scale * mean / (std::sqrt(square / divisor) + p.epsilon));
                first[i] = static_cast<T>(mean);
                second[i] = static_cast<T>(square);
            }
        });
    }
}

void sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity) {
    const double rate = rate_of(hyper);
    for (std::size_t tensor = 0; tensor < param.size(); tensor++) {
        for_float(param[tensor].dtype, [&]<class T>(T) {
            T *w = param[tensor].as<T>(), *speed = velocity.empty() ? nullptr : velocity[tensor].as<T>();
            const T* gradient = grad[tensor].as<T>();
            for (std::int64_t i = 0, n = param[tensor].elems(); i < n; i++) {
                double step = gradient[i] + p.weight_decay * w[i];
                if (speed) {
                    const double moved = p.momentum * speed[i] + step;
                    speed[i] = static_cast<T>(moved);
                    step = p.nesterov ? step + p.momentum * moved : moved;
                }
                w[i] = static_cast<T>(w[i] - rate * step);
            }
        });
    }
}

void rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v) {
    const double rate = rate_of(hyper);
    for (std::size_t tensor = 0; tensor < param.size(); tensor++) {
        for_float(param[tensor].dtype, [&]<class T>(T) {
            T *w = param[tensor].as<T>(), *second = v[tensor].as<T>();
            const T* gradient = grad[tensor].as<T>();
            for (std::int64_t i = 0, n = param[tensor].elems(); i < n; i++) {
                const double g = gradient[i], square = p.rho * second[i] + (1 - p.rho) * g * g;
                w[i] = static_cast<T>(w[i] - rate * g / (std::sqrt(square) + p.epsilon));
                second[i] = static_cast<T>(square);
            }
        });
    }
}

void ema(const cgan_ema_params& p, Views src, Views dst) {
    for (std::size_t tensor = 0; tensor < src.size(); tensor++) {
        for_float(src[tensor].dtype, [&]<class T>(T) {
            for (std::int64_t i = 0, n = src[tensor].elems(); i < n; i++) {
                T& kept = dst[tensor].as<T>()[i];
                kept = static_cast<T>(p.decay * kept + (1 - p.decay) * src[tensor].as<T>()[i]);
            }
        });
    }
}

void clamp(const cgan_clamp_params& p, Views tensors) {
    for (const View& tensor : tensors) {
        for_float(tensor.dtype, [&]<class T>(T) {
            const T low = static_cast<T>(p.low), high = static_cast<T>(p.high);
            for (std::int64_t i = 0, n = tensor.elems(); i < n; i++) {
                T& x = tensor.as<T>()[i];
                x = x < low ? low : x > high ? high : x; // NaN stays NaN
            }
        });
    }
}

void global_norm(Views tensors, const View& dst) {
    double sum = 0;
    for (const View& tensor : tensors) {
        for_float(tensor.dtype, [&]<class T>(T) {
            for (std::int64_t i = 0, n = tensor.elems(); i < n; i++) {
                const double x = tensor.as<T>()[i];
                sum += x * x;
            }
        });
    }
    for_float(dst.dtype, [&]<class T>(T) { *dst.as<T>() = static_cast<T>(std::sqrt(sum)); });
}

void clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors) {
    double ratio = 0;
    for_float(norm.dtype, [&]<class T>(T) { ratio = p.max_norm / *norm.as<T>(); });
    const double scale = ratio >= 1 ? 1 : ratio; // NaN stays NaN
    for (const View& tensor : tensors) {
        for_float(tensor.dtype, [&]<class T>(T) {
            for (std::int64_t i = 0, n = tensor.elems(); i < n; i++) {
                tensor.as<T>()[i] = static_cast<T>(scale * tensor.as<T>()[i]);
            }
        });
    }
}

} // namespace cgan::reference
