// pooling.cpp -- pooling and nearest-neighbour enlargement, all channels of a pixel at a time
//
// threads : images
// repeat  : gradients of overlapping windows are added in the order of the windows
// reference: cpu/reference/pooling.cpp
#include <algorithm>
#include <cstring>

#include "cpu/fast/operators.h"

namespace cgan::fast {
namespace {

struct Geometry {
    std::int64_t n, h, w, c, oh, ow; // of the source and of the result

    Geometry(const View& src, const View& dst)
        : n(src.dims[0]), h(src.dims[1]), w(src.dims[2]), c(src.dims[3]), oh(dst.dims[1]), ow(dst.dims[2]) {}
    std::int64_t image() const { return h * w * c; }
    std::int64_t result() const { return oh * ow * c; }
};

// The places of a window inside the image: offsets of their pixels, and their positions in the window.
struct Window {
    std::int64_t offset[256];
    std::uint8_t position[256];
    int count = 0;

    Window(const cgan_pool2d_params& p, const Geometry& g, std::int64_t oy, std::int64_t ox) {
        for (int i = 0; i < p.window_h * p.window_w; i++) {
            const std::int64_t y = oy * p.stride_h + i / p.window_w - p.pad_top;
            const std::int64_t x = ox * p.stride_w + i % p.window_w - p.pad_left;
            if (y < 0 || y >= g.h || x < 0 || x >= g.w) continue;
            offset[count] = (y * g.w + x) * g.c;
            position[count++] = static_cast<std::uint8_t>(i);
        }
    }
};

// Calls f(window, image, result) for each result pixel, images in parallel; both are element offsets.
template <class F> void for_windows(ThreadPool& pool, const cgan_pool2d_params& p, const Geometry& g, F f) {
    pool.parallel(g.n, [&](std::int64_t n, int) {
        for (std::int64_t i = 0; i < g.oh * g.ow; i++)
            f(Window(p, g, i / g.ow, i % g.ow), n * g.image(), n * g.result() + i * g.c);
    });
}

void max_pixel(const Window& window, const float* image, std::int64_t c, float* dst, std::uint8_t* arg) {
    std::memcpy(dst, image + window.offset[0], static_cast<std::size_t>(c) * sizeof(float));
    std::memset(arg, window.position[0], static_cast<std::size_t>(c));
    for (int i = 1; i < window.count; i++) {
        const float* x = image + window.offset[i];
        for (std::int64_t j = 0; j < c; j++) {
            const bool better = dst[j] == dst[j] && (x[j] > dst[j] || x[j] != x[j]); // the first NaN wins
            dst[j] = better ? x[j] : dst[j];
            arg[j] = better ? window.position[i] : arg[j];
        }
    }
}

void average_pixel(const Window& window, const float* image, std::int64_t c, float scale, float* dst) {
    std::fill(dst, dst + c, 0.0f);
    for (int i = 0; i < window.count; i++)
        for (std::int64_t j = 0; j < c; j++) dst[j] += image[window.offset[i] + j];
    for (std::int64_t j = 0; j < c; j++) dst[j] *= scale;
}

// The pixel offset that each position of a window stands for.
class Places {
  public:
    Places(const Window& window, int positions) : positions_(positions) {
        std::fill(offset_, offset_ + positions, -1);
        for (int i = 0; i < window.count; i++) offset_[window.position[i]] = window.offset[i];
    }
    // -1 in the padding, and for what is no position: the caller may have written anything.
    std::int64_t operator[](std::uint8_t position) const {
        return position < positions_ ? offset_[position] : -1;
    }

  private:
    int positions_;
    std::int64_t offset_[256];
};

float average_scale(const cgan_pool2d_params& p) {
    return 1.0f / static_cast<float>(p.window_h * p.window_w);
}

} // namespace

bool Operators::pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                               const View& arg) {
    if (!all_f32(src, dst)) return false;
    const Geometry g(src, dst);
    for_windows(pool_, p, g, [&](const Window& window, std::int64_t image, std::int64_t at) {
        float* to = dst.as<float>() + at;
        if (p.kind == CGAN_POOL_MAX)
            max_pixel(window, src.as<float>() + image, g.c, to, arg.as<std::uint8_t>() + at);
        else
            average_pixel(window, src.as<float>() + image, g.c, average_scale(p), to);
    });
    return true;
}

bool Operators::pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg,
                                const View& d_src) {
    if (!all_f32(d_dst, d_src)) return false;
    const Geometry g(d_src, d_dst);
    pool_.ranges(d_src.elems(), kGrain * 4, [&](std::int64_t begin, std::int64_t end) {
        std::fill(d_src.as<float>() + begin, d_src.as<float>() + end, 0.0f);
    });
    for_windows(pool_, p, g, [&](const Window& window, std::int64_t image, std::int64_t at) {
        const float* d = d_dst.as<float>() + at;
        float* to = d_src.as<float>() + image;
        if (p.kind == CGAN_POOL_MAX) {
            const Places places(window, p.window_h * p.window_w);
            for (std::int64_t j = 0; j < g.c; j++) {
                const std::int64_t place = places[arg.as<std::uint8_t>()[at + j]];
                if (place >= 0) to[place + j] += d[j];
            }
            return;
        }
        for (int i = 0; i < window.count; i++)
            for (std::int64_t j = 0; j < g.c; j++) to[window.offset[i] + j] += d[j] * average_scale(p);
    });
    return true;
}

bool Operators::pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg,
                              const View& dst) {
    if (!all_f32(src, dst)) return false;
    const Geometry g(src, dst);
    for_windows(pool_, p, g, [&](const Window& window, std::int64_t image, std::int64_t at) {
        const Places places(window, p.window_h * p.window_w);
        for (std::int64_t j = 0; j < g.c; j++) {
            const std::int64_t place = places[arg.as<std::uint8_t>()[at + j]];
            dst.as<float>()[at + j] = place >= 0 ? src.as<float>()[image + place + j] : 0.0f;
        }
    });
    return true;
}

bool Operators::upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) {
    if (!all_f32(src, dst)) return false;
    const Geometry g(src, dst);
    const std::size_t pixel = static_cast<std::size_t>(g.c) * sizeof(float);
    pool_.parallel(g.n * g.h, [&](std::int64_t row, int) {
        const float* from = src.as<float>() + row * g.w * g.c;
        float* to = dst.as<float>() + row * p.factor_h * g.ow * g.c;
        float* at = to;
        for (std::int64_t x = 0; x < g.w; x++)
            for (int i = 0; i < p.factor_w; i++, at += g.c) std::memcpy(at, from + x * g.c, pixel);
        for (int i = 1; i < p.factor_h; i++)
            std::memcpy(to + i * g.ow * g.c, to, pixel * static_cast<std::size_t>(g.ow));
    });
    return true;
}

bool Operators::upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src) {
    if (!all_f32(d_dst, d_src)) return false;
    const Geometry g(d_src, d_dst);
    pool_.parallel(g.n * g.h, [&](std::int64_t row, int) {
        float* to = d_src.as<float>() + row * g.w * g.c;
        std::fill(to, to + g.w * g.c, 0.0f);
        for (int y = 0; y < p.factor_h; y++)
            for (std::int64_t x = 0; x < g.ow; x++) {
                const float* from = d_dst.as<float>() + ((row * p.factor_h + y) * g.ow + x) * g.c;
                float* at = to + x / p.factor_w * g.c;
                for (std::int64_t c = 0; c < g.c; c++) at[c] += from[c];
            }
    });
    return true;
}

} // namespace cgan::fast
