// Convolutions, their gradients, and the form that pools and activates at once.
#include <algorithm>
#include <cmath>

#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

struct Layer {
    std::int64_t n, h, w, c, k, r, s;
    std::int32_t stride_h = 1, stride_w = 1;
    std::int32_t top = 0, left = 0, bottom = 0, right = 0;
    std::int32_t upsample = 1;

    std::int64_t oh() const { return (h * upsample + top + bottom - r) / stride_h + 1; }
    std::int64_t ow() const { return (w * upsample + left + right - s) / stride_w + 1; }
    // Whether every stride-th row and column of the kernel are 2 or 3, so that Winograd's transforms may serve it.
    bool short_phases() const {
        const auto is_short = [](std::int64_t kernel, std::int32_t stride) {
            const std::int64_t taps = (kernel + stride - 1) / stride;
            return taps >= 2 && taps <= 3;
        };
        return upsample == 1 && is_short(r, stride_h) && is_short(s, stride_w);
    }
    double work() const { return static_cast<double>(n * oh() * ow() * k * r * s * c); }

    std::string text() const {
        return name("n", n, "_h", h, "_w", w, "_c", c, "_k", k, "_r", r, "_s", s, "_stride", stride_h, "x",
                    stride_w, "_pad", top, "x", left, "x", bottom, "x", right, upsample == 2 ? "_up" : "");
    }

    cgan_conv2d_params params(std::int32_t activation) const {
        auto p = sized<cgan_conv2d_params>();
        p.stride_h = stride_h;
        p.stride_w = stride_w;
        p.pad_top = top;
        p.pad_left = left;
        p.pad_bottom = bottom;
        p.pad_right = right;
        p.upsample = upsample;
        p.activation = activation;
        p.alpha = 0.25;
        return p;
    }
};

// A square kernel and one padding on all sides.
Layer square(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t k,
             std::int64_t kernel, std::int32_t stride, std::int32_t pad, std::int32_t upsample = 1) {
    return {n, h, w, c, k, kernel, kernel, stride, stride, pad, pad, pad, pad, upsample};
}

const std::vector<Layer>& shapes() {
    static const std::vector<Layer> layers = {
        square(1, 1, 1, 1, 1, 1, 1, 0),
        square(2, 5, 7, 3, 4, 3, 1, 1),
        square(1, 7, 5, 13, 7, 5, 1, 2),
        square(0, 7, 5, 3, 4, 3, 1, 1),
        square(3, 13, 7, 31, 33, 1, 1, 0),
        square(1, 9, 11, 3, 5, 2, 3, 0),  // stride beyond the kernel
        square(2, 6, 7, 32, 31, 3, 1, 1), // block edges
        square(2, 6, 5, 33, 32, 3, 1, 1),
        square(1, 3, 4, 255, 33, 3, 1, 1),
        square(1, 4, 3, 31, 257, 3, 1, 1),
        square(1, 5, 5, 256, 16, 1, 1, 0),
        square(2, 8, 6, 16, 32, 4, 2, 1), // DCGAN's halving
        square(2, 13, 11, 2, 3, 11, 1, 5),
        square(1, 17, 19, 4, 6, 3, 4, 1),
        square(1, 2, 2, 3, 5, 5, 1, 2), // kernel larger than the image
        square(1, 4, 5, 2, 3, 2, 1, 3), // padding beyond the kernel
        square(2, 31, 33, 1, 2, 5, 1, 2),
        square(2, 16, 32, 1, 16, 5, 1, 2), // thin
        square(2, 17, 15, 16, 1, 5, 1, 2),
        square(1, 15, 17, 3, 3, 7, 2, 3),
        square(2, 4, 3, 5, 6, 5, 1, 2, 2), // enlarged first
        square(1, 3, 5, 16, 8, 3, 1, 1, 2),
        square(2, 5, 4, 7, 1, 5, 1, 2, 2),
        square(1, 3, 3, 4, 5, 4, 2, 1, 2),
        square(1, 2, 7, 3, 2, 1, 1, 0, 2),
        {2, 9, 10, 3, 5, 4, 3, 2, 1, 0, 1, 2, 1, 1}, // nothing symmetric
        {1, 10, 7, 5, 6, 2, 5, 3, 2, 1, 0, 0, 2, 1},
        {2, 28, 28, 8, 4, 5, 5, 2, 2, 1, 1, 2, 2, 1}, // `same` with stride 2, as TensorFlow pads
        {1, 5, 3, 4, 3, 3, 5, 1, 1, 2, 0, 1, 3, 2},
        square(1, 29, 31, 5, 19, 3, 1, 1), // bands of one image
        {1, 33, 23, 24, 20, 2, 1, 2, 1, 1, 0, 0, 1, 1},
        {3, 9, 23, 24, 20, 1, 2, 1, 2, 0, 0, 0, 0, 1},
        square(7, 3, 4, 9, 17, 3, 1, 2), // hardly a position sees all taps
    };
    return layers;
}

