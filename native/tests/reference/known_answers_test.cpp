// The reference against results worked out by hand, and against the definitions where the arithmetic is
// another.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "support/session.h"

namespace cgan::test {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class KnownAnswers : public testing::TestWithParam<const char*> {
  protected:
    const Session s{GetParam()};

    std::vector<float> unary(std::int32_t kind, const std::vector<float>& x, double alpha = 0,
                             double beta = 0) const {
        auto p = sized<cgan_unary_params>();
        p.kind = kind;
        p.alpha = alpha;
        p.beta = beta;
        const cgan_tensor t = s.floats({static_cast<std::int64_t>(x.size())}, x);
        EXPECT_CGAN_OK(cgan_unary(s, &p, &t, &t));
        return s.read_floats(t);
    }

    std::vector<float> binary(std::int32_t kind, const std::vector<float>& a,
                              const std::vector<float>& b) const {
        auto p = sized<cgan_binary_params>();
        p.kind = kind;
        const auto n = static_cast<std::int64_t>(a.size());
        const cgan_tensor x = s.floats({n}, a), y = s.floats({n}, b), dst = s.tensor(CGAN_F32, {n});
        EXPECT_CGAN_OK(cgan_binary(s, &p, &x, &y, &dst));
        return s.read_floats(dst);
    }
};

// Numbers equal, NaN equal to NaN.
void expect_values(const std::vector<float>& want, const std::vector<float>& got) {
    ASSERT_EQ(want.size(), got.size());
    for (std::size_t i = 0; i < want.size(); i++) {
        if (std::isnan(want[i])) {
            EXPECT_TRUE(std::isnan(got[i])) << "element " << i << " is " << got[i];
        } else {
            EXPECT_EQ(want[i], got[i]) << "element " << i;
        }
    }
}

TEST_P(KnownAnswers, UnaryFunctionsOfSpecialNumbers) {
    const std::vector<float> x = {-kInfinity, -2, -0.0f, 0, 2, kInfinity, kNaN};
    expect_values({-kInfinity, -3, 1, 1, 5, kInfinity, kNaN}, unary(CGAN_UNARY_AFFINE, x, 2, 1));
    expect_values({kInfinity, 4, 0, 0, 4, kInfinity, kNaN}, unary(CGAN_UNARY_SQUARE, x));
    expect_values({kInfinity, 2, 0, 0, 2, kInfinity, kNaN}, unary(CGAN_UNARY_ABS, x));
    expect_values({-1, -1, 0, 0, 1, 1, kNaN}, unary(CGAN_UNARY_SIGN, x));
    expect_values({0.5, 0.5, 0.5, 0.5, 1, 1, 0.5}, unary(CGAN_UNARY_STEP, x, 0.5));
    expect_values({-1, -1, 0, 0, 1, 1, kNaN}, unary(CGAN_UNARY_CLAMP, x, -1, 1));
    expect_values({0, 0, 0, 0, 2, kInfinity, kNaN}, unary(CGAN_UNARY_RELU, x));
    expect_values({-kInfinity, -1, 0, 0, 2, kInfinity, kNaN}, unary(CGAN_UNARY_LEAKY_RELU, x, 0.5));
    expect_values({kNaN, kNaN, 0, 0, std::sqrt(2.0f), kInfinity, kNaN}, unary(CGAN_UNARY_SQRT, x));
    expect_values({0, -0.5, -kInfinity, kInfinity, 0.5, 0, kNaN}, unary(CGAN_UNARY_RECIPROCAL, x));
    expect_values({0, 0, kNaN}, unary(CGAN_UNARY_TANH, {-0.0f, 0, kNaN}));
    expect_values({0, 0.5, 0.5, kNaN}, unary(CGAN_UNARY_SIGMOID, {-kInfinity, -0.0f, 0, kNaN}));
    const float rounding = 8 * 0x1p-24f;
    EXPECT_NEAR(1, unary(CGAN_UNARY_TANH, {kInfinity})[0], rounding);
    EXPECT_NEAR(-1, unary(CGAN_UNARY_TANH, {-kInfinity})[0], rounding);
    EXPECT_NEAR(1, unary(CGAN_UNARY_SIGMOID, {kInfinity})[0], rounding);
    expect_values({0, 1, kInfinity, kNaN}, unary(CGAN_UNARY_EXP, {-kInfinity, 0, kInfinity, kNaN}));
    expect_values({kNaN, -kInfinity, 0, kInfinity, kNaN}, unary(CGAN_UNARY_LOG, {-1, 0, 1, kInfinity, kNaN}));
    expect_values({0, 100, 1e30f, kInfinity, kNaN},
                  unary(CGAN_UNARY_SOFTPLUS, {-kInfinity, 100, 1e30f, kInfinity, kNaN}));
}

// Over the whole range, not only where the contract draws its numbers.
TEST_P(KnownAnswers, UnaryFunctionsOverTheirRange) {
    std::vector<float> x;
    for (float v = -120; v <= 120; v += 0.01171875f) x.push_back(v);
    const auto check = [&](std::int32_t kind, double (*f)(double), double low, double high) {
        const std::vector<float> y = unary(kind, x);
        std::size_t compared = 0;
        for (std::size_t i = 0; i < x.size(); i++) {
            if (x[i] < low || x[i] > high) continue;
            const double want = f(x[i]), limit = 8 * 0x1p-24 * std::abs(want) + 1e-37;
            EXPECT_TRUE(std::abs(y[i] - want) <= limit)
                << kind << " of " << x[i] << " is " << y[i] << ", want " << want;
            compared++;
        }
        EXPECT_GT(compared, 5000u);
    };
    check(
        CGAN_UNARY_TANH, [](double v) { return std::tanh(v); }, -120, 120);
    check(
        CGAN_UNARY_EXP, [](double v) { return std::exp(v); }, -87, 88);
    check(
        CGAN_UNARY_SIGMOID, [](double v) { return 1 / (1 + std::exp(-v)); }, -87, 120);
    check(
        CGAN_UNARY_SOFTPLUS, [](double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); },
        -87, 120);
    check(
        CGAN_UNARY_LOG, [](double v) { return std::log(v); }, 1e-3, 120);
    check(
        CGAN_UNARY_RSQRT, [](double v) { return 1 / std::sqrt(v); }, 1e-3, 120);
}

