// conv2d.cpp -- the convolution operators: which algorithm serves a shape
#include <algorithm>

#include "cpu/fast/conv_direct.h"
#include "cpu/fast/conv_fft.h"
#include "cpu/fast/conv_sparse.h"
#include "cpu/fast/conv_thin.h"
#include "cpu/fast/conv_turned.h"
#include "cpu/fast/conv_winograd.h"
#include "cpu/fast/gemm.h"
#include "cpu/fast/operators.h"
#include "cpu/fast/sums.h"

namespace cgan::fast {
namespace {

ConvShape shape_of(const cgan_conv2d_params& p, const View& src, const View& wei) {
    ConvShape s{};
    s.n = src.dims[0], s.h = src.dims[1], s.w = src.dims[2], s.c = src.dims[3];
    s.k = wei.dims[0], s.r = wei.dims[1], s.s = wei.dims[2];
    s.stride_h = p.stride_h, s.stride_w = p.stride_w;
    s.pad_top = p.pad_top, s.pad_left = p.pad_left, s.pad_bottom = p.pad_bottom, s.pad_right = p.pad_right;
    s.upsample = std::max(p.upsample, 1);
    s.oh = (s.upsample * s.h + s.pad_top + s.pad_bottom - s.r) / s.stride_h + 1;
    s.ow = (s.upsample * s.w + s.pad_left + s.pad_right - s.s) / s.stride_w + 1;
    return s;
}

// All that pooling asks of a shape.
ConvShape shape_of_result(const View& result) {
    ConvShape s{};
    s.n = result.dims[0], s.oh = result.dims[1], s.ow = result.dims[2], s.k = result.dims[3];
    return s;
}

Epilogue epilogue_of(const cgan_conv2d_params& p, const View& bia) {
    return {bia.as<float>(), {p.activation, static_cast<float>(p.alpha)}};
}

Pooled pooled_of(const cgan_conv2d_params& p, const View& dst, const View& d_dst, const View& arg) {
    return {dst.as<float>(),
            d_dst.as<float>(),
            arg.as<std::uint8_t>(),
            {p.activation, static_cast<float>(p.alpha)}};
}

// The bias's gradient: each pooled result's, whichever pixel it came from; `rows` of k.
void pooled_bias(Machine& machine, const Pooled& pooled, std::int64_t rows, std::int64_t k, float* d_bia) {
    Scratch::Frame frame(machine.scratch);
    float* gradient = machine.scratch.take<float>(rows * k);
    machine.pool.ranges(rows * k, kGrain, [&](std::int64_t begin, std::int64_t end) {
        pooled_gradient(machine.kernels, pooled, begin, end - begin, gradient + begin);
    });
    sum_columns(machine, gradient, rows, k, 1.0, d_bia);
}

// For a call of an algorithm: notes its name, for reports.
Machine& named(Machine& machine, const char* algorithm) {
    machine.algorithm = algorithm;
    return machine;
}

// A product of matrices: one tap of every pixel.
bool is_product(const ConvShape& s) {
    return s.taps() == 1 && s.stride_h == 1 && s.stride_w == 1 && s.upsample == 1 && s.oh == s.h &&
           s.ow == s.w;
}

// The transform that serves a pass best, if any: at most one is set.
struct Transform {
    std::optional<SpectralPlan> spectral;
    std::optional<WinogradPlan> winograd;
};

Transform plan_transform(const Machine& machine, const ConvShape& shape, Pass pass) {
    if (!machine.transforms) return {};
    Transform t{plan_spectral(shape, pass), plan_winograd(shape, pass)};
    if (t.spectral && t.winograd && t.winograd->cost < t.spectral->cost) t.spectral.reset();
    if (t.spectral) t.winograd.reset();
    return t;
}

void forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
             const Epilogue& epilogue, float* dst) {
    if (is_product(shape) && !is_thin(shape))
        return gemm(named(machine, "product"), {src, shape.c, 1}, {wei, 1, shape.c},
                    shape.n * shape.h * shape.w, shape.k, shape.c, dst, shape.k, epilogue);
    const Transform plan = plan_transform(machine, shape, Pass::Forward);
    if (plan.spectral)
        spectral_forward(named(machine, "fourier"), shape, *plan.spectral, src, wei, epilogue, dst);
    else if (plan.winograd)
        winograd_forward(named(machine, "winograd"), shape, *plan.winograd, src, wei, epilogue, dst);
    else if (is_thin(shape) || has_short_taps(shape))
        thin_forward(named(machine, "thin"), shape, src, wei, epilogue, dst);
    else
        direct_forward(named(machine, "direct"), shape, src, wei, epilogue, dst);
}

void pool_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                  const Epilogue& epilogue, const Pooled& pooled) {
    const Transform plan = plan_transform(machine, shape, Pass::Forward);
    if (plan.spectral && plan.spectral->single) {
        spectral_forward(named(machine, "fourier"), shape, *plan.spectral, src, wei, epilogue, nullptr,
                         &pooled);
    } else if (plan.spectral || plan.winograd) {
        Scratch::Frame frame(machine.scratch);
        float* full = machine.scratch.take<float>(shape.n * shape.oh * shape.ow * shape.k);
        forward(machine, shape, src, wei, {}, full);
        pool_batch(machine, shape, full, epilogue, pooled.dst, pooled.arg);
    } else if (is_thin(shape)) {
        thin_pool_forward(named(machine, "thin"), shape, src, wei, epilogue, pooled);
    } else {
        direct_pool_forward(named(machine, "direct"), shape, src, wei, epilogue, pooled.dst, pooled.arg);
    }
}

