// gemm.cpp -- blocked matrix product
//
// blocks  : k in slices of at most kDepth, whose panels of B stream from L2; columns in fours of panels
// in place: rows of A that hold their k together are never packed. A dense layer's weights are read where they lie: as
//           rows of A of the transposed product going forward, as rows of B by data, where the first rows of tiles copy
//           them to panels for the others
// few     : few terms are stored row by row; few rows or columns are sums along vectors, their k lying together
// threads : tasks of columns, of (row block, column block), or of parts of k, handed out dynamically; what is over in a
//           few microseconds runs on the caller alone
// repeat  : bit-equal for any number of threads: how a sum is divided depends on m, n and k alone
// reference: cpu/reference/matrix.cpp
#include "cpu/fast/gemm.h"

#include <algorithm>

namespace cgan::fast {
namespace {

constexpr std::int64_t kDepth = 512;
constexpr std::int64_t kRowBlock = 96;
constexpr std::int64_t kColumns = 64; // of a task that packs its own B: 4 panels
constexpr std::int64_t kBlockFloats =
    128 * 1024; // of packed B that tasks of rows share, one after another: half of L2
constexpr std::int64_t kInPlaceRows = 256;              // of A, at most, for weights to be read as rows
constexpr std::int64_t kTurnFrom = 64;                  // k, at least, for results to be worth turning around
constexpr std::int64_t kWholeA = std::int64_t{2} << 20; // floats of A that are packed at once
constexpr std::int64_t kWholeB = std::int64_t{4} << 20; // floats of B that are packed at once
constexpr std::int64_t kAheadRows = 24;  // multiplied between two requests for B; a multiple of kRows
constexpr std::int64_t kAlone = 1 << 19; // multiply-adds that are not worth waking a thread for,
constexpr std::int64_t kAloneFloats = 96 * 1024; // and what they read and write
constexpr std::int64_t kParts = 8;       // of k, at most, where the result is small
constexpr std::int64_t kPartDepth = 512; // of each, at least
constexpr std::int64_t kFewResults = 16; // rows or columns that are sums along vectors
constexpr std::int64_t kFewResultsFrom = 32; // k, at least, for that,
constexpr std::int64_t kOtherSide = 32;      // and columns or rows, to be divided among threads
constexpr std::int64_t kStoredTogether = 8192; // floats of few terms each
constexpr std::int64_t kTaskFloats = 16384;    // of a task of those, about

struct Problem {
    Matrix a, b;
    std::int64_t m, n, k;
    float* dst;
    std::int64_t ld;
    Epilogue epilogue;

    // Columns [begin, begin + count) alone.
    Epilogue epilogue_at(std::int64_t begin) const {
        return {epilogue.bia ? epilogue.bia + begin : nullptr, epilogue.act};
    }
    void finish(const Kernels& kernels, std::int64_t row, std::int64_t col, std::int64_t rows,
                std::int64_t cols) const {
        if (epilogue.any()) kernels.epilogue(epilogue_at(col), dst + row * ld + col, rows, cols, ld);
    }
    bool small() const { return m * n * k <= kAlone && m * k + k * n + m * n <= kAloneFloats; }
    // Slices of k are equal, and a multiple of the kernels' unrolling.
    std::int64_t depth() const {
        return round_up(ceil_div(k, std::max<std::int64_t>(ceil_div(k, kDepth), 1)), 4);
    }
};

// body(task, worker) for all tasks, on the caller alone if that is soonest.
template <class Body> void share(Machine& machine, bool alone, std::int64_t tasks, Body&& body) {
    if (!alone) return machine.pool.parallel(tasks, body);
    for (std::int64_t task = 0; task < tasks; task++) body(task, 0);
}

// A whole operand as the kernels take it: rows in place, or packed in panels of all k.
struct Rows {
    const float* data;
    std::int64_t row; // floats from row to row in place; 0: packed
    std::int64_t k;