TEST_P(KnownAnswers, BinaryFunctionsOfNaN) {
    const std::vector<float> a = {1, kNaN, 1, 3}, b = {2, 1, kNaN, 3};
    expect_values({2, kNaN, kNaN, 3}, binary(CGAN_BINARY_MAX, a, b));
    expect_values({1, kNaN, kNaN, 3}, binary(CGAN_BINARY_MIN, a, b));
    expect_values({0, 0, 0, 0}, binary(CGAN_BINARY_GREATER, a, b));
    expect_values({3, kNaN, kNaN, 6}, binary(CGAN_BINARY_ADD, a, b));
}

TEST_P(KnownAnswers, ReductionsKeepNaN) {
    const cgan_tensor x = s.floats({3, 3}, {1, kNaN, 2, 4, 5, 3, kNaN, 1, 7});
    for (const std::int32_t kind : {CGAN_REDUCE_SUM, CGAN_REDUCE_MEAN, CGAN_REDUCE_MAX, CGAN_REDUCE_MIN}) {
        auto p = sized<cgan_reduce_params>();
        p.kind = kind;
        p.axis_mask = 2;
        const cgan_tensor y = s.tensor(CGAN_F32, {3, 1});
        ASSERT_CGAN_OK(cgan_reduce(s, &p, &x, &y));
        const float middle[] = {12, 4, 5, 3};
        expect_values({kNaN, middle[kind], kNaN}, s.read_floats(y));
    }
    const cgan_tensor index = s.tensor(CGAN_I32, {3});
    ASSERT_CGAN_OK(cgan_argmax(s, &x, &index));
    EXPECT_EQ((std::vector<std::int32_t>{1, 1, 0}), s.read<std::int32_t>(index));
    const cgan_tensor ties = s.floats({2, 3}, {2, 2, 1, -1, 0, 0});
    const cgan_tensor first = s.tensor(CGAN_I32, {2});
    ASSERT_CGAN_OK(cgan_argmax(s, &ties, &first));
    EXPECT_EQ((std::vector<std::int32_t>{0, 1}), s.read<std::int32_t>(first));
}

