// matrix.cpp -- matrix product and dense layer
//
// thin    : a result of fewer than 4 columns or rows is made of dot products where its operands lie in rows
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/matrix.cpp
#include <algorithm>

#include "cpu/fast/gemm.h"
#include "cpu/fast/operators.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kThin = 4;

// dst [m, n] by dot products of a's rows and b's columns, both contiguous.
void dot_products(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k,
                  float* dst) {
    machine.pool.ranges(m * n, std::max<std::int64_t>(kGrain / std::max<std::int64_t>(k, 1), 1),
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end; i++)
                                dst[i] = static_cast<float>(machine.kernels.dot(
                                    a.data + i / n * a.row_stride, b.data + i % n * b.col_stride, k));
                        });
}

void multiply(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k,
              const Epilogue& epilogue, float* dst) {
    if (std::min(m, n) >= kThin || a.col_stride != 1 || b.row_stride != 1)
        return gemm(machine, a, b, m, n, k, dst, n, epilogue);
    dot_products(machine, a, b, m, n, k, dst);
    if (epilogue.any()) machine.kernels.epilogue(epilogue, dst, m, n, n);
}

} // namespace

bool Operators::matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) {
    if (!all_f32(a, b, dst)) return false;
    const std::int64_t m = dst.dims[0], n = dst.dims[1], k = p.transpose_a ? a.dims[0] : a.dims[1];
    const Matrix left{a.as<float>(), p.transpose_a ? 1 : k, p.transpose_a ? m : 1};
    const Matrix right{b.as<float>(), p.transpose_b ? 1 : n, p.transpose_b ? k : 1};
    multiply(machine_, left, right, m, n, k, {}, dst.as<float>());
    return true;
}

bool Operators::dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                              const View& dst) {
    if (!all_f32(src, wei, bia, dst)) return false;
    const std::int64_t m = src.dims[0], k = src.dims[1], n = wei.dims[0];
    multiply(machine_, {src.as<float>(), k, 1}, {wei.as<float>(), 1, k}, m, n, k,
             {bia.as<float>(), {p.activation, static_cast<float>(p.alpha)}}, dst.as<float>());
    return true;
}

} // namespace cgan::fast
