// Convolutions of the C ABI.
#include "abi/arguments.h"

using namespace cgan;

namespace {

cgan_conv2d_params read_conv2d(const cgan_conv2d_params* params) {
    auto p = read_struct(params, "params");
    expect_range("params.stride_h", p.stride_h, 1, INT32_MAX);
    expect_range("params.stride_w", p.stride_w, 1, INT32_MAX);
    expect_range("params.pad_top", p.pad_top, 0, INT32_MAX);
    expect_range("params.pad_left", p.pad_left, 0, INT32_MAX);
    expect_range("params.pad_bottom", p.pad_bottom, 0, INT32_MAX);
    expect_range("params.pad_right", p.pad_right, 0, INT32_MAX);
    expect_range("params.upsample", p.upsample, 0, 2);
    if (p.upsample == 0) p.upsample = 1;
    expect_activation("params.activation", p.activation, p.alpha);
    return p;
}

// What the sides of one convolution are called in the function at hand: src [n, h, w, c], wei [k, r, s, c],
// dst [n, oh, ow, k].
struct Sides {
    const Operand &src, &wei, &dst;
};

std::int64_t result_size(const Call& call, const char* axis, std::int64_t padded, std::int64_t kernel,
                         int stride) {
    if (kernel > padded) {
        call.bad_shape(cat("the kernel is ", kernel, " ", axis, ", the padded input only ", padded));
    }
    return (padded - kernel) / stride + 1;
}

// Checks all dimensions; with `pooled`, those of dst after 2x2 max pooling.
void check_sides(const Call& call, const cgan_conv2d_params& p, const Sides& sides, bool pooled) {
    const auto& [src, wei, dst] = sides;
    call.expect_rank(src, 4, "[n, h, w, c]");
    call.expect_rank(wei, 4, "[k, r, s, c]");
    call.expect_rank(dst, 4, pooled ? "[n, oh/2, ow/2, k]" : "[n, oh, ow, k]");
    if (wei.dim(3) != src.dim(3)) {
        call.bad_shape(
            cat(wei.name, " has ", wei.dim(3), " input channels, ", src.name, " has ", src.dim(3)));
    }
    if (wei.view.elems() == 0) call.bad_shape(cat(wei.name, " is empty"));
    call.expect_positive(src, 1, "rows");
    call.expect_positive(src, 2, "columns");
    const std::int64_t h = src.dim(1) * p.upsample + p.pad_top + p.pad_bottom;
    const std::int64_t w = src.dim(2) * p.upsample + p.pad_left + p.pad_right;
    std::int64_t oh = result_size(call, "high", h, wei.dim(1), p.stride_h);
    std::int64_t ow = result_size(call, "wide", w, wei.dim(2), p.stride_w);
    if (pooled) {
        if (oh < 2 || ow < 2)
            call.bad_shape(cat("a result of ", oh, "x", ow, " is too small for 2x2 pooling"));
        oh /= 2;
        ow /= 2;
    }
    call.expect_shape(dst, {src.dim(0), oh, ow, wei.dim(0)});
}

void expect_no_activation(const cgan_conv2d_params& p) {
    if (p.activation == CGAN_ACT_NONE) return;
    throw Error(CGAN_E_BAD_VALUE, cat("params.activation is ", p.activation, ", must be CGAN_ACT_NONE"));
}

void check_argument(const Call& call, const Operand& arg, const Operand& dst) {
    call.expect_type(arg, DType::U8);
    call.expect_same_shape(arg, dst);
}

} // namespace

cgan_status cgan_conv2d_forward(cgan_context* ctx, const cgan_conv2d_params* params, const cgan_tensor* src,
                                const cgan_tensor* wei, const cgan_tensor* bia, const cgan_tensor* dst) {
    return operator_call(ctx, "conv2d_forward", [&](Call& call) {
        const auto p = read_conv2d(params);
        const Operand& x = call.in("src", src);
        const Operand& w = call.in("wei", wei);
        const Operand& b = call.optional_in("bia", bia);
        const Operand& y = call.out("dst", dst);
        call.expect_floats({&x, &w, &b, &y});
        check_sides(call, p, {x, w, y}, false);
        call.expect_shape(b, {w.dim(0)});
        if (!y.empty()) call.backend().conv2d_forward(p, x, w, b, y);
    });
}

