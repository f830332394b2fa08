// gemm.cpp -- blocked matrix product
//
// blocks  : k in slices of at most 256 (a panel of B stays in L1), rows in blocks of 96 (of A, in L2)
// packing : B once for each slice, by all threads; A by the thread that uses it
// threads : tasks of (row block, column block), handed out dynamically
// repeat  : bit-equal for any number of threads
// reference: cpu/reference/matrix.cpp
#include "cpu/fast/gemm.h"

#include <algorithm>

namespace cgan::fast {
namespace {

constexpr std::int64_t kDepth = 256;
constexpr std::int64_t kRowBlock = 96;
constexpr std::int64_t kColumnLimit = 8192; // columns of B packed at a time

// Columns of a task: all, unless there are too few row blocks to share out.
std::int64_t column_block(std::int64_t row_blocks, std::int64_t n, int threads) {
    const std::int64_t wanted = threads == 1 ? 1 : ceil_div(4 * threads, row_blocks);
    return std::max<std::int64_t>(round_up(ceil_div(n, wanted), kPanel), 4 * kPanel);
}

} // namespace

void gemm(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k, float* dst,
          std::int64_t ld, const Epilogue& epilogue) {
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
                    kernels.epilogue({epilogue.bia ? epilogue.bia + col + c : nullptr, epilogue.act}, out,
                                     rows, count, ld);
            });
        }
}

} // namespace cgan::fast
