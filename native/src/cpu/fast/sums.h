// Column sums, shared by reductions, biases and normalisation.
#pragma once

#include <algorithm>

#include "cpu/fast/machine.h"

namespace cgan::fast {

// dst[c] = scale * sum over r of src[r, c]; the order of summation depends on the shape alone.
void sum_columns(Machine& machine, const float* src, std::int64_t rows, std::int64_t cols, double scale,
                 float* dst);

struct ColumnPiece {
    std::int64_t row, rows, col, cols;
};

// Cuts [rows, cols] into pieces both ways, so that tall and wide operands keep all threads busy; calls
// add(piece, acc) for each, where acc is [streams][cols] zeros of the piece's rows; returns the sums
// [streams][cols] of all pieces, added in order, in scratch memory of the caller's frame.
template <class Add>
double* column_totals(Machine& machine, std::int64_t rows, std::int64_t cols, std::int64_t streams, Add add) {
    constexpr std::int64_t kColumns = 1024, kElems = 32768;
    const std::int64_t piece = std::max<std::int64_t>(kElems / std::min(cols, kColumns), 32);
    const std::int64_t row_pieces = ceil_div(rows, piece), column_pieces = ceil_div(cols, kColumns);
    const std::int64_t width = streams * cols;
    double* partial = machine.scratch.take<double>(row_pieces * width);
    machine.pool.parallel(row_pieces * column_pieces, [&](std::int64_t i, int) {
        ColumnPiece p{i / column_pieces * piece, 0, i % column_pieces * kColumns, 0};
        p.rows = std::min(piece, rows - p.row);
        p.cols = std::min(kColumns, cols - p.col);
        double* acc = partial + i / column_pieces * width;
        for (std::int64_t s = 0; s < streams; s++)
            std::fill(acc + s * cols + p.col, acc + s * cols + p.col + p.cols, 0.0);
        add(p, acc);
    });
    for (std::int64_t r = 1; r < row_pieces; r++)
        for (std::int64_t c = 0; c < width; c++) partial[c] += partial[r * width + c];
    return partial;
}

} // namespace cgan::fast
