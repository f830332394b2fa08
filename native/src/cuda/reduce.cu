// reduce.cu: sums, means, maxima and minima along axes
// forward : dst[kept] = fold over the reduced axes of src
// shapes  : up to 8 axes; neighbours that are both kept or both reduced are merged first.  F32, folded in float64
// launch  : rows (the last axis is reduced): a warp or a block of 256 for each result, lanes along the row;
//           columns (the last axis is kept): blocks of 32 x 8, lanes along the results, so that both read whole lines.
//           Too few results to fill the chip: the reduced range is cut into chunks (grid.y) and a second launch folds
//           the chunks in their order.  Bound by memory: reads 4 bytes for each element of src
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/reduce.cpp
#include <limits>

#include "cuda_backend.h"
#include "divider.h"
#include "math.h"
#include "warp.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

// Kept or reduced axes: the offset of an element from its running number, the last axis running fastest.
struct Axes {
    int rank = 0;
    Divider dims[CGAN_MAX_RANK]; // last axis first
    std::int64_t steps[CGAN_MAX_RANK];

    __device__ __forceinline__ std::int64_t offset(unsigned i) const {
        std::int64_t sum = 0;
        for (int axis = 0; axis < rank; axis++) {
            unsigned at;
            i = dims[axis].divmod(i, at);
            sum += at * steps[axis];
        }
        return sum;
    }
};

struct Fold {
    int kind; // cgan_reduce_kind

    __device__ __forceinline__ double operator()(double a, double b) const {
        if (kind == CGAN_REDUCE_MAX) return nan_max(a, b);
        if (kind == CGAN_REDUCE_MIN) return nan_min(a, b);
        return a + b;
    }
    __device__ __forceinline__ double start() const {
        if (kind == CGAN_REDUCE_MAX) return -std::numeric_limits<double>::infinity();
        if (kind == CGAN_REDUCE_MIN) return std::numeric_limits<double>::infinity();
        return 0;
    }
};

// Where results go: to dst, or for one chunk of several to partial [chunks, outputs].
struct Result {
    double divisor;
    float* dst;
    double* partial; // nullable

    __device__ __forceinline__ void put(unsigned output, unsigned outputs, double value) const {
        if (partial)
            partial[std::uint64_t(blockIdx.y) * outputs + output] = value;
        else
            dst[output] = float(value / divisor);
    }
};

constexpr int kColumns = 32, kRows = 8;

} // namespace

// kLanes threads (32 or 256) for each result.
template <int kLanes> __global__ void __launch_bounds__(kBlock)
    reduce_rows_kernel(unsigned outputs, unsigned count, unsigned chunk, Fold fold, Axes kept, Axes reduced,
                       const float* __restrict__ src, Result result) {
    __shared__ SharedArray<double, 32> scratch;
    const unsigned lane = threadIdx.x % kLanes, team = threadIdx.x / kLanes;
    constexpr unsigned kTeams = kBlock / kLanes;
    const unsigned first = blockIdx.y * chunk, end = count - first < chunk ? count : first + chunk;
    for (unsigned base = blockIdx.x * kTeams; base < outputs; base += gridDim.x * kTeams) {
        const unsigned output = base + team;
        double v = fold.start();
        if (output < outputs) {
            const float* row = src + kept.offset(output);
            for (unsigned i = first + lane; i < end; i += kLanes) v = fold(v, double(row[reduced.offset(i)]));
        }
        v = kLanes == 32 ? warp_fold(v, fold) : block_fold(v, fold, scratch);
        if (lane == 0 && output < outputs) result.put(output, outputs, v);
    }
}

