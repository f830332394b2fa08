// gemm.cu: matmul, dense_forward
// forward : dst [m, n] = op(a) op(b);  dense: dst = act(src wei^T + bia)
// shapes  : a [m, k] or [k, m], b [k, n] or [n, k], F32, row-major; any of the four combinations of transposes
// launch  : tiles of 128 x 128 or 64 x 64 (tile.h), 256 threads; too few tiles for the chip: the summed axis is split and
//           partial sums are added by a second launch.  2 m n k FLOP; bound by arithmetic from about 64 rows on
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/matrix.cpp
#include "cuda_backend.h"
#include "product.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

// dst = act(sum of the splits + bia). A block serves kBlock / groups results at a time; thread (group, result) adds every
// groups-th split, in float64, and the first group adds up what the groups have, always in the same order.
__global__ void __launch_bounds__(kBlock) split_sum_kernel(int splits, int groups, MatrixStore store) {
    __shared__ SharedArray<double, kBlock> sums;
    const std::int64_t n = std::int64_t(store.m_count) * store.n_count;
    const int width = kBlock / groups, column = int(threadIdx.x) % width, group = int(threadIdx.x) / width;
    for (std::int64_t first = std::int64_t(blockIdx.x) * width; first < n;
         first += std::int64_t(gridDim.x) * width) {
        const std::int64_t i = first + column;
        double sum = 0;
        if (i < n) {
#pragma unroll 4
            for (int s = group; s < splits; s += groups) sum += double(store.partial[s * n + i]);
        }
        sums[int(threadIdx.x)] = sum;
        __syncthreads();
        for (int g = 1; group == 0 && g < groups; g++) sum += sums[g * width + column];
        if (group == 0 && i < n)
            store.dst[i] = store.act(float(store.bia ? sum + double(store.bia[i % store.n_count]) : sum));
        __syncthreads();
    }
}

// ---- launchers ----------------------------------------------------------------------------------

void add_splits(const Device& device, int splits, const MatrixStore& store) {
    const std::int64_t elems = std::int64_t(store.m_count) * store.n_count;
    int groups = 1; // as many as leave each thread 4 splits, until the chip is full
    while (groups < 16 && 8 * groups <= splits &&
           div_up(elems * groups, kBlock) < 4 * device.multiprocessors())
        groups *= 2;
    launch(device, grid_1d(device, elems * groups), kBlock, split_sum_kernel, splits, groups, store);
}

namespace {

using MatrixProduct = Product<MatrixOperand, MatrixOperand, MatrixStore>;

// `step`: elements from one mn to the next if k is contiguous, from one k to the next if mn is.
MatrixOperand operand(const View& v, bool k_contiguous, std::int64_t mn, std::int64_t k) {
    const int step = int(k_contiguous ? k : mn);
    return {v.as<float>(), k_contiguous ? step : 1, k_contiguous ? 1 : step, int(mn), int(k)};
}

bool vectors(const View& v) { return aligned16(v.data) && v.last() % 4 == 0; }

// a is [m, k] unless a_transposed; b is [n, k] if b_transposed, else [k, n].
void multiply(const Device& device, bool a_transposed, bool b_transposed, const View& a, const View& b,
              const View& bia, Activation act, const View& dst) {
    const std::int64_t m = dst.dims[0], n = dst.dims[1], k = a_transposed ? a.dims[0] : a.dims[1];
    for (const View* v : {&a, &b, &dst}) require_int32(v->elems(), "matmul");
    const MatrixStore store{dst.as<float>(), bia.as<float>(), nullptr, act, int(m), int(n), 0};
    const MatrixProduct p{
        operand(a, !a_transposed, m, k), operand(b, b_transposed, n, k), store, int(m), int(n), int(k)};
    const bool vector = vectors(a) && vectors(b);
    if (a_transposed && b_transposed)
        launch_matrix_product<Order::Mn, Order::K>(device, p, vector);
    else if (a_transposed)
        launch_matrix_product<Order::Mn, Order::Mn>(device, p, vector);
    else if (b_transposed)
        launch_matrix_product<Order::K, Order::K>(device, p, vector);
    else
        launch_matrix_product<Order::K, Order::Mn>(device, p, vector);
}

} // namespace

void CudaBackend::matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) {
    require_f32(dst, "matmul");
    candidates_.serve(
        {"matmul", {&a, &b}, {p.transpose_a, p.transpose_b}},
        [&](vendor::Operators& v) { return v.matmul(p, a, b, dst); },
        [&] { multiply(device_, p.transpose_a != 0, p.transpose_b != 0, a, b, View{}, Activation{}, dst); });
}

void CudaBackend::dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                                const View& dst) {
    require_f32(dst, "dense_forward");
    candidates_.serve(
        {"dense_forward", {&src, &wei, &bia}, {p.activation}},
        [&](vendor::Operators& v) { return v.dense_forward(p, src, wei, bia, dst); },
        [&] {
            multiply(device_, false, true, src, wei, bia, Activation{p.activation, float(p.alpha)}, dst);
        });
}

} // namespace cgan::cuda
