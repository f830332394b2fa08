// Devices that have to agree on every layer of the models, at its real size: each of CGAN_TEST_DEVICES (with spaces
// between) with the first of them. CGAN_TEST_BATCH is the number of images (64). The operator contract holds the same
// devices to the reference, but the reference is too slow for layers of this size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <sstream>

#include "bench/shapes.h"
#include "support/session.h"

namespace cgan::test {
namespace {

using bench::Shape;

std::vector<std::string> devices() {
    const char* names = std::getenv("CGAN_TEST_DEVICES");
    std::istringstream text(names ? names : "");
    std::vector<std::string> list;
    for (std::string name; text >> name;) list.push_back(name);
    return list;
}

std::vector<Shape> layers() {
    const char* batch = std::getenv("CGAN_TEST_BATCH");
    std::vector<Shape> list(bench::model_shapes().begin(), bench::model_shapes().end());
    if (batch && *batch)
        for (Shape& shape : list) shape.n = std::strtoll(batch, nullptr, 10);
    return list;
}

std::vector<float> random_floats(std::int64_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float& x : values) x = static_cast<float>(random()) * 0x1p-31f - 1;
    return values;
}

// The passes of a layer from the same data; each result with the number of products in its sums.
struct Pass {
    const char* name;
    double products;
    std::vector<float> result;
};

std::vector<Pass> run_convolution(const Session& s, const Shape& shape) {
    const auto p = shape.params();
    const cgan_tensor src = s.floats({shape.n, shape.h, shape.w, shape.c},
                                     random_floats(shape.n * shape.h * shape.w * shape.c, 1));
    const cgan_tensor wei = s.floats({shape.k, shape.r, shape.s, shape.c},
                                     random_floats(shape.k * shape.r * shape.s * shape.c, 2));
    const std::int64_t oh = shape.oh(), ow = shape.ow();
    const cgan_tensor d_dst =
        s.floats({shape.n, oh, ow, shape.k}, random_floats(shape.n * oh * ow * shape.k, 3));
    const cgan_tensor bia = s.floats({shape.k}, random_floats(shape.k, 4));
    const cgan_tensor dst = s.tensor(CGAN_F32, {shape.n, oh, ow, shape.k}),
                      d_src = s.tensor(CGAN_F32, {shape.n, shape.h, shape.w, shape.c}),
                      d_wei = s.tensor(CGAN_F32, {shape.k, shape.r, shape.s, shape.c}),
                      d_bia = s.tensor(CGAN_F32, {shape.k});
    EXPECT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, &bia, &dst));
    EXPECT_CGAN_OK(cgan_conv2d_backward_data(s, &p, &wei, &d_dst, nullptr, &d_src));
    EXPECT_CGAN_OK(cgan_conv2d_backward_filter(s, &p, &src, &d_dst, &d_wei, &d_bia));
    const double taps = static_cast<double>(shape.r * shape.s * shape.upsample * shape.upsample);
    const double pixels = static_cast<double>(shape.n * oh * ow);
    return {{"forward", taps * static_cast<double>(shape.c), s.read_floats(dst)},
            {"backward data", taps * static_cast<double>(shape.k), s.read_floats(d_src)},
            {"backward filter", pixels, s.read_floats(d_wei)},
            {"bias", pixels, s.read_floats(d_bia)}};
}

std::vector<Pass> run_transposed(const Session& s, const Shape& shape) {
    auto p = shape.params();
    p.activation = CGAN_ACT_TANH;
    const cgan_tensor wei = s.floats({shape.k, shape.r, shape.s, shape.c},
                                     random_floats(shape.k * shape.r * shape.s * shape.c, 2));
    const cgan_tensor src = s.floats({shape.n, shape.oh(), shape.ow(), shape.k},
                                     random_floats(shape.n * shape.oh() * shape.ow() * shape.k, 3));
    const cgan_tensor bia = s.floats({shape.c}, random_floats(shape.c, 4));
    const cgan_tensor dst = s.tensor(CGAN_F32, {shape.n, shape.h, shape.w, shape.c});
    EXPECT_CGAN_OK(cgan_conv2d_backward_data(s, &p, &wei, &src, &bia, &dst));
    return {{"transposed", static_cast<double>(shape.r * shape.s * shape.k), s.read_floats(dst)}};
}

std::vector<Pass> run_dense(const Session& s, const Shape& shape) {
    const auto p = sized<cgan_dense_params>();
    const cgan_tensor src = s.floats({shape.n, shape.c}, random_floats(shape.n * shape.c, 1));
    const cgan_tensor wei = s.floats({shape.k, shape.c}, random_floats(shape.k * shape.c, 2));
    const cgan_tensor d_dst = s.floats({shape.n, shape.k}, random_floats(shape.n * shape.k, 3));
    const cgan_tensor bia = s.floats({shape.k}, random_floats(shape.k, 4));
    const cgan_tensor dst = s.tensor(CGAN_F32, {shape.n, shape.k}),
                      d_src = s.tensor(CGAN_F32, {shape.n, shape.c}),
                      d_wei = s.tensor(CGAN_F32, {shape.k, shape.c});
    EXPECT_CGAN_OK(cgan_dense_forward(s, &p, &src, &wei, &bia, &dst));
    auto plain = sized<cgan_matmul_params>(), transposed = plain;
    transposed.transpose_a = 1;
    EXPECT_CGAN_OK(cgan_matmul(s, &plain, &d_dst, &wei, &d_src));
    EXPECT_CGAN_OK(cgan_matmul(s, &transposed, &d_dst, &src, &d_wei));
    return {{"forward", static_cast<double>(shape.c), s.read_floats(dst)},
            {"backward data", static_cast<double>(shape.k), s.read_floats(d_src)},
            {"backward filter", static_cast<double>(shape.n), s.read_floats(d_wei)}};
}

