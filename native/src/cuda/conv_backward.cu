// conv_backward.cu: conv2d_backward_data, conv2d_backward_filter and their forms after pooling
// backward: d_src = act(transposed convolution of d_dst + bia);  d_wei = sum over pixels of d_dst x src;  d_bia = sum
// shapes  : src [n, h, w, c], wei [k, r, s, c], dst [n, oh, ow, k] F32; after pooling dst [n, oh/2, ow/2, k], arg U8
// launch  : data: implicit GEMM, one phase for each remainder of a pixel by the stride, so that no tap is wasted;
//           filter: k x (tap, c), summed over pixels, split where the filter is small (product.h); at most 3 c:
//           conv_thin_filter.cu.
//           Enlarged input: a convolution with stride 2 by the folded filter (conv.h).  Pooled gradients are first
//           spread to [n, oh, ow, k].  2 n oh ow k r s c FLOP
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/conv2d.cpp
#include "conv.h"
#include "cuda_backend.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

// conv [n, oh, ow, k] = gradient before activation and pooling, from dst, d_dst, arg [n, ph, pw, k].
__global__ void __launch_bounds__(kBlock)
    expand_kernel(unsigned n, int ph, int pw, Divider k, Divider ow, Divider oh, Activation act,
                  const float* __restrict__ dst, const float* __restrict__ d_dst,
                  const std::uint8_t* __restrict__ arg, float* __restrict__ conv) {
    for (std::int64_t i = first_item(); i < n; i += item_step()) {
        unsigned channel, x, y;
        const unsigned image = oh.divmod(ow.divmod(k.divmod(unsigned(i), channel), x), y);
        float v = 0;
        if (int(y / 2) < ph && int(x / 2) < pw) {
            const unsigned at = ((image * ph + y / 2) * pw + x / 2) * k.divisor + channel;
            if (arg[at] == y % 2 * 2 + x % 2) v = act.gradient(dst[at], d_dst[at]);
        }
        conv[i] = v;
    }
}

// folded [k, r + 1, s + 1, c]: in each dimension F[u] = w[r - 1 - u] + w[r - u].
__global__ void __launch_bounds__(kBlock)
    fold_kernel(unsigned n, int r, int s, Divider c, Divider columns, Divider rows,
                const float* __restrict__ wei, float* __restrict__ folded) {
    for (std::int64_t i = first_item(); i < n; i += item_step()) {
        unsigned channel, v, u;
        const unsigned k = rows.divmod(columns.divmod(c.divmod(unsigned(i), channel), v), u);
        float sum = 0;
        for (int a = r - 1 - int(u); a <= r - int(u); a++)
            for (int b = s - 1 - int(v); b <= s - int(v); b++)
                if (a >= 0 && a < r && b >= 0 && b < s)
                    sum += wei[((int(k) * r + a) * s + b) * c.divisor + channel];
        folded[i] = sum;
    }
}

// d_wei [k, r, s, c] from d_folded [c, r + 1, s + 1, k]: the transpose of fold_kernel.
__global__ void __launch_bounds__(kBlock)
    unfold_kernel(unsigned n, int channels_k, Divider c, Divider s, Divider r,
                  const float* __restrict__ d_folded, float* __restrict__ d_wei) {
    const int rows = int(r.divisor), columns = int(s.divisor);
    for (std::int64_t i = first_item(); i < n; i += item_step()) {
        unsigned channel, b, a;
        const unsigned k = r.divmod(s.divmod(c.divmod(unsigned(i), channel), b), a);
        float sum = 0;
        for (int u = rows - 1 - int(a); u <= rows - int(a); u++)
            for (int v = columns - 1 - int(b); v <= columns - int(b); v++)
                sum += d_folded[((int(channel) * (rows + 1) + u) * (columns + 1) + v) * channels_k + int(k)];
        d_wei[i] = sum;
    }
}

// ---- launchers ----------------------------------------------------------------------------------