// The layers of the models, at small batch.
const std::vector<Layer>& model_layers() {
    static const std::vector<Layer> layers = {
        square(2, 28, 28, 1, 64, 5, 1, 2),    // report d_conv1
        square(1, 14, 14, 64, 128, 5, 1, 2),  // report d_conv2
        square(1, 7, 7, 128, 64, 5, 1, 2, 2), // report g_conv1
        square(2, 14, 14, 64, 1, 5, 1, 2, 2), // report g_out
        square(2, 28, 28, 1, 64, 4, 2, 1),    // dcgan, 28x28
        square(2, 14, 14, 64, 128, 4, 2, 1),
        square(1, 64, 64, 3, 64, 4, 2, 1), // dcgan, 64x64
        square(1, 32, 32, 64, 128, 4, 2, 1),
        square(1, 16, 16, 128, 256, 4, 2, 1),
        square(1, 8, 8, 256, 512, 4, 2, 1),
        square(2, 4, 4, 512, 1, 4, 1, 0),
        square(2, 4, 4, 512, 100, 4, 1, 0),            // the first transposed layer
        {2, 28, 28, 1, 64, 5, 5, 2, 2, 1, 1, 2, 2, 1}, // wgan-gp critic
        {1, 14, 14, 64, 128, 5, 5, 2, 2, 1, 1, 2, 2, 1},
        {1, 7, 7, 128, 256, 5, 5, 2, 2, 2, 2, 2, 2, 1},
    };
    return layers;
}

// Layers that transforms serve: whole images in one window, cut into several, folded; partial panels of channels.
const std::vector<Layer>& transform_layers() {
    static const std::vector<Layer> layers = {
        square(5, 14, 14, 20, 33, 5, 1, 2),
        square(6, 7, 7, 33, 40, 3, 1, 1),
        square(5, 7, 7, 32, 24, 5, 1, 2, 2),
        square(2, 11, 12, 32, 33, 5, 1, 2, 2),
        square(2, 29, 31, 32, 36, 5, 1, 2),
        square(3, 13, 26, 40, 40, 3, 1, 0),
        {2, 30, 19, 33, 31, 6, 4, 1, 1, 2, 1, 3, 2, 1},
        {4, 12, 12, 40, 33, 5, 5, 1, 1, 1, 3, 3, 1, 1},
    };
    return layers;
}

