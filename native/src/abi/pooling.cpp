// Pooling and upsampling of the C ABI.
#include "abi/arguments.h"

using namespace cgan;

namespace {

void expect_padding(const char* what, std::int32_t pad, std::int32_t window) {
    if (pad >= 0 && pad < window) return;
    throw Error(CGAN_E_BAD_VALUE,
                cat(what, " is ", pad, ", must be at least 0 and less than the window ", window));
}

cgan_pool2d_params read_pool2d(const cgan_pool2d_params* params) {
    const auto p = read_struct(params, "params");
    expect_range("params.kind", p.kind, CGAN_POOL_MAX, CGAN_POOL_AVERAGE);
    expect_range("params.window_h", p.window_h, 1, 256);
    expect_range("params.window_w", p.window_w, 1, 256 / p.window_h);
    expect_range("params.stride_h", p.stride_h, 1, INT32_MAX);
    expect_range("params.stride_w", p.stride_w, 1, INT32_MAX);
    expect_padding("params.pad_top", p.pad_top, p.window_h);
    expect_padding("params.pad_bottom", p.pad_bottom, p.window_h);
    expect_padding("params.pad_left", p.pad_left, p.window_w);
    expect_padding("params.pad_right", p.pad_right, p.window_w);
    return p;
}

// As every padding is less than the window, a window that fits sees at least one pixel.
std::int64_t result_size(const Call& call, const char* axis, std::int64_t padded, int window, int stride) {
    if (window > padded) {
        call.bad_shape(cat("the window is ", window, " ", axis, ", the padded input only ", padded));
    }
    return (padded - window) / stride + 1;
}

void check_pooling(const Call& call, const cgan_pool2d_params& p, const Operand& src, const Operand& dst) {
    call.expect_rank(src, 4, "[n, h, w, c]");
    call.expect_rank(dst, 4, "[n, oh, ow, c]");
    call.expect_positive(src, 1, "rows");
    call.expect_positive(src, 2, "columns");
    const std::int64_t h = src.dim(1) + p.pad_top + p.pad_bottom, w = src.dim(2) + p.pad_left + p.pad_right;
    const std::int64_t oh = result_size(call, "high", h, p.window_h, p.stride_h);
    const std::int64_t ow = result_size(call, "wide", w, p.window_w, p.stride_w);
    call.expect_shape(dst, {src.dim(0), oh, ow, src.dim(3)});
}

void check_argument(const Call& call, const cgan_pool2d_params& p, const Operand& arg, const Operand& dst) {
    if (p.kind == CGAN_POOL_AVERAGE) {
        if (arg.present()) throw Error(CGAN_E_BAD_VALUE, "arg must be NULL for average pooling");
        return;
    }
    if (!arg.present()) throw Error(CGAN_E_NULL_ARG, "arg is NULL");
    call.expect_type(arg, DType::U8);
    call.expect_same_shape(arg, dst);
}

} // namespace

cgan_status cgan_pool2d_forward(cgan_context* ctx, const cgan_pool2d_params* params, const cgan_tensor* src,
                                const cgan_tensor* dst, const cgan_tensor* arg) {
    return operator_call(ctx, "pool2d_forward", [&](Call& call) {
        const auto p = read_pool2d(params);
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        const Operand& position = call.optional_out("arg", arg);
        call.expect_floats({&x, &y});
        check_pooling(call, p, x, y);
        check_argument(call, p, position, y);
        if (!y.empty()) call.backend().pool2d_forward(p, x, y, position);
    });
}

cgan_status cgan_pool2d_backward(cgan_context* ctx, const cgan_pool2d_params* params,
                                 const cgan_tensor* d_dst, const cgan_tensor* arg, const cgan_tensor* d_src) {
    return operator_call(ctx, "pool2d_backward", [&](Call& call) {
        const auto p = read_pool2d(params);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& position = call.optional_in("arg", arg);
        const Operand& dx = call.out("d_src", d_src);
        call.expect_floats({&dy, &dx});
        check_pooling(call, p, dx, dy);
        check_argument(call, p, position, dy);
        if (!dx.empty()) call.backend().pool2d_backward(p, dy, position, dx);
    });
}

cgan_status cgan_pool2d_gather(cgan_context* ctx, const cgan_pool2d_params* params, const cgan_tensor* src,
                               const cgan_tensor* arg, const cgan_tensor* dst) {
    return operator_call(ctx, "pool2d_gather", [&](Call& call) {
        const auto p = read_pool2d(params);
        const Operand& x = call.in("src", src);
        const Operand& position = call.in("arg", arg);
        const Operand& y = call.out("dst", dst);
        if (p.kind != CGAN_POOL_MAX) throw Error(CGAN_E_BAD_VALUE, "params.kind must be CGAN_POOL_MAX");
        call.expect_floats({&x, &y});
        check_pooling(call, p, x, y);
        check_argument(call, p, position, y);
        if (!y.empty()) call.backend().pool2d_gather(p, x, position, y);
    });
}

namespace {

cgan_upsample2d_params read_upsample2d(const cgan_upsample2d_params* params) {
    const auto p = read_struct(params, "params");
    expect_range("params.factor_h", p.factor_h, 1, INT32_MAX);
    expect_range("params.factor_w", p.factor_w, 1, INT32_MAX);
    return p;
}

void check_upsampling(const Call& call, const cgan_upsample2d_params& p, const Operand& small,
                      const Operand& large) {
    call.expect_rank(small, 4, "[n, h, w, c]");
    std::int64_t h = 0, w = 0;
    if (__builtin_mul_overflow(small.dim(1), std::int64_t{p.factor_h}, &h) ||
        __builtin_mul_overflow(small.dim(2), std::int64_t{p.factor_w}, &w)) {
        call.bad_shape("the enlarged image is too large");
    }
    call.expect_shape(large, {small.dim(0), h, w, small.dim(3)});
}

} // namespace

cgan_status cgan_upsample2d_forward(cgan_context* ctx, const cgan_upsample2d_params* params,
                                    const cgan_tensor* src, const cgan_tensor* dst) {
    return operator_call(ctx, "upsample2d_forward", [&](Call& call) {
        const auto p = read_upsample2d(params);
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        call.expect_floats({&x, &y});
        check_upsampling(call, p, x, y);
        if (!y.empty()) call.backend().upsample2d_forward(p, x, y);
    });
}

cgan_status cgan_upsample2d_backward(cgan_context* ctx, const cgan_upsample2d_params* params,
                                     const cgan_tensor* d_dst, const cgan_tensor* d_src) {
    return operator_call(ctx, "upsample2d_backward", [&](Call& call) {
        const auto p = read_upsample2d(params);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& dx = call.out("d_src", d_src);
        call.expect_floats({&dy, &dx});
        check_upsampling(call, p, dx, dy);
        if (!dx.empty()) call.backend().upsample2d_backward(p, dy, dx);
    });
}
