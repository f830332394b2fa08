// Matrix products of the C ABI.
#include "abi/arguments.h"

using namespace cgan;

cgan_status cgan_matmul(cgan_context* ctx, const cgan_matmul_params* params, const cgan_tensor* a,
                        const cgan_tensor* b, const cgan_tensor* dst) {
    return operator_call(ctx, "matmul", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& left = call.in("a", a);
        const Operand& right = call.in("b", b);
        const Operand& y = call.out("dst", dst);
        call.expect_rank(left, 2, p.transpose_a ? "[k, m]" : "[m, k]");
        call.expect_rank(right, 2, p.transpose_b ? "[n, k]" : "[k, n]");
        call.expect_floats({&left, &right, &y});
        const int ta = p.transpose_a ? 1 : 0, tb = p.transpose_b ? 1 : 0;
        const std::int64_t m = left.dim(ta), k = left.dim(1 - ta), n = right.dim(1 - tb);
        if (right.dim(tb) != k) {
            call.bad_shape(cat(ta ? "a transposed" : "a", " has ", k, " columns, ", tb ? "b transposed" : "b",
                               " has ", right.dim(tb), " rows"));
        }
        call.expect_shape(y, {m, n});
        if (y.empty()) return;
        if (k == 0) return call.zero_destinations();
        call.backend().matmul(p, left, right, y);
    });
}

cgan_status cgan_dense_forward(cgan_context* ctx, const cgan_dense_params* params, const cgan_tensor* src,
                               const cgan_tensor* wei, const cgan_tensor* bia, const cgan_tensor* dst) {
    return operator_call(ctx, "dense_forward", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& x = call.in("src", src);
        const Operand& w = call.in("wei", wei);
        const Operand& b = call.optional_in("bia", bia);
        const Operand& y = call.out("dst", dst);
        expect_activation("params.activation", p.activation, p.alpha);
        call.expect_rank(x, 2, "[n, i]");
        call.expect_rank(w, 2, "[o, i]");
        call.expect_floats({&x, &w, &b, &y});
        if (w.dim(1) != x.dim(1)) {
            call.bad_shape(cat("wei has ", w.dim(1), " input features, src has ", x.dim(1)));
        }
        call.expect_positive(w, 1, "input features");
        call.expect_shape(b, {w.dim(0)});
        call.expect_shape(y, {x.dim(0), w.dim(0)});
        if (!y.empty()) call.backend().dense_forward(p, x, w, b, y);
    });
}