    // The product's A: rows from `first`, a multiple of kRows, and k from `at` on.
    void set(BlockProduct& p, std::int64_t first, std::int64_t at) const {
        p.a = row > 0 ? data + first * row + at : data + first * k + at * kRows;
        p.a_row = row;
        p.a_panel = k * kRows;
    }
};

bool rows_in_place(const Matrix& a) { return a.col_stride == 1 && a.row_stride > 0; }

Rows rows_of(Machine& machine, const Problem& x) {
    if (rows_in_place(x.a)) return {x.a.data, x.a.row_stride, x.k};
    constexpr std::int64_t kTogether = 8 * kRows;
    float* packed = machine.scratch.take<float>(round_up(x.m, kRows) * x.k);
    share(machine, x.small(), ceil_div(x.m, kTogether), [&](std::int64_t task, int) {
        const std::int64_t row = task * kTogether;
        machine.kernels.pack_a(x.a.data + row * x.a.row_stride, x.a.row_stride, x.a.col_stride,
                               std::min(kTogether, x.m - row), x.k, packed + row * x.k);
    });
    return {packed, 0, x.k};
}

// Panels [k][16] of the columns of b, by all threads.
void pack_columns(Machine& machine, bool alone, Matrix b, std::int64_t k, std::int64_t n, float* packed) {
    share(machine, alone, ceil_div(n, kPanel), [&](std::int64_t panel, int) {
        machine.kernels.pack_b(b.data + panel * kPanel * b.col_stride, b.row_stride, b.col_stride, k,
                               std::min<std::int64_t>(kPanel, n - panel * kPanel),
                               packed + panel * kPanel * k);
    });
}

// B's columns hold their k together, as a dense layer's weights do: they are the rows of the transposed product, whose
// results are turned around.
void by_weights(Machine& machine, const Problem& x) {
    const Kernels& kernels = machine.kernels;
    const int threads = machine.pool.threads();
    const std::int64_t block =
        std::clamp<std::int64_t>(round_up(ceil_div(x.n, 8 * threads), kRows), kRows, 2 * kRowBlock);
    float* packed = machine.scratch.take<float>(round_up(x.m, kPanel) * x.k);
    float* turned = machine.scratch.take<float>(threads * block * x.m);
    pack_columns(machine, x.small(), {x.a.data, x.a.col_stride, x.a.row_stride}, x.k, x.m, packed);
    share(machine, x.small(), ceil_div(x.n, block), [&](std::int64_t task, int worker) {
        const std::int64_t col = task * block, cols = std::min(block, x.n - col);
        BlockProduct p{};
        p.a_row = x.b.col_stride;
        p.b_panel = x.k * kPanel;
        p.rows = cols, p.cols = x.m;
        p.dst = turned + worker * block * x.m, p.ld = x.m; // [cols][m]
        for (std::int64_t at = 0; at < x.k; at += x.depth()) {
            p.a = x.b.data + col * x.b.col_stride + at;
            p.b = packed + at * kPanel;
            p.k = std::min(x.depth(), x.k - at);
            p.a_ahead = std::min(x.depth(), x.k - at - p.k);
            p.accumulate = at > 0;
            kernels.block_product(p);
        }
        kernels.turn(p.dst, x.m, cols, x.m, x.dst + col, x.ld);
        x.finish(kernels, 0, col, x.m, cols);
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

// Part of B, rows [at, at + k) and columns [col, col + cols), times all rows of A. What will probably be needed next,
// rows [next, next + next_k) and next_cols columns from next_col on, comes near meanwhile.
struct Slice {
    std::int64_t at, k, col, cols;
    std::int64_t next, next_k, next_col, next_cols;
};

void multiply_slice(const Kernels& kernels, const Problem& x, const Rows& rows, const Slice& s, float* panels,
                    float* dst, std::int64_t ld, bool accumulate) {
    BlockProduct p{};
    const float* b = x.b.data + s.at * x.b.row_stride + s.col * x.b.col_stride;
    const bool in_place = x.b.col_stride == 1 && s.cols % kPanel == 0;
    if (in_place)
        p.b = b, p.b_row = x.b.row_stride, p.packed = x.m > kRows ? panels : nullptr;
    else
        p.b = panels;
    if (!in_place) kernels.pack_b(b, x.b.row_stride, x.b.col_stride, s.k, s.cols, panels);
    p.b_panel = s.k * kPanel;
    p.cols = s.cols, p.k = s.k;
    p.ld = ld, p.accumulate = accumulate;
    for (std::int64_t row = 0; row < x.m; row += p.rows) {
        // The first six rows are waited for; then requests go out between the others.
        p.rows = std::min(row == 0 && in_place ? kRows : kAheadRows, x.m - row);
        rows.set(p, row, s.at);
        p.dst = dst + row * ld;
        kernels.block_product(p);
        if (p.packed != nullptr) p.b = p.packed, p.b_row = 0, p.packed = nullptr;
        prefetch_rows(x.b, s.next + s.next_k * row / x.m, s.next + s.next_k * (row + p.rows) / x.m,
                      s.next_col, s.next_cols);
    }
}

// Each task multiplies its own columns of B, slice by slice, while they are in cache.
void by_columns(Machine& machine, const Problem& x) {
    const int threads = machine.pool.threads();
    const std::int64_t width =
        x.small() ? std::min(round_up(x.n, kPanel), kColumns)
                  : std::clamp<std::int64_t>(round_up(ceil_div(x.n, 4 * threads), 2 * kPanel), 2 * kPanel,
                                             kColumns);
    const std::int64_t depth = x.depth();
    const Rows rows = rows_of(machine, x);
    float* panels = machine.scratch.take<float>(threads * depth * width);
    share(machine, x.small(), ceil_div(x.n, width), [&](std::int64_t task, int worker) {
        const std::int64_t col = task * width, cols = std::min(width, x.n - col);
        for (std::int64_t at = 0; at < x.k; at += depth) {
            Slice s{at, std::min(depth, x.k - at), col, cols, at + depth, 0, col, cols};
            if (s.next >= x.k) s.next = 0, s.next_col = col + width; // the thread's next task, as a rule
            s.next_k = std::min(depth, x.k - s.next);
            s.next_cols = std::clamp<std::int64_t>(x.n - s.next_col, 0, width);
            multiply_slice(machine.kernels, x, rows, s, panels + worker * depth * width, x.dst + col, x.ld,
                           at > 0);
        }
        x.finish(machine.kernels, 0, col, x.m, cols);
    });
}

// A small result of long sums: tasks of parts of k, whose results are then added in order.
void by_depth(Machine& machine, const Problem& x) {
    const std::int64_t part = round_up(ceil_div(x.k, std::min(kParts, x.k / kPartDepth)), 4),
                       parts = ceil_div(x.k, part);
    const std::int64_t slices = ceil_div(part, kDepth), depth = round_up(ceil_div(part, slices), 4);
    const std::int64_t size = x.m * x.n;
    const std::int64_t a_floats = rows_in_place(x.a) ? 0 : round_up(x.m, kRows) * depth;
    const std::int64_t floats = a_floats + depth * kColumns;
    float* scratch = machine.scratch.take<float>(machine.pool.threads() * floats);
    float* sums = machine.scratch.take<float>(parts * size);
    machine.pool.parallel(parts, [&](std::int64_t task, int worker) {
        const std::int64_t end = std::min((task + 1) * part, x.k);
        float* packed = scratch + worker * floats;
        for (std::int64_t at = task * part; at < end; at += depth) {
            const std::int64_t k = std::min(depth, end - at);
            // The slice alone is the problem; its A is packed here, where it is still near when it is multiplied.
            Problem slice = x;
            slice.b.data += at * x.b.row_stride;
            Rows rows{x.a.data + at, x.a.row_stride, k};
            if (a_floats > 0) {
                machine.kernels.pack_a(x.a.data + at * x.a.col_stride, x.a.row_stride, x.a.col_stride, x.m, k,
                                       packed);
                rows = {packed, 0, k};
            }
            for (std::int64_t col = 0; col < x.n; col += kColumns)
                multiply_slice(machine.kernels, slice, rows,
                               {0, k, col, std::min(kColumns, x.n - col), 0, 0, 0, 0}, packed + a_floats,
                               sums + task * size + col, x.n, at > task * part);
        }
    });
    machine.pool.ranges(x.m, ceil_div(x.m, 4), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = 1; p < parts; p++)
            machine.kernels.binary(CGAN_BINARY_ADD, Mode::VectorVector, sums + begin * x.n,
                                   sums + p * size + begin * x.n, sums + begin * x.n, (end - begin) * x.n);
        for (std::int64_t r = begin; r < end; r++) std::copy_n(sums + r * x.n, x.n, x.dst + r * x.ld);
        x.finish(machine.kernels, begin, 0, end - begin, x.n);
    });
}

// Many rows: B is packed first, then each task multiplies rows of A with a block of columns.
void by_rows(Machine& machine, const Problem& x) {
    const Kernels& kernels = machine.kernels;
    const int threads = machine.pool.threads();
    const std::int64_t depth = x.depth();
    const std::int64_t whole = std::clamp<std::int64_t>(
        kWholeB / std::max<std::int64_t>(x.k, 1) / kPanel * kPanel, kColumns, round_up(x.n, kPanel));
    const std::int64_t columns = std::clamp<std::int64_t>(
        kBlockFloats / std::max<std::int64_t>(x.k, 1) / kColumns * kColumns, kColumns, whole);
    const std::int64_t block =
        std::clamp<std::int64_t>(round_up(ceil_div(x.m, 4 * threads), kRows), kRows, kRowBlock);
    const std::int64_t row_blocks = ceil_div(x.m, block);
    const bool in_place = rows_in_place(x.a);
    float* packed_b = machine.scratch.take<float>(whole * x.k);
    float* packed_a = machine.scratch.take<float>(in_place ? 1 : threads * block * depth);
    for (std::int64_t col = 0; col < x.n; col += whole) {
        const std::int64_t cols = std::min(whole, x.n - col);
        pack_columns(machine, x.small(), {x.b.data + col * x.b.col_stride, x.b.row_stride, x.b.col_stride},
                     x.k, cols, packed_b);
        share(machine, x.small(), row_blocks * ceil_div(cols, columns), [&](std::int64_t task, int worker) {
            const std::int64_t row = task % row_blocks * block, c = task / row_blocks * columns;
            BlockProduct p{};
            p.b_panel = x.k * kPanel;
            p.rows = std::min(block, x.m - row), p.cols = std::min(columns, cols - c);
            p.dst = x.dst + row * x.ld + col + c, p.ld = x.ld;
            for (std::int64_t at = 0; at < std::max<std::int64_t>(x.k, 1); at += depth) {
                p.k = std::min(depth, x.k - at);
                p.b = packed_b + c * x.k + at * kPanel;
                p.accumulate = at > 0;
                p.a = x.a.data + row * x.a.row_stride + at * x.a.col_stride, p.a_row = x.a.row_stride;
                if (!in_place) {
                    float* own = packed_a + worker * block * depth;
                    kernels.pack_a(p.a, x.a.row_stride, x.a.col_stride, p.rows, p.k, own);
                    p.a = own, p.a_row = 0, p.a_panel = p.k * kRows;
                }
                kernels.block_product(p);
            }
            x.finish(kernels, row, col + c, p.rows, p.cols);
        });
    }
}

// Few terms: the stores are the work, whole rows of them in the order of memory.
void by_stores(Machine& machine, const Problem& x) {
    const Kernels& kernels = machine.kernels;
    Matrix b = x.b;
    if (b.col_stride != 1) {
        float* rows = machine.scratch.take<float>(x.k * x.n);
        kernels.turn(b.data, b.col_stride, x.n, x.k, rows, x.n);
        b = {rows, x.n, 1};
    }
    const std::int64_t width = std::clamp<std::int64_t>(x.n, 1, kStoredTogether);
    const std::int64_t rows = std::max<std::int64_t>(kStoredTogether / width, 2);
    const std::int64_t block = std::clamp(round_up(ceil_div(x.m, 4 * machine.pool.threads()), rows), rows,
                                          round_up(ceil_div(kTaskFloats, width), rows));
    const std::int64_t row_blocks = ceil_div(x.m, block);
    share(machine, x.small(), row_blocks * ceil_div(x.n, width), [&](std::int64_t task, int) {
        const std::int64_t first = task % row_blocks * block, end = std::min(first + block, x.m),
                           col = task / row_blocks * width, cols = std::min(width, x.n - col);
        for (std::int64_t row = first, count; row < end; row += count) {
            count = std::min(rows, end - row);
            kernels.few_terms({x.a.data + row * x.a.row_stride, x.a.row_stride, b.data + col, b.row_stride, count,
                               cols, x.k, x.dst + row * x.ld + col, x.ld});
            x.finish(kernels, row, col, count, cols);
        }
    });
}

// Few rows or few columns, and both operands hold their k together: nothing is packed.
void by_results(Machine& machine, const Problem& x) {
    const bool tall = x.m >= x.n;
    const std::int64_t longer = tall ? x.m : x.n;
    const std::int64_t block = std::clamp<std::int64_t>(
        round_up(ceil_div(longer, 4 * machine.pool.threads()), 4), 4, kRowBlock);
    share(machine, x.small(), ceil_div(longer, block), [&](std::int64_t task, int) {
        const std::int64_t at = task * block, count = std::min(block, longer - at);
        const std::int64_t row = tall ? at : 0, rows = tall ? count : x.m;
        const std::int64_t col = tall ? 0 : at, cols = tall ? x.n : count;
        machine.kernels.dot_products({x.a.data + row * x.a.row_stride, x.a.row_stride,
                                      x.b.data + col * x.b.col_stride, x.b.col_stride, rows, cols, x.k,
                                      x.dst + row * x.ld + col, x.ld});
        x.finish(machine.kernels, row, col, rows, cols);
    });
}

void multiply(Machine& machine, const Problem& x);

// Few columns, which would leave panels nearly empty: the transposed product's rows, whose results are turned around.
void by_turning(Machine& machine, const Problem& x) {
    float* turned = machine.scratch.take<float>(x.n * x.m);
    multiply(machine, {x.b.turned(), x.a.turned(), x.n, x.m, x.k, turned, x.m, {}});
    machine.kernels.turn(turned, x.m, x.n, x.m, x.dst, x.ld);
    x.finish(machine.kernels, 0, 0, x.m, x.n);
}

void multiply(Machine& machine, const Problem& x) {
    const bool weights = x.b.row_stride == 1 && x.b.col_stride > 1;
    if (x.k == 0) return by_rows(machine, x);
    if (x.k <= kFewTerms && rows_in_place(x.a)) return by_stores(machine, x);
    if (weights && rows_in_place(x.a) && x.k >= kFewResultsFrom && std::min(x.m, x.n) <= kFewResults &&
        std::max(x.m, x.n) >= kOtherSide)
        return by_results(machine, x);
    if (x.n <= kPanel / 2 && x.m >= 4 * kPanel && x.a.row_stride == 1) return by_turning(machine, x);
    if (weights && x.k >= kTurnFrom && x.m >= 4 && x.m <= kInPlaceRows && x.m <= x.n)
        return by_weights(machine, x);
    if (x.k >= 2 * kPartDepth && ceil_div(x.n, kColumns) * ceil_div(x.m, kRowBlock) < kParts &&
        x.m <= kInPlaceRows)
        return by_depth(machine, x);
    if (x.m * x.k <= kWholeA && x.m <= 4 * x.n) return by_columns(machine, x);
    by_rows(machine, x);
}

} // namespace

void gemm(Machine& machine, Matrix a, Matrix b, std::int64_t m, std::int64_t n, std::int64_t k, float* dst,
          std::int64_t ld, const Epilogue& epilogue) {
    Scratch::Frame frame(machine.scratch);
    multiply(machine, {a, b, m, n, k, dst, ld, epilogue});
}

} // namespace cgan::fast
