// Pooling and upsampling.
#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

struct Window {
    std::int64_t n, h, w, c;
    std::int32_t window_h, window_w, stride_h, stride_w;
    std::int32_t top = 0, left = 0, bottom = 0, right = 0;

    std::int64_t oh() const { return (h + top + bottom - window_h) / stride_h + 1; }
    std::int64_t ow() const { return (w + left + right - window_w) / stride_w + 1; }
    std::vector<std::int64_t> src() const { return {n, h, w, c}; }
    std::vector<std::int64_t> dst() const { return {n, oh(), ow(), c}; }

    std::string text() const {
        return name(dims_text(src()), "_window", window_h, "x", window_w, "_stride", stride_h, "x", stride_w,
                    "_pad", top, "x", left, "x", bottom, "x", right);
    }

    cgan_pool2d_params params(std::int32_t kind) const {
        auto p = sized<cgan_pool2d_params>();
        p.kind = kind;
        p.window_h = window_h;
        p.window_w = window_w;
        p.stride_h = stride_h;
        p.stride_w = stride_w;
        p.pad_top = top;
        p.pad_left = left;
        p.pad_bottom = bottom;
        p.pad_right = right;
        return p;
    }
};

const Window kWindows[] = {
    {1, 1, 1, 1, 1, 1, 1, 1},
    {2, 4, 6, 3, 2, 2, 2, 2},
    {2, 5, 7, 13, 2, 2, 2, 2},
    {0, 4, 4, 3, 2, 2, 2, 2},
    {1, 7, 5, 31, 3, 3, 1, 1, 1, 1, 1, 1}, // overlapping
    {1, 9, 8, 33, 3, 2, 2, 3, 1, 0, 0, 1}, // nothing symmetric
    {1, 11, 13, 5, 2, 2, 3, 4},            // stride beyond the window
    {2, 16, 16, 1, 16, 16, 16, 16},
    {1, 6, 6, 257, 2, 2, 1, 1},
    {2, 28, 28, 64, 2, 2, 2, 2},
    {1, 14, 14, 128, 2, 2, 2, 2},
    {1, 3, 3, 32, 5, 5, 1, 1, 2, 2, 2, 2}, // window larger than the image
};

// In a real max pool, arg names a pixel: here each window's places are drawn at will, and those in the
// padding are nothing to add.
OperandSpec places(const Window& w) {
    return {"arg", Role::Source, w.dst(), Values::Position, w.window_h * w.window_w, CGAN_U8};
}

OperatorCase forward_case(const Window& w, std::int32_t kind) {
    OperatorCase c;
    c.op = "pool2d_forward";
    c.text = name(kind == CGAN_POOL_MAX ? "max_" : "average_", w.text());
    c.operands = {{"src", Role::Source, w.src()}, {"dst", Role::Destination, w.dst()}};
    const bool max = kind == CGAN_POOL_MAX;
    if (max) c.operands.push_back({"arg", Role::Destination, w.dst(), Values::Signed, 0, CGAN_U8});
    c.exact = max || (w.window_h & (w.window_h - 1)) + (w.window_w & (w.window_w - 1)) == 0; // powers of two
    c.identical = max;
    c.reduction = w.window_h * w.window_w;
    const auto p = w.params(kind);
    c.call = [p, max](cgan_context* ctx, Tensors t) {
        return cgan_pool2d_forward(ctx, &p, &t[0], &t[1], max ? &t[2] : nullptr);
    };
    return c;
}

OperatorCase backward_case(const Window& w, std::int32_t kind) {
    OperatorCase c = forward_case(w, kind);
    c.op = "pool2d_backward";
    c.operands = {{"d_dst", Role::Source, w.dst()}, {"d_src", Role::Destination, w.src()}};
    const bool max = kind == CGAN_POOL_MAX;
    if (max) c.operands.push_back(places(w));
    c.identical = false;
    c.least_nonzero = w.h == 1 || max ? 0 : 0.05;
    const auto p = w.params(kind);
    c.call = [p, max](cgan_context* ctx, Tensors t) {
        return cgan_pool2d_backward(ctx, &p, &t[0], max ? &t[2] : nullptr, &t[1]);
    };
    return c;
}

OperatorCase gather_case(const Window& w) {
    OperatorCase c = forward_case(w, CGAN_POOL_MAX);
    c.op = "pool2d_gather";
    c.operands = {{"src", Role::Source, w.src()}, places(w), {"dst", Role::Destination, w.dst()}};
    const auto p = w.params(CGAN_POOL_MAX);
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_pool2d_gather(ctx, &p, &t[0], &t[1], &t[2]); };
    return c;
}

OperatorCase upsample_case(const std::vector<std::int64_t>& dims, std::int32_t factor_h,
                           std::int32_t factor_w, bool backward) {
    OperatorCase c;
    c.op = backward ? "upsample2d_backward" : "upsample2d_forward";
    c.text = name(dims_text(dims), "_by", factor_h, "x", factor_w);
    const std::vector<std::int64_t> large = {dims[0], dims[1] * factor_h, dims[2] * factor_w, dims[3]};
    c.operands = {{backward ? "d_dst" : "src", Role::Source, backward ? large : dims},
                  {backward ? "d_src" : "dst", Role::Destination, backward ? dims : large}};
    c.identical = !backward;
    c.reduction = factor_h * factor_w;
    auto p = sized<cgan_upsample2d_params>();
    p.factor_h = factor_h;
    p.factor_w = factor_w;
    c.call = [p, backward](cgan_context* ctx, Tensors t) {
        return backward ? cgan_upsample2d_backward(ctx, &p, &t[0], &t[1])
                        : cgan_upsample2d_forward(ctx, &p, &t[0], &t[1]);
    };
    return c;
}

} // namespace

std::vector<OperatorCase> pooling_cases() {
    std::vector<OperatorCase> cases;
    for (const Window& w : kWindows) {
        for (const std::int32_t kind : {CGAN_POOL_MAX, CGAN_POOL_AVERAGE}) {
            cases.push_back(forward_case(w, kind));
            cases.push_back(backward_case(w, kind));
        }
        cases.push_back(gather_case(w));
    }
    const std::vector<std::vector<std::int64_t>> images = {{1, 1, 1, 1}, {2, 7, 7, 128}, {1, 3, 5, 31},
                                                           {0, 4, 4, 2}, {2, 13, 1, 33}, {2, 14, 14, 64}};
    for (const auto& dims : images) {
        for (const auto& [h, w] : {std::pair{2, 2}, {1, 1}, {3, 2}, {1, 4}}) {
            cases.push_back(upsample_case(dims, h, w, false));
            cases.push_back(upsample_case(dims, h, w, true));
        }
    }
    return cases;
}

} // namespace cgan::test
