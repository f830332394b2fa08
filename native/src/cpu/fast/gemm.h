// Matrix products of any strides over the packed kernels.
#pragma once

#include "cpu/fast/machine.h"

namespace cgan::fast {

// Element (i, j) is data[i * row_stride + j * col_stride].
struct Matrix {
    const float* data;
    std::int64_t row_stride, col_stride;

    Matrix turned() const { return {data, col_stride, row_stride}; }
};

// dst [m, n] (rows ld apart) = epilogue(a [m, k] b [k, n]). The order of each sum depends on k alone.
void gemm(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k, float* dst,
          std::int64_t ld, const Epilogue& epilogue = {});

} // namespace cgan::fast
