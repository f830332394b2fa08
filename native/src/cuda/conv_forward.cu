// conv_forward.cu: conv2d_forward, conv2d_pool_forward
// forward : dst = act(conv(src, wei) + bia), or act(maxpool2x2(conv(src, wei)) + bia) with the places of the maxima
// shapes  : src [n, h, w, c], wei [k, r, s, c], dst [n, oh, ow, k] or [n, oh/2, ow/2, k] F32, arg U8
// launch  : implicit GEMM, pixels x k, summed over (tap, c); the image is never unfolded in memory (operands.h).
//           Enlarged input: the folded filter (conv.h), four phases in one launch.  At most 4 k: a warp for each pixel.
//           At most 3 c: conv_thin_source.cu.  Pooling: a thread holds the four places of a window and writes a quarter.
//           2 n oh ow k r s c FLOP
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/conv2d.cpp
#include "conv.h"
#include "cuda_backend.h"

namespace cgan::cuda {
namespace {

// mn = k, inner = c
FilterOperand filter_operand(const float* wei, int r, int s, int c, int k) {
    return {wei, make_taps(r, s, c), s * c, c, r * s * c, 1, k};
}

void forward(const Device& device, const ConvShape& g, const float* src, const float* wei, const float* bia,
             Activation act, float* dst) {
    if (launch_thin_source(device, g, src, wei, bia, act, dst, nullptr)) return;
    PixelStore store = {};
    store.dst = dst, store.bia = bia, store.act = act;
    store.m_count = g.n * g.oh * g.ow, store.n_count = g.k, store.all = true;
    const PixelProduct p{
        {image_grid(g, src)}, filter_operand(wei, g.r, g.s, g.c, g.k), store, store.m_count, g.k,
        g.r * g.s * g.c};
    const bool vector = g.c % 4 == 0;
    launch_pixel_products<Order::K>(device, LaunchPlan<PixelProduct>(&p, 1), vector && aligned16(src),
                                    vector && aligned16(wei));
}

// g is the shape on the enlarged image; src is the small one.
void forward_folded(const Device& device, const ConvShape& g, const float* src, const float* wei,
                    const float* bia, Activation act, float* dst) {
    const FoldedShape f = fold_shape(g);
    Scratch<float> folded(device, std::int64_t(g.k) * f.r * f.s * g.c);
    fold_filter(device, g, wei, folded.data());
    Transposed t = {};
    t.small = src;
    t.n = g.n, t.h = g.h / 2, t.w = g.w / 2, t.c = g.c;
    t.large_h = g.oh, t.large_w = g.ow, t.large_c = g.k;
    t.r = f.r, t.s = f.s, t.stride_y = t.stride_x = 2, t.pad_y = f.pad_y, t.pad_x = f.pad_x;
    t.filter = filter_operand(folded.data(), f.r, f.s, g.c, g.k);
    t.store.dst = dst, t.store.bia = bia, t.store.act = act;
    launch_transposed<Order::K>(device, t, g.c % 4 == 0 && aligned16(src), g.c % 4 == 0);
}

} // namespace

void CudaBackend::conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                 const View& bia, const View& dst) {
    require_f32(dst, "conv2d_forward");
    candidates_.serve(
        conv_key("conv2d_forward", p, src, wei, bia),
        [&](vendor::Operators& v) { return v.conv2d_forward(p, src, wei, bia, dst); },
        [&] { own_conv2d_forward(p, src, wei, bia, dst); });
}

void CudaBackend::own_conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                     const View& bia, const View& dst) {
    const ConvShape g = make_shape(p, src, wei, "conv2d_forward");
    const Activation act{p.activation, float(p.alpha)};
    const float *x = src.as<float>(), *w = wei.as<float>(), *b = bia.as<float>();
    if (p.upsample != 2) return forward(device_, g, x, w, b, act, dst.as<float>());
    if (p.stride_h == 1 && p.stride_w == 1) return forward_folded(device_, g, x, w, b, act, dst.as<float>());
    Scratch<float> large(device_, std::int64_t(g.n) * g.h * g.w * g.c);
    forward(device_, g, enlarge(src, large.data()), w, b, act, dst.as<float>());
}

void CudaBackend::conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                      const View& bia, const View& dst, const View& arg) {
    require_f32(dst, "conv2d_pool_forward");
    candidates_.serve(
        conv_key("conv2d_pool_forward", p, src, wei, bia),
        [&](vendor::Operators& v) { return v.conv2d_pool_forward(p, src, wei, bia, dst, arg); },
        [&] { own_conv2d_pool_forward(p, src, wei, bia, dst, arg); });
}

void CudaBackend::own_conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                          const View& bia, const View& dst, const View& arg) {
    const ConvShape g = make_shape(p, src, wei, "conv2d_pool_forward");
    Scratch<float> large(device_, p.upsample == 2 ? std::int64_t(g.n) * g.h * g.w * g.c : 0);
    const float* image = p.upsample == 2 ? enlarge(src, large.data()) : src.as<float>();
    const Activation act{p.activation, float(p.alpha)};
    if (launch_thin_source(device_, g, image, wei.as<float>(), bia.as<float>(), act, dst.as<float>(),
                           arg.as<std::uint8_t>()))
        return;
    const bool vector = g.c % 4 == 0 && aligned16(image) && aligned16(wei.data);
    const int windows = g.n * (g.oh / 2) * (g.ow / 2), rows = int(div_up(windows, 16)) * 64;
    const WindowStore store{dst.as<float>(),
                            arg.as<std::uint8_t>(),
                            bia.as<float>(),
                            act,
                            windows,
                            g.k,
                            0};
    ImageGrid grid = image_grid(g, image);
    grid.rows = Divider(g.oh / 2), grid.columns = Divider(g.ow / 2);
    grid.pixels = 4 * windows;
    grid.by_window = true;
    grid.packed = device_.tf32() && vector;
    using P = Product<PixelOperand, FilterOperand, WindowStore>;
    const P product{{grid},         filter_operand(wei.as<float>(), g.r, g.s, g.c, g.k), store, rows, g.k,
                    g.r * g.s * g.c};
    launch_products<Order::K, Order::K>(device_, LaunchPlan<P>(&product, 1), vector, 1,
                                        int(div_up(product.k_count, kSlice)) * kSlice);
}

} // namespace cgan::cuda
