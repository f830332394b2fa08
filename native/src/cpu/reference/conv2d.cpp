// Convolutions as their definition: src [n, h, w, c], wei [k, r, s, c], dst [n, oh, ow, k], src perhaps
// enlarged 2x.
#include <algorithm>

#include "cpu/reference/activation.h"
#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"
#include "cpu/workspace.h"

namespace cgan::reference {
namespace {

struct Geometry {
    std::int64_t n, h, w, c; // of src
    std::int64_t k, r, s;    // of wei
    std::int64_t oh, ow;     // of the result, before any pooling
    std::int64_t up;

    Geometry(const cgan_conv2d_params& p, const View& src, const View& wei)
        : n(src.dims[0]), h(src.dims[1]), w(src.dims[2]), c(src.dims[3]), k(wei.dims[0]), r(wei.dims[1]),
          s(wei.dims[2]), oh((p.upsample * h + p.pad_top + p.pad_bottom - r) / p.stride_h + 1),
          ow((p.upsample * w + p.pad_left + p.pad_right - s) / p.stride_w + 1), up(p.upsample) {}
};

// The convolution at one place of the result, without bias.
template <class T> double conv_at(const cgan_conv2d_params& p, const Geometry& g, const T* src, const T* wei,
                                  std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t k) {
    double sum = 0;
    for (std::int64_t r = 0; r < g.r; r++) {
        const std::int64_t y = oy * p.stride_h + r - p.pad_top;
        if (y < 0 || y >= g.h * g.up) continue;
        for (std::int64_t s = 0; s < g.s; s++) {
            const std::int64_t x = ox * p.stride_w + s - p.pad_left;
            if (x < 0 || x >= g.w * g.up) continue;
            const T* pixel = src + ((n * g.h + y / g.up) * g.w + x / g.up) * g.c;
            const T* tap = wei + ((k * g.r + r) * g.s + s) * g.c;
            for (std::int64_t c = 0; c < g.c; c++) sum += static_cast<double>(pixel[c]) * tap[c];
        }
    }
    return sum;
}

// Adds to sum[c] what the enlarged pixel (y, x) receives from the gradient d_dst [n, oh, ow, k].
template <class T, class G> void gather_pixel(const cgan_conv2d_params& p, const Geometry& g, const T* wei,
                                              const G* d_dst, std::int64_t n, std::int64_t y, std::int64_t x,
                                              double* sum) {
    for (std::int64_t r = 0; r < g.r; r++) {
        const std::int64_t ty = y + p.pad_top - r;
        if (ty < 0 || ty % p.stride_h != 0 || ty / p.stride_h >= g.oh) continue;
        for (std::int64_t s = 0; s < g.s; s++) {
            const std::int64_t tx = x + p.pad_left - s;
            if (tx < 0 || tx % p.stride_w != 0 || tx / p.stride_w >= g.ow) continue;
            const G* gradient = d_dst + ((n * g.oh + ty / p.stride_h) * g.ow + tx / p.stride_w) * g.k;
            for (std::int64_t k = 0; k < g.k; k++) {
                const T* tap = wei + ((k * g.r + r) * g.s + s) * g.c;
                for (std::int64_t c = 0; c < g.c; c++) sum[c] += static_cast<double>(gradient[k]) * tap[c];
            }
        }
    }
}

template <class T, class G> void backward_data(MemoryLedger& ledger, const cgan_conv2d_params& p,
                                               const Geometry& g, const T* wei, const G* d_dst,
                                               const View& bia, T* d_src) {
    Workspace<double> sum(ledger, g.c);
    for (std::int64_t i = 0; i < g.n * g.h * g.w; i++) {
        const std::int64_t n = i / (g.h * g.w), y = i / g.w % g.h, x = i % g.w;
        for (std::int64_t c = 0; c < g.c; c++) sum[c] = bia.present() ? bia.as<T>()[c] : 0;
        for (std::int64_t dy = 0; dy < g.up; dy++) {
            for (std::int64_t dx = 0; dx < g.up; dx++) {
                gather_pixel(p, g, wei, d_dst, n, y * g.up + dy, x * g.up + dx, sum.data());
            }
        }
        for (std::int64_t c = 0; c < g.c; c++) {
            d_src[i * g.c + c] = static_cast<T>(activate(p.activation, p.alpha, sum[c]));
        }
    }
}

// Adds to sum [r, s, c] the product of one gradient with the pixels below its place.
template <class T> void add_taps(const cgan_conv2d_params& p, const Geometry& g, const T* src,
                                 double gradient, std::int64_t n, std::int64_t oy, std::int64_t ox,
                                 double* sum) {
    for (std::int64_t r = 0; r < g.r; r++) {
        const std::int64_t y = oy * p.stride_h + r - p.pad_top;
        if (y < 0 || y >= g.h * g.up) continue;
        for (std::int64_t s = 0; s < g.s; s++) {
            const std::int64_t x = ox * p.stride_w + s - p.pad_left;
            if (x < 0 || x >= g.w * g.up) continue;
            const T* pixel = src + ((n * g.h + y / g.up) * g.w + x / g.up) * g.c;
            for (std::int64_t c = 0; c < g.c; c++) sum[(r * g.s + s) * g.c + c] += gradient * pixel[c];
        }
    }
}

template <class T, class G> void backward_filter(MemoryLedger& ledger, const cgan_conv2d_params& p,
                                                 const Geometry& g, const T* src, const G* d_dst, T* d_wei,
                                                 const View& d_bia) {
    const std::int64_t taps = g.r * g.s * g.c;
    Workspace<double> sum(ledger, taps);
    for (std::int64_t k = 0; k < g.k; k++) {
        std::fill_n(sum.data(), taps, 0.0);
        double bias = 0;
        for (std::int64_t i = 0; i < g.n * g.oh * g.ow; i++) {
            const std::int64_t n = i / (g.oh * g.ow), oy = i / g.ow % g.oh, ox = i % g.ow;
            const double gradient = d_dst[i * g.k + k];
            bias += gradient;
            add_taps(p, g, src, gradient, n, oy, ox, sum.data());
        }
        for (std::int64_t tap = 0; tap < taps; tap++) d_wei[k * taps + tap] = static_cast<T>(sum[tap]);
        if (d_bia.present()) d_bia.as<T>()[k] = static_cast<T>(bias);
    }
}

// The gradient before activation and pooling, [n, oh, ow, k], from the pooled one.
template <class T> void unpool(const cgan_conv2d_params& p, const Geometry& g, const View& dst,
                               const View& d_dst, const View& arg, double* gradient) {
    const std::int64_t ph = g.oh / 2, pw = g.ow / 2;
    std::fill_n(gradient, g.n * g.oh * g.ow * g.k, 0.0);
    for (std::int64_t i = 0; i < g.n * ph * pw * g.k; i++) {
        const std::int64_t k = i % g.k, x = i / g.k % pw, y = i / (g.k * pw) % ph, n = i / (g.k * pw * ph);
        const int position = arg.as<std::uint8_t>()[i];
        if (position > 3) continue; // no place of the window
        const std::int64_t oy = 2 * y + position / 2, ox = 2 * x + position % 2;
        gradient[((n * g.oh + oy) * g.ow + ox) * g.k + k] =
            activation_gradient(p.activation, p.alpha, dst.as<T>()[i], d_dst.as<T>()[i]);
    }
}

cgan_conv2d_params without_activation(cgan_conv2d_params p) {
    p.activation = CGAN_ACT_NONE;
    return p;
}

} // namespace

void conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                    const View& dst) {
    const Geometry g(p, src, wei);
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < g.n * g.oh * g.ow; i++) {
            const std::int64_t n = i / (g.oh * g.ow), oy = i / g.ow % g.oh, ox = i % g.ow;
            for (std::int64_t k = 0; k < g.k; k++) {
                const double bias = bia.present() ? bia.as<T>()[k] : 0;
                const double sum = bias + conv_at(p, g, src.as<T>(), wei.as<T>(), n, oy, ox, k);
                dst.as<T>()[i * g.k + k] = static_cast<T>(activate(p.activation, p.alpha, sum));
            }
        }
    });
}

