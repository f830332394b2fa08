// The table of vector kernels, one for each instruction set. Kernels work on plain pointers, on one thread;
// the files beside this one split the work and call them.
#pragma once

#include <cstdint>

#include "cpu/cpu_info.h"

namespace cgan::fast {

inline constexpr int kRows = 6;   // rows of a register tile
inline constexpr int kPanel = 16; // columns of a packed panel, channels of a spectral panel

struct Activation {
    std::int32_t kind = 0; // cgan_activation
    float alpha = 0;
};

// One row-wise epilogue: dst[r, :] = act(dst[r, :] + bia).
struct Epilogue {
    const float* bia = nullptr; // [cols], nullable
    Activation act;
    bool any() const { return bia != nullptr || act.kind != 0; }
};

enum class Mode {
    VectorVector,
    VectorScalar,
    ScalarVector
}; // which operand of a binary operation is repeated

struct AdamStep {
    float keep1, take1, keep2, take2; // m = keep1 m + take1 g, v = keep2 v + take2 g^2
    float step, root, epsilon, decay; // param = param * decay - step * m / (sqrt(v) * root + epsilon)
};

// A block of a matrix product: dst [rows, cols] (=|+=) A [rows, k] B [k, cols].
struct BlockProduct {
    const float* a;       // rows in place, each with its k together, or panels [k][6]
    std::int64_t a_row;   // floats from row to row in place; 0: packed
    std::int64_t a_panel; // floats from panel to panel
    std::int64_t a_ahead; // floats after these k of each row in place, which will be needed next
    std::int64_t run;     // 0, or k of a row in place are runs of so many,
    std::int64_t a_run;   // so many floats apart; then B is packed
    const float* b;       // rows in place, cols a multiple of 16, or panels [k][16]
    std::int64_t b_row;   // floats from row to row in place; 0: packed
    std::int64_t b_panel; // floats from panel to panel, also of `packed`
    float* packed;        // where rows in place are copied to as panels, null if once is enough
    std::int64_t rows, cols, k;
    float* dst;
    std::int64_t ld;
    bool accumulate;
};

// dst [rows, cols] = A [rows, k] B [k, cols], k at most kFewTerms and so less work than the stores; rows of both
// in place.
struct FewTerms {
    const float* a;
    std::int64_t a_row; // floats from row to row
    const float* b;
    std::int64_t b_row; // the same
    std::int64_t rows, cols, k;
    float* dst;
    std::int64_t ld;
};
inline constexpr std::int64_t kFewTerms = 8;

// dst [rows, cols] = A [rows, k] B^T, where rows of A and of B, [cols, k], hold their k together.
struct DotProducts {
    const float* a;
    std::int64_t a_row; // floats from row to row
    const float* b;
    std::int64_t b_row; // the same
    std::int64_t rows, cols, k;
    float* dst;
    std::int64_t ld;
};

// A convolution's tiles: `pixels` rows gathered from `taps` places each, against a packed filter.
struct GatherProduct {
    // [ceil(pixels / 6)][taps][6]: where `channels` floats begin; all 6 are null where each of them would be zeros
    const float* const* rows;
    std::int64_t pixels, taps, channels, cols;
    const float* packed; // [ceil(cols / 16)][taps][channels][16]
    float* const* dst;   // [pixels], cols floats each
    Epilogue epilogue;
};

// One tap of a filter gradient: dst[r, c] (=|+=) sum over images, y, x of a[image, y, x, r] b[image, y, x, c], where dst
// has ld floats a row, a has panels of 6 rows or fewer, each pixel's together, and b panels of 16 columns.
struct FilterProduct {
    const float* a;
    std::int64_t a_image, a_panel; // floats between images and between panels
    std::int64_t a_row, a_step;    // from y to y + 1 and from x to x + 1
    std::int64_t rows;             // in all
    const float* b;
    std::int64_t b_image, b_panel, b_row, b_step; // the same
    std::int64_t images, height, width;
    float* dst;
    std::int64_t ld, cols;
    bool accumulate;
};

// A window of n x n pixels and up to 16 channels to transform; pixels outside [y0, y1) x [x0, x1) count as
// zero and are
// not read.
struct TileSource {
    const float* data;      // where pixel (0, 0) of the window is, or would be
    std::int64_t row, step; // floats from row to row and from pixel to pixel
    std::int64_t y0, y1, x0, x1;
    std::int64_t channels;
    // Pixel (0, 0) of a window that is transformed soon, whose pixels lie as these do and are asked for; or null.
    const float* next = nullptr;
};

// Where an inverse transform writes pixels [y0, y1) x [x0, x1) of its window.
struct TileSink {
    float* data;
    std::int64_t row, step;
    std::int64_t y0, y1, x0, x1;
    std::int64_t channels;
    Epilogue epilogue; // bia [channels]
};

// The product of two spectra at one frequency, summed over `depth`, for `panels` panels of 16 columns;
// operands as planes
// (spectral_kernels.h). Rows are images and the depth channels, or, over_images, rows are channels and the
// depth images.
struct SpectralProduct {
    bool real;        // this frequency has one plane
    bool over_images; // then conj(a) is meant: out = b conj(a)
    bool conjugate_b;
    bool accumulate; // add to out
    bool past;       // else, write out past the caches
    const float* a;
    std::int64_t a_plane, a_block; // floats between planes, and between blocks of 16 channels
    const float* b;
    std::int64_t b_plane, b_panel; // a panel is [depth][16]
    float* out;
    std::int64_t out_plane, out_panel; // a panel is [rows][16]
    std::int64_t rows, depth, panels;
    // What this thread will probably multiply next, to be in its cache by then: a_lines and b_lines lines in each plane,
    // so many floats further on.
    std::int64_t a_ahead, a_lines, b_ahead, b_lines;
    // The same of real products in a row: where the next one's operands begin, which lie as these do, or null.
    const float *next_a, *next_b;
};

// A filter's gradient from an image of one channel and the gradient of a panel of results before activation, as pooled
// (sparse_kernels.h).
struct SparseFilter {
    const float* pairs; // [source row][windows_x][16]: 8 pixels from the window's first on, then 8 of the next row
    std::int64_t windows_y, windows_x, taps_y, taps_x; // taps_x is at most kSparseWidth
    const float* gradient;                             // [windows_y][windows_x], `step` floats apart
    const std::uint8_t* arg;                           // the same
    std::int64_t step, channels;
    std::int64_t rows_together; // of windows, whose sum is one chain
    float* sums;                // [taps_y][taps_x][16] (=|+=)
    bool accumulate;
};
inline constexpr std::int64_t kSparseWidth = 7;

// A row of pooling windows whose gradients are spread over the source of a thin convolution: each channel's gradient times
// its filter, moved to the place of its maximum.
struct SparsePatches {
    const float* gradient;    // [windows][channels], before activation
    const std::uint8_t* arg;  // the same
    std::int64_t windows, channels;
    const float* filters;     // [channels][4][patch]: of each place, [rows][width] and zeros
    std::int64_t patch;       // a multiple of 16, at most kSparsePatch
    std::int64_t rows, width; // of what a window sees
    float* image;             // += ; what the first window sees begins here
    std::int64_t row, step;   // floats to the next row, and to what the next window sees
};
inline constexpr std::int64_t kSparsePatch = 48;

// Pooling windows that lie in a row of a thin convolution's results (thin_kernels.h).
struct ThinWindows {
    const float* src;            // what the first window's first pixel sees first, in an image with its padding
    const std::int64_t* offsets; // [depth]: floats from there to each tap
    std::int64_t depth;          // at most kThinDepth
    std::int64_t col, row;       // floats to what the next pixel and the pixel below see
    const float* packed;         // [ceil(channels / 16)][depth][16]
    std::int64_t count, channels;
    float* dst;        // [count][channels]: the maxima
    std::uint8_t* arg; // the same: their places, the first of equals; NaN wins
};
inline constexpr std::int64_t kThinDepth = 48; // of one chain

// Pixels that lie in a row of a thin convolution's results, without an epilogue.
struct ThinRow {
    const float* src;            // what the first pixel sees first, in an image with its padding
    const std::int64_t* offsets; // [depth]: floats from there to each tap
    std::int64_t depth;          // at most kThinDepth
    std::int64_t step;           // floats to what the next pixel sees
    const float* packed;         // [ceil(channels / 16)][depth][16]
    std::int64_t count, channels;
    float* dst; // [count][channels]
};

// 2x2 windows that lie in a row, and their pooled pixels.
struct PoolWindows {
    std::int64_t count, channels;
    std::int64_t col, row,
        step; // floats to the next pixel of a window, to its second row, and to the next window
    std::int64_t pooled_step; // floats, and places, from one pooled pixel to the next
};

// What the pixels of a Winograd window are (winograd_kernels.h): of the source, results, or the filter's taps.
enum class WinogradForm { Source, Result, Filter };
inline constexpr int kWinogradTile = 4;
// Results of a window, 4 or 3 along each axis, of taps - 1 more source pixels each; a filter's is the full one.
struct WinogradSize {
    int y = kWinogradTile, x = kWinogradTile;
};

struct Kernels {
    const char* isa; // "baseline", "avx2", "avx512"
    int lanes;
    int planes; // of a complex frequency of a product's operands: 2, or 3 with the sum or difference of the parts

