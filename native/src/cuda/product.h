// Launches products of operands (tile.h): chooses the tile, and splits the summed axis where the results
// alone would leave most of the chip idle.
#pragma once

#include "device.h"
#include "math.h"
#include "operands.h"
#include "tile.h"

namespace cgan::cuda {

template <class A, class B, class Store> struct Product {
    A a;
    B b;
    Store store;
    int m_count, n_count, k_count;
};

// Up to kPhases products of one kind go in one launch.
inline constexpr int kPhases = 4;
template <class P> struct Products { P list[kPhases]; };

// row[n .. n + 3] = act(v + bia), as far as the row of `count` goes.
__device__ __forceinline__ void store_four(float* row, int n, int count, const float* bia,
                                           const Activation& act, float4 v) {
    float x[4] = {v.x, v.y, v.z, v.w};
    if (bia)
#pragma unroll
        for (int q = 0; q < 4; q++)
            if (n + q < count) x[q] += bia[n + q];
#pragma unroll
    for (int q = 0; q < 4; q++) x[q] = act(x[q]);
    if (n + 4 <= count && reinterpret_cast<std::uintptr_t>(row + n) % 16 == 0) {
        store4(row + n, make_float4(x[0], x[1], x[2], x[3]));
    } else {
#pragma unroll
        for (int q = 0; q < 4; q++)
            if (n + q < count) row[n + q] = x[q];
    }
}

// dst [m, n] = act(sum + bia[n]), or one of several partial sums [split][m, n].
struct MatrixStore {
    static constexpr bool kWindows = false;
    float* dst;
    const float* bia; // nullable
    float* partial;   // nullable
    Activation act;
    int m_count, n_count, split;

    // n .. n + 3
    __device__ __forceinline__ void four(int m, int n, float4 v) const {
        if (m >= m_count) return;
        const std::int64_t row = std::int64_t(m) * n_count;
        if (partial)
            store_four(partial + std::int64_t(split) * m_count * n_count + row, n, n_count, nullptr,
                       Activation{}, v);
        else
            store_four(dst + row, n, n_count, bia, act, v);
    }
};

// Blocks that a multiprocessor holds at least, 0: as it comes: as many as go without a spilled register. Operands along k
// are loaded 4 k at a time, which takes registers, and copies of single elements take them for addresses.
template <Math math, int Size, int Vec, Order order_a, Order order_b> constexpr int resident_tiles() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
    return 0; // other limits than those that this was chosen for
#endif
#if defined(__CUDACC_VER_MAJOR__) && __CUDACC_VER_MAJOR__ < 13
    if (Size == 128 && math == Math::Tf32) return 1;
    if (math == Math::Tf32 && order_a == Order::Mn && order_b == Order::K) return 3;
#endif
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1200
    if (Size == 128) return math == Math::Tf32 && (order_a == Order::K || order_b == Order::K) ? 1 : 0;
#endif
    if (Size == 128) return math == Math::Tf32 && order_a != order_b ? 1 : 0;
    if (math == Math::Tf32) return 4;
    return (order_a == Order::K) + (order_b == Order::K) + (Vec == 1) < 2 ? 3 : 2;
}

// Grid (m tiles, n tiles, phases * splits).
template <Math math, int M, int N, int Vec, Order order_a, Order order_b, class P>
__global__ void __launch_bounds__(kTileThreads, resident_tiles<math, M, Vec, order_a, order_b>())
    product_kernel(const __grid_constant__ Products<P> products, int splits, int k_chunk) {
    const P& p = products.list[int(blockIdx.z) / splits];
    const int split = int(blockIdx.z) % splits, m0 = int(blockIdx.x) * M, n0 = int(blockIdx.y) * N;
    if (m0 >= p.m_count) return; // phases differ in size
    const int k_begin = split * k_chunk, k_end = least(p.k_count, k_begin + k_chunk);
    auto store = p.store;
    store.split = split;
    multiply_tile<math, M, N, Vec, order_a, order_b>(p.a, p.b, m0, n0, k_begin, k_end, store);
}