ConvShape make_shape(const cgan_conv2d_params& p, const View& src, const View& wei, const char* what) {
    require_f32(src, what);
    const std::int64_t up = p.upsample == 2 ? 2 : 1, n = src.dims[0], h = src.dims[1] * up,
                       w = src.dims[2] * up;
    const std::int64_t c = src.dims[3], k = wei.dims[0], r = wei.dims[1], s = wei.dims[2];
    const std::int64_t oh = (h + p.pad_top + p.pad_bottom - r) / p.stride_h + 1;
    const std::int64_t ow = (w + p.pad_left + p.pad_right - s) / p.stride_w + 1;
    require_int32(n * h * w * c, what);
    require_int32(k * (r + 1) * (s + 1) * c, what);
    require_int32(n * oh * ow * k, what);
    // Places in the padded image, and one stride beyond it, are numbers of 32 bits.
    require_int32(h + p.pad_top + p.pad_bottom + p.stride_h, what);
    require_int32(w + p.pad_left + p.pad_right + p.stride_w, what);
    return {int(n),  int(h),  int(w),     int(c),     int(k),    int(r),    int(s),
            int(oh), int(ow), p.stride_h, p.stride_w, p.pad_top, p.pad_left};
}

void fold_filter(const Device& device, const ConvShape& g, const float* wei, float* folded) {
    const std::int64_t n = std::int64_t(g.k) * (g.r + 1) * (g.s + 1) * g.c;
    launch(device, grid_1d(device, n), kBlock, fold_kernel, unsigned(n), g.r, g.s, Divider(g.c),
           Divider(g.s + 1), Divider(g.r + 1), wei, folded);
}

void unfold_gradient(const Device& device, const ConvShape& g, const float* d_folded, float* d_wei) {
    const unsigned n = unsigned(g.filter_elems());
    launch(device, grid_1d(device, n), kBlock, unfold_kernel, n, g.k, Divider(g.c), Divider(g.s),
           Divider(g.r), d_folded, d_wei);
}

namespace {

int floor_mod(int a, int b) { return ((a % b) + b) % b; }

// One axis of a phase: large pixels stride * g + phase, fed by taps first_tap, first_tap + stride, ...
struct PhaseAxis {
    int grid, first_tap, taps, first_small;

    PhaseAxis(int phase, int large, int filter, int stride, int pad) {
        grid = int(div_up(std::int64_t(large) - phase, stride));
        first_tap = floor_mod(phase + pad, stride);
        taps = filter > first_tap ? int(div_up(std::int64_t(filter) - first_tap, stride)) : 0;
        first_small = (phase + pad - first_tap) / stride; // exact
    }
};

PixelProduct phase_product(const Transposed& t, int phase_y, int phase_x) {
    const PhaseAxis y(phase_y, t.large_h, t.r, t.stride_y, t.pad_y),
        x(phase_x, t.large_w, t.s, t.stride_x, t.pad_x);
    PixelProduct p = {};
    ImageGrid& grid = p.a;
    grid.image = t.small;
    grid.h = t.h, grid.w = t.w, grid.c = t.c;
    grid.rows = Divider(y.grid), grid.columns = Divider(x.grid);
    grid.pixels = t.n * y.grid * x.grid;
    grid.stride_y = grid.stride_x = 1;
    grid.first_y = y.first_small, grid.first_x = x.first_small;
    grid.tap_step = -1;
    grid.taps = make_taps(y.taps, x.taps, t.c);
    p.b = t.filter;
    p.b.base += y.first_tap * t.filter.tap_row + x.first_tap * t.filter.tap_column;
    p.b.taps = grid.taps;
    p.b.tap_row *= t.stride_y, p.b.tap_column *= t.stride_x;
    p.store = t.store;
    p.store.m_count = grid.pixels, p.store.n_count = t.large_c;
    p.store.all = t.stride_y == 1 && t.stride_x == 1;
    p.store.rows = grid.rows, p.store.columns = grid.columns;
    p.store.h = t.large_h, p.store.w = t.large_w;
    p.store.step_y = t.stride_y, p.store.step_x = t.stride_x;
    p.store.first_y = phase_y, p.store.first_x = phase_x;
    p.m_count = grid.pixels, p.n_count = t.large_c, p.k_count = grid.taps.count;
    return p;
}

} // namespace