    // ---- element-wise; src may be dst ----
    void (*unary)(std::int32_t kind, float alpha, float beta, const float* src, float* dst, std::int64_t n);
    void (*act_backward)(Activation act, const float* dst, const float* d_dst, float* d_src, std::int64_t n);
    void (*binary)(std::int32_t kind, Mode mode, const float* a, const float* b, float* dst, std::int64_t n);
    // act(x + bia) for rows of `cols` floats, ld apart
    void (*epilogue)(const Epilogue& e, float* dst, std::int64_t rows, std::int64_t cols, std::int64_t ld);
    // The same from src to dst, rows without gaps, past the caches; dst aligned to 64 bytes, cols a multiple of 16
    void (*epilogue_past)(const Epilogue& e, const float* src, float* dst, std::int64_t rows,
                          std::int64_t cols);

    // ---- reductions ----
    double (*sum)(const float* src, std::int64_t n);
    double (*sum_squares)(const float* src, std::int64_t n);
    double (*sum_exp)(const float* src, std::int64_t n); // of e^x
    double (*dot)(const float* a, const float* b, std::int64_t n);
    float (*max)(const float* src, std::int64_t n); // NaN wins
    // acc[c] += sum over rows of src[r, c]
    void (*add_columns)(const float* src, std::int64_t rows, std::int64_t cols, std::int64_t ld, double* acc);