// Single windows of one phase take pooled gradients as they are.
bool takes_pooled(const Transform& plan) {
    return plan.spectral && plan.spectral->single && plan.spectral->phases() == 1;
}

void backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                   const Epilogue& epilogue, float* d_src, const Pooled* pooled = nullptr) {
    Scratch::Frame frame(machine.scratch);
    if (is_product(shape) && !pooled)
        return gemm(named(machine, "product"), {d_dst, shape.k, 1}, {wei, shape.c, 1},
                    shape.n * shape.h * shape.w, shape.c, shape.k, d_src, shape.c, epilogue);
    const Transform plan = plan_transform(machine, shape, Pass::BackwardData);
    if (!plan.spectral && !plan.winograd && turns_for_source(shape) && !pooled)
        return turned_backward_data(named(machine, "turned"), shape, wei, d_dst, epilogue, d_src);
    if (!plan.spectral && !plan.winograd)
        return direct_backward_data(named(machine, "direct"), shape, wei, d_dst, epilogue, d_src, pooled);
    if (pooled && !takes_pooled(plan)) {
        d_dst = unpool_batch(machine, shape, *pooled);
        pooled = nullptr;
    }
    if (plan.spectral)
        spectral_backward_data(named(machine, "fourier"), shape, *plan.spectral, wei, d_dst, epilogue, d_src,
                               pooled);
    else
        winograd_backward_data(named(machine, "winograd"), shape, *plan.winograd, wei, d_dst, epilogue,
                               d_src);
}

void backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                     float* d_wei, const Pooled* pooled = nullptr) {
    Scratch::Frame frame(machine.scratch);
    if (is_product(shape) && !is_thin(shape) && !pooled)
        return gemm(named(machine, "product"), {d_dst, 1, shape.k}, {src, shape.c, 1}, shape.k, shape.c,
                    shape.n * shape.h * shape.w, d_wei, shape.c, {});
    const Transform plan = plan_transform(machine, shape, Pass::BackwardFilter);
    if (is_thin(shape) || (!plan.spectral && !plan.winograd && sums_by_image(shape)))
        return thin_backward_filter(named(machine, "thin"), shape, src, d_dst, d_wei, pooled);
    if (pooled && !takes_pooled(plan)) {
        d_dst = unpool_batch(machine, shape, *pooled);
        pooled = nullptr;
    }
    if (plan.spectral)
        spectral_backward_filter(named(machine, "fourier"), shape, *plan.spectral, src, d_dst, d_wei, pooled);
    else if (plan.winograd)
        winograd_backward_filter(named(machine, "winograd"), shape, *plan.winograd, src, d_dst, d_wei);
    else if (is_thin_result(shape))
        turned_backward_filter(named(machine, "turned"), shape, src, d_dst, d_wei);
    else
        direct_backward_filter(named(machine, "direct"), shape, src, d_dst, d_wei);
}

} // namespace