// Layers that Winograd's transforms serve: phases of 2 and of 3 taps, and of both; partial tiles and panels of channels,
// nothing square or symmetric; batches of one chunk and of several; windows or filters transformed as a whole.
const std::vector<Layer>& winograd_layers() {
    static const std::vector<Layer> layers = {
        square(1, 24, 20, 33, 81, 4, 2, 1),
        square(7, 18, 10, 40, 20, 4, 2, 1),
        square(9, 64, 64, 64, 16, 4, 2, 1),
        square(11, 34, 34, 64, 80, 4, 2, 1),
        square(21, 14, 14, 36, 40, 4, 2, 1), // 7 x 7 results: tiles of 4 and of 3
        square(23, 14, 12, 36, 40, 5, 2, 2),
        {5, 15, 27, 20, 90, 4, 4, 2, 2, 2, 0, 1, 3, 1},
        {3, 21, 14, 36, 33, 5, 5, 2, 2, 1, 2, 2, 1, 1},
        {2, 22, 17, 65, 40, 6, 5, 2, 2, 2, 1, 2, 3, 1},
        {4, 19, 23, 48, 33, 3, 3, 2, 2, 1, 0, 0, 1, 1},
        {2, 17, 30, 33, 48, 7, 6, 3, 2, 2, 1, 3, 0, 1},
        {2, 37, 22, 96, 80, 3, 3, 1, 1, 1, 0, 2, 1, 1},
        {3, 9, 7, 130, 120, 3, 3, 1, 1, 1, 0, 2, 1, 1},
        {3, 13, 11, 40, 36, 2, 2, 1, 1, 0, 1, 1, 0, 1},
    };
    return layers;
}

bool is_exact(std::int32_t activation) {
    return activation == CGAN_ACT_NONE || activation == CGAN_ACT_RELU || activation == CGAN_ACT_LEAKY_RELU;
}

// What all passes over a layer share.
OperatorCase layer_case(const char* op, const Layer& layer, std::int32_t activation, bool bias) {
    OperatorCase c;
    c.op = op;
    c.text = name(layer.text(), "_act", activation, bias ? "_bias" : "");
    c.exact = is_exact(activation);
    c.transformable = true;
    // Winograd's transforms magnify rounding errors, by the square of 2.1 (2 taps) or 2.7 (3 taps) at worst; that the
    // sums between are made of short chains makes up for half of it.
    if (layer.short_phases()) c.magnified = 4;
    c.doubles = layer.work() < 200000;
    return c;
}

OperatorCase forward_case(const Layer& layer, std::int32_t activation, bool bias) {
    OperatorCase c = layer_case("conv2d_forward", layer, activation, bias);
    c.operands = {{"src", Role::Source, {layer.n, layer.h, layer.w, layer.c}},
                  {"wei", Role::Source, {layer.k, layer.r, layer.s, layer.c}},
                  {"dst", Role::Destination, {layer.n, layer.oh(), layer.ow(), layer.k}}};
    if (bias) c.operands.push_back({"bia", Role::Source, {layer.k}});
    c.reduction = static_cast<double>(layer.r * layer.s * layer.c + 1);
    const auto p = layer.params(activation);
    c.call = [p, bias](cgan_context* ctx, Tensors t) {
        return cgan_conv2d_forward(ctx, &p, &t[0], &t[1], bias ? &t[3] : nullptr, &t[2]);
    };
    return c;
}

OperatorCase backward_data_case(const Layer& layer, std::int32_t activation, bool bias) {
    OperatorCase c = layer_case("conv2d_backward_data", layer, activation, bias);
    c.operands = {{"wei", Role::Source, {layer.k, layer.r, layer.s, layer.c}},
                  {"d_dst", Role::Source, {layer.n, layer.oh(), layer.ow(), layer.k}},
                  {"d_src", Role::Destination, {layer.n, layer.h, layer.w, layer.c}}};
    if (bias) c.operands.push_back({"bia", Role::Source, {layer.c}});
    c.reduction = static_cast<double>(layer.r * layer.s * layer.k * layer.upsample * layer.upsample + 1);
    const bool gaps = layer.stride_h > layer.r || layer.stride_w > layer.s;
    if (gaps) c.least_nonzero = 0.1; // pixels that no kernel reaches
    const auto p = layer.params(activation);
    c.call = [p, bias](cgan_context* ctx, Tensors t) {
        return cgan_conv2d_backward_data(ctx, &p, &t[0], &t[1], bias ? &t[3] : nullptr, &t[2]);
    };
    return c;
}

