#include "bench/shapes.h"

#include <sstream>

namespace cgan::bench {
namespace {

constexpr Shape dense(const char* name, std::int64_t n, std::int64_t in, std::int64_t out) {
    return {name, n, 1, 1, in, out, 1, 1};
}

// The convolution whose gradient a layer "transposed, 4x4, stride 2, padding 1" is.
constexpr Shape up(const char* name, std::int64_t n, std::int64_t side, std::int64_t in, std::int64_t out) {
    return {name, n, 2 * side, 2 * side, out, in, 4, 4, 2, 1, 1, 1, true};
}

constexpr Shape kModels[] = {
    // report and cgan
    dense("report g_dense1", 64, 100, 6272),
    {"report g_conv1", 64, 7, 7, 128, 64, 5, 5, 1, 2, 2, 2},
    {"report g_out", 64, 14, 14, 64, 1, 5, 5, 1, 2, 2, 2},
    {"report d_conv1", 64, 28, 28, 1, 64, 5, 5, 1, 2, -1, 1, false, true},
    {"report d_conv2", 64, 14, 14, 64, 128, 5, 5, 1, 2, -1, 1, false, true},
    dense("report d_dense1", 64, 6272, 1024),
    dense("report d_out", 64, 1024, 1),
    dense("cgan g_dense1", 64, 110, 6272),
    // dcgan, 64x64x3
    dense("dcgan64 g_dense1", 64, 100, 8192),
    up("dcgan64 g_conv1", 64, 4, 512, 256),
    up("dcgan64 g_conv2", 64, 8, 256, 128),
    up("dcgan64 g_conv3", 64, 16, 128, 64),
    up("dcgan64 g_out", 64, 32, 64, 3),
    {"dcgan64 d_conv1", 64, 64, 64, 3, 64, 4, 4, 2, 1},
    {"dcgan64 d_conv2", 64, 32, 32, 64, 128, 4, 4, 2, 1},
    {"dcgan64 d_conv3", 64, 16, 16, 128, 256, 4, 4, 2, 1},
    {"dcgan64 d_conv4", 64, 8, 8, 256, 512, 4, 4, 2, 1},
    dense("dcgan64 d_out", 64, 8192, 1),
    // dcgan, 28x28x1
    dense("dcgan28 g_dense1", 64, 100, 6272),
    up("dcgan28 g_conv1", 64, 7, 128, 64),
    up("dcgan28 g_out", 64, 14, 64, 1),
    {"dcgan28 d_conv1", 64, 28, 28, 1, 64, 4, 4, 2, 1},
    {"dcgan28 d_conv2", 64, 14, 14, 64, 128, 4, 4, 2, 1},
    dense("dcgan28 d_out", 64, 6272, 1),
    // wgan-gp
    dense("wgan-gp g_dense1", 64, 128, 12544),
    up("wgan-gp g_conv1", 64, 7, 256, 128),
    up("wgan-gp g_out", 64, 14, 128, 1),
    {"wgan-gp d_conv1", 64, 28, 28, 1, 64, 5, 5, 2, 2},
    {"wgan-gp d_conv2", 64, 14, 14, 64, 128, 5, 5, 2, 2},
    {"wgan-gp d_conv3", 64, 7, 7, 128, 256, 5, 5, 2, 2},
    dense("wgan-gp d_out", 64, 4096, 1),
};

constexpr Shape square(const char* name, std::int64_t n, std::int64_t side, std::int64_t in, std::int64_t out,
                       std::int64_t kernel, std::int32_t stride, std::int32_t pad) {
    return {name, n, side, side, in, out, kernel, kernel, stride, pad};
}

constexpr Shape transposed(Shape s) {
    s.transposed = true;
    return s;
}

constexpr Shape kCorners[] = {
    // 1x1
    square("1x1", 64, 14, 64, 128, 1, 1, 0),
    square("1x1", 1, 56, 64, 256, 1, 1, 0),
    square("1x1", 32, 7, 512, 512, 1, 1, 0),
    square("1x1 prime", 7, 13, 17, 31, 1, 1, 0),
    square("1x1 from 3", 16, 64, 3, 32, 1, 1, 0),
    square("1x1 to 1", 16, 64, 64, 1, 1, 1, 0),
    square("1x1 to 3", 16, 64, 64, 3, 1, 1, 0),
    square("1x1 stride 2", 32, 28, 64, 128, 1, 2, 0),
    // 2x2
    square("2x2 stride 2", 32, 32, 32, 64, 2, 2, 0),
    square("2x2", 16, 15, 48, 48, 2, 1, 0),
    // 3x3
    square("3x3", 16, 32, 32, 32, 3, 1, 1),
    square("3x3", 16, 28, 64, 64, 3, 1, 1),
    square("3x3", 8, 14, 256, 256, 3, 1, 1),
    square("3x3", 8, 7, 512, 512, 3, 1, 1),
    square("3x3 batch 1", 1, 56, 64, 64, 3, 1, 1),
    square("3x3 batch 1", 1, 8, 512, 512, 3, 1, 1),
    square("3x3 batch 128", 128, 8, 64, 64, 3, 1, 1),
    square("3x3 prime", 3, 31, 37, 41, 3, 1, 1),
    square("3x3 from 1", 32, 32, 1, 64, 3, 1, 1),
    square("3x3 from 3", 16, 64, 3, 64, 3, 1, 1),
    square("3x3 to 1", 32, 32, 64, 1, 3, 1, 1),
    square("3x3 to 3", 16, 64, 64, 3, 3, 1, 1),
    square("3x3 without padding", 16, 30, 48, 64, 3, 1, 0),
    square("3x3 stride 2", 16, 32, 64, 128, 3, 2, 1),
    square("3x3 stride 2 odd", 16, 31, 32, 64, 3, 2, 1),
    square("3x3 stride 3", 16, 33, 32, 64, 3, 3, 0),
    {"3x3 up", 16, 16, 16, 64, 32, 3, 3, 1, 1, 1, 2},
    {"3x3 wide", 2, 5, 200, 32, 48, 3, 3, 1, 1},
    // 4x4
    square("4x4 stride 2", 16, 64, 32, 64, 4, 2, 1),
    square("4x4 stride 2 batch 1", 1, 64, 64, 128, 4, 2, 1),
    square("4x4 stride 4", 32, 32, 16, 64, 4, 4, 0),
    square("4x4 to one pixel", 64, 4, 512, 1, 4, 1, 0),
    square("4x4 prime", 5, 19, 23, 29, 4, 1, 2),
    transposed(square("4x4", 64, 8, 128, 512, 4, 2, 1)),
    transposed(square("4x4 batch 1", 1, 32, 64, 128, 4, 2, 1)),
    transposed(square("4x4 to 3", 16, 128, 3, 64, 4, 2, 1)),
    transposed(square("4x4 from one pixel", 64, 4, 256, 100, 4, 1, 0)),
    // 5x5
    square("5x5", 32, 14, 64, 128, 5, 1, 2),
    square("5x5 batch 1", 1, 28, 64, 64, 5, 1, 2),
    square("5x5 large", 2, 61, 32, 32, 5, 1, 2),
    square("5x5 few channels", 32, 28, 8, 16, 5, 1, 2),
    square("5x5 stride 2", 32, 28, 32, 64, 5, 2, 2),
    square("5x5 stride 3 prime", 8, 29, 19, 47, 5, 3, 2),
    transposed({"5x5 uneven", 32, 14, 14, 32, 128, 5, 5, 2, 1, 2}),
    {"5x5 up to 3", 32, 16, 16, 64, 3, 5, 5, 1, 2, 2, 2},
    // 6x6 to 11x11
    square("6x6 stride 2", 16, 34, 16, 32, 6, 2, 2),
    transposed(square("6x6 stride 3", 16, 30, 16, 32, 6, 3, 1)),
    square("7x7", 8, 28, 32, 32, 7, 1, 3),
    square("7x7 from 3 stride 2", 8, 96, 3, 64, 7, 2, 3),
    square("7x7 to 3", 4, 64, 64, 3, 7, 1, 3),
    square("8x8 stride 4", 16, 36, 16, 64, 8, 4, 2),
    square("9x9", 4, 33, 16, 24, 9, 1, 4),
    square("9x9 from 1", 16, 28, 1, 16, 9, 1, 4),
    square("10x10 stride 2", 8, 32, 8, 32, 10, 2, 4),
    square("11x11", 4, 32, 16, 16, 11, 1, 5),
    square("11x11 stride 4", 8, 99, 3, 64, 11, 4, 2),
    {"1x7", 16, 17, 17, 64, 64, 1, 7, 1, 0},
    {"7x1", 16, 17, 17, 64, 64, 7, 1, 1, 0},
    // products
    dense("square", 128, 512, 512),
    dense("large", 128, 1024, 1024),
    dense("batch 1", 1, 4096, 1024),
    dense("batch 2", 2, 512, 2048),
    dense("batch 7", 7, 769, 257),
    dense("prime", 127, 509, 251),
    dense("narrow", 128, 8, 512),
    dense("to 1", 128, 4096, 1),
    dense("to 10", 128, 784, 10),
    dense("from 2", 64, 2, 2048),
};

} // namespace

cgan_conv2d_params Shape::params() const {
    cgan_conv2d_params p{};
    p.struct_size = sizeof p;
    p.stride_h = p.stride_w = stride;
    p.pad_top = p.pad_left = pad;
    p.pad_bottom = p.pad_right = after();
    p.upsample = upsample;
    return p;
}

std::string Shape::text() const {
    std::ostringstream text;
    if (dense()) {
        text << "n" << n << " " << c << "->" << k;
        return text.str();
    }
    text << "n" << n << " " << h << "x" << w << " " << c << "->" << k << " " << r << "x" << s;
    if (stride > 1) text << " /" << stride;
    if (pad > 0 || after() > 0) text << " +" << pad;
    if (after() != pad) text << "," << after();
    if (upsample > 1) text << " up" << upsample;
    if (transposed) text << " transposed";
    return text.str();
}

std::span<const Shape> model_shapes() { return kModels; }

std::span<const Shape> corner_shapes() { return kCorners; }

} // namespace cgan::bench
