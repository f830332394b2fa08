// normalization.cpp -- batch and layer normalisation
//
// batch   : sums by columns in float64 over blocks of float32; statistics in one pass, of what differs from the mean of a
//           few rows, the results in the centred form (x - mean): so a large mean costs no digits
// layer   : row by row
// repeat  : order of sums fixed by the shape
// reference: cpu/reference/normalization.cpp
#include <cmath>

#include "cpu/fast/operators.h"
#include "cpu/fast/sums.h"

namespace cgan::fast {
namespace {

float at_or(const View& v, std::int64_t i, float absent) { return v.present() ? v.as<float>()[i] : absent; }

// Rows of a chunk of about kGrain elements.
std::int64_t row_grain(std::int64_t cols) { return std::max<std::int64_t>(kGrain / cols, 1); }

void scale_rows(Machine& machine, const View& src, const float* mean, const float* q, const float* s,
                const View& dst) {
    const std::int64_t cols = src.last();
    machine.pool.ranges(src.rows(), row_grain(cols), [&](std::int64_t begin, std::int64_t end) {
        machine.kernels.scale_columns(src.as<float>() + begin * cols, mean, q, s,
                                      dst.as<float>() + begin * cols, end - begin, cols);
    });
}

void update_running(const View& running, std::int64_t c, double momentum, double value) {
    if (!running.present()) return;
    float& kept = running.as<float>()[c];
    kept = static_cast<float>(momentum * static_cast<double>(kept) + (1 - momentum) * value);
}

// The mean of a few rows: sums of what differs from it lose no digits to a large mean.
void typical_row(const float* x, std::int64_t rows, std::int64_t cols, float* typical) {
    constexpr std::int64_t kRows = 16;
    const std::int64_t count = std::min(rows, kRows);
    for (std::int64_t c = 0; c < cols; c++) {
        double sum = 0;
        for (std::int64_t i = 0; i < count; i++)
            sum += static_cast<double>(x[i * rows / count * cols + c]);
        const float mean = static_cast<float>(sum / static_cast<double>(count));
        typical[c] = std::isfinite(mean) ? mean : 0;
    }
}

// mean[c], in float32 and exactly, and the biased variance, in float64.
double* column_variance(Machine& machine, const float* x, std::int64_t rows, std::int64_t cols,
                        double* exact_mean, float* mean) {
    const double n = static_cast<double>(rows);
    float* typical = machine.scratch.take<float>(cols);
    typical_row(x, rows, cols, typical);
    double* sums = column_totals(machine, rows, cols, 2, [&](const ColumnPiece& p, double* acc) {
        machine.kernels.moment_columns(x + p.row * cols + p.col, typical + p.col, p.rows, p.cols, cols,
                                       acc + p.col, acc + cols + p.col);
    });
    double* variance = sums + cols;
    for (std::int64_t c = 0; c < cols; c++) {
        const double shift = sums[c] / n;
        exact_mean[c] = static_cast<double>(typical[c]) + shift;
        mean[c] = static_cast<float>(exact_mean[c]);
        variance[c] = std::max(variance[c] / n - shift * shift, 0.0);
    }
    return variance;
}

} // namespace

bool Operators::batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma,
                                    const View& beta, const View& running_mean, const View& running_var,
                                    const View& dst, const View& mean, const View& rstd) {
    if (!all_f32(src, gamma, beta, running_mean, running_var, dst, mean, rstd)) return false;
    Scratch::Frame frame(scratch_);
    const std::int64_t rows = src.rows(), cols = src.last();
    double* exact = scratch_.take<double>(cols);
    float *q = scratch_.take<float>(cols), *s = scratch_.take<float>(cols);
    const double* variance = column_variance(machine_, src.as<float>(), rows, cols, exact, mean.as<float>());
    for (std::int64_t c = 0; c < cols; c++) {
        const double scale = 1 / std::sqrt(variance[c] + p.epsilon);
        rstd.as<float>()[c] = static_cast<float>(scale);
        q[c] = static_cast<float>(static_cast<double>(at_or(gamma, c, 1)) * scale);
        s[c] = at_or(beta, c, 0);
        update_running(running_mean, c, p.momentum, exact[c]);
        update_running(running_var, c, p.momentum, variance[c]);
    }
    scale_rows(machine_, src, mean.as<float>(), q, s, dst);
    return true;
}

bool Operators::batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& beta, const View& running_mean, const View& running_var,
                                     const View& dst) {
    if (!all_f32(src, gamma, beta, running_mean, running_var, dst)) return false;
    Scratch::Frame frame(scratch_);
    const std::int64_t cols = src.last();
    float *q = scratch_.take<float>(cols), *s = scratch_.take<float>(cols);
    for (std::int64_t c = 0; c < cols; c++) {
        const double variance = static_cast<double>(running_var.as<float>()[c]);
        q[c] = static_cast<float>(static_cast<double>(at_or(gamma, c, 1)) / std::sqrt(variance + p.epsilon));
        s[c] = at_or(beta, c, 0);
    }
    scale_rows(machine_, src, running_mean.as<float>(), q, s, dst);
    return true;
}