    // ---- matrix products; packed A is [ceil(rows / 6)][k][6], packed B is [ceil(cols / 16)][k][16] ----
    void (*pack_a)(const float* src, std::int64_t row_stride, std::int64_t k_stride, std::int64_t rows,
                   std::int64_t k, float* dst);
    void (*pack_b)(const float* src, std::int64_t k_stride, std::int64_t col_stride, std::int64_t k,
                   std::int64_t cols, float* dst);
    // dst[c][r] = src[r][c]
    void (*turn)(const float* src, std::int64_t src_ld, std::int64_t rows, std::int64_t cols, float* dst,
                 std::int64_t dst_ld);
    void (*block_product)(const BlockProduct& p);
    void (*few_terms)(const FewTerms& p);
    void (*dot_products)(const DotProducts& p);
    void (*gather_product)(const GatherProduct& g);
    // Before another thread reads what was written past the caches by the kernels below.
    void (*end_stores_past)();
    // out: planes, `plane` floats apart, written past the caches if `past`; third: 1 to keep re + im, -1 to keep re - im,
    // where there are 3; n is 8 or 16
    void (*spectrum)(int n, const TileSource& s, int third, bool past, float* out, std::int64_t plane);
    void (*image)(int n, const float* in, std::int64_t plane, const TileSink& s);
    void (*spectral_product)(const SpectralProduct& p);
    // out: n^2 real planes, n = 4 + taps - 1; taps is 2 or 3. A window with 3 results leaves out the first row, or
    // column, of planes. Pixels outside the source's bounds count as zero. `past`: written past the caches.
    void (*winograd_spectrum)(int taps, WinogradForm form, WinogradSize size, const TileSource& s, bool past,
                              float* out, std::int64_t plane);
    // The transpose: results, or a gradient. Source pixels, whose windows overlap, are added to what is there.
    void (*winograd_image)(int taps, WinogradForm form, WinogradSize size, const float* in,
                           std::int64_t plane, const TileSink& s);
    void (*filter_product)(const FilterProduct& f);
    // Of each window: dst[c] = act(max of its src[..][c] + bia[c]), arg[c] = the first place that holds it; NaN wins.
    void (*pool_windows)(const PoolWindows& w, const float* src, const Epilogue& e, float* dst,
                         std::uint8_t* arg);
    void (*thin_windows)(const ThinWindows& w);
    void (*thin_row)(const ThinRow& r);
    // These two are null where unpooling is faster.
    void (*sparse_filter)(const SparseFilter& f);
    void (*sparse_patches)(const SparsePatches& p);
    // Each window of d_src receives d_dst act'(dst) where arg says, 0 elsewhere.
    void (*unpool_windows)(const PoolWindows& w, Activation act, const float* dst, const float* d_dst,
                           const std::uint8_t* arg, float* d_src);

