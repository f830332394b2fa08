// movement.cu: permute, slice_copy, gather_rows, scatter_add_rows
// forward : elements change their place; scatter_add_rows adds the rows that share an index, in the order of the rows
// shapes  : any type by its size (1, 4 or 8 bytes); scatter F32
// launch  : permute: 1-D grid-stride over dst; a swap of the last two of three merged axes goes through 32x33 tiles of
//           shared memory, so that both sides move whole lines.  slice: rows of the widest word (16 to 1 bytes) that
//           fits all lengths.  scatter: a thread for each column of a table row, which walks all indices.  Bound by memory
// repeat  : run-to-run deterministic (no atomics on values);  reference: cpu/reference/movement.cpp
#include "cuda_backend.h"
#include "divider.h"
#include "shared.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

struct Word16 {
    float4 v;
};

struct Permutation {
    int rank = 0;
    Divider dims[CGAN_MAX_RANK];       // of dst, last axis first
    std::int64_t steps[CGAN_MAX_RANK]; // in src
};

constexpr int kTile = 32, kTileRows = 8;

} // namespace

template <class T> __global__ void __launch_bounds__(kBlock)
    permute_kernel(unsigned n, Permutation p, const T* __restrict__ src, T* __restrict__ dst) {
    for (std::int64_t i = first_item(); i < n; i += item_step()) {
        unsigned rest = unsigned(i);
        std::int64_t from = 0;
        for (int axis = 0; axis < p.rank; axis++) {
            unsigned at;
            rest = p.dims[axis].divmod(rest, at);
            from += at * p.steps[axis];
        }
        dst[i] = src[from];
    }
}

// src [batch, rows, columns] -> dst [batch, columns, rows]; blocks of 32 x 8 threads.
__global__ void __launch_bounds__(kTile* kTileRows)
    transpose_kernel(int rows, int columns, const float* __restrict__ src, float* __restrict__ dst) {
    __shared__ SharedArray<float, kTile*(kTile + 1)> tile;
    const std::int64_t plane = std::int64_t(rows) * columns * blockIdx.z;
    const int x = threadIdx.x, row0 = int(blockIdx.y) * kTile, column0 = int(blockIdx.x) * kTile;
    for (int y = threadIdx.y; y < kTile; y += kTileRows)
        if (row0 + y < rows && column0 + x < columns)
            tile[y * (kTile + 1) + x] = src[plane + std::int64_t(row0 + y) * columns + column0 + x];
    __syncthreads();
    for (int y = threadIdx.y; y < kTile; y += kTileRows)
        if (column0 + y < columns && row0 + x < rows)
            dst[plane + std::int64_t(column0 + y) * rows + row0 + x] = tile[x * (kTile + 1) + y];
}

// `rows` runs of `width` words, `src_step` and `dst_step` words apart.
template <class T> __global__ void __launch_bounds__(kBlock)
    copy_rows_kernel(std::int64_t rows, std::int64_t width, std::int64_t src_step, std::int64_t dst_step,
                     const T* __restrict__ src, T* __restrict__ dst) {
    const std::int64_t n = rows * width;
    for (std::int64_t i = first_item(); i < n; i += item_step()) {
        const std::int64_t row = i / width, at = i - row * width;
        dst[row * dst_step + at] = src[row * src_step + at];
    }
}

// A row number inside the table; the first one outside is noted in `bad` as position << 32 | value.
__device__ __forceinline__ int checked_row(int row, int rows, int position, unsigned long long* bad) {
    if (row >= 0 && row < rows) return row;
    atomicMin(bad, (static_cast<unsigned long long>(unsigned(position)) << 32) | unsigned(row));
    return row < 0 ? 0 : rows - 1;
}

template <class T> __global__ void __launch_bounds__(kBlock)
    gather_rows_kernel(std::int64_t n, std::int64_t width, int rows, const T* __restrict__ table,
                       const int* __restrict__ index, T* __restrict__ dst, unsigned long long* bad) {
    for (std::int64_t i = first_item(); i < n * width; i += item_step()) {
        const std::int64_t at = i / width, e = i - at * width;
        dst[i] = table[checked_row(index[at], rows, int(at), bad) * width + e];
    }
}