OperatorCase backward_filter_case(const Layer& layer, bool bias) {
    OperatorCase c = layer_case("conv2d_backward_filter", layer, CGAN_ACT_NONE, bias);
    c.operands = {{"src", Role::Source, {layer.n, layer.h, layer.w, layer.c}},
                  {"d_dst", Role::Source, {layer.n, layer.oh(), layer.ow(), layer.k}},
                  {"d_wei", Role::Destination, {layer.k, layer.r, layer.s, layer.c}}};
    if (bias) c.operands.push_back({"d_bia", Role::Destination, {layer.k}});
    c.reduction = static_cast<double>(std::max<std::int64_t>(layer.n * layer.oh() * layer.ow(), 1));
    if (layer.n == 0) c.least_nonzero = 0;
    const auto p = layer.params(CGAN_ACT_NONE);
    c.call = [p, bias](cgan_context* ctx, Tensors t) {
        return cgan_conv2d_backward_filter(ctx, &p, &t[0], &t[1], &t[2], bias ? &t[3] : nullptr);
    };
    return c;
}

// ---- with pooling
// -----------------------------------------------------------------------------------------------

// The convolution at one place, by its definition.
double convolve(const Layer& l, const std::vector<double>& src, const std::vector<double>& wei,
                std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t k) {
    double sum = 0;
    for (std::int64_t tap = 0; tap < l.r * l.s * l.c; tap++) {
        const std::int64_t c = tap % l.c, s = tap / l.c % l.s, r = tap / (l.c * l.s);
        const std::int64_t y = oy * l.stride_h + r - l.top, x = ox * l.stride_w + s - l.left;
        if (y < 0 || x < 0 || y >= l.h * l.upsample || x >= l.w * l.upsample) continue;
        const std::int64_t pixel = (n * l.h + y / l.upsample) * l.w + x / l.upsample;
        sum += src[static_cast<std::size_t>(pixel * l.c + c)] *
               wei[static_cast<std::size_t>(k * l.r * l.s * l.c + tap)];
    }
    return sum;
}

// A place other than the reference's is right only where the two convolutions agree within the law.
std::string check_places(const Layer& l, const std::vector<std::vector<double>>& got,
                         const std::vector<std::vector<double>>& want, double scale) {
    const std::int64_t pw = l.ow() / 2, ph = l.oh() / 2;
    const double limit = 16 * 0x1p-24 * scale * std::sqrt(static_cast<double>(l.r * l.s * l.c + 1));
    for (std::size_t i = 0; i < got[3].size(); i++) {
        if (got[3][i] == want[3][i]) continue;
        const auto at = static_cast<std::int64_t>(i);
        const std::int64_t k = at % l.k, x = at / l.k % pw, y = at / (l.k * pw) % ph,
                           n = at / (l.k * pw * ph);
        double values[2] = {};
        for (int side = 0; side < 2; side++) {
            const auto place = static_cast<std::int64_t>(side ? want[3][i] : got[3][i]);
            if (place < 0 || place > 3) return name("arg[", i, "] is ", place);
            values[side] = convolve(l, got[0], got[1], n, 2 * y + place / 2, 2 * x + place % 2, k);
        }
        if (!(std::abs(values[0] - values[1]) <= limit)) {
            return name("arg[", i, "] is ", got[3][i], ", want ", want[3][i], " (", values[0], " and ",
                        values[1], ")");
        }
    }
    return "";
}

