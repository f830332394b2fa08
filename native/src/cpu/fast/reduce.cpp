// reduce.cpp -- reductions, and softmax along the last axis
//
// shapes  : reduced axes that lie together at the end (rows), at the start (columns) or in the middle
//           (columns
//           of each block); SUM and MEAN, and MAX of rows
// error   : blocks in float32, joined in float64
// repeat  : order fixed by the shape; bit-equal for any number of threads
// reference: cpu/reference/reduce.cpp
#include <algorithm>
#include <cmath>

#include "cpu/fast/operators.h"
#include "cpu/fast/sums.h"

namespace cgan::fast {
namespace {

// src as [outer, reduced, inner]; valid is false if reduced axes do not lie together.
struct Split {
    std::int64_t outer = 1, reduced = 1, inner = 1;
    bool valid = true;

    Split(const View& src, std::uint32_t mask) {
        int stage = 0; // 0 before, 1 among, 2 after the reduced axes
        for (int i = 0; i < src.rank; i++) {
            if (src.dims[i] == 1) continue;
            const bool is_reduced = mask >> i & 1;
            if (is_reduced && stage == 0) stage = 1;
            if (!is_reduced && stage == 1) stage = 2;
            if (is_reduced && stage == 2) valid = false;
            (stage == 0 ? outer : stage == 1 ? reduced : inner) *= src.dims[i];
        }
    }
};

// The sum of n floats in pieces of a fixed size.
double sum_all(Machine& machine, const float* src, std::int64_t n) {
    const std::int64_t pieces = ceil_div(n, kGrain);
    Scratch::Frame frame(machine.scratch);
    double* partial = machine.scratch.take<double>(pieces);
    machine.pool.parallel(pieces, [&](std::int64_t i, int) {
        partial[i] = machine.kernels.sum(src + i * kGrain, std::min(kGrain, n - i * kGrain));
    });
    double total = 0;
    for (std::int64_t i = 0; i < pieces; i++) total += partial[i];
    return total;
}

void reduce_rows(Machine& machine, const cgan_reduce_params& p, const Split& s, const float* src,
                 float* dst) {
    const double scale = p.kind == CGAN_REDUCE_MEAN ? 1.0 / static_cast<double>(s.reduced) : 1.0;
    if (s.reduced >= 4 * kGrain && p.kind != CGAN_REDUCE_MAX) {
        for (std::int64_t i = 0; i < s.outer; i++)
            dst[i] = static_cast<float>(sum_all(machine, src + i * s.reduced, s.reduced) * scale);
        return;
    }
    machine.pool.ranges(
        s.outer, std::max<std::int64_t>(kGrain / s.reduced, 1), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) {
                const float* row = src + i * s.reduced;
                dst[i] = p.kind == CGAN_REDUCE_MAX
                             ? machine.kernels.max(row, s.reduced)
                             : static_cast<float>(machine.kernels.sum(row, s.reduced) * scale);
            }
        });
}

} // namespace

void sum_columns(Machine& machine, const float* src, std::int64_t rows, std::int64_t cols, double scale,
                 float* dst) {
    Scratch::Frame frame(machine.scratch);
    double* total = column_totals(machine, rows, cols, 1, [&](const ColumnPiece& p, double* acc) {
        machine.kernels.add_columns(src + p.row * cols + p.col, p.rows, p.cols, cols, acc + p.col);
    });
    for (std::int64_t c = 0; c < cols; c++) dst[c] = static_cast<float>(total[c] * scale);
}

bool Operators::reduce(const cgan_reduce_params& p, const View& src, const View& dst) {
    if (!all_f32(src, dst) || p.kind == CGAN_REDUCE_MIN || src.elems() == 0) return false;
    const Split s(src, p.axis_mask);
    if (!s.valid || (p.kind == CGAN_REDUCE_MAX && s.inner > 1)) return false;
    if (s.inner == 1) {
        reduce_rows(machine_, p, s, src.as<float>(), dst.as<float>());
        return true;
    }
    const double scale = p.kind == CGAN_REDUCE_MEAN ? 1.0 / static_cast<double>(s.reduced) : 1.0;
    for (std::int64_t i = 0; i < s.outer; i++)
        sum_columns(machine_, src.as<float>() + i * s.reduced * s.inner, s.reduced, s.inner, scale,
                    dst.as<float>() + i * s.inner);
    return true;
}

bool Operators::softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) {
    if (!all_f32(src, dst)) return false;
    const std::int64_t rows = src.rows(), cols = src.last();
    const Kernels& k = machine_.kernels;
    pool_.ranges(rows, std::max<std::int64_t>(kGrain / cols, 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; r++) {
            const float* x = src.as<float>() + r * cols;
            float* y = dst.as<float>() + r * cols;
            const float top = k.max(x, cols);
            k.binary(CGAN_BINARY_SUB, Mode::VectorScalar, x, &top, y, cols);
            if (p.log) {
                const float log_sum = static_cast<float>(std::log(k.sum_exp(y, cols)));
                k.binary(CGAN_BINARY_SUB, Mode::VectorScalar, y, &log_sum, y, cols);
            } else {
                k.unary(CGAN_UNARY_EXP, 0, 0, y, y, cols);
                const float scale = static_cast<float>(1.0 / k.sum(y, cols));
                k.unary(CGAN_UNARY_AFFINE, scale, 0, y, y, cols);
            }
        }
    });
    return true;
}

bool Operators::softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                                 const View& d_src) {
    if (!all_f32(dst, d_dst, d_src)) return false;
    const std::int64_t rows = dst.rows(), cols = dst.last();
    const Kernels& k = machine_.kernels;
    pool_.ranges(rows, std::max<std::int64_t>(kGrain / cols, 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; r++) {
            const float *y = dst.as<float>() + r * cols, *dy = d_dst.as<float>() + r * cols;
            float* dx = d_src.as<float>() + r * cols;
            if (p.log) { // dy - e^y sum(dy)
                const float sum = static_cast<float>(k.sum(dy, cols));
                k.unary(CGAN_UNARY_EXP, 0, 0, y, dx, cols);
                k.unary(CGAN_UNARY_AFFINE, sum, 0, dx, dx, cols);
                k.binary(CGAN_BINARY_SUB, Mode::VectorVector, dy, dx, dx, cols);
            } else { // y (dy - sum(y dy))
                const float sum = static_cast<float>(k.dot(y, dy, cols));
                k.binary(CGAN_BINARY_SUB, Mode::VectorScalar, dy, &sum, dx, cols);
                k.binary(CGAN_BINARY_MUL, Mode::VectorVector, dx, y, dx, cols);
            }
        }
    });
    return true;
}

} // namespace cgan::fast
