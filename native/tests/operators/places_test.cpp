// Places of maxima that no window has, as in a buffer that was never written: gradients there count for nothing, and
// nothing is read there.
#include <random>

#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

std::vector<float> random_floats(std::mt19937& random, std::size_t count) {
    std::uniform_real_distribution<float> distribution(-1, 1);
    std::vector<float> values(count);
    for (float& v : values) v = distribution(random);
    return values;
}

std::vector<float> random_floats(std::mt19937& random, const std::vector<std::int64_t>& dims) {
    return random_floats(random, static_cast<std::size_t>(element_count(dims)));
}

// Places of a window of `positions`, half of them none of it, and a gradient; then the same said plainly: a gradient of 0
// at the window's first place.
struct PooledGradient {
    std::vector<std::uint8_t> places, plain_places;
    std::vector<float> gradient, plain_gradient;

    PooledGradient(std::mt19937& random, const std::vector<std::int64_t>& dims, int positions)
        : gradient(random_floats(random, dims)), plain_gradient(gradient) {
        const int strange[] = {positions, positions + 1, 64, 128, 254, 255};
        for (std::size_t i = 0; i < gradient.size(); i++) {
            const bool none = random() % 2;
            const int place = static_cast<int>(random() % static_cast<unsigned>(positions));
            places.push_back(
                static_cast<std::uint8_t>(none ? strange[random() % std::size(strange)] : place));
            plain_places.push_back(static_cast<std::uint8_t>(none ? 0 : place));
            if (none) plain_gradient[i] = 0;
        }
    }
};

struct ConvCase {
    std::vector<std::int64_t> src, wei, pooled;
    int stride = 1, pad = 2;
};

class PlacesOfConvolutions : public testing::TestWithParam<ConvCase> {};

TEST_P(PlacesOfConvolutions, OutsideTheWindowAddNothing) {
    const ConvCase& c = GetParam();
    std::mt19937 random(1);
    const PooledGradient given(random, c.pooled, 4);
    const auto x = random_floats(random, c.src), w = random_floats(random, c.wei),
               y = random_floats(random, c.pooled);
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = c.stride;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = c.pad;
    p.activation = CGAN_ACT_TANH;
    for (const std::string& device : test_devices()) {
        const Session s(device);
        const auto gradients = [&](const std::vector<std::uint8_t>& places,
                                   const std::vector<float>& gradient) {
            const cgan_tensor src = s.floats(c.src, x), wei = s.floats(c.wei, w), dst = s.floats(c.pooled, y),
                              d_dst = s.floats(c.pooled, gradient), arg = s.tensor(CGAN_U8, c.pooled, places),
                              d_src = s.tensor(CGAN_F32, c.src), d_wei = s.tensor(CGAN_F32, c.wei),
                              d_bia = s.tensor(CGAN_F32, {c.wei[0]});
            EXPECT_CGAN_OK(cgan_conv2d_pool_backward_data(s, &p, &wei, &dst, &d_dst, &arg, &d_src));
            EXPECT_CGAN_OK(cgan_conv2d_pool_backward_filter(s, &p, &src, &dst, &d_dst, &arg, &d_wei, &d_bia));
            return std::vector{s.read_floats(d_src), s.read_floats(d_wei), s.read_floats(d_bia)};
        };
        EXPECT_EQ(gradients(given.plain_places, given.plain_gradient),
                  gradients(given.places, given.gradient))
            << device;
    }
}

INSTANTIATE_TEST_SUITE_P(Operators, PlacesOfConvolutions,
                         testing::Values(ConvCase{{2, 12, 12, 1}, {20, 5, 5, 1}, {2, 6, 6, 20}},
                                         ConvCase{{1, 13, 9, 3}, {17, 3, 3, 3}, {1, 3, 2, 17}, 2, 1},
                                         ConvCase{{2, 12, 12, 20}, {24, 5, 5, 20}, {2, 6, 6, 24}},
                                         ConvCase{{1, 7, 8, 9}, {16, 3, 3, 9}, {1, 3, 4, 16}, 1, 1},
                                         ConvCase{{2, 6, 6, 4}, {5, 1, 1, 4}, {2, 3, 3, 5}, 1, 0}));

struct PoolCase {
    int window, stride, pad;
    std::vector<std::int64_t> large, pooled;
};

class PlacesOfPooling : public testing::TestWithParam<PoolCase> {};

TEST_P(PlacesOfPooling, OutsideTheWindowAddNothingAndNameNothing) {
    const PoolCase& c = GetParam();
    std::mt19937 random(2);
    const PooledGradient given(random, c.pooled, c.window * c.window);
    const auto x = random_floats(random, c.large);
    auto p = sized<cgan_pool2d_params>();
    p.kind = CGAN_POOL_MAX;
    p.window_h = p.window_w = c.window;
    p.stride_h = p.stride_w = c.stride;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = c.pad;
    for (const std::string& device : test_devices()) {
        const Session s(device);
        const cgan_tensor large = s.floats(c.large, x), d_src = s.tensor(CGAN_F32, c.large),
                          pooled = s.tensor(CGAN_F32, c.pooled),
                          places = s.tensor(CGAN_U8, c.pooled, given.places),
                          plain_places = s.tensor(CGAN_U8, c.pooled, given.plain_places),
                          gradient = s.floats(c.pooled, given.gradient),
                          plain_gradient = s.floats(c.pooled, given.plain_gradient);
        ASSERT_CGAN_OK(cgan_pool2d_backward(s, &p, &plain_gradient, &plain_places, &d_src));
        const std::vector<float> want = s.read_floats(d_src);
        ASSERT_CGAN_OK(cgan_pool2d_backward(s, &p, &gradient, &places, &d_src));
        EXPECT_EQ(want, s.read_floats(d_src)) << device;
        ASSERT_CGAN_OK(cgan_pool2d_gather(s, &p, &large, &plain_places, &pooled));
        std::vector<float> gathered = s.read_floats(pooled);
        for (std::size_t i = 0; i < gathered.size(); i++)
            if (given.places[i] != given.plain_places[i]) gathered[i] = 0;
        ASSERT_CGAN_OK(cgan_pool2d_gather(s, &p, &large, &places, &pooled));
        EXPECT_EQ(gathered, s.read_floats(pooled)) << device;
    }
}

INSTANTIATE_TEST_SUITE_P(Operators, PlacesOfPooling,
                         testing::Values(PoolCase{2, 2, 0, {2, 12, 10, 5}, {2, 6, 5, 5}},
                                         PoolCase{3, 2, 1, {1, 9, 9, 17}, {1, 5, 5, 17}},
                                         PoolCase{3, 1, 0, {2, 9, 6, 3}, {2, 7, 4, 3}}));

} // namespace
} // namespace cgan::test
