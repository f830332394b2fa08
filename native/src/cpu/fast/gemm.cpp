// gemm.cpp -- blocked matrix product
//
// blocks  : k in slices of at most 256 (a panel of B stays in L1), rows in blocks of 96 (of A, in L2)
// packing : of the smaller operand first and by all threads, of the other by the task that uses it: A first where it
//           has few rows, as in a dense layer, else a slice of B
// threads : tasks of columns, or of (row block, column block), handed out dynamically
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/matrix.cpp
#include "cpu/fast/gemm.h"

#include <algorithm>

namespace cgan::fast {
namespace {

constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kRowBlock = 96;
constexpr std::int64_t kColumnLimit = 8192; // columns of B packed at a time, row block by row block
constexpr std::int64_t kGatheredRows = 256; // of A, at most, for B to be read in place
constexpr std::int64_t kColumns = 64;       // of a task that packs its own B
constexpr std::int64_t kWholeA = std::int64_t{2} << 20; // floats of A that are packed at once
constexpr std::int64_t kAheadRows = 24; // multiplied between two requests for B; a multiple of kRows

// Columns of a task: all, unless there are too few row blocks to share out.
std::int64_t column_block(std::int64_t row_blocks, std::int64_t n, int threads) {
    const std::int64_t wanted = threads == 1 ? 1 : ceil_div(4 * threads, row_blocks);
    return std::max<std::int64_t>(round_up(ceil_div(n, wanted), kPanel), 4 * kPanel);
}

Epilogue of_columns(const Epilogue& e, std::int64_t col) { return {e.bia ? e.bia + col : nullptr, e.act}; }

// Few rows, and columns of B that lie contiguous, as a dense layer's weights do: B is read where it lies, as the gathered
// rows of the transposed product, and each task's results are turned around.
void by_gathered_columns(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k,
                         float* dst, std::int64_t ld, const Epilogue& epilogue) {
    const Kernels& kernels = machine.kernels;
    Scratch::Frame frame(machine.scratch);
    const int threads = machine.pool.threads();
    const std::int64_t block =
        std::clamp<std::int64_t>(round_up(ceil_div(n, 8 * threads), kRows), kRows, kRowBlock);
    float* packed = machine.scratch.take<float>(round_up(m, kPanel) * k);
    float* turned = machine.scratch.take<float>(threads * block * m);
    machine.pool.parallel(ceil_div(m, kPanel), [&](std::int64_t panel, int) {
        const std::int64_t row = panel * kPanel;
        kernels.pack_b(a.data + row * a.row_stride, a.col_stride, a.row_stride, k,
                       std::min<std::int64_t>(kPanel, m - row), packed + row * k);
    });
    machine.pool.parallel(ceil_div(n, block), [&](std::int64_t task, int worker) {
        const std::int64_t col = task * block, cols = std::min(block, n - col);
        float* results = turned + worker * block * m; // [cols][m]
        const float* rows[kRowBlock];
        float* to[kRowBlock];
        for (std::int64_t i = 0; i < round_up(cols, kRows); i++)
            rows[i] = b.data + (col + std::min(i, cols - 1)) * b.col_stride;
        for (std::int64_t i = 0; i < cols; i++) to[i] = results + i * m;
        kernels.gather_product({rows, cols, 1, k, m, packed, to, {}});
        for (std::int64_t r = 0; r < m; r++)
            for (std::int64_t i = 0; i < cols; i++) dst[r * ld + col + i] = results[i * m + r];
        if (epilogue.any()) kernels.epilogue(of_columns(epilogue, col), dst + col, m, cols, ld);
    });
}

// Asks for rows [begin, end) of B, `cols` columns from `col` on: they lie too far apart for the hardware to foresee.
void prefetch_rows(Matrix b, std::int64_t begin, std::int64_t end, std::int64_t col, std::int64_t cols) {
    constexpr std::int64_t kLine = 16; // floats
    if (b.col_stride != 1) return;
    for (std::int64_t i = begin; i < end; i++)
        for (std::int64_t c = 0; c < cols; c += kLine)
            __builtin_prefetch(b.data + i * b.row_stride + col + c, 0, 2);
}

// Few rows: all of A is packed first, then each task packs its columns of B slice by slice, while they are in cache.
void by_column_blocks(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k,
                      float* dst, std::int64_t ld, const Epilogue& epilogue) {
    const Kernels& kernels = machine.kernels;
    Scratch::Frame frame(machine.scratch);
    const std::int64_t slices = ceil_div(k, kDepth), depth = ceil_div(k, slices), rows = round_up(m, kRows);
    const int threads = machine.pool.threads();
    const std::int64_t width =
        std::clamp<std::int64_t>(round_up(ceil_div(n, 4 * threads), kPanel), kPanel, kColumns);
    float* packed_a = machine.scratch.take<float>(rows * k);
    float* packed_b = machine.scratch.take<float>(threads * depth * width);
    const std::int64_t pieces = ceil_div(m, kRowBlock);
    machine.pool.parallel(slices * pieces, [&](std::int64_t task, int) {
        const std::int64_t at = task / pieces * depth, row = task % pieces * kRowBlock,
                           kc = std::min(depth, k - at);
        kernels.pack_a(a.data + row * a.row_stride + at * a.col_stride, a.row_stride, a.col_stride,
                       std::min(kRowBlock, m - row), kc, packed_a + at * rows + row * kc);
    });
    machine.pool.parallel(ceil_div(n, width), [&](std::int64_t task, int worker) {
        const std::int64_t col = task * width, cols = std::min(width, n - col);
        float* panels = packed_b + worker * depth * width;
        for (std::int64_t at = 0; at < k; at += depth) {
            const std::int64_t kc = std::min(depth, k - at);
            kernels.pack_b(b.data + at * b.row_stride + col * b.col_stride, b.row_stride, b.col_stride, kc,
                           cols, panels);
            // Meanwhile the next slice, or what will probably be this thread's next task, comes near.
            const std::int64_t next = at + depth < k ? at + depth : 0,
                               next_col = next > 0 ? col : col + threads * width;
            const std::int64_t next_depth = std::min(depth, k - next),
                               next_cols = std::min(width, n - next_col);
            for (std::int64_t row = 0; row < m; row += kAheadRows) {
                const std::int64_t count = std::min(kAheadRows, m - row);
                prefetch_rows(b, next + next_depth * row / m, next + next_depth * (row + count) / m, next_col,
                              next_cols);
                kernels.product(packed_a + at * rows + row * kc, kc * kRows, panels, kc * kPanel, count, cols,
                                kc, dst + row * ld + col, ld, at > 0);
            }
        }
        if (epilogue.any()) kernels.epilogue(of_columns(epilogue, col), dst + col, m, cols, ld);
    });
}

void by_row_blocks(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k,
                   float* dst, std::int64_t ld, const Epilogue& epilogue) {
    const Kernels& kernels = machine.kernels;
    Scratch::Frame frame(machine.scratch);
    const std::int64_t slices = std::max<std::int64_t>(ceil_div(k, kDepth), 1);
    const std::int64_t depth = ceil_div(k, slices);
    const std::int64_t width = std::min(n, kColumnLimit);
    const std::int64_t a_floats = kRowBlock * depth;
    float* packed_b = machine.scratch.take<float>(round_up(width, kPanel) * depth);
    float* packed_a = machine.scratch.take<float>(a_floats * machine.pool.threads());
    const std::int64_t row_blocks = ceil_div(m, kRowBlock);
    const std::int64_t columns = column_block(row_blocks, width, machine.pool.threads());

    for (std::int64_t col = 0; col < n; col += width)
        for (std::int64_t at = 0, slice = 0; slice < slices; slice++, at += depth) {
            const std::int64_t cols = std::min(width, n - col), kc = std::min(depth, k - at);
            const float* source = b.data + at * b.row_stride + col * b.col_stride;
            machine.pool.ranges(ceil_div(cols, kPanel), 4, [&](std::int64_t begin, std::int64_t end) {
                const std::int64_t first = begin * kPanel;
                kernels.pack_b(source + first * b.col_stride, b.row_stride, b.col_stride, kc,
                               std::min(end * kPanel, cols) - first, packed_b + first * kc);
            });
            const std::int64_t column_blocks = ceil_div(cols, columns);
            machine.pool.parallel(row_blocks * column_blocks, [&](std::int64_t task, int worker) {
                const std::int64_t row = task / column_blocks * kRowBlock, c = task % column_blocks * columns;
                const std::int64_t rows = std::min(kRowBlock, m - row), count = std::min(columns, cols - c);
                float* block = packed_a + worker * a_floats;
                kernels.pack_a(a.data + row * a.row_stride + at * a.col_stride, a.row_stride, a.col_stride,
                               rows, kc, block);
                float* out = dst + row * ld + col + c;
                kernels.product(block, kc * kRows, packed_b + c * kc, kc * kPanel, rows, count, kc, out, ld,
                                slice > 0);
                if (slice + 1 == slices && epilogue.any())
                    kernels.epilogue(of_columns(epilogue, col + c), out, rows, count, ld);
            });
        }
}

} // namespace

void gemm(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k, float* dst,
          std::int64_t ld, const Epilogue& epilogue) {
    if (b.row_stride == 1 && b.col_stride != 1 && k >= 64 && m >= kPanel && m <= kGatheredRows &&
        n >= 4 * kRows)
        by_gathered_columns(machine, a, b, m, n, k, dst, ld, epilogue);
    else if (k > 0 && m * k <= kWholeA && m <= 4 * n)
        by_column_blocks(machine, a, b, m, n, k, dst, ld, epilogue);
    else
        by_row_blocks(machine, a, b, m, n, k, dst, ld, epilogue);
}

} // namespace cgan::fast
