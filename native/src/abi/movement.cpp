// Reductions and data movement of the C ABI.
#include "abi/arguments.h"

using namespace cgan;

cgan_status cgan_reduce(cgan_context* ctx, const cgan_reduce_params* params, const cgan_tensor* src,
                        const cgan_tensor* dst) {
    return operator_call(ctx, "reduce", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        expect_range("params.kind", p.kind, CGAN_REDUCE_SUM, CGAN_REDUCE_MIN);
        call.expect_floats({&x, &y});
        if (p.axis_mask >> x.rank()) {
            throw Error(CGAN_E_BAD_VALUE, cat("params.axis_mask ", p.axis_mask, " names an axis that src ",
                                              shape_text(x.view), " lacks"));
        }
        std::int64_t dims[CGAN_MAX_RANK] = {};
        for (int i = 0; i < x.rank(); i++) dims[i] = p.axis_mask >> i & 1 ? 1 : x.dim(i);
        call.expect_shape(y, dims, x.rank());
        if (y.empty()) return;
        if (!x.empty()) return call.backend().reduce(p, x, y);
        if (p.kind == CGAN_REDUCE_MAX || p.kind == CGAN_REDUCE_MIN)
            call.bad_shape("src is empty and has no extremum");
        call.zero_destinations();
    });
}

cgan_status cgan_argmax(cgan_context* ctx, const cgan_tensor* src, const cgan_tensor* dst) {
    return operator_call(ctx, "argmax", [&](Call& call) {
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        call.expect_floats({&x});
        call.expect_type(y, DType::I32);
        if (x.rank() == 0) call.bad_shape("src is a scalar, must be [..., c]");
        call.expect_shape(y, x.view.dims, x.rank() - 1);
        if (y.empty()) return;
        if (x.empty()) call.bad_shape("the rows of src are empty and have no greatest element");
        if (x.view.last() > INT32_MAX) call.bad_shape("the rows of src are too long for I32 indices");
        call.backend().argmax(x, y);
    });
}

cgan_status cgan_permute(cgan_context* ctx, const cgan_permute_params* params, const cgan_tensor* src,
                         const cgan_tensor* dst) {
    return operator_call(ctx, "permute", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        call.expect_same_type(y, x);
        std::int64_t dims[CGAN_MAX_RANK] = {};
        unsigned seen = 0;
        for (int i = 0; i < x.rank(); i++) {
            const std::int32_t axis = p.axes[i];
            if (axis < 0 || axis >= x.rank() || seen >> axis & 1) {
                throw Error(CGAN_E_BAD_VALUE, cat("params.axes is no permutation of 0..", x.rank() - 1,
                                                  ": axes[", i, "] is ", axis));
            }
            seen |= 1u << axis;
            dims[i] = x.dim(axis);
        }
        call.expect_shape(y, dims, x.rank());
        if (!y.empty()) call.backend().permute(p, x, y);
    });
}

namespace {

void expect_slice(const char* what, std::int64_t start, std::int64_t count, const Operand& operand,
                  int axis) {
    if (start >= 0 && count <= operand.dim(axis) && start <= operand.dim(axis) - count) return;
    throw Error(CGAN_E_BAD_VALUE, cat("params.", what, " ", start, " and count ", count, " leave axis ", axis,
                                      " of ", operand.name, " ", shape_text(operand.view)));
}

} // namespace

cgan_status cgan_slice_copy(cgan_context* ctx, const cgan_slice_params* params, const cgan_tensor* src,
                            const cgan_tensor* dst) {
    return operator_call(ctx, "slice_copy", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        call.expect_same_type(y, x);
        if (x.rank() == 0) call.bad_shape("src is a scalar and has no axis");
        if (y.rank() != x.rank()) call.bad_shape(cat("dst has rank ", y.rank(), ", src has ", x.rank()));
        expect_range("params.axis", p.axis, 0, x.rank() - 1);
        for (int i = 0; i < x.rank(); i++) {
            if (i != p.axis && x.dim(i) != y.dim(i)) {
                call.bad_shape(cat("axis ", i, " of dst is ", y.dim(i), ", of src ", x.dim(i)));
            }
        }
        if (p.count < 0)
            throw Error(CGAN_E_BAD_VALUE, cat("params.count is ", p.count, ", must be at least 0"));
        expect_slice("src_start", p.src_start, p.count, x, p.axis);
        expect_slice("dst_start", p.dst_start, p.count, y, p.axis);
        if (p.count > 0 && !x.empty() && !y.empty()) call.backend().slice_copy(p, x, y);
    });
}

cgan_status cgan_gather_rows(cgan_context* ctx, const cgan_tensor* table, const cgan_tensor* index,
                             const cgan_tensor* dst) {
    return operator_call(ctx, "gather_rows", [&](Call& call) {
        const Operand& rows = call.in("table", table);
        const Operand& which = call.in("index", index);
        const Operand& y = call.out("dst", dst);
        call.expect_rank(rows, 2, "[v, e]");
        call.expect_rank(which, 1, "[n]");
        call.expect_type(which, DType::I32);
        call.expect_same_type(y, rows);
        call.expect_shape(y, {which.dim(0), rows.dim(1)});
        if (y.empty()) return;
        if (rows.dim(0) == 0) call.bad_shape("table has no rows");
        call.backend().gather_rows(rows, which, y);
    });
}

cgan_status cgan_scatter_add_rows(cgan_context* ctx, const cgan_tensor* index, const cgan_tensor* d_dst,
                                  const cgan_tensor* d_table) {
    return operator_call(ctx, "scatter_add_rows", [&](Call& call) {
        const Operand& which = call.in("index", index);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& d_rows = call.out("d_table", d_table);
        call.expect_rank(d_rows, 2, "[v, e]");
        call.expect_rank(which, 1, "[n]");
        call.expect_type(which, DType::I32);
        call.expect_floats({&dy, &d_rows});
        call.expect_shape(dy, {which.dim(0), d_rows.dim(1)});
        if (dy.empty()) return call.zero_destinations();
        if (d_rows.dim(0) == 0) call.bad_shape("d_table has no rows");
        call.backend().scatter_add_rows(which, dy, d_rows);
    });
}

cgan_status cgan_softmax_forward(cgan_context* ctx, const cgan_softmax_params* params, const cgan_tensor* src,
                                 const cgan_tensor* dst) {
    return operator_call(ctx, "softmax_forward", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& x = call.in("src", src);
        const Operand& y = call.out("dst", dst);
        call.expect_floats({&x, &y});
        if (x.rank() == 0) call.bad_shape("src is a scalar, must be [..., c]");
        call.expect_same_shape(y, x);
        if (!y.empty()) call.backend().softmax_forward(p, x, y);
    });
}

cgan_status cgan_softmax_backward(cgan_context* ctx, const cgan_softmax_params* params,
                                  const cgan_tensor* dst, const cgan_tensor* d_dst,
                                  const cgan_tensor* d_src) {
    return operator_call(ctx, "softmax_backward", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& y = call.in("dst", dst);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& dx = call.out("d_src", d_src);
        call.expect_floats({&y, &dy, &dx});
        if (y.rank() == 0) call.bad_shape("dst is a scalar, must be [..., c]");
        call.expect_same_shape(dy, y);
        call.expect_same_shape(dx, y);
        if (!dx.empty()) call.backend().softmax_backward(p, y, dy, dx);
    });
}