void conv2d_backward_data(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& wei,
                          const View& d_dst, const View& bia, const View& d_src) {
    const Geometry g(p, d_src, wei);
    for_float(d_src.dtype, [&]<class T>(T) {
        backward_data(ledger, p, g, wei.as<T>(), d_dst.as<T>(), bia, d_src.as<T>());
    });
}

void conv2d_backward_filter(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& src,
                            const View& d_dst, const View& d_wei, const View& d_bia) {
    const Geometry g(p, src, d_wei);
    for_float(d_wei.dtype, [&]<class T>(T) {
        backward_filter(ledger, p, g, src.as<T>(), d_dst.as<T>(), d_wei.as<T>(), d_bia);
    });
}

void conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                         const View& dst, const View& arg) {
    const Geometry g(p, src, wei);
    const std::int64_t ph = g.oh / 2, pw = g.ow / 2;
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < g.n * ph * pw * g.k; i++) {
            const std::int64_t k = i % g.k, x = i / g.k % pw, y = i / (g.k * pw) % ph,
                               n = i / (g.k * pw * ph);
            double best = 0;
            int position = 0;
            for (int j = 0; j < 4; j++) {
                const double sum =
                    conv_at(p, g, src.as<T>(), wei.as<T>(), n, 2 * y + j / 2, 2 * x + j % 2, k);
                if (j > 0 && (best != best || !(sum > best || sum != sum))) continue; // the first NaN wins
                best = sum;
                position = j;
            }
            if (bia.present()) best += bia.as<T>()[k];
            dst.as<T>()[i] = static_cast<T>(activate(p.activation, p.alpha, best));
            arg.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(position);
        }
    });
}

void conv2d_pool_backward_data(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& wei,
                               const View& dst, const View& d_dst, const View& arg, const View& d_src) {
    const Geometry g(p, d_src, wei);
    Workspace<double> gradient(ledger, g.n * g.oh * g.ow * g.k);
    for_float(d_src.dtype, [&]<class T>(T) {
        unpool<T>(p, g, dst, d_dst, arg, gradient.data());
        backward_data(ledger, without_activation(p), g, wei.as<T>(), gradient.data(), View{}, d_src.as<T>());
    });
}

void conv2d_pool_backward_filter(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& src,
                                 const View& dst, const View& d_dst, const View& arg, const View& d_wei,
                                 const View& d_bia) {
    const Geometry g(p, src, d_wei);
    Workspace<double> gradient(ledger, g.n * g.oh * g.ow * g.k);
    for_float(d_wei.dtype, [&]<class T>(T) {
        unpool<T>(p, g, dst, d_dst, arg, gradient.data());
        backward_filter(ledger, p, g, src.as<T>(), gradient.data(), d_wei.as<T>(), d_bia);
    });
}

} // namespace cgan::reference
