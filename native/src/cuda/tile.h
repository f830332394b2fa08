// The product of two operands, tile by tile: what dense layers and all passes of convolution have in common.
//
// A block of 256 threads computes kM x kN results. Slices of 16 k of both operands travel to shared memory by
// asynchronous copies, double-buffered: the next slice is on its way while this one is multiplied. A tile
// keeps the order that its operand has in memory, so that 16-byte copies need no transposition:
//   Order::K   [mn][16 + 4]: rows 20 floats apart put 8 neighbouring rows in 8 different groups of 4 banks
//   Order::Mn  [16][mn + 4]
// Both are read back 16 bytes at a time: for every 4 k a thread loads kM/16 + kN/16 vectors and does kM/16 *
// kN/16 * 4 multiply-adds (128 x 128: 16 loads for 256).
#pragma once

#include <cuda_pipeline_primitives.h>
#include <mma.h>

#include "shared.h"

namespace cgan::cuda {

enum class Order { K, Mn };
enum class Math { Fp32, Tf32 };

inline constexpr int kTileThreads = 256, kSlice = 16;

template <int Size, Order order> struct TileLayout {
    static constexpr int kStride = order == Order::K ? kSlice + 4 : Size + 4;
    static constexpr int kElems = order == Order::K ? Size * kStride : kSlice * kStride;
    __device__ static __forceinline__ int at(int mn, int k) {
        return order == Order::K ? mn * kStride + k : k * kStride + mn;
    }
    // The i-th of the rows (or columns) of the tile that thread t of 16 computes.
    __device__ static __forceinline__ int own(int t, int i) {
        return order == Order::K ? t + 16 * i : 4 * t + 64 * (i / 4) + i % 4;
    }
};

// Brings slices of one operand to shared memory, Vec elements at a time.
template <class Operand, Order order, int Size, int Vec> class TileCopy {
    static constexpr int kAlong =
        (order == Order::K ? kSlice : Size) / Vec; // copies along the contiguous axis
    static constexpr int kAcross = order == Order::K ? Size : kSlice;
    static constexpr int kStep = kTileThreads / kAlong; // rows of the tile that the block covers in one pass
    static constexpr int kPasses = kAcross / kStep;
    static constexpr int kParts = order == Order::K ? kPasses : 1;
    using Layout = TileLayout<Size, order>;

    const Operand& operand_;
    typename Operand::Mn parts_[kParts];
    const int along_, across_;

  public:
    __device__ __forceinline__ TileCopy(const Operand& operand, int mn0)
        : operand_(operand), along_(int(threadIdx.x) % kAlong * Vec), across_(int(threadIdx.x) / kAlong) {
#pragma unroll
        for (int i = 0; i < kParts; i++)
            parts_[i] = operand.mn(mn0 + (order == Order::K ? across_ + i * kStep : along_));
    }

    // Starts the copies of k0 .. k0 + 15; elements from k_end on become zero.
    template <int N>
    __device__ __forceinline__ void start(SharedArray<float, N>& tile, int offset, int k0, int k_end) {
        if constexpr (order == Order::K) {
            const int k = k0 + along_;
            const typename Operand::K part = operand_.k(k);
#pragma unroll
            for (int i = 0; i < kPasses; i++)
                copy(tile.span(offset + Layout::at(across_ + i * kStep, along_), Vec),
                     operand_.at(parts_[i], part), k_end - k);
        } else {
#pragma unroll
            for (int i = 0; i < kPasses; i++) {
                const int k = k0 + across_ + i * kStep;
                copy(tile.span(offset + Layout::at(along_, across_ + i * kStep), Vec),
                     operand_.at(parts_[0], operand_.k(k)), k < k_end ? Vec : 0);
            }
        }
    }

  private:
    // Vectors are inside or outside as a whole (launch_products), so that the compiler makes two cases, not five.
    __device__ static __forceinline__ void copy(float* dst, const Address& address, int limit) {
        const bool inside = least(address.count, limit) >= Vec;
        __pipeline_memcpy_async(dst, address.at, Vec * sizeof(float), inside ? 0 : Vec * sizeof(float));
    }
};

// 4 k of the rows that a thread owns: v[k][i].
template <int Size, Order order, int N> __device__ __forceinline__ void
load_fragment(SharedArray<float, N>& tile, int offset, int t, int k, float (&v)[4][Size / 16]) {
    using Layout = TileLayout<Size, order>;
    if constexpr (order == Order::K) {
#pragma unroll
        for (int i = 0; i < Size / 16; i++) {
            const float4 x = load4(tile.span(offset + Layout::at(t + 16 * i, k), 4));
            v[0][i] = x.x, v[1][i] = x.y, v[2][i] = x.z, v[3][i] = x.w;
        }
    } else {
#pragma unroll
        for (int q = 0; q < 4; q++)
#pragma unroll
            for (int g = 0; g < Size / 64; g++) {
                const float4 x = load4(tile.span(offset + Layout::at(4 * t + 64 * g, k + q), 4));
                v[q][4 * g] = x.x, v[q][4 * g + 1] = x.y, v[q][4 * g + 2] = x.z, v[q][4 * g + 3] = x.w;
            }
    }
}

// Results in registers, by plain multiply-adds. Sums of 64 products are added to the totals, so that the
// rounding error grows with the square root of k / 64, not of k.
template <int M, int N, Order order_a, Order order_b> class Fp32Accumulator {
    static constexpr int kM = M / 16, kN = N / 16;
    // Of a row of the patch: its two neighbours lie in different banks when they are written.
    static constexpr int kPitch = order_b == Order::K ? N + 16 : N;
    float sum_[kM][kN] = {}, total_[kM][kN] = {};

    __device__ static __forceinline__ void put(float* row, int tx, const float (&v)[kN]) {
        if constexpr (order_b == Order::K) {
#pragma unroll
            for (int j = 0; j < kN; j++) row[tx + 16 * j] = v[j];
        } else {
#pragma unroll
            for (int j = 0; j < kN; j += 4)
                store4(row + TileLayout<N, order_b>::own(tx, j),
                       make_float4(v[j], v[j + 1], v[j + 2], v[j + 3]));
        }
    }

  public:
    static constexpr int kSlices = 4;                             // between two calls of `collect`
    static constexpr int kPatch = kTileThreads / 32 * 4 * kPitch; // shared floats that finish needs

    __device__ __forceinline__ void collect() {
#pragma unroll
        for (int i = 0; i < kM; i++)
#pragma unroll
            for (int j = 0; j < kN; j++) {
                total_[i][j] += sum_[i][j];
                sum_[i][j] = 0;
            }
    }

    template <int SA, int SB> __device__ __forceinline__ void
    multiply(SharedArray<float, SA>& a, int offset_a, SharedArray<float, SB>& b, int offset_b) {
        const int ty = int(threadIdx.x) / 16, tx = int(threadIdx.x) % 16;
#pragma unroll
        for (int k = 0; k < kSlice; k += 4) {
            float va[4][kM], vb[4][kN];
            load_fragment<M, order_a>(a, offset_a, ty, k, va);
            load_fragment<N, order_b>(b, offset_b, tx, k, vb);
#pragma unroll
            for (int q = 0; q < 4; q++)
#pragma unroll
                for (int i = 0; i < kM; i++)
#pragma unroll
                    for (int j = 0; j < kN; j++) sum_[i][j] = fmaf(va[q][i], vb[q][j], sum_[i][j]);
        }
    }

    template <class Store, int P>
    __device__ __forceinline__ void finish(SharedArray<float, P>& patch, int m0, int n0, const Store& store) {
        const int ty = int(threadIdx.x) / 16, tx = int(threadIdx.x) % 16;
        if constexpr (Store::kWindows) { // order_a is K: rows 16 apart are the four places of a window
#pragma unroll
            for (int i = 0; i < kM; i += 4)
#pragma unroll
                for (int j = 0; j < kN; j++)
                    store.window((m0 + 16 * i) / 64 * 16 + ty, n0 + TileLayout<N, order_b>::own(tx, j),
                                 total_[i][j], total_[i + 1][j], total_[i + 2][j], total_[i + 3][j]);
        } else { // two rows of each thread at a time: the code for storing is there a few times, not 64 times
            const int lane = int(threadIdx.x) % 32, mine = int(threadIdx.x) / 32 * 4 * kPitch;
#pragma unroll
            for (int i = 0; i < kM; i += 2) {
#pragma unroll
                for (int e = 0; e < 2; e++)
                    put(patch.span(mine + (ty % 2 * 2 + e) * kPitch, N), tx, total_[i + e]);
                __syncwarp();
#pragma unroll 1
                for (int at = 4 * lane; at < 4 * N; at += 128) {
                    const int row = at / N, column = at % N;
                    const int m = m0 + TileLayout<M, order_a>::own(ty / 2 * 2 + row / 2, i + row % 2);
                    store.four(m, n0 + column, load4(patch.span(mine + row * kPitch + column, 4)));
                }
                __syncwarp();
            }
        }
    }
};

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800

// Results in fragments of tensor cores: 8 warps as 4 x 2, operands rounded to TF32, sums in float32.
template <int M, int N, Order order_a, Order order_b> class Tf32Accumulator {
    static constexpr int kM = M / 64, kN = N / 32;
    using RowMajor = nvcuda::wmma::row_major;
    using ColMajor = nvcuda::wmma::col_major;
    using LayoutA = TileLayout<M, order_a>;
    using LayoutB = TileLayout<N, order_b>;
    using FragmentA = nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, 8, nvcuda::wmma::precision::tf32,
                                             std::conditional_t<order_a == Order::K, RowMajor, ColMajor>>;
    using FragmentB = nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, 8, nvcuda::wmma::precision::tf32,
                                             std::conditional_t<order_b == Order::K, ColMajor, RowMajor>>;
    nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 8, float> sum_[kM][kN];

    template <class F> __device__ static __forceinline__ void round(F& f) {
#pragma unroll
        for (int i = 0; i < f.num_elements; i++) f.x[i] = nvcuda::wmma::__float_to_tf32(f.x[i]);
    }

  public:
    static constexpr int kSlices = 1 << 30;
    static constexpr int kPatchStride = 20;

    __device__ __forceinline__ void collect() {}
    static constexpr int kPatch = kTileThreads / 32 * 16 * kPatchStride;

    __device__ __forceinline__ Tf32Accumulator() {
#pragma unroll
        for (int i = 0; i < kM; i++)
#pragma unroll
            for (int j = 0; j < kN; j++) nvcuda::wmma::fill_fragment(sum_[i][j], 0.0f);
    }

    template <int SA, int SB> __device__ __forceinline__ void
    multiply(SharedArray<float, SA>& a, int offset_a, SharedArray<float, SB>& b, int offset_b) {
        const int warp = int(threadIdx.x) / 32, m = warp / 2 * (M / 4), n = warp % 2 * (N / 2);
#pragma unroll
        for (int k = 0; k < kSlice; k += 8) {
            FragmentA fa[kM];
#pragma unroll
            for (int i = 0; i < kM; i++) {
                nvcuda::wmma::load_matrix_sync(fa[i], a.span(offset_a + LayoutA::at(m + 16 * i, k), 1),
                                               LayoutA::kStride);
                round(fa[i]);
            }
#pragma unroll
            for (int j = 0; j < kN; j++) {
                FragmentB fb;
                nvcuda::wmma::load_matrix_sync(fb, b.span(offset_b + LayoutB::at(n + 16 * j, k), 1),
                                               LayoutB::kStride);
                round(fb);
#pragma unroll
                for (int i = 0; i < kM; i++) nvcuda::wmma::mma_sync(sum_[i][j], fa[i], fb, sum_[i][j]);
            }
        }
    }

    // Through a patch of shared memory for each warp: how fragments lie in registers is not documented.
    template <class Store, int P>
    __device__ __forceinline__ void finish(SharedArray<float, P>& patch, int m0, int n0, const Store& store) {
        const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
        const int m = m0 + warp / 2 * (M / 4), n = n0 + warp % 2 * (N / 2), mine = warp * 16 * kPatchStride;
#pragma unroll
        for (int i = 0; i < kM; i++)
#pragma unroll
            for (int j = 0; j < kN; j++) {
                nvcuda::wmma::store_matrix_sync(patch.span(mine, 16 * kPatchStride), sum_[i][j], kPatchStride,
                                                nvcuda::wmma::mem_row_major);
                __syncwarp();
                if constexpr (Store::kWindows) {
                    const int column = lane % 16;
#pragma unroll
                    for (int row = lane / 16 * 8; row < lane / 16 * 8 + 8; row += 4) {
                        const int at = mine + row * kPatchStride + column;
                        store.window((m + 16 * i + row) / 4, n + 16 * j + column, patch[at],
                                     patch[at + kPatchStride], patch[at + 2 * kPatchStride],
                                     patch[at + 3 * kPatchStride]);
                    }
                } else {
                    const int column = lane % 4 * 4;
#pragma unroll 1
                    for (int row = lane / 4; row < 16; row += 8)
                        store.four(m + 16 * i + row, n + 16 * j + column,
                                   load4(patch.span(mine + row * kPatchStride + column, 4)));
                }
                __syncwarp();
            }
    }
};

#else

// Code for older devices has no TF32; Device refuses the option there, so that nothing launches this.
template <int M, int N, Order order_a, Order order_b> using Tf32Accumulator =
    Fp32Accumulator<M, N, order_a, order_b>;

#endif

template <Math math, int M, int N, Order a, Order b> using Accumulator =
    std::conditional_t<math == Math::Fp32, Fp32Accumulator<M, N, a, b>, Tf32Accumulator<M, N, a, b>>;

// One tile: results m0 .. m0 + M - 1 by n0 .. n0 + N - 1, summed over k_begin .. k_end - 1, handed to
// `store`.
template <Math math, int M, int N, int Vec, Order order_a, Order order_b, class A, class B, class Store>
__device__ __forceinline__ void multiply_tile(const A& a, const B& b, int m0, int n0, int k_begin, int k_end,
                                              const Store& store) {
    constexpr int kA = TileLayout<M, order_a>::kElems, kB = TileLayout<N, order_b>::kElems;
    using Sums = Accumulator<math, M, N, order_a, order_b>;
    constexpr int kShared = 2 * kA > Sums::kPatch ? 2 * kA : Sums::kPatch;
    __shared__ SharedArray<float, kShared> tile_a;
    __shared__ SharedArray<float, 2 * kB> tile_b;

    TileCopy<A, order_a, M, Vec> copy_a(a, m0);
    TileCopy<B, order_b, N, Vec> copy_b(b, n0);
    Sums sums;
    copy_a.start(tile_a, 0, k_begin, k_end);
    copy_b.start(tile_b, 0, k_begin, k_end);
    __pipeline_commit();
    int stage = 0, slices = 0;
    for (int k = k_begin; k < k_end; k += kSlice, stage ^= 1) {
        __pipeline_wait_prior(0);
        __syncthreads(); // the slice is here, and nobody reads the other buffer any more
        if (k + kSlice < k_end) {
            copy_a.start(tile_a, (stage ^ 1) * kA, k + kSlice, k_end);
            copy_b.start(tile_b, (stage ^ 1) * kB, k + kSlice, k_end);
            __pipeline_commit();
        }
        sums.multiply(tile_a, stage * kA, tile_b, stage * kB);
        if (++slices % Sums::kSlices == 0) sums.collect();
    }
    sums.collect();
    __pipeline_wait_prior(0); // of an empty sum
    __syncthreads();
    sums.finish(tile_a, m0, n0, store);
}

} // namespace cgan::cuda
