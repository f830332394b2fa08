// layers.cpp -- average pooling and batch normalisation
#include "cpu/vendor/operands.h"
#include "cpu/vendor/vendor.h"

namespace cgan::vendor {

using namespace onednn;

namespace {

Key pool_key(Kind kind, const cgan_pool2d_params& p, const View& src) {
    return {kind,       src.dims[0], src.dims[1], src.dims[2], src.dims[3],  p.window_h, p.window_w,
            p.stride_h, p.stride_w,  p.pad_top,   p.pad_left,  p.pad_bottom, p.pad_right};
}

struct PoolWindow {
    Dims strides = {}, kernel = {}, dilation = {}, before = {}, after = {};
    explicit PoolWindow(const cgan_pool2d_params& p) {
        strides[0] = p.stride_h, strides[1] = p.stride_w;
        kernel[0] = p.window_h, kernel[1] = p.window_w;
        before[0] = p.pad_top, before[1] = p.pad_left;
        after[0] = p.pad_bottom, after[1] = p.pad_right;
    }
};

int describe_pool(const Machine& machine, PrimitiveDesc** desc, Engine* engine, const PoolWindow& window,
                  const MemoryDesc* src, const MemoryDesc* dst, const Attributes* attributes) {
    return machine.calls().pooling_forward_primitive_desc_create(
        desc, engine, kForwardTraining, kPoolingAverageWithPadding, src, dst, window.strides, window.kernel,
        window.dilation, window.before, window.after, attributes);
}

} // namespace

bool Operators::pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst, const View&) {
    if (p.kind != CGAN_POOL_AVERAGE || !all_f32(src, dst)) return false;
    const Machine::Threads threads(*machine_);
    const Computation* pool = machine_->find(pool_key(kPool, p, src), [&] {
        return Computation::make(
            *machine_, {{kArgSrc, 0, image(src)}, {kArgDst, 0, image(dst), true}}, {},
            [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
                return describe_pool(*machine_, desc, engine, PoolWindow(p), of[0], of[1], attributes);
            });
    });
    if (!pool) return false;
    pool->run(*machine_, {src.data, dst.data});
    return true;
}

bool Operators::pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View&,
                                const View& d_src) {
    if (p.kind != CGAN_POOL_AVERAGE || !all_f32(d_dst, d_src)) return false;
    const Machine::Threads threads(*machine_);
    const Computation* pool = machine_->find(pool_key(kPoolBackward, p, d_src), [&] {
        return Computation::make(
            *machine_, {{kArgDiffSrc, 0, image(d_src), true}, {kArgDiffDst, 0, image(d_dst)}}, {},
            [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
                const PoolWindow window(p);
                PrimitiveDesc* forward = nullptr;
                const int status = describe_pool(*machine_, &forward, engine, window, of[0], of[1], nullptr);
                if (status != kSuccess) return status;
                const Owned<PrimitiveDesc> owned(forward, machine_->calls().primitive_desc_destroy);
                return machine_->calls().pooling_backward_primitive_desc_create(
                    desc, engine, kPoolingAverageWithPadding, of[0], of[1], window.strides, window.kernel,
                    window.dilation, window.before, window.after, forward, attributes);
            });
    });
    if (!pool) return false;
    pool->run(*machine_, {d_src.data, d_dst.data});
    return true;
}

bool Operators::batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& beta, const View& running_mean, const View& running_var,
                                     const View& dst) {
    if (!all_f32(src, gamma, beta, running_mean, running_var, dst)) return false;
    const std::int64_t rows = src.rows(), c = src.last();
    const bool scaled = gamma.present(), shifted = beta.present();
    const Machine::Threads threads(*machine_);
    const Computation* norm = machine_->find({kNormalise, rows, c, scaled, shifted, key_of(p.epsilon)}, [&] {
        const Layout pixels = image(1, rows, 1, c);
        std::vector<OperandSpec> operands = {{kArgSrc, 0, pixels},
                                             {kArgDst, 0, pixels, true},
                                             {kArgMean, 0, vector(c)},
                                             {kArgVariance, 0, vector(c)}};
        if (scaled) operands.push_back({kArgScale, 0, vector(c)});
        if (shifted) operands.push_back({kArgShift, 0, vector(c)});
        const unsigned flags = kNormGlobalStatistics | scaled * kNormScale | shifted * kNormShift;
        return Computation::make(
            *machine_, operands, {},
            [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
                return machine_->calls().batch_normalization_forward_primitive_desc_create(
                    desc, engine, kForwardInference, of[0], of[1], static_cast<float>(p.epsilon), flags,
                    attributes);
            });
    });
    if (!norm) return false;
    norm->run(*machine_, {src.data, dst.data, running_mean.data, running_var.data, gamma.data, beta.data});
    return true;
}

} // namespace cgan::vendor