template <Order order_b>
void launch_transposed(const Device& device, const Transposed& t, bool vector_a, bool vector_b) {
    PixelProduct phases[kPhases];
    int count = 0;
    const int phases_y = least(t.stride_y, t.large_h), phases_x = least(t.stride_x, t.large_w); // others: empty
    for (int y = 0; y < phases_y; y++)
        for (int x = 0; x < phases_x; x++) {
            phases[count++] = phase_product(t, y, x);
            const bool last = y + 1 == phases_y && x + 1 == phases_x;
            if (count < kPhases && !last) continue;
            launch_pixel_products<order_b>(device, LaunchPlan<PixelProduct>(phases, count), vector_a,
                                           vector_b);
            count = 0;
        }
}

template void launch_transposed<Order::K>(const Device&, const Transposed&, bool, bool);
template void launch_transposed<Order::Mn>(const Device&, const Transposed&, bool, bool);

namespace {

// mn = c, inner = k
FilterOperand transposed_filter(const float* wei, int r, int s, int c, int k) {
    return {wei, make_taps(r, s, k), s * c, c, 1, r * s * c, c};
}

// d_src [n, h, w, c] of g
void backward_data(const Device& device, const ConvShape& g, const float* wei, const float* d_dst,
                   const float* bia, Activation act, float* d_src) {
    Transposed t = {};
    t.small = d_dst;
    t.n = g.n, t.h = g.oh, t.w = g.ow, t.c = g.k;
    t.large_h = g.h, t.large_w = g.w, t.large_c = g.c;
    t.r = g.r, t.s = g.s, t.stride_y = g.stride_y, t.stride_x = g.stride_x, t.pad_y = g.pad_y,
    t.pad_x = g.pad_x;
    t.filter = transposed_filter(wei, g.r, g.s, g.c, g.k);
    t.store.dst = d_src, t.store.bia = bia, t.store.act = act;
    launch_transposed<Order::Mn>(device, t, g.k % 4 == 0 && aligned16(d_dst), g.c % 4 == 0 && aligned16(wei));
}

// The pixels of the small image see the large gradient with stride 2: what both folded backward passes walk.
ImageGrid folded_grid(const ConvShape& g, const float* d_dst) {
    const FoldedShape f = fold_shape(g);
    ImageGrid grid = {};
    grid.image = d_dst;
    grid.h = g.oh, grid.w = g.ow, grid.c = g.k;
    grid.rows = Divider(g.h / 2), grid.columns = Divider(g.w / 2);
    grid.pixels = g.n * (g.h / 2) * (g.w / 2);
    grid.stride_y = grid.stride_x = 2;
    grid.first_y = -f.pad_y, grid.first_x = -f.pad_x;
    grid.tap_step = 1;
    grid.taps = make_taps(f.r, f.s, g.k);
    return grid;
}

// d_src [n, h / 2, w / 2, c]
void backward_data_folded(const Device& device, const ConvShape& g, const float* wei, const float* d_dst,
                          float* d_src) {
    const FoldedShape f = fold_shape(g);
    Scratch<float> folded(device, std::int64_t(g.k) * f.r * f.s * g.c);
    fold_filter(device, g, wei, folded.data());
    PixelProduct p = {};
    static_cast<ImageGrid&>(p.a) = folded_grid(g, d_dst);
    p.b = transposed_filter(folded.data(), f.r, f.s, g.c, g.k);
    p.store.dst = d_src, p.store.all = true;
    p.store.m_count = p.m_count = p.a.pixels;
    p.store.n_count = p.n_count = g.c;
    p.k_count = p.a.taps.count;
    launch_pixel_products<Order::Mn>(device, LaunchPlan<PixelProduct>(&p, 1),
                                     g.k % 4 == 0 && aligned16(d_dst), g.c % 4 == 0);
}

using FilterProduct = Product<MatrixOperand, TapOperand, MatrixStore>;

// d_wei [m, (tap, channel)] = sum over the grid's pixels of rows [pixel, m] by what the taps see.
void filter_product(const Device& device, const float* rows, int m, const ImageGrid& grid, float* d_wei) {
    const int n = grid.taps.count;
    const MatrixStore store{d_wei, nullptr, nullptr, Activation{}, m, n, 0};
    const FilterProduct p{{rows, 1, m, m, grid.pixels}, {grid}, store, m, n, grid.pixels};
    const bool vector = m % 4 == 0 && grid.c % 4 == 0 && aligned16(rows) && aligned16(grid.image);
    launch_matrix_product<Order::Mn, Order::Mn>(device, p, vector);
}

void backward_filter(const Device& device, const ConvShape& g, const float* src, const float* d_dst,
                     float* d_wei) {
    if (launch_thin_filter(device, g, src, d_dst, d_wei)) return;
    filter_product(device, d_dst, g.k, image_grid(g, src), d_wei);
}

void backward_filter_folded(const Device& device, const ConvShape& g, const float* src, const float* d_dst,
                            float* d_wei) {
    const FoldedShape f = fold_shape(g);
    Scratch<float> d_folded(device, std::int64_t(g.c) * f.r * f.s * g.k);
    filter_product(device, src, g.c, folded_grid(g, d_dst), d_folded.data());
    unfold_gradient(device, g, d_folded.data(), d_wei);
}

bool folds(const cgan_conv2d_params& p) { return p.upsample == 2 && p.stride_h == 1 && p.stride_w == 1; }

} // namespace