// Threads: columns of d_table (x) by its rows (y). index [n], d_dst [n, width], d_table [rows, width].
__global__ void __launch_bounds__(kBlock)
    scatter_rows_kernel(int n, int width, int rows, const int* __restrict__ index,
                        const float* __restrict__ d_dst, float* __restrict__ d_table,
                        unsigned long long* bad) {
    const std::int64_t e = first_item();
    for (int row = blockIdx.y; row < rows; row += gridDim.y) {
        if (e >= width) continue;
        double sum = 0;
        for (int i = 0; i < n; i++)
            if (checked_row(index[i], rows, i, bad) == row) sum += double(d_dst[std::int64_t(i) * width + e]);
        d_table[std::int64_t(row) * width + e] = float(sum);
    }
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

int size_of(DType type) {
    switch (type) {
    case DType::U8:
        return 1;
    case DType::F64:
    case DType::I64:
        return 8;
    default:
        return 4;
    }
}

struct MergedAxis {
    std::int64_t dim, step;
};

// Axes of dst, last first, with their steps in src; neighbours that stay neighbours are merged.
int merge_axes(const cgan_permute_params& p, const View& src, const View& dst, MergedAxis* axes) {
    std::int64_t steps[CGAN_MAX_RANK], step = 1;
    for (int i = src.rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= src.dims[i];
    }
    int rank = 0;
    for (int i = dst.rank - 1; i >= 0; i--) {
        const MergedAxis axis{dst.dims[i], steps[p.axes[i]]};
        if (axis.dim == 1) continue;
        if (rank > 0 && axis.step == axes[rank - 1].step * axes[rank - 1].dim)
            axes[rank - 1].dim *= axis.dim;
        else
            axes[rank++] = axis;
    }
    return rank;
}

template <class T> void launch_permute(const Device& device, std::int64_t n, const MergedAxis* axes, int rank,
                                       const View& src, const View& dst) {
    Permutation p;
    p.rank = rank;
    for (int i = 0; i < rank; i++) {
        p.dims[i] = Divider(axes[i].dim);
        p.steps[i] = axes[i].step;
    }
    launch(device, grid_1d(device, n), kBlock, permute_kernel<T>, unsigned(n), p, src.as<T>(), dst.as<T>());
}

template <class T> void launch_copy(const Device& device, std::int64_t rows, std::int64_t bytes,
                                    std::int64_t src_step, std::int64_t dst_step, const char* src,
                                    char* dst) {
    constexpr std::int64_t size = sizeof(T);
    launch(device, grid_1d(device, rows * (bytes / size)), kBlock, copy_rows_kernel<T>, rows, bytes / size,
           src_step / size, dst_step / size, reinterpret_cast<const T*>(src), reinterpret_cast<T*>(dst));
}

} // namespace

void CudaBackend::permute(const cgan_permute_params& p, const View& src, const View& dst) {
    MergedAxis axes[CGAN_MAX_RANK] = {};
    const int rank = merge_axes(p, src, dst, axes), size = size_of(src.dtype);
    const std::int64_t n = dst.elems();
    if (n > kMaxIndex) throw Error(CGAN_E_UNSUPPORTED, "permute: more than 2^31 - 1 elements");
    if (rank <= 1) {
        device_.activate();
        CGAN_CUDA(cudaMemcpyAsync(dst.data, src.data, std::size_t(n * size), cudaMemcpyDeviceToDevice,
                                  device_.stream()));
        device_.wait_if_synchronous();
        return;
    }
    // dst [batch, columns, rows] from src [batch, rows, columns]
    const std::int64_t rows = axes[0].dim, columns = axes[1].dim, batch = rank == 3 ? axes[2].dim : 1;
    const bool transposes = rank <= 3 && axes[1].step == 1 && axes[0].step == columns && batch <= 65535 &&
                            div_up(rows, kTile) <= 65535;
    if (size == 4 && transposes && (rank == 2 || axes[2].step == rows * columns)) {
        const dim3 grid(unsigned(div_up(columns, kTile)), unsigned(div_up(rows, kTile)), unsigned(batch));
        launch(device_, grid, dim3(kTile, kTileRows), transpose_kernel, int(rows), int(columns),
               src.as<float>(), dst.as<float>());
        return;
    }
    if (size == 1) return launch_permute<std::uint8_t>(device_, n, axes, rank, src, dst);
    if (size == 4) return launch_permute<std::uint32_t>(device_, n, axes, rank, src, dst);
    launch_permute<std::uint64_t>(device_, n, axes, rank, src, dst);
}

