// Pooling and nearest-neighbour upsampling.
#include <vector>

#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {
namespace {

// src [n, h, w, c], dst [n, oh, ow, c]
struct Geometry {
    std::int64_t h, w, c, oh, ow;

    Geometry(const View& src, const View& dst)
        : h(src.dims[1]), w(src.dims[2]), c(src.dims[3]), oh(dst.dims[1]), ow(dst.dims[2]) {}

    // The offset in src of tap `position` of the window of element i of dst, or -1 if it lies in the padding or the
    // window has no such tap.
    std::int64_t tap(const cgan_pool2d_params& p, std::int64_t i, int position) const {
        if (position >= p.window_h * p.window_w) return -1;
        const std::int64_t channel = i % c, ox = i / c % ow, oy = i / (c * ow) % oh, n = i / (c * ow * oh);
        const std::int64_t y = oy * p.stride_h + position / p.window_w - p.pad_top;
        const std::int64_t x = ox * p.stride_w + position % p.window_w - p.pad_left;
        if (y < 0 || y >= h || x < 0 || x >= w) return -1;
        return ((n * h + y) * w + x) * c + channel;
    }
};

template <class T> void max_pool(const cgan_pool2d_params& p, const Geometry& g, const T* src, T* dst,
                                 std::uint8_t* arg, std::int64_t i) {
    int best = -1;
    T top = 0;
    for (int position = 0; position < p.window_h * p.window_w; position++) {
        const std::int64_t at = g.tap(p, i, position);
        if (at < 0) continue;
        const T x = src[at];
        if (best >= 0 && (top != top || !(x > top || x != x))) continue; // the first NaN wins
        best = position;
        top = x;
    }
    dst[i] = top;
    arg[i] = static_cast<std::uint8_t>(best);
}

template <class T>
T average_pool(const cgan_pool2d_params& p, const Geometry& g, const T* src, std::int64_t i) {
    double sum = 0;
    for (int position = 0; position < p.window_h * p.window_w; position++) {
        const std::int64_t at = g.tap(p, i, position);
        if (at >= 0) sum += src[at];
    }
    return static_cast<T>(sum / (p.window_h * p.window_w));
}

} // namespace

void pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst, const View& arg) {
    const Geometry g(src, dst);
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            if (p.kind == CGAN_POOL_MAX) {
                max_pool(p, g, src.as<T>(), dst.as<T>(), arg.as<std::uint8_t>(), i);
            } else {
                dst.as<T>()[i] = average_pool(p, g, src.as<T>(), i);
            }
        }
    });
}

void pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg, const View& d_src) {
    const Geometry g(d_src, d_dst);
    const int window = p.window_h * p.window_w;
    std::vector<double> sum(static_cast<std::size_t>(d_src.elems()));
    for_float(d_src.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = d_dst.elems(); i < n; i++) {
            const double gradient = d_dst.as<T>()[i];
            for (int position = 0; position < window; position++) {
                if (p.kind == CGAN_POOL_MAX && arg.as<std::uint8_t>()[i] != position) continue;
                const std::int64_t at = g.tap(p, i, position);
                if (at < 0) continue;
                sum[static_cast<std::size_t>(at)] += p.kind == CGAN_POOL_MAX ? gradient : gradient / window;
            }
        }
        for (std::size_t i = 0; i < sum.size(); i++) d_src.as<T>()[i] = static_cast<T>(sum[i]);
    });
}

void pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg, const View& dst) {
    const Geometry g(src, dst);
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            const std::int64_t at = g.tap(p, i, arg.as<std::uint8_t>()[i]);
            dst.as<T>()[i] = at >= 0 ? src.as<T>()[at] : 0;
        }
    });
}

void upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) {
    const Geometry g(src, dst);
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            const std::int64_t c = i % g.c, x = i / g.c % g.ow, y = i / (g.c * g.ow) % g.oh,
                               b = i / (g.c * g.ow * g.oh);
            dst.as<T>()[i] = src.as<T>()[((b * g.h + y / p.factor_h) * g.w + x / p.factor_w) * g.c + c];
        }
    });
}

void upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src) {
    const Geometry g(d_src, d_dst);
    for_float(d_src.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = d_src.elems(); i < n; i++) {
            const std::int64_t c = i % g.c, x = i / g.c % g.w, y = i / (g.c * g.w) % g.h,
                               b = i / (g.c * g.w * g.h);
            double sum = 0;
            for (std::int64_t dy = 0; dy < p.factor_h; dy++) {
                for (std::int64_t dx = 0; dx < p.factor_w; dx++) {
                    const std::int64_t oy = y * p.factor_h + dy, ox = x * p.factor_w + dx;
                    sum += d_dst.as<T>()[((b * g.oh + oy) * g.ow + ox) * g.c + c];
                }
            }
            d_src.as<T>()[i] = static_cast<T>(sum);
        }
    });
}

} // namespace cgan::reference
