// Element-wise operators of the C ABI.
#include <algorithm>

#include "abi/arguments.h"

using namespace cgan;

cgan_status cgan_fill(cgan_context* ctx, double value, const cgan_tensor* dst) {
    return operator_call(ctx, "fill", [&](Call& call) {
        const Operand& y = call.out("dst", dst);
        if (!y.empty()) call.backend().fill(value, y);
    });
}

cgan_status cgan_convert(cgan_context* ctx, double scale, double shift, const cgan_tensor* src,
                         const cgan_tensor* dst) {
    return operator_call(ctx, "convert", [&](Call& call) {
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        if (x.view.elems() != y.view.elems()) {
            call.bad_shape(cat("dst has ", y.view.elems(), " elements, src has ", x.view.elems()));
        }
        if (!y.empty()) call.backend().convert(scale, shift, x, y);
    });
}

cgan_status cgan_unary(cgan_context* ctx, const cgan_unary_params* params, const cgan_tensor* src,
                       const cgan_tensor* dst) {
    return operator_call(ctx, "unary", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst, {&x});
        expect_range("params.kind", p.kind, CGAN_UNARY_AFFINE, CGAN_UNARY_LEAKY_RELU);
        call.expect_floats({&x, &y});
        call.expect_same_shape(y, x);
        if (p.kind == CGAN_UNARY_CLAMP && !(p.alpha <= p.beta)) {
            throw Error(CGAN_E_BAD_VALUE,
                        cat("params.alpha ", p.alpha, " is not at most params.beta ", p.beta));
        }
        if (!y.empty()) call.backend().unary(p, x, y);
    });
}

cgan_status cgan_activation_backward(cgan_context* ctx, const cgan_unary_params* params,
                                     const cgan_tensor* dst, const cgan_tensor* d_dst,
                                     const cgan_tensor* d_src) {
    return operator_call(ctx, "activation_backward", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& y = call.in("dst", dst);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& dx = call.out("d_src", d_src, {&dy});
        expect_activation("params.kind", p.kind, p.alpha);
        call.expect_floats({&y, &dy, &dx});
        call.expect_same_shape(dy, y);
        call.expect_same_shape(dx, y);
        if (!dx.empty()) call.backend().activation_backward(p, y, dy, dx);
    });
}

namespace {

// The broadcast shape of a and b in `dims`; returns its rank.
int broadcast_shape(const Call& call, const Operand& a, const Operand& b, std::int64_t* dims) {
    const int rank = std::max(a.rank(), b.rank());
    for (int i = 0; i < rank; i++) {
        const int ia = i - (rank - a.rank()), ib = i - (rank - b.rank());
        const std::int64_t da = ia < 0 ? 1 : a.dim(ia), db = ib < 0 ? 1 : b.dim(ib);
        if (da != db && da != 1 && db != 1)
            call.bad_shape(cat("a and b do not broadcast: axis ", i, " is ", da, " and ", db));
        dims[i] = da == 1 ? db : da;
    }
    return rank;
}

} // namespace

cgan_status cgan_binary(cgan_context* ctx, const cgan_binary_params* params, const cgan_tensor* a,
                        const cgan_tensor* b, const cgan_tensor* dst) {
    return operator_call(ctx, "binary", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& left = call.in("a", a);
        const Operand& right = call.in("b", b);
        const Operand& y = call.out("dst", dst, {&left, &right});
        expect_range("params.kind", p.kind, CGAN_BINARY_ADD, CGAN_BINARY_GREATER);
        call.expect_floats({&left, &right, &y});
        std::int64_t dims[CGAN_MAX_RANK] = {};
        call.expect_shape(y, dims, broadcast_shape(call, left, right, dims));
        if (!y.empty()) call.backend().binary(p, left, right, y);
    });
}