bool Operators::conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                               const View& dst) {
    const HeldSpectra::Operands operands(held_, {&src});
    const ConvShape shape = shape_of(p, src, wei);
    if (!all_f32(src, wei, bia, dst) || !shape.moderate()) return false;
    forward(machine_, shape, src.as<float>(), wei.as<float>(), epilogue_of(p, bia), dst.as<float>());
    return true;
}

bool Operators::conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                     const View& bia, const View& d_src) {
    const HeldSpectra::Operands operands(held_, {&d_dst});
    const ConvShape shape = shape_of(p, d_src, wei);
    if (!all_f32(wei, d_dst, bia, d_src) || !shape.foldable() || !shape.moderate()) return false;
    backward_data(machine_, shape, wei.as<float>(), d_dst.as<float>(), epilogue_of(p, bia),
                  d_src.as<float>());
    return true;
}

bool Operators::conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                       const View& d_wei, const View& d_bia) {
    const HeldSpectra::Operands operands(held_, {&src, &d_dst});
    const ConvShape shape = shape_of(p, src, d_wei);
    if (!all_f32(src, d_dst, d_wei, d_bia) || !shape.moderate()) return false;
    backward_filter(machine_, shape, src.as<float>(), d_dst.as<float>(), d_wei.as<float>());
    if (d_bia.present())
        sum_columns(machine_, d_dst.as<float>(), shape.n * shape.oh * shape.ow, shape.k, 1.0,
                    d_bia.as<float>());
    return true;
}

bool Operators::conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                    const View& bia, const View& dst, const View& arg) {
    const HeldSpectra::Operands operands(held_, {&src});
    const ConvShape shape = shape_of(p, src, wei);
    if (!all_f32(src, wei, bia, dst) || shape.upsample != 1 || !shape.moderate()) return false;
    pool_forward(machine_, shape, src.as<float>(), wei.as<float>(), epilogue_of(p, bia),
                 {dst.as<float>(), nullptr, arg.as<std::uint8_t>(), {}});
    return true;
}

bool Operators::conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                          const View& d_dst, const View& arg, const View& d_src) {
    const HeldSpectra::Operands operands(held_, {&dst, &d_dst, &arg});
    const ConvShape shape = shape_of(p, d_src, wei);
    if (!all_f32(wei, dst, d_dst, d_src) || !shape.foldable() || !shape.moderate()) return false;
    const Pooled pooled = pooled_of(p, dst, d_dst, arg);
    if (is_thin(shape) && takes_patches(machine_, shape)) {
        sparse_backward_data(named(machine_, "sparse"), shape, wei.as<float>(), pooled, d_src.as<float>());
        return true;
    }
    backward_data(machine_, shape, wei.as<float>(), nullptr, {}, d_src.as<float>(), &pooled);
    return true;
}

bool Operators::conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                            const View& d_dst, const View& arg, const View& d_wei,
                                            const View& d_bia) {
    const HeldSpectra::Operands operands(held_, {&src, &dst, &d_dst, &arg});
    const ConvShape shape = shape_of(p, src, d_wei);
    if (!all_f32(src, dst, d_dst, d_wei, d_bia) || !shape.moderate()) return false;
    const Pooled pooled = pooled_of(p, dst, d_dst, arg);
    if (is_thin(shape) && takes_sparse(machine_, shape)) {
        sparse_backward_filter(named(machine_, "sparse"), shape, src.as<float>(), pooled, d_wei.as<float>(),
                               d_bia.present() ? d_bia.as<float>() : nullptr);
        return true;
    }
    backward_filter(machine_, shape, src.as<float>(), nullptr, d_wei.as<float>(), &pooled);
    if (d_bia.present())
        pooled_bias(machine_, pooled, dst.elems() / dst.last(), dst.last(), d_bia.as<float>());
    return true;
}

void Operators::pool_whole(const cgan_conv2d_params& p, const View& whole, const View& bia, const View& dst,
                           const View& arg) {
    pool_batch(machine_, shape_of_result(whole), whole.as<float>(), epilogue_of(p, bia), dst.as<float>(),
               arg.as<std::uint8_t>());
}

void Operators::unpool_whole(const cgan_conv2d_params& p, const View& dst, const View& d_dst, const View& arg,
                             const View& whole) {
    unpool_batch(machine_, shape_of_result(whole), pooled_of(p, dst, d_dst, arg), whole.as<float>());
}

} // namespace cgan::fast