// Few source channels: every width of filter whose taps a permutation finds, one more, and batches of several groups.
const std::vector<Layer>& picture_layers() {
    static const std::vector<Layer> layers = [] {
        std::vector<Layer> all;
        for (std::int64_t s = 1; s <= 8; s++) {
            Layer layer{2, 12, 13, 1 + s % 3, 16 + 5 * (s % 2), 9 - s, s};
            layer.top = static_cast<std::int32_t>((9 - s) / 2), layer.bottom = 1;
            layer.left = static_cast<std::int32_t>(s / 2), layer.right = 1;
            all.push_back(layer);
        }
        all.push_back(square(70, 6, 6, 1, 20, 3, 1, 1)); // more images than groups
        all.push_back(square(1, 6, 110, 2, 16, 5, 1, 2)); // more windows in a row than a chain
        all.push_back(square(2, 2, 2, 1, 3, 2, 1, 3));        // more padding than image
        all.push_back(square(1, 11, 300, 3, 66, 4, 2, 1));    // rows of several tiles, two panels of channels
        all.push_back(square(2, 9, 17, 1, 132, 7, 1, 3));     // three panels
        all.push_back(square(2, 28, 28, 1, 64, 4, 2, 1));     // windows of strided results
        all.push_back({2, 17, 21, 2, 20, 2, 2, 1, 3, 0, 1, 1, 0}); // a stride beyond the filter
        all.push_back(square(1, 14, 14, 1, 200, 5, 1, 2));    // more channels than two chains
        all.push_back(square(1, 40, 41, 2, 8, 11, 4, 5));     // larger filters than a GPU's block holds
        all.push_back(square(1, 12, 200, 2, 8, 11, 1, 5));    // and rows
        all.push_back(square(5, 64, 31, 1, 36, 3, 1, 1));     // several bands of several images
        return all;
    }();
    return layers;
}

OperatorCase pool_forward_case(const Layer& layer, std::int32_t activation, bool bias) {
    OperatorCase c = forward_case(layer, activation, bias);
    c.op = "conv2d_pool_forward";
    const std::vector<std::int64_t> pooled = {layer.n, layer.oh() / 2, layer.ow() / 2, layer.k};
    c.operands = {{"src", Role::Source, {layer.n, layer.h, layer.w, layer.c}},
                  {"wei", Role::Source, {layer.k, layer.r, layer.s, layer.c}},
                  {"dst", Role::Destination, pooled},
                  {"arg", Role::Destination, pooled, Values::Signed, 0, CGAN_U8}};
    if (bias) c.operands.push_back({"bia", Role::Source, {layer.k}});
    c.check_integers = [layer](const auto& got, const auto& want, double scale) {
        return check_places(layer, got, want, scale);
    };
    const auto p = layer.params(activation);
    c.call = [p, bias](cgan_context* ctx, Tensors t) {
        return cgan_conv2d_pool_forward(ctx, &p, &t[0], &t[1], bias ? &t[4] : nullptr, &t[2], &t[3]);
    };
    return c;
}

// The pooled results, their gradients and the places of the maxima.
std::vector<OperandSpec> pooled_sources(const Layer& layer, std::int32_t activation) {
    const std::vector<std::int64_t> pooled = {layer.n, layer.oh() / 2, layer.ow() / 2, layer.k};
    return {{"dst", Role::Source, pooled, Values::Activated, 0, -1, activation},
            {"d_dst", Role::Source, pooled},
            {"arg", Role::Source, pooled, Values::Position, 4, CGAN_U8}};
}

OperatorCase pool_backward_data_case(const Layer& layer, std::int32_t activation) {
    OperatorCase c = backward_data_case(layer, CGAN_ACT_NONE, false);
    c.op = "conv2d_pool_backward_data";
    c.text = name(layer.text(), "_act", activation);
    c.exact = is_exact(activation);
    const auto pooled = pooled_sources(layer, activation);
    c.operands = {c.operands[0], pooled[0], pooled[1], pooled[2], c.operands[2]};
    c.least_nonzero = 0.05;
    const auto p = layer.params(activation);
    c.call = [p](cgan_context* ctx, Tensors t) {
        return cgan_conv2d_pool_backward_data(ctx, &p, &t[0], &t[1], &t[2], &t[3], &t[4]);
    };
    return c;
}

