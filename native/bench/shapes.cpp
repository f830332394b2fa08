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
    {"report d_conv1", 64, 28, 28, 1, 64, 5, 5, 1, 2},
    {"report d_conv2", 64, 14, 14, 64, 128, 5, 5, 1, 2},
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

} // namespace cgan::bench