    // ---- optimisers ----
    void (*adam)(const AdamStep& s, float* param, const float* grad, float* m, float* v, std::int64_t n);
    void (*sgd)(float lr, float momentum, float decay, bool nesterov, float* param, const float* grad,
                float* velocity, std::int64_t n);
    void (*rmsprop)(float lr, float keep, float take, float epsilon, float* param, const float* grad,
                    float* v, std::int64_t n);
    void (*ema)(float keep, float take, const float* src, float* dst, std::int64_t n);

    // ---- normalisation, by columns of rows ld floats apart ----
    // acc[c] += sum of x[r, c] - shift[c]; acc_squares[c] += sum of their squares
    void (*moment_columns)(const float* x, const float* shift, std::int64_t rows, std::int64_t cols,
                           std::int64_t ld, double* acc, double* acc_squares);
    // acc_a[c] += sum of d[r, c]; acc_b[c] += sum of d[r, c] (x[r, c] - mean[c])
    void (*norm_columns)(const float* x, const float* d, const float* mean, std::int64_t rows,
                         std::int64_t cols, std::int64_t ld, double* acc_a, double* acc_b);
    // dst[r, c] = (x[r, c] - mean[c]) q[c] + s[c], for contiguous rows
    void (*scale_columns)(const float* x, const float* mean, const float* q, const float* s, float* dst,
                          std::int64_t rows, std::int64_t cols);
    // dst[r, c] = d[r, c] p[c] + (x[r, c] - mean[c]) q[c] + s[c]
    void (*combine_columns)(const float* d, const float* x, const float* mean, const float* p, const float* q,
                            const float* s, float* dst, std::int64_t rows, std::int64_t cols);
    // dst = scale (w - shift - slope x), then product = d x; product may be x
    void (*row_gradient)(const float* w, const float* x, const float* d, float shift, float slope,
                         float scale, float* dst, float* product, std::int64_t n);
};

const Kernels& baseline_kernels();
#if defined(__x86_64__)
const Kernels& avx2_kernels();   // this processor must have AVX2 and FMA
const Kernels& avx512_kernels(); // this processor must have AVX-512 F, DQ, BW, VL, and FMA
#endif

inline const Kernels& kernels_for([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::Avx512) return avx512_kernels();
    if (isa == Isa::Avx2) return avx2_kernels();
#endif
    return baseline_kernels();
}

} // namespace cgan::fast