TEST_P(KnownAnswers, SoftmaxOfLargeNumbers) {
    auto p = sized<cgan_softmax_params>();
    const cgan_tensor x = s.floats({1, 3}, {1e30f, 1e30f, -1e30f}), y = s.tensor(CGAN_F32, {1, 3});
    ASSERT_CGAN_OK(cgan_softmax_forward(s, &p, &x, &y));
    expect_values({0.5, 0.5, 0}, s.read_floats(y));
}

TEST_P(KnownAnswers, ConversionsSaturate) {
    const cgan_tensor x = s.floats({7}, {-1, 0.9f, 1.9f, 255.9f, 300, kNaN, kInfinity}),
                      bytes = s.tensor(CGAN_U8, {7});
    ASSERT_CGAN_OK(cgan_convert(s, 1, 0, &x, &bytes));
    EXPECT_EQ((std::vector<std::uint8_t>{0, 0, 1, 255, 255, 0, 255}), s.read<std::uint8_t>(bytes));
    const cgan_tensor y = s.floats({5}, {-1.9f, 3e9f, -3e9f, kNaN, -kInfinity}),
                      integers = s.tensor(CGAN_I32, {5});
    ASSERT_CGAN_OK(cgan_convert(s, 1, 0, &y, &integers));
    EXPECT_EQ((std::vector<std::int32_t>{-1, INT32_MAX, INT32_MIN, 0, INT32_MIN}),
              s.read<std::int32_t>(integers));
    const cgan_tensor wide = s.tensor(CGAN_I64, {5});
    ASSERT_CGAN_OK(cgan_convert(s, 1e10, 0, &y, &wide));
    EXPECT_EQ((std::vector<std::int64_t>{-18999999761, INT64_MAX, INT64_MIN, 0, INT64_MIN}),
              s.read<std::int64_t>(wide));
    const cgan_tensor pixels = s.tensor<std::uint8_t>(CGAN_U8, {3}, {0, 51, 255}),
                      reals = s.tensor(CGAN_F32, {3});
    ASSERT_CGAN_OK(cgan_convert(s, 1 / 127.5, -1, &pixels, &reals));
    const std::vector<float> values = s.read_floats(reals);
    EXPECT_FLOAT_EQ(-1, values[0]);
    EXPECT_FLOAT_EQ(-0.6f, values[1]);
    EXPECT_FLOAT_EQ(1, values[2]);
}

// 1 2 3 / 4 5 6 / 7 8 9 with the kernel 1 2 / 3 4 (no flip: cross-correlation).
TEST_P(KnownAnswers, ConvolutionByHand) {
    const cgan_tensor src = s.floats({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    const cgan_tensor wei = s.floats({1, 2, 2, 1}, {1, 2, 3, 4}), bia = s.floats({1}, {-40});
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = 1;
    const cgan_tensor dst = s.tensor(CGAN_F32, {1, 2, 2, 1});
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, &bia, &dst));
    expect_values({-3, 7, 27, 37}, s.read_floats(dst));
    p.activation = CGAN_ACT_RELU;
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, &bia, &dst));
    expect_values({0, 7, 27, 37}, s.read_floats(dst));

    p.activation = CGAN_ACT_NONE; // one-sided padding: the window hangs over the right and lower edge
    p.pad_bottom = p.pad_right = 1;
    const cgan_tensor padded = s.tensor(CGAN_F32, {1, 3, 3, 1});
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &padded));
    expect_values({37, 47, 21, 67, 77, 33, 23, 26, 9}, s.read_floats(padded));

    p.pad_bottom = p.pad_right = 0;
    const cgan_tensor grad = s.floats({1, 2, 2, 1}, {1, 10, 100, 1000}),
                      d_src = s.tensor(CGAN_F32, {1, 3, 3, 1});
    ASSERT_CGAN_OK(cgan_conv2d_backward_data(s, &p, &wei, &grad, nullptr, &d_src));
    expect_values({1, 12, 20, 103, 1234, 2040, 300, 3400, 4000}, s.read_floats(d_src));
    const cgan_tensor d_wei = s.tensor(CGAN_F32, {1, 2, 2, 1}), d_bia = s.tensor(CGAN_F32, {1});
    ASSERT_CGAN_OK(cgan_conv2d_backward_filter(s, &p, &src, &grad, &d_wei, &d_bia));
    expect_values({5421, 6532, 8754, 9865}, s.read_floats(d_wei));
    expect_values({1111}, s.read_floats(d_bia));
}