// src [n, h, w, c] enlarged 2x to `large`, which is returned.
const float* CudaBackend::enlarge(const View& src, float* large) {
    View dst = src;
    dst.data = large;
    dst.dims[1] *= 2, dst.dims[2] *= 2;
    upsample2d_forward({sizeof(cgan_upsample2d_params), 2, 2, 0}, src, dst);
    return large;
}

OperatorKey conv_key(const char* op, const cgan_conv2d_params& p, const View& image, const View& wei,
                     const View& bia) {
    return {op,
            {&image, &wei},
            {p.stride_h, p.stride_w, p.pad_top, p.pad_left, p.pad_bottom, p.pad_right, p.upsample,
             p.activation, bia.present()}};
}

void CudaBackend::conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                       const View& bia, const View& d_src) {
    require_f32(d_src, "conv2d_backward_data");
    candidates_.serve(
        conv_key("conv2d_backward_data", p, d_src, wei, bia),
        [&](vendor::Operators& v) { return v.conv2d_backward_data(p, wei, d_dst, bia, d_src); },
        [&] { own_conv2d_backward_data(p, wei, d_dst, bia, d_src); });
}

void CudaBackend::own_conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                           const View& bia, const View& d_src) {
    const ConvShape g = make_shape(p, d_src, wei, "conv2d_backward_data");
    const float *w = wei.as<float>(), *d = d_dst.as<float>();
    if (folds(p)) return backward_data_folded(device_, g, w, d, d_src.as<float>());
    const Activation act{p.activation, float(p.alpha)};
    if (p.upsample != 2) return backward_data(device_, g, w, d, bia.as<float>(), act, d_src.as<float>());
    View large = d_src;
    large.dims[1] *= 2, large.dims[2] *= 2;
    Scratch<float> scratch(device_, large.elems());
    large.data = scratch.data();
    backward_data(device_, g, w, d, nullptr, Activation{}, scratch.data());
    upsample2d_backward({sizeof(cgan_upsample2d_params), 2, 2, 0}, large, d_src);
}

