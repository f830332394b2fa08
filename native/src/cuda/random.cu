// random.cu: Philox numbers
// forward : element i of dst takes word i % 4 of the Philox block i / 4 of (seed, stream, *step)
// shapes  : any, n elements, F32, F64 or I32; step I64 [1] in device memory, so that a recorded launch goes on counting
// launch  : a thread for each four elements, grid-stride, 256 threads;  bound by arithmetic (10 rounds of 4
//           multiplications) below about 1 TB/s
// repeat  : the same bits on every device (../philox.h);  reference: cpu/reference/random.cpp
#include "../philox.h"
#include "cuda_backend.h"
#include "shared.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

struct Draw {
    int kind; // cgan_random_kind
    std::uint64_t seed;
    std::uint32_t stream;
    double a, b;
    std::uint32_t threshold; // bernoulli
    std::int32_t low;        // integer
    std::uint32_t range;
};

template <class T>
__device__ __forceinline__ void make_four(const Draw& d, const philox::Words& words, T* out) {
    if constexpr (std::is_same_v<T, std::int32_t>) {
        for (int i = 0; i < 4; i++) out[i] = philox::integer(words.w[i], d.low, d.range);
    } else {
        const T a = static_cast<T>(d.a), b = static_cast<T>(d.b);
        if (d.kind == CGAN_RANDOM_NORMAL) {
            for (int i = 0; i < 4; i += 2) {
                const philox::Pair pair = philox::normal_pair(words.w[i], words.w[i + 1]);
                out[i] = philox::add(a, philox::multiply(b, static_cast<T>(pair.first)));
                out[i + 1] = philox::add(a, philox::multiply(b, static_cast<T>(pair.second)));
            }
            return;
        }
        for (int i = 0; i < 4; i++)
            out[i] = d.kind == CGAN_RANDOM_UNIFORM ? philox::uniform(words.w[i], a, b)
                                                   : (words.w[i] >> 8 < d.threshold ? b : T{0});
    }
}

} // namespace

template <class T> __global__ void __launch_bounds__(kBlock)
    random_kernel(std::int64_t n, Draw draw, const std::int64_t* __restrict__ step, T* __restrict__ dst) {
    const std::uint64_t at = static_cast<std::uint64_t>(*step);
    for (std::int64_t block = first_item(); 4 * block < n; block += item_step()) {
        T four[4];
        make_four(draw, philox::words(draw.seed, draw.stream, at, static_cast<std::uint32_t>(block)), four);
        const std::int64_t i = 4 * block;
        for (int j = 0; j < 4; j++)
            if (i + j < n) dst[i + j] = four[j];
    }
}

// ---- launchers ----------------------------------------------------------------------------------

void CudaBackend::random(const cgan_random_params& p, const View& step, const View& dst) {
    Draw draw{p.kind, p.seed, p.stream, p.a, p.b, 0, 0, 0};
    if (p.kind == CGAN_RANDOM_BERNOULLI) draw.threshold = philox::bernoulli_threshold(p.a);
    if (p.kind == CGAN_RANDOM_INTEGER) {
        draw.low = static_cast<std::int32_t>(p.a);
        draw.range = static_cast<std::uint32_t>(p.b - p.a);
    }
    const std::int64_t n = dst.elems();
    const unsigned grid = grid_1d(device_, div_up(n, 4));
    const std::int64_t* at = step.as<std::int64_t>();
    if (p.kind == CGAN_RANDOM_INTEGER)
        launch(device_, grid, kBlock, random_kernel<std::int32_t>, n, draw, at, dst.as<std::int32_t>());
    else if (dst.dtype == DType::F64)
        launch(device_, grid, kBlock, random_kernel<double>, n, draw, at, dst.as<double>());
    else
        launch(device_, grid, kBlock, random_kernel<float>, n, draw, at, dst.as<float>());
}

} // namespace cgan::cuda
