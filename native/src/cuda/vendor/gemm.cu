// gemm.cu: matmul and dense_forward by cuBLAS
//
// cuBLAS thinks in columns: a row-major [m, n] is to it a column-major [n, m]. So dst = op(a) op(b) is asked for as
// dst^T = op(b)^T op(a)^T, with the operands swapped and every flag as it is.
#include "../product.h"
#include "glue.h"
#include "machine.h"
#include "operators.h"

namespace cgan::cuda::vendor {
namespace {

void multiply(const Machine& machine, bool transpose_a, bool transpose_b, const View& a, const View& b,
              const View& dst) {
    const int m = int(dst.dims[0]), n = int(dst.dims[1]), k = int(transpose_a ? a.dims[0] : a.dims[1]);
    const float alpha = 1, beta = 0;
    CGAN_CUBLAS(machine, cublasSgemm_v2, machine.blas(), transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, n, m, k, &alpha, b.as<float>(), int(b.dims[1]),
                a.as<float>(), int(a.dims[1]), &beta, dst.as<float>(), n);
}

bool fits(const View& a, const View& b, const View& dst) {
    return a.elems() <= kMaxIndex && b.elems() <= kMaxIndex && dst.elems() <= kMaxIndex;
}

} // namespace

bool Operators::matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) {
    if (!machine_->has_cublas() || !fits(a, b, dst)) return false;
    machine_->device().activate();
    multiply(*machine_, p.transpose_a != 0, p.transpose_b != 0, a, b, dst);
    return true;
}

bool Operators::dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                              const View& dst) {
    if (!machine_->has_cublas() || !fits(src, wei, dst)) return false;
    machine_->device().activate();
    multiply(*machine_, false, true, src, wei, dst);
    if (bia.present() || p.activation != CGAN_ACT_NONE)
        add_bias(machine_->device(), dst.as<float>(), dst.dims[0], dst.dims[1], bia.as<float>(),
                 Activation{p.activation, float(p.alpha)});
    return true;
}

} // namespace cgan::cuda::vendor