// Enlarging first is the same as upsample2d_forward and a plain convolution.
TEST_P(KnownAnswers, UpsampledConvolutionIsItsParts) {
    std::vector<float> image(2 * 3 * 4 * 3), kernel(5 * 5 * 5 * 3);
    for (std::size_t i = 0; i < image.size(); i++) image[i] = static_cast<float>(i * 7 % 11) - 5;
    for (std::size_t i = 0; i < kernel.size(); i++) kernel[i] = static_cast<float>(i * 5 % 13) - 6;
    const cgan_tensor src = s.floats({2, 3, 4, 3}, image), wei = s.floats({5, 5, 5, 3}, kernel);
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = 1;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 2;
    p.upsample = 2;
    const cgan_tensor fused = s.tensor(CGAN_F32, {2, 6, 8, 5}), parts = s.tensor(CGAN_F32, {2, 6, 8, 5});
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &fused));
    auto up = sized<cgan_upsample2d_params>();
    up.factor_h = up.factor_w = 2;
    const cgan_tensor large = s.tensor(CGAN_F32, {2, 6, 8, 3});
    ASSERT_CGAN_OK(cgan_upsample2d_forward(s, &up, &src, &large));
    p.upsample = 1;
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &large, &wei, nullptr, &parts));
    expect_values(s.read_floats(parts), s.read_floats(fused));
}

TEST_P(KnownAnswers, PooledConvolutionIsItsParts) {
    std::vector<float> image(2 * 5 * 7 * 3), kernel(4 * 3 * 3 * 3);
    for (std::size_t i = 0; i < image.size(); i++) image[i] = static_cast<float>(i * 7 % 11) - 5;
    for (std::size_t i = 0; i < kernel.size(); i++) kernel[i] = static_cast<float>(i * 5 % 13) - 6;
    const cgan_tensor src = s.floats({2, 5, 7, 3}, image), wei = s.floats({4, 3, 3, 3}, kernel);
    const cgan_tensor bia = s.floats({4}, {1, -2, 30, -400});
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
    p.activation = CGAN_ACT_LEAKY_RELU;
    p.alpha = 0.25;
    const cgan_tensor fused = s.tensor(CGAN_F32, {2, 2, 3, 4}), arg = s.tensor(CGAN_U8, {2, 2, 3, 4});
    ASSERT_CGAN_OK(cgan_conv2d_pool_forward(s, &p, &src, &wei, &bia, &fused, &arg));
    const cgan_tensor whole = s.tensor(CGAN_F32, {2, 5, 7, 4}), pooled = s.tensor(CGAN_F32, {2, 2, 3, 4});
    const cgan_tensor places = s.tensor(CGAN_U8, {2, 2, 3, 4});
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, &bia, &whole));
    auto window = sized<cgan_pool2d_params>();
    window.window_h = window.window_w = window.stride_h = window.stride_w = 2;
    ASSERT_CGAN_OK(cgan_pool2d_forward(s, &window, &whole, &pooled, &places));
    expect_values(s.read_floats(pooled), s.read_floats(fused));
    EXPECT_EQ(s.read<std::uint8_t>(places), s.read<std::uint8_t>(arg));
}