// dst = act(sum of the partial sums, always in the same order, + bia)
void add_splits(const Device& device, int splits, const MatrixStore& store);

template <class P> struct LaunchPlan {
    Products<P> products;
    int phases, m_most = 0, n_count, k_most = 0;

    LaunchPlan(const P* list, int phases) : phases(phases), n_count(list[0].n_count) {
        for (int i = 0; i < kPhases; i++) products.list[i] = list[i < phases ? i : 0];
        for (int i = 0; i < phases; i++) {
            m_most = list[i].m_count > m_most ? list[i].m_count : m_most;
            k_most = list[i].k_count > k_most ? list[i].k_count : k_most;
        }
    }
    std::int64_t tiles(int m, int n) const { return div_up(m_most, m) * div_up(n_count, n) * phases; }
};

template <Math math, int Size, int Vec, Order order_a, Order order_b, class P>
void launch_tiles(const Device& device, const LaunchPlan<P>& plan, int splits, int k_chunk) {
    const dim3 grid(unsigned(div_up(plan.m_most, Size)), unsigned(div_up(plan.n_count, Size)),
                    unsigned(plan.phases * splits));
    launch(device, grid, kTileThreads, product_kernel<math, Size, Size, Vec, order_a, order_b, P>,
           plan.products, splits, k_chunk);
}

// `vector`: all operands may be copied 16 bytes at a time; their rows end with a whole vector.
template <Order order_a, Order order_b, class P>
void launch_products(const Device& device, const LaunchPlan<P>& plan, bool vector, int splits, int k_chunk) {
    const bool big = plan.tiles(128, 128) >= device.multiprocessors();
    const bool tf32 = device.tf32();
    if (!vector) return launch_tiles<Math::Fp32, 64, 1, order_a, order_b>(device, plan, splits, k_chunk);
    if (tf32 && big) return launch_tiles<Math::Tf32, 128, 4, order_a, order_b>(device, plan, splits, k_chunk);
    if (tf32) return launch_tiles<Math::Tf32, 64, 4, order_a, order_b>(device, plan, splits, k_chunk);
    if (big) return launch_tiles<Math::Fp32, 128, 4, order_a, order_b>(device, plan, splits, k_chunk);
    launch_tiles<Math::Fp32, 64, 4, order_a, order_b>(device, plan, splits, k_chunk);
}

// One product whose results form a matrix; deterministic: partial sums are added in a fixed order.
template <Order order_a, Order order_b, class P>
void launch_matrix_product(const Device& device, P product, bool vector) {
    const std::int64_t tiles = div_up(product.m_count, 64) * div_up(product.n_count, 64);
    const std::int64_t slices = div_up(product.k_count, kSlice);
    std::int64_t splits = 2 * device.multiprocessors() / tiles;
    splits = splits > slices / 8 ? slices / 8 : splits;       // at least 8 slices each
    const std::int64_t least = div_up(product.k_count, 2048); // long sums round less in pieces
    splits = splits > 64 ? 64 : splits < least ? least : splits;
    if (splits < 1) splits = 1;
    const std::int64_t chunk = div_up(slices, splits) * kSlice;
    splits = chunk > 0 ? div_up(product.k_count, chunk) : 1;
    const std::int64_t elems = std::int64_t(product.m_count) * product.n_count;
    Scratch<float> partial(device, splits > 1 ? splits * elems : 0);
    product.store.partial = partial.data();
    launch_products<order_a, order_b>(device, LaunchPlan<P>(&product, 1), vector, int(splits), int(chunk));
    if (splits > 1) add_splits(device, int(splits), product.store);
}

inline void require_int32(std::int64_t elems, const char* what) {
    if (elems > kMaxIndex)
        throw Error(CGAN_E_UNSUPPORTED, std::string(what) + ": an operand of more than 2^31 - 1 elements");
}

} // namespace cgan::cuda