cgan_status cgan_conv2d_backward_data(cgan_context* ctx, const cgan_conv2d_params* params,
                                      const cgan_tensor* wei, const cgan_tensor* d_dst,
                                      const cgan_tensor* bia, const cgan_tensor* d_src) {
    return operator_call(ctx, "conv2d_backward_data", [&](Call& call) {
        const auto p = read_conv2d(params);
        const Operand& w = call.in("wei", wei);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& b = call.optional_in("bia", bia);
        const Operand& dx = call.out("d_src", d_src);
        call.expect_floats({&w, &dy, &b, &dx});
        check_sides(call, p, {dx, w, dy}, false);
        call.expect_shape(b, {w.dim(3)});
        if (p.upsample == 2) {
            expect_no_activation(p);
            if (b.present()) throw Error(CGAN_E_BAD_VALUE, "bia must be NULL when params.upsample is 2");
        }
        if (!dx.empty()) call.backend().conv2d_backward_data(p, w, dy, b, dx);
    });
}

cgan_status cgan_conv2d_backward_filter(cgan_context* ctx, const cgan_conv2d_params* params,
                                        const cgan_tensor* src, const cgan_tensor* d_dst,
                                        const cgan_tensor* d_wei, const cgan_tensor* d_bia) {
    return operator_call(ctx, "conv2d_backward_filter", [&](Call& call) {
        const auto p = read_conv2d(params);
        const Operand& x = call.in("src", src);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& dw = call.out("d_wei", d_wei);
        const Operand& db = call.optional_out("d_bia", d_bia);
        call.expect_floats({&x, &dy, &dw, &db});
        expect_no_activation(p);
        check_sides(call, p, {x, dw, dy}, false);
        call.expect_shape(db, {dw.dim(0)});
        if (dy.empty()) return call.zero_destinations();
        call.backend().conv2d_backward_filter(p, x, dy, dw, db);
    });
}

cgan_status cgan_conv2d_pool_forward(cgan_context* ctx, const cgan_conv2d_params* params,
                                     const cgan_tensor* src, const cgan_tensor* wei, const cgan_tensor* bia,
                                     const cgan_tensor* dst, const cgan_tensor* arg) {
    return operator_call(ctx, "conv2d_pool_forward", [&](Call& call) {
        const auto p = read_conv2d(params);
        const Operand& x = call.in("src", src);
        const Operand& w = call.in("wei", wei);
        const Operand& b = call.optional_in("bia", bia);
        const Operand& y = call.out("dst", dst);
        const Operand& position = call.out("arg", arg);
        call.expect_floats({&x, &w, &b, &y});
        check_sides(call, p, {x, w, y}, true);
        call.expect_shape(b, {w.dim(0)});
        check_argument(call, position, y);
        if (!y.empty()) call.backend().conv2d_pool_forward(p, x, w, b, y, position);
    });
}

cgan_status cgan_conv2d_pool_backward_data(cgan_context* ctx, const cgan_conv2d_params* params,
                                           const cgan_tensor* wei, const cgan_tensor* dst,
                                           const cgan_tensor* d_dst, const cgan_tensor* arg,
                                           const cgan_tensor* d_src) {
    return operator_call(ctx, "conv2d_pool_backward_data", [&](Call& call) {
        const auto p = read_conv2d(params);
        const Operand& w = call.in("wei", wei);
        const Operand& y = call.in("dst", dst);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& position = call.in("arg", arg);
        const Operand& dx = call.out("d_src", d_src);
        call.expect_floats({&w, &y, &dy, &dx});
        check_sides(call, p, {dx, w, y}, true);
        call.expect_same_shape(dy, y);
        check_argument(call, position, y);
        if (!dx.empty()) call.backend().conv2d_pool_backward_data(p, w, y, dy, position, dx);
    });
}

cgan_status cgan_conv2d_pool_backward_filter(cgan_context* ctx, const cgan_conv2d_params* params,
                                             const cgan_tensor* src, const cgan_tensor* dst,
                                             const cgan_tensor* d_dst, const cgan_tensor* arg,
                                             const cgan_tensor* d_wei, const cgan_tensor* d_bia) {
    return operator_call(ctx, "conv2d_pool_backward_filter", [&](Call& call) {
        const auto p = read_conv2d(params);
        const Operand& x = call.in("src", src);
        const Operand& y = call.in("dst", dst);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& position = call.in("arg", arg);
        const Operand& dw = call.out("d_wei", d_wei);
        const Operand& db = call.optional_out("d_bia", d_bia);
        call.expect_floats({&x, &y, &dy, &dw, &db});
        check_sides(call, p, {x, dw, y}, true);
        call.expect_same_shape(dy, y);
        check_argument(call, position, y);
        call.expect_shape(db, {dw.dim(0)});
        if (dy.empty()) return call.zero_destinations();
        call.backend().conv2d_pool_backward_filter(p, x, y, dy, position, dw, db);
    });
}