TEST_P(KnownAnswers, PoolingByHand) {
    const cgan_tensor src = s.floats({1, 3, 3, 1}, {1, 5, 2, 4, 5, kNaN, 3, -1, 0});
    auto p = sized<cgan_pool2d_params>();
    p.window_h = p.window_w = 2;
    p.stride_h = p.stride_w = 1;
    const cgan_tensor dst = s.tensor(CGAN_F32, {1, 2, 2, 1}), arg = s.tensor(CGAN_U8, {1, 2, 2, 1});
    ASSERT_CGAN_OK(cgan_pool2d_forward(s, &p, &src, &dst, &arg));
    expect_values({5, kNaN, 5, kNaN}, s.read_floats(dst));
    EXPECT_EQ((std::vector<std::uint8_t>{1, 3, 1, 1}), s.read<std::uint8_t>(arg)); // the first of equals
    const cgan_tensor low = s.floats({1, 1, 1, 1}, {-3});
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
    ASSERT_CGAN_OK(cgan_pool2d_forward(s, &p, &low, &dst, &arg));
    expect_values({-3, -3, -3, -3}, s.read_floats(dst)); // padding never wins
    p.kind = CGAN_POOL_AVERAGE;
    ASSERT_CGAN_OK(cgan_pool2d_forward(s, &p, &low, &dst, nullptr));
    expect_values({-0.75, -0.75, -0.75, -0.75}, s.read_floats(dst));
}

TEST_P(KnownAnswers, BatchNormByHand) {
    const cgan_tensor x = s.floats({2, 2}, {1, 10, 3, 10}), y = s.tensor(CGAN_F32, {2, 2});
    const cgan_tensor gamma = s.floats({2}, {2, 3}), beta = s.floats({2}, {5, 6});
    const cgan_tensor kept_mean = s.floats({2}, {4, 4}), kept_var = s.floats({2}, {8, 8});
    const cgan_tensor mean = s.tensor(CGAN_F32, {2}), rstd = s.tensor(CGAN_F32, {2});
    auto p = sized<cgan_norm_params>();
    p.epsilon = 3;
    p.momentum = 0.75;
    ASSERT_CGAN_OK(
        cgan_batch_norm_training(s, &p, &x, &gamma, &beta, &kept_mean, &kept_var, &y, &mean, &rstd));
    expect_values({2, 10}, s.read_floats(mean)); // variances 1 and 0
    EXPECT_FLOAT_EQ(0.5, s.read_floats(rstd)[0]);
    EXPECT_FLOAT_EQ(std::sqrt(1 / 3.0f), s.read_floats(rstd)[1]);
    expect_values({4, 6, 6, 6}, s.read_floats(y));
    expect_values({3.5, 5.5}, s.read_floats(kept_mean)); // 3/4 of the old, 1/4 of the batch
    expect_values({6.25, 6}, s.read_floats(kept_var));   // biased batch variance
    const cgan_tensor var = s.floats({2}, {1, 6});
    ASSERT_CGAN_OK(cgan_batch_norm_inference(s, &p, &x, &gamma, &beta, &mean, &var, &y));
    expect_values({4, 6, 6, 6}, s.read_floats(y));
}

TEST_P(KnownAnswers, NormsOfAnEmptyBatch) {
    const cgan_tensor x = s.tensor(CGAN_F32, {0, 2}), y = s.tensor(CGAN_F32, {0, 2});
    const cgan_tensor kept_mean = s.floats({2}, {4, 4}), kept_var = s.floats({2}, {8, 8});
    const cgan_tensor mean = s.tensor(CGAN_F32, {2}), rstd = s.tensor(CGAN_F32, {2});
    auto p = sized<cgan_norm_params>();
    p.epsilon = 0.25;
    ASSERT_CGAN_OK(
        cgan_batch_norm_training(s, &p, &x, nullptr, nullptr, &kept_mean, &kept_var, &y, &mean, &rstd));
    expect_values({0, 0}, s.read_floats(mean));
    expect_values({2, 2}, s.read_floats(rstd));
    expect_values({4, 4}, s.read_floats(kept_mean));
    expect_values({8, 8}, s.read_floats(kept_var));
}