std::vector<std::uint8_t> random_places(std::int64_t n, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<std::uint8_t> places(static_cast<std::size_t>(n));
    for (std::uint8_t& place : places) place = static_cast<std::uint8_t>(random() % 4);
    return places;
}

// Two neighbouring places may change roles by rounding, so the gradients start from places that are given.
std::vector<Pass> run_pooled(const Session& s, const Shape& shape) {
    auto p = shape.params();
    p.activation = CGAN_ACT_TANH;
    const std::vector<std::int64_t> pooled = {shape.n, shape.oh() / 2, shape.ow() / 2, shape.k};
    const cgan_tensor src = s.floats({shape.n, shape.h, shape.w, shape.c},
                                     random_floats(shape.n * shape.h * shape.w * shape.c, 1));
    const cgan_tensor wei = s.floats({shape.k, shape.r, shape.s, shape.c},
                                     random_floats(shape.k * shape.r * shape.s * shape.c, 2));
    const cgan_tensor bia = s.floats({shape.k}, random_floats(shape.k, 4));
    const cgan_tensor dst = s.tensor(CGAN_F32, pooled), arg = s.tensor(CGAN_U8, pooled);
    EXPECT_CGAN_OK(cgan_conv2d_pool_forward(s, &p, &src, &wei, &bia, &dst, &arg));

    const std::int64_t count = element_count(pooled);
    const cgan_tensor known = s.floats(pooled, random_floats(count, 5)),
                      d_dst = s.floats(pooled, random_floats(count, 6)),
                      places = s.tensor(CGAN_U8, pooled, random_places(count, 7));
    const cgan_tensor d_src = s.tensor(CGAN_F32, {shape.n, shape.h, shape.w, shape.c}),
                      d_wei = s.tensor(CGAN_F32, {shape.k, shape.r, shape.s, shape.c}),
                      d_bia = s.tensor(CGAN_F32, {shape.k});
    EXPECT_CGAN_OK(cgan_conv2d_pool_backward_data(s, &p, &wei, &known, &d_dst, &places, &d_src));
    EXPECT_CGAN_OK(cgan_conv2d_pool_backward_filter(s, &p, &src, &known, &d_dst, &places, &d_wei, &d_bia));
    const double taps = static_cast<double>(shape.r * shape.s);
    return {{"pooled forward", taps * static_cast<double>(shape.c), s.read_floats(dst)},
            {"pooled backward data", taps * static_cast<double>(shape.k), s.read_floats(d_src)},
            {"pooled backward filter", static_cast<double>(count / shape.k), s.read_floats(d_wei)},
            {"pooled bias", static_cast<double>(count / shape.k), s.read_floats(d_bia)}};
}

void expect_served_by_vendor(const Session& s) {
    const std::string served =
        text_of([&](char* to, std::int64_t cap) { return cgan_context_describe(s, to, cap); });
    EXPECT_EQ(std::string::npos, served.find("handwritten ")) << served;
    EXPECT_EQ(std::string::npos, served.find("reference ")) << served;
}

std::vector<Pass> run(const std::string& device, const Shape& shape) {
    const Session s(device);
    auto passes = shape.dense() ? run_dense(s, shape) : run_convolution(s, shape);
    const auto append = [&](std::vector<Pass> more) {
        std::move(more.begin(), more.end(), std::back_inserter(passes));
    };
    if (shape.transposed) append(run_transposed(s, shape));
    if (device.find("kernels=vendor") != std::string::npos) expect_served_by_vendor(s);
    if (shape.pooled) append(run_pooled(s, shape)); // of whose passes the vendors serve some
    return passes;
}

// How often the law's 8 * 2^-24 * sqrt(K) a device may be off. Ours keep the law, and so do the simulator's stand-ins;
// oneDNN and cuDNN do not (operators/contract.cpp says why); of millions of results here the worst is twice as bad as of
// the few thousands there.
double slack(const std::string& device, double root) {
    if (device.find("precision=tf32") != std::string::npos) return 0x1p13;
    const bool vendor = device.find("kernels=vendor") != std::string::npos && !device.starts_with("sim");
    return vendor ? std::max(8.0, root / 4) : 1;
}

class Models : public testing::TestWithParam<Shape> {};

TEST_P(Models, DevicesAgree) {
    const auto names = devices();
    const auto want = run(names[0], GetParam());
    for (std::size_t other = 1; other < names.size(); other++) {
        const auto got = run(names[other], GetParam());
        ASSERT_EQ(want.size(), got.size());
        for (std::size_t pass = 0; pass < want.size(); pass++) {
            ASSERT_EQ(want[pass].result.size(), got[pass].result.size());
            const double root = std::sqrt(want[pass].products);
            const double limit = (slack(names[0], root) + slack(names[other], root)) * 8 * 0x1p-24 * root;
            double worst = 0;
            for (std::size_t i = 0; i < want[pass].result.size(); i++) {
                const double off = std::abs(static_cast<double>(got[pass].result[i]) - want[pass].result[i]);
                if (std::isnan(off) || off > worst) worst = off; // a NaN stays
            }
            EXPECT_LE(worst, limit) << want[pass].name << " of " << GetParam().text() << " by " << names[other]
                                    << " and by " << names[0];
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Agreement, Models, testing::ValuesIn(layers()), [](const auto& info) {
    std::string name = info.param.name;
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

} // namespace
} // namespace cgan::test

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (cgan::test::devices().size() < 2) {
        std::fprintf(stderr, "CGAN_TEST_DEVICES has to name two devices or more, such as \"cpu cuda:0\"\n");
        return 2;
    }
    return RUN_ALL_TESTS();
}