bool Operators::batch_norm_backward(const cgan_norm_params&, const View& src, const View& gamma,
                                    const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                    const View& d_gamma, const View& d_beta) {
    if (!all_f32(src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta)) return false;
    Scratch::Frame frame(scratch_);
    const std::int64_t rows = src.rows(), cols = src.last();
    const float *x = src.as<float>(), *d = d_dst.as<float>(), *mu = mean.as<float>();
    const double n = static_cast<double>(rows);
    const double* sums = column_totals(machine_, rows, cols, 2, [&](const ColumnPiece& piece, double* acc) {
        const std::int64_t at = piece.row * cols + piece.col;
        machine_.kernels.norm_columns(x + at, d + at, mu + piece.col, piece.rows, piece.cols, cols,
                                      acc + piece.col, acc + cols + piece.col);
    });
    float *scale = scratch_.take<float>(cols), *q = scratch_.take<float>(cols),
          *s = scratch_.take<float>(cols);
    for (std::int64_t c = 0; c < cols; c++) {
        const double r = static_cast<double>(rstd.as<float>()[c]),
                     g = static_cast<double>(at_or(gamma, c, 1)) * r;
        const double product = sums[cols + c] * r; // of d and the normalised x
        scale[c] = static_cast<float>(g);
        q[c] = static_cast<float>(-g * r * product / n);
        s[c] = static_cast<float>(-g * sums[c] / n);
        if (d_gamma.present()) d_gamma.as<float>()[c] = static_cast<float>(product);
        if (d_beta.present()) d_beta.as<float>()[c] = static_cast<float>(sums[c]);
    }
    pool_.ranges(rows, row_grain(cols), [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t at = begin * cols;
        machine_.kernels.combine_columns(d + at, x + at, mu, scale, q, s, d_src.as<float>() + at, end - begin,
                                         cols);
    });
    return true;
}

bool Operators::layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma,
                                   const View& beta, const View& dst, const View& mean, const View& rstd) {
    if (!all_f32(src, gamma, beta, dst, mean, rstd)) return false;
    const std::int64_t rows = src.dims[0], cols = src.dims[1];
    const Kernels& k = machine_.kernels;
    const double n = static_cast<double>(cols);
    pool_.ranges(rows, row_grain(cols), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; r++) {
            const float* x = src.as<float>() + r * cols;
            float* y = dst.as<float>() + r * cols;
            const double exact = k.sum(x, cols) / n;
            const float mu = static_cast<float>(exact);
            k.binary(CGAN_BINARY_SUB, Mode::VectorScalar, x, &mu, y, cols);
            const double shift = exact - static_cast<double>(mu);
            const double variance = std::max(k.sum_squares(y, cols) / n - shift * shift, 0.0);
            const float scale = static_cast<float>(1 / std::sqrt(variance + p.epsilon));
            k.unary(CGAN_UNARY_AFFINE, scale, 0, y, y, cols);
            if (gamma.present()) k.binary(CGAN_BINARY_MUL, Mode::VectorVector, y, gamma.as<float>(), y, cols);
            if (beta.present()) k.binary(CGAN_BINARY_ADD, Mode::VectorVector, y, beta.as<float>(), y, cols);
            mean.as<float>()[r] = mu;
            rstd.as<float>()[r] = scale;
        }
    });
    return true;
}

bool Operators::layer_norm_backward(const cgan_norm_params&, const View& src, const View& gamma,
                                    const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                    const View& d_gamma, const View& d_beta) {
    if (!all_f32(src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta)) return false;
    Scratch::Frame frame(scratch_);
    const std::int64_t rows = src.dims[0], cols = src.dims[1];
    const Kernels& k = machine_.kernels;
    const double n = static_cast<double>(cols);
    float* normalized = scratch_.take<float>(rows * cols);
    pool_.ranges(rows, row_grain(cols), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; r++) {
            const float* d = d_dst.as<float>() + r * cols;
            float *xn = normalized + r * cols, *dx = d_src.as<float>() + r * cols;
            const float scale = rstd.as<float>()[r], *weighted = d;
            k.binary(CGAN_BINARY_SUB, Mode::VectorScalar, src.as<float>() + r * cols, mean.as<float>() + r,
                     xn, cols);
            k.unary(CGAN_UNARY_AFFINE, scale, 0, xn, xn, cols);
            if (gamma.present()) {
                k.binary(CGAN_BINARY_MUL, Mode::VectorVector, d, gamma.as<float>(), dx, cols);
                weighted = dx;
            }
            const float shift = static_cast<float>(k.sum(weighted, cols) / n);
            const float slope = static_cast<float>(k.dot(weighted, xn, cols) / n);
            // dx = scale (weighted - shift - slope xn), d_gamma's terms d xn in place of xn
            k.row_gradient(weighted, xn, d, shift, slope, scale, dx, xn, cols);
        }
    });
    if (d_gamma.present()) sum_columns(machine_, normalized, rows, cols, 1.0, d_gamma.as<float>());
    if (d_beta.present()) sum_columns(machine_, d_dst.as<float>(), rows, cols, 1.0, d_beta.as<float>());
    return true;
}

} // namespace cgan::fast