OperatorCase pool_backward_filter_case(const Layer& layer, std::int32_t activation, bool bias) {
    OperatorCase c = backward_filter_case(layer, bias);
    c.op = "conv2d_pool_backward_filter";
    c.text = name(layer.text(), "_act", activation, bias ? "_bias" : "");
    c.exact = is_exact(activation);
    const auto pooled = pooled_sources(layer, activation);
    std::vector<OperandSpec> operands = {c.operands[0], pooled[0], pooled[1], pooled[2], c.operands[2]};
    if (bias) operands.push_back(c.operands[3]);
    c.operands = operands;
    c.least_nonzero = layer.n == 0 ? 0 : 0.05;
    const auto p = layer.params(activation);
    c.call = [p, bias](cgan_context* ctx, Tensors t) {
        return cgan_conv2d_pool_backward_filter(ctx, &p, &t[0], &t[1], &t[2], &t[3], &t[4],
                                                bias ? &t[5] : nullptr);
    };
    return c;
}

void add_pooled(std::vector<OperatorCase>& cases, const Layer& layer, std::int32_t activation, bool bias) {
    if (layer.oh() < 2 || layer.ow() < 2) return;
    cases.push_back(pool_forward_case(layer, activation, bias));
    cases.push_back(pool_backward_data_case(layer, activation));
    cases.push_back(pool_backward_filter_case(layer, activation, bias));
}

} // namespace

std::vector<OperatorCase> convolution_cases() {
    std::vector<OperatorCase> cases;
    for (const Layer& layer : shapes()) {
        cases.push_back(forward_case(layer, CGAN_ACT_NONE, false));
        cases.push_back(forward_case(layer, CGAN_ACT_LEAKY_RELU, true));
        cases.push_back(backward_data_case(layer, CGAN_ACT_NONE, false));
        if (layer.upsample == 1) cases.push_back(backward_data_case(layer, CGAN_ACT_RELU, true));
        cases.push_back(backward_filter_case(layer, false));
        cases.push_back(backward_filter_case(layer, true));
        add_pooled(cases, layer, CGAN_ACT_NONE, false);
        add_pooled(cases, layer, CGAN_ACT_LEAKY_RELU, true);
    }
    const Layer any = square(2, 9, 10, 5, 17, 3, 1, 1);
    for (const std::int32_t activation :
         {CGAN_ACT_NONE, CGAN_ACT_TANH, CGAN_ACT_SIGMOID, CGAN_ACT_SOFTPLUS, CGAN_ACT_RELU}) {
        for (const bool bias : {false, true}) {
            cases.push_back(forward_case(any, activation, bias));
            cases.push_back(backward_data_case(any, activation, bias));
            add_pooled(cases, any, activation, bias);
        }
    }
    for (const Layer& layer : model_layers()) {
        cases.push_back(forward_case(layer, CGAN_ACT_NONE, true));
        cases.push_back(backward_data_case(layer, CGAN_ACT_NONE, false));
        cases.push_back(backward_filter_case(layer, true));
    }
    for (const Layer& layer : transform_layers()) {
        cases.push_back(forward_case(layer, CGAN_ACT_LEAKY_RELU, true));
        cases.push_back(backward_data_case(layer, CGAN_ACT_NONE, false));
        cases.push_back(backward_filter_case(layer, true));
        add_pooled(cases, layer, CGAN_ACT_TANH, true);
    }
    for (const Layer& layer : winograd_layers()) {
        cases.push_back(forward_case(layer, CGAN_ACT_LEAKY_RELU, true));
        cases.push_back(backward_data_case(layer, CGAN_ACT_LEAKY_RELU, true));
        cases.push_back(backward_filter_case(layer, true));
    }
    for (const Layer& layer : picture_layers()) {
        cases.push_back(forward_case(layer, CGAN_ACT_SIGMOID, true));
        cases.push_back(backward_filter_case(layer, true));
        add_pooled(cases, layer, CGAN_ACT_SIGMOID, true);
    }
    // A result of more than 12 MB, which is written past the caches.
    cases.push_back(forward_case(square(3, 128, 130, 1, 64, 1, 1, 0), CGAN_ACT_LEAKY_RELU, true));
    add_pooled(cases, winograd_layers()[0], CGAN_ACT_TANH, true);
    add_pooled(cases, model_layers()[0], CGAN_ACT_TANH, true);
    add_pooled(cases, model_layers()[1], CGAN_ACT_TANH, true);
    return cases;
}

} // namespace cgan::test