void CudaBackend::conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                         const View& d_wei, const View& d_bia) {
    require_f32(d_wei, "conv2d_backward_filter");
    if (d_bia.present()) reduce({sizeof(cgan_reduce_params), CGAN_REDUCE_SUM, 7, 0}, d_dst, d_bia);
    candidates_.serve(
        conv_key("conv2d_backward_filter", p, src, d_wei, View{}),
        [&](vendor::Operators& v) { return v.conv2d_backward_filter(p, src, d_dst, d_wei); },
        [&] { own_conv2d_backward_filter(p, src, d_dst, d_wei); });
}

void CudaBackend::own_conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                             const View& d_wei) {
    const ConvShape g = make_shape(p, src, d_wei, "conv2d_backward_filter");
    const float *x = src.as<float>(), *d = d_dst.as<float>();
    if (folds(p)) return backward_filter_folded(device_, g, x, d, d_wei.as<float>());
    Scratch<float> large(device_, p.upsample == 2 ? std::int64_t(g.n) * g.h * g.w * g.c : 0);
    backward_filter(device_, g, p.upsample == 2 ? enlarge(src, large.data()) : x, d, d_wei.as<float>());
}

// The gradient of the unpooled result of shape g, as a view of `gradient`.
View CudaBackend::expand_pooled(const cgan_conv2d_params& p, const View& dst, const View& d_dst,
                                const View& arg, const View& image, const View& wei, float* gradient) const {
    const ConvShape g = make_shape(p, image, wei, "conv2d_pool_backward");
    View conv = d_dst;
    conv.data = gradient;
    conv.dims[1] = g.oh, conv.dims[2] = g.ow;
    const std::int64_t n = conv.elems();
    launch(device_, grid_1d(device_, n), kBlock, expand_kernel, unsigned(n), g.oh / 2, g.ow / 2, Divider(g.k),
           Divider(g.ow), Divider(g.oh), Activation{p.activation, float(p.alpha)}, dst.as<float>(),
           d_dst.as<float>(), arg.as<std::uint8_t>(), gradient);
    return conv;
}

void CudaBackend::conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                            const View& d_dst, const View& arg, const View& d_src) {
    const ConvShape g = make_shape(p, d_src, wei, "conv2d_pool_backward_data");
    Scratch<float> gradient(device_, std::int64_t(g.n) * g.oh * g.ow * g.k);
    const View conv = expand_pooled(p, dst, d_dst, arg, d_src, wei, gradient.data());
    cgan_conv2d_params plain = p;
    plain.activation = CGAN_ACT_NONE;
    conv2d_backward_data(plain, wei, conv, View{}, d_src);
}

void CudaBackend::conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                              const View& d_dst, const View& arg, const View& d_wei,
                                              const View& d_bia) {
    require_f32(d_wei, "conv2d_pool_backward_filter");
    const ConvShape g = make_shape(p, src, d_wei, "conv2d_pool_backward_filter");
    cgan_conv2d_params plain = p;
    plain.activation = CGAN_ACT_NONE;
    const auto expanded = [&](auto&& body) {
        Scratch<float> gradient(device_, std::int64_t(g.n) * g.oh * g.ow * g.k);
        return body(expand_pooled(p, dst, d_dst, arg, src, d_wei, gradient.data()));
    };
    if (p.upsample == 2 || !serves_thin_pooled_filter(device_, g))
        return expanded([&](const View& conv) { conv2d_backward_filter(plain, src, conv, d_wei, d_bia); });
    candidates_.serve(
        conv_key("conv2d_pool_backward_filter", p, src, d_wei, d_bia),
        [&](vendor::Operators& v) {
            return expanded([&](const View& conv) {
                if (d_bia.present()) reduce({sizeof(cgan_reduce_params), CGAN_REDUCE_SUM, 7, 0}, conv, d_bia);
                return v.conv2d_backward_filter(plain, src, conv, d_wei);
            });
        },
        [&] {
            launch_thin_pooled_filter(device_, g, src.as<float>(), dst.as<float>(), d_dst.as<float>(),
                                      arg.as<std::uint8_t>(), Activation{p.activation, float(p.alpha)},
                                      d_wei.as<float>(), d_bia.as<float>());
        });
}

} // namespace cgan::cuda
