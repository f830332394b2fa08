// Random numbers: the published vectors of Philox, the errors of the shared arithmetic, and plain statistics.
#include "philox.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/session.h"

namespace cgan::test {
namespace {

using philox::Words;

void expect_words(const Words& want, const Words& got) {
    for (int i = 0; i < 4; i++) EXPECT_EQ(want.w[i], got.w[i]) << "word " << i;
}

// Known-answer vectors of Random123 for philox4x32 with 10 rounds.
TEST(Philox, PublishedVectors) {
    expect_words({{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                 philox::philox4x32_10({{0, 0, 0, 0}}, 0, 0));
    const std::uint32_t ones = 0xffffffff;
    expect_words({{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                 philox::philox4x32_10({{ones, ones, ones, ones}}, ones, ones));
    expect_words(
        {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
        philox::philox4x32_10({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0));
}

TEST(Philox, WordsAreKeyedAsTheHeaderSays) {
    expect_words(philox::philox4x32_10({{5, 9, 0x33333333, 0x44444444}}, 0x22222222, 0x11111111),
                 philox::words(0x1111111122222222, 9, 0x4444444433333333, 5));
}

TEST(Philox, LogarithmError) {
    double worst = 0;
    for (std::uint32_t m = 1; m <= 1u << 24; m += m < 100000 || m > (1u << 24) - 100000 ? 1 : 97) {
        const double want = std::log(m * 0x1p-24), got = philox::log_unit(m);
        const double error = want == 0 ? std::abs(got) : std::abs(got / want - 1);
        worst = !(error <= worst) ? error : worst;
    }
    EXPECT_TRUE(worst < 2e-7) << worst;
}

TEST(Philox, CosineAndSineError) {
    double worst = 0;
    for (std::uint32_t v = 0; v < 1u << 24; v += 37) {
        const philox::Pair pair = philox::cos_sin_turn(v);
        const double angle = 2 * M_PI * v * 0x1p-24;
        const double error =
            std::max(std::abs(pair.first - std::cos(angle)), std::abs(pair.second - std::sin(angle)));
        worst = !(error <= worst) ? error : worst;
    }
    EXPECT_TRUE(worst < 2e-7) << worst;
}

TEST(Philox, NormalError) {
    double worst = 0, greatest = 0;
    for (std::uint32_t i = 0; i < 300000; i++) {
        const Words w = philox::words(1, 2, 3, i);
        const philox::Pair pair = philox::normal_pair(w.w[0], w.w[1]);
        const double radius = std::sqrt(-2 * std::log(1 - (w.w[0] >> 8) * 0x1p-24));
        const double angle = 2 * M_PI * (w.w[1] >> 8) * 0x1p-24;
        const double error = std::max(std::abs(pair.first - radius * std::cos(angle)),
                                      std::abs(pair.second - radius * std::sin(angle)));
        worst = !(error <= worst) ? error : worst;
        greatest = std::max<double>(greatest, std::abs(pair.first));
    }
    EXPECT_TRUE(worst < 2e-6) << worst;
    EXPECT_LE(greatest, 5.77);
    const philox::Pair extreme = philox::normal_pair(0xffffffff, 0);
    EXPECT_NEAR(5.768, extreme.first, 0.001);
}

// Bits that every compiler, processor and device must give: a change breaks the replay of old runs.
TEST(Philox, NormalBitsArePinned) {
    std::uint64_t hash = 14695981039346656037u; // FNV-1a
    for (std::uint32_t i = 0; i < 100000; i++) {
        const Words w = philox::words(42, 7, 1, i);
        for (int j = 0; j < 4; j += 2) {
            const philox::Pair pair = philox::normal_pair(w.w[j], w.w[j + 1]);
            for (const float x : {pair.first, pair.second}) {
                std::uint32_t bits = 0;
                std::memcpy(&bits, &x, sizeof bits);
                hash = (hash ^ bits) * 1099511628211u;
            }
        }
    }
    EXPECT_EQ(15245939995646299281u, hash);
}

// ---- distributions
// ----------------------------------------------------------------------------------------------

constexpr std::int64_t kCount = 400000;

class Distribution : public testing::Test {
  protected:
    const Session s{"cpu"};

    std::vector<float> draw(std::int32_t kind, double a, double b, std::uint32_t stream = 1,
                            std::int64_t step = 1, std::uint64_t seed = 1) const {
        auto p = sized<cgan_random_params>();
        p.kind = kind;
        p.a = a;
        p.b = b;
        p.stream = stream;
        p.seed = seed;
        const cgan_tensor at = s.tensor<std::int64_t>(CGAN_I64, {}, {step}), y = s.tensor(CGAN_F32, {kCount});
        EXPECT_CGAN_OK(cgan_random(s, &p, &at, &y));
        return s.read_floats(y);
    }
};

struct Moments {
    double mean = 0, deviation = 0, skew = 0, kurtosis = 0;
};

Moments moments(const std::vector<float>& values) {
    Moments m;
    const auto n = static_cast<double>(values.size());
    for (const double x : values) m.mean += x / n;
    double second = 0, third = 0, fourth = 0;
    for (const double x : values) {
        const double d = x - m.mean;
        second += d * d / n;
        third += d * d * d / n;
        fourth += d * d * d * d / n;
    }
    m.deviation = std::sqrt(second);
    m.skew = third / (second * m.deviation);
    m.kurtosis = fourth / (second * second);
    return m;
}

TEST_F(Distribution, Uniform) {
    const std::vector<float> x = draw(CGAN_RANDOM_UNIFORM, -1, 1);
    const Moments m = moments(x);
    EXPECT_NEAR(0, m.mean, 5 * 0.577 / std::sqrt(kCount)); // five standard errors
    EXPECT_NEAR(1 / std::sqrt(3.0), m.deviation, 0.003);
    EXPECT_NEAR(1.8, m.kurtosis, 0.01);
    for (const float v : x) ASSERT_TRUE(v >= -1 && v < 1) << v;
}

TEST_F(Distribution, UniformStaysBelowItsBound) {
    for (const float v : draw(CGAN_RANDOM_UNIFORM, 1e6, 1e6 + 1)) ASSERT_TRUE(v >= 1e6f && v < 1e6f + 1) << v;
}

TEST_F(Distribution, Normal) {
    const Moments m = moments(draw(CGAN_RANDOM_NORMAL, 3, 2));
    EXPECT_NEAR(3, m.mean, 5 * 2 / std::sqrt(kCount));
    EXPECT_NEAR(2, m.deviation, 0.02);
    EXPECT_NEAR(0, m.skew, 0.03);
    EXPECT_NEAR(3, m.kurtosis, 0.06);
}

TEST_F(Distribution, Bernoulli) {
    std::int64_t ones = 0;
    for (const float v : draw(CGAN_RANDOM_BERNOULLI, 0.3, 2)) {
        ASSERT_TRUE(v == 0 || v == 2) << v;
        ones += v != 0;
    }
    EXPECT_NEAR(0.3, static_cast<double>(ones) / kCount, 0.004);
    for (const float v : draw(CGAN_RANDOM_BERNOULLI, 0, 1)) ASSERT_EQ(0, v);
    for (const float v : draw(CGAN_RANDOM_BERNOULLI, 1, 1)) ASSERT_EQ(1, v);
}

TEST_F(Distribution, Integer) {
    auto p = sized<cgan_random_params>();
    p.kind = CGAN_RANDOM_INTEGER;
    p.a = -3;
    p.b = 7;
    const cgan_tensor at = s.tensor<std::int64_t>(CGAN_I64, {}, {1}), y = s.tensor(CGAN_I32, {kCount});
    ASSERT_CGAN_OK(cgan_random(s, &p, &at, &y));
    std::vector<std::int64_t> counts(10);
    for (const std::int32_t v : s.read<std::int32_t>(y)) {
        ASSERT_TRUE(v >= -3 && v < 7) << v;
        counts[static_cast<std::size_t>(v + 3)]++;
    }
    for (const std::int64_t count : counts) EXPECT_NEAR(kCount / 10, count, 1000);
}

TEST_F(Distribution, SeedsStreamsAndStepsDiffer) {
    const std::vector<float> base = draw(CGAN_RANDOM_UNIFORM, 0, 1, 1, 1, 1);
    EXPECT_EQ(base, draw(CGAN_RANDOM_UNIFORM, 0, 1, 1, 1, 1));
    for (const auto& other :
         {draw(CGAN_RANDOM_UNIFORM, 0, 1, 2, 1, 1), draw(CGAN_RANDOM_UNIFORM, 0, 1, 1, 2, 1),
          draw(CGAN_RANDOM_UNIFORM, 0, 1, 1, 1, 2),
          draw(CGAN_RANDOM_UNIFORM, 0, 1, 1, (std::int64_t{1} << 32) + 1, 1)}) {
        double product = 0;
        std::int64_t same = 0;
        for (std::size_t i = 0; i < base.size(); i++) {
            product += (base[i] - 0.5) * (other[i] - 0.5) / static_cast<double>(base.size());
            same += base[i] == other[i];
        }
        EXPECT_NEAR(0, product, 5.0 / 12 / std::sqrt(kCount)); // uncorrelated
        EXPECT_LT(same, 10);
    }
}

} // namespace
} // namespace cgan::test