// A constant far from zero: the variance must not drown.
TEST_P(KnownAnswers, BatchNormOfALargeMean) {
    std::vector<float> values(4096);
    for (std::size_t i = 0; i < values.size(); i++) values[i] = 1000 + (i % 2 ? 0.25f : -0.25f);
    const cgan_tensor x = s.floats({4096, 1}, values), y = s.tensor(CGAN_F32, {4096, 1});
    const cgan_tensor mean = s.tensor(CGAN_F32, {1}), rstd = s.tensor(CGAN_F32, {1});
    auto p = sized<cgan_norm_params>();
    ASSERT_CGAN_OK(cgan_batch_norm_training(s, &p, &x, nullptr, nullptr, nullptr, nullptr, &y, &mean, &rstd));
    EXPECT_NEAR(1000, s.read_floats(mean)[0], 1e-4);
    EXPECT_NEAR(4, s.read_floats(rstd)[0], 4e-3);
}

TEST_P(KnownAnswers, AdamFirstStep) {
    const cgan_tensor hyper = s.doubles({2}, {0.5, 1}), g = s.floats({2}, {4, -0.25f});
    for (const std::int32_t form : {CGAN_ADAM_EPSILON_HAT, CGAN_ADAM_CORRECTED}) {
        const cgan_tensor w = s.floats({2}, {1, 1}), m = s.floats({2}, {0, 0}), v = s.floats({2}, {0, 0});
        auto p = sized<cgan_adam_params>();
        p.form = form;
        p.beta1 = 0.5;
        p.beta2 = 0.75;
        ASSERT_CGAN_OK(cgan_adam(s, &p, &hyper, 1, &w, &g, &m, &v));
        EXPECT_FLOAT_EQ(0.5, s.read_floats(w)[0]); // without epsilon the first step is lr * sign(g)
        EXPECT_FLOAT_EQ(1.5, s.read_floats(w)[1]);
        expect_values({2, -0.125}, s.read_floats(m));
        expect_values({4, 0.015625}, s.read_floats(v));
    }
}

// epsilon inside and outside the correction: with eps = 1, g = 4: m = 2, v = 4, corrections 1/2 and 1/4.
TEST_P(KnownAnswers, AdamFormsOfEpsilon) {
    const cgan_tensor hyper = s.doubles({2}, {0.5, 1}), g = s.floats({1}, {4});
    const float want[] = {1 - 0.5f * 0.5f / 0.5f * 2 / (2 + 1), 1 - 0.5f / 0.5f * 2 / (4 + 1)};
    for (const std::int32_t form : {CGAN_ADAM_EPSILON_HAT, CGAN_ADAM_CORRECTED}) {
        const cgan_tensor w = s.floats({1}, {1}), m = s.floats({1}, {0}), v = s.floats({1}, {0});
        auto p = sized<cgan_adam_params>();
        p.form = form;
        p.beta1 = 0.5;
        p.beta2 = 0.75;
        p.epsilon = 1;
        ASSERT_CGAN_OK(cgan_adam(s, &p, &hyper, 1, &w, &g, &m, &v));
        EXPECT_FLOAT_EQ(want[form], s.read_floats(w)[0]);
        p.weight_decay = 0.25; // takes lr * decay of the old weight first
        const cgan_tensor w2 = s.floats({1}, {1}), m2 = s.floats({1}, {0}), v2 = s.floats({1}, {0});
        ASSERT_CGAN_OK(cgan_adam(s, &p, &hyper, 1, &w2, &g, &m2, &v2));
        EXPECT_FLOAT_EQ(want[form] - 0.125f, s.read_floats(w2)[0]);
    }
    ASSERT_CGAN_OK(cgan_optimizer_advance(s, &hyper));
    EXPECT_EQ((std::vector<double>{0.5, 2}), s.read_doubles(hyper));
}

