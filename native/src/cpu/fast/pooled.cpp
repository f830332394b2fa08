#include "cpu/fast/pooled.h"

#include <algorithm>

namespace cgan::fast {
namespace {

// All places are below 4 unless the caller wrote others; to see that takes a fraction of reading the gradient.
bool has_strange_places(const std::uint8_t* arg, std::int64_t count) {
    std::uint8_t bits = 0;
    for (std::int64_t i = 0; i < count; i++) bits |= arg[i];
    return bits > 3;
}

} // namespace

void pooled_gradient(const Kernels& kernels, const Pooled& pooled, std::int64_t at, std::int64_t count,
                     float* gradient) {
    kernels.act_backward(pooled.act, pooled.dst + at, pooled.d_dst + at, gradient, count);
    const std::uint8_t* arg = pooled.arg + at;
    if (!has_strange_places(arg, count)) return;
    for (std::int64_t i = 0; i < count; i++)
        if (arg[i] > 3) gradient[i] = 0;
}

void pool_batch(Machine& machine, const ConvShape& s, const float* full, const Epilogue& epilogue, float* dst,
                std::uint8_t* arg) {
    const std::int64_t pw = s.ow / 2;
    machine.pool.parallel(s.n * (s.oh / 2), [&](std::int64_t row, int) {
        const float* from = full + (row / (s.oh / 2) * s.oh + row % (s.oh / 2) * 2) * s.ow * s.k;
        machine.kernels.pool_windows({pw, s.k, s.k, s.ow * s.k, 2 * s.k, s.k}, from, epilogue,
                                     dst + row * pw * s.k, arg + row * pw * s.k);
    });
}

void unpool_image(const Kernels& kernels, const ConvShape& shape, const Pooled& pooled, std::int64_t n,
                  float* image) {
    const std::int64_t ph = shape.oh / 2, pw = shape.ow / 2, k = shape.k;
    if (shape.oh % 2 || shape.ow % 2) std::fill(image, image + shape.oh * shape.ow * k, 0.0f);
    for (std::int64_t y = 0; y < ph; y++) {
        const std::int64_t at = (n * ph + y) * pw * k;
        kernels.unpool_windows({pw, k, k, shape.ow * k, 2 * k, k}, pooled.act, pooled.dst + at,
                               pooled.d_dst + at, pooled.arg + at, image + 2 * y * shape.ow * k);
    }
}

void unpool_batch(Machine& machine, const ConvShape& shape, const Pooled& pooled, float* full) {
    const std::int64_t image = shape.oh * shape.ow * shape.k;
    machine.pool.parallel(shape.n, [&](std::int64_t n, int) {
        unpool_image(machine.kernels, shape, pooled, n, full + n * image);
    });
}

const float* unpool_batch(Machine& machine, const ConvShape& shape, const Pooled& pooled) {
    float* full = machine.scratch.take<float>(shape.n * shape.oh * shape.ow * shape.k);
    unpool_batch(machine, shape, pooled, full);
    return full;
}

} // namespace cgan::fast