void CudaBackend::slice_copy(const cgan_slice_params& p, const View& src, const View& dst) {
    std::int64_t rows = 1, inner = size_of(src.dtype);
    for (int i = 0; i < p.axis; i++) rows *= src.dims[i];
    for (int i = p.axis + 1; i < src.rank; i++) inner *= src.dims[i];
    const std::int64_t bytes = p.count * inner;
    if (rows * bytes == 0) return;
    const std::int64_t src_step = src.dims[p.axis] * inner, dst_step = dst.dims[p.axis] * inner;
    const char* from = src.as<char>() + p.src_start * inner;
    char* to = dst.as<char>() + p.dst_start * inner;
    const std::uint64_t all = std::uint64_t(bytes) | std::uint64_t(rows > 1 ? src_step | dst_step : 0) |
                              reinterpret_cast<std::uintptr_t>(from) | reinterpret_cast<std::uintptr_t>(to);
    if (all % 16 == 0) return launch_copy<Word16>(device_, rows, bytes, src_step, dst_step, from, to);
    if (all % 8 == 0) return launch_copy<std::uint64_t>(device_, rows, bytes, src_step, dst_step, from, to);
    if (all % 4 == 0) return launch_copy<std::uint32_t>(device_, rows, bytes, src_step, dst_step, from, to);
    launch_copy<std::uint8_t>(device_, rows, bytes, src_step, dst_step, from, to);
}

void CudaBackend::gather_rows(const View& table, const View& index, const View& dst) {
    const std::int64_t n = index.elems(), width = table.dims[1];
    const int rows = require_length(table.dims[0], "gather_rows"); // as many as an index can name
    if (rows == 0) throw Error(CGAN_E_BAD_VALUE, "gather_rows: the table has no rows");
    const unsigned grid = grid_1d(device_, n * width);
    index_used_ = true;
    switch (size_of(table.dtype)) {
    case 1:
        return launch(device_, grid, kBlock, gather_rows_kernel<std::uint8_t>, n, width, rows,
                      table.as<std::uint8_t>(), index.as<int>(), dst.as<std::uint8_t>(), bad_index_);
    case 4:
        return launch(device_, grid, kBlock, gather_rows_kernel<std::uint32_t>, n, width, rows,
                      table.as<std::uint32_t>(), index.as<int>(), dst.as<std::uint32_t>(), bad_index_);
    default:
        return launch(device_, grid, kBlock, gather_rows_kernel<std::uint64_t>, n, width, rows,
                      table.as<std::uint64_t>(), index.as<int>(), dst.as<std::uint64_t>(), bad_index_);
    }
}

void CudaBackend::scatter_add_rows(const View& index, const View& d_dst, const View& d_table) {
    require_f32(d_dst, "scatter_add_rows");
    const int n = require_length(index.elems(), "scatter_add_rows"),
              width = require_length(d_table.dims[1], "scatter_add_rows"),
              rows = require_length(d_table.dims[0], "scatter_add_rows");
    index_used_ = true;
    const int threads = width <= 32 ? 32 : width <= 128 ? 128 : kBlock;
    const dim3 grid(unsigned(div_up(width, threads)), unsigned(rows < 65535 ? rows : 65535));
    launch(device_, grid, unsigned(threads), scatter_rows_kernel, n, width, rows,
           index.as<int>(), d_dst.as<float>(), d_table.as<float>(), bad_index_);
}

} // namespace cgan::cuda