TEST_P(KnownAnswers, OtherOptimizers) {
    const cgan_tensor hyper = s.doubles({2}, {0.5, 1}), g = s.floats({1}, {4});
    const auto one = [&](float x) { return s.floats({1}, {x}); };
    auto sgd = sized<cgan_sgd_params>();
    cgan_tensor w = one(1), velocity = one(8);
    sgd.weight_decay = 2;
    ASSERT_CGAN_OK(cgan_sgd(s, &sgd, &hyper, 1, &w, &g, nullptr));
    expect_values({1 - 0.5f * (4 + 2)}, s.read_floats(w));
    sgd.weight_decay = 0;
    sgd.momentum = 0.25;
    w = one(1);
    ASSERT_CGAN_OK(cgan_sgd(s, &sgd, &hyper, 1, &w, &g, &velocity));
    expect_values({6}, s.read_floats(velocity));
    expect_values({-2}, s.read_floats(w));
    sgd.nesterov = 1;
    w = one(1);
    velocity = one(8);
    ASSERT_CGAN_OK(cgan_sgd(s, &sgd, &hyper, 1, &w, &g, &velocity));
    expect_values({1 - 0.5f * (4 + 0.25f * 6)}, s.read_floats(w));
    auto rms = sized<cgan_rmsprop_params>();
    rms.rho = 0.75;
    rms.epsilon = 1;
    w = one(1);
    const cgan_tensor v = one(20);
    ASSERT_CGAN_OK(cgan_rmsprop(s, &rms, &hyper, 1, &w, &g, &v));
    expect_values({19}, s.read_floats(v));
    EXPECT_FLOAT_EQ(1 - 0.5f * 4 / (std::sqrt(19.0f) + 1), s.read_floats(w)[0]);
    auto ema = sized<cgan_ema_params>();
    ema.decay = 0.75;
    const cgan_tensor kept = one(8);
    ASSERT_CGAN_OK(cgan_ema(s, &ema, 1, &g, &kept));
    expect_values({7}, s.read_floats(kept));
}

TEST_P(KnownAnswers, NormsAndClipping) {
    const cgan_tensor tensors[] = {s.floats({1}, {3}), s.floats({0}, {}), s.floats({2}, {0, -4})},
                      norm = s.tensor(CGAN_F32, {});
    ASSERT_CGAN_OK(cgan_global_norm(s, 3, tensors, &norm));
    expect_values({5}, s.read_floats(norm));
    auto p = sized<cgan_clip_params>();
    p.max_norm = 10;
    ASSERT_CGAN_OK(cgan_clip_by_norm(s, &p, &norm, 3, tensors));
    expect_values({0, -4}, s.read_floats(tensors[2]));
    p.max_norm = 2.5;
    ASSERT_CGAN_OK(cgan_clip_by_norm(s, &p, &norm, 3, tensors));
    expect_values({1.5}, s.read_floats(tensors[0]));
    expect_values({0, -2}, s.read_floats(tensors[2]));
    const cgan_tensor zero = s.floats({}, {0}), unknown = s.floats({}, {kNaN});
    ASSERT_CGAN_OK(cgan_clip_by_norm(s, &p, &zero, 3, tensors));
    expect_values({1.5}, s.read_floats(tensors[0]));
    ASSERT_CGAN_OK(cgan_clip_by_norm(s, &p, &unknown, 3, tensors)); // a lost gradient is seen, not hidden
    expect_values({kNaN}, s.read_floats(tensors[0]));
    ASSERT_CGAN_OK(cgan_global_norm(s, 0, nullptr, &norm));
    expect_values({0}, s.read_floats(norm));
    const cgan_tensor wild[] = {s.floats({4}, {-3, kNaN, 0.5, kInfinity})};
    auto clamp = sized<cgan_clamp_params>();
    clamp.low = -1;
    clamp.high = 1;
    ASSERT_CGAN_OK(cgan_clamp(s, &clamp, 1, wild));
    expect_values({-1, kNaN, 0.5, 1}, s.read_floats(wild[0]));
}

std::string device_title(const testing::TestParamInfo<const char*>& info) {
    std::string title = info.param;
    for (char& c : title) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return title;
}

INSTANTIATE_TEST_SUITE_P(Devices, KnownAnswers,
                         testing::Values("cpu?kernels=reference", "cpu?isa=baseline", "cpu?isa=auto"),
                         device_title);

} // namespace
} // namespace cgan::test