// Block (32, 8): lane x serves result blockIdx.x * 32 + x, the eight rows of threads share the chunk.
template <class T> __global__ void __launch_bounds__(kBlock)
    reduce_columns_kernel(unsigned outputs, unsigned count, unsigned chunk, Fold fold, Axes kept,
                          Axes reduced, const T* __restrict__ src, Result result) {
    __shared__ SharedArray<double, kColumns * kRows> folded;
    const unsigned output = blockIdx.x * kColumns + threadIdx.x;
    const unsigned first = blockIdx.y * chunk, end = count - first < chunk ? count : first + chunk;
    double v = fold.start();
    if (output < outputs) {
        const T* column = src + kept.offset(output);
        for (unsigned i = first + threadIdx.y; i < end; i += kRows)
            v = fold(v, double(column[reduced.offset(i)]));
    }
    folded[threadIdx.y * kColumns + threadIdx.x] = v;
    __syncthreads();
    if (threadIdx.y != 0 || output >= outputs) return;
    for (int row = 1; row < kRows; row++) v = fold(v, folded[row * kColumns + threadIdx.x]);
    result.put(output, outputs, v);
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

struct Plan {
    Axes kept, reduced;
    std::int64_t outputs = 1, count = 1;
    bool rows = false; // the last axis longer than 1 is reduced
};

void append(Axes& axes, std::int64_t dim, std::int64_t step, std::int64_t* dims) {
    if (axes.rank > 0 && step == axes.steps[axes.rank - 1] * dims[axes.rank - 1]) {
        dims[axes.rank - 1] *= dim;
    } else {
        axes.steps[axes.rank] = step;
        dims[axes.rank++] = dim;
    }
}

Plan make_plan(const View& src, std::uint32_t mask) {
    Plan plan;
    std::int64_t step = 1, kept_dims[CGAN_MAX_RANK], reduced_dims[CGAN_MAX_RANK];
    bool found = false;
    for (int i = src.rank - 1; i >= 0; i--) {
        const std::int64_t dim = src.dims[i];
        const bool reduced = mask >> i & 1;
        (reduced ? plan.count : plan.outputs) *= dim;
        if (dim != 1) {
            if (!found) plan.rows = reduced;
            found = true;
            append(reduced ? plan.reduced : plan.kept, dim, step, reduced ? reduced_dims : kept_dims);
        }
        step *= dim;
    }
    if (plan.outputs > kMaxIndex || plan.count > kMaxIndex)
        throw Error(CGAN_E_UNSUPPORTED, "reduce: more than 2^31 - 1 elements are kept or reduced");
    for (int i = 0; i < plan.kept.rank; i++) plan.kept.dims[i] = Divider(kept_dims[i]);
    for (int i = 0; i < plan.reduced.rank; i++) plan.reduced.dims[i] = Divider(reduced_dims[i]);
    return plan;
}

// Chunks of the reduced range, so that about four blocks wait on each multiprocessor.
std::int64_t choose_chunks(const Device& device, std::int64_t blocks, std::int64_t count,
                           std::int64_t least) {
    const std::int64_t wanted = div_up(std::int64_t(device.multiprocessors()) * 4, blocks);
    const std::int64_t most = div_up(count, least);
    return wanted < most ? (wanted < 1 ? 1 : wanted) : (most < 1 ? 1 : most);
}

void finish(const Device& device, Fold fold, std::int64_t outputs, std::int64_t chunks, const double* partial,
            double divisor, float* dst) {
    Axes kept, reduced;
    kept.rank = reduced.rank = 1;
    kept.dims[0] = Divider(outputs);
    kept.steps[0] = 1;
    reduced.dims[0] = Divider(chunks);
    reduced.steps[0] = outputs;
    launch(device, unsigned(div_up(outputs, kColumns)), dim3(kColumns, kRows), reduce_columns_kernel<double>,
           unsigned(outputs), unsigned(chunks), unsigned(chunks), fold, kept, reduced, partial,
           Result{divisor, dst, nullptr});
}

} // namespace

void CudaBackend::reduce(const cgan_reduce_params& p, const View& src, const View& dst) {
    require_f32(src, "reduce");
    const Plan plan = make_plan(src, p.axis_mask);
    const Fold fold{p.kind};
    const double divisor = p.kind == CGAN_REDUCE_MEAN && plan.count > 0 ? double(plan.count) : 1.0;
    const bool wide = plan.count >= 1024;
    const std::int64_t teams = plan.rows ? (wide ? 1 : kBlock / 32) : kColumns;
    const std::int64_t blocks = div_up(plan.outputs, teams);
    const std::int64_t wanted = choose_chunks(device_, blocks, plan.count, plan.rows ? 4096 : 256);
    const std::int64_t chunk = plan.count > 0 ? div_up(plan.count, wanted) : 1;
    const std::int64_t chunks = plan.count > 0 ? div_up(plan.count, chunk) : 1;
    Scratch<double> partial(device_, chunks > 1 ? chunks * plan.outputs : 0);
    const Result result{divisor, dst.as<float>(), partial.data()};
    const unsigned outputs = unsigned(plan.outputs), count = unsigned(plan.count);
    if (plan.rows) {
        const auto kernel = wide ? reduce_rows_kernel<256> : reduce_rows_kernel<32>;
        launch(device_, dim3(unsigned(blocks), unsigned(chunks)), kBlock, kernel, outputs, count,
               unsigned(chunk), fold, plan.kept, plan.reduced, src.as<float>(), result);
    } else {
        launch(device_, dim3(unsigned(blocks), unsigned(chunks)), dim3(kColumns, kRows),
               reduce_columns_kernel<float>, outputs, count, unsigned(chunk), fold, plan.kept, plan.reduced,
               src.as<float>(), result);
    }
    if (chunks > 1) finish(device_, fold, plan.outputs, chunks, partial.data(), divisor, dst.as<float>());
}

} // namespace cgan::cuda
