// Which candidate serves an operator: the kernels by default, the plain loops for float64 and on request.
#include <gtest/gtest.h>

#include "support/session.h"

namespace cgan::test {
namespace {

std::string served_by(const std::string& device, std::int32_t dtype, const std::string& op) {
    const Session s(device);
    const cgan_tensor src = s.tensor(dtype, {2, 14, 14, 16}), wei = s.tensor(dtype, {32, 5, 5, 16});
    const cgan_tensor dst = s.tensor(dtype, {2, 14, 14, 32}), bia = s.tensor(dtype, {32});
    for (const cgan_tensor* t : {&src, &wei, &bia}) EXPECT_EQ(CGAN_OK, cgan_fill(s, 0.5, t));
    auto conv = sized<cgan_conv2d_params>();
    conv.stride_h = conv.stride_w = 1;
    conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = 2;
    EXPECT_EQ(CGAN_OK, cgan_conv2d_forward(s, &conv, &src, &wei, &bia, &dst)) << last_error();
    EXPECT_EQ(CGAN_OK, cgan_conv2d_backward_data(s, &conv, &wei, &dst, nullptr, &src)) << last_error();
    EXPECT_EQ(CGAN_OK, cgan_conv2d_backward_filter(s, &conv, &src, &dst, &wei, &bia)) << last_error();

    const cgan_tensor a = s.tensor(dtype, {33, 65}), b = s.tensor(dtype, {65, 31}),
                      c = s.tensor(dtype, {33, 31});
    for (const cgan_tensor* t : {&a, &b}) EXPECT_EQ(CGAN_OK, cgan_fill(s, 0.5, t));
    const auto matmul = sized<cgan_matmul_params>();
    EXPECT_EQ(CGAN_OK, cgan_matmul(s, &matmul, &a, &b, &c)) << last_error();

    const std::string text =
        text_of([&](char* to, std::int64_t cap) { return cgan_context_describe(s, to, cap); });
    const std::size_t at = text.find("\n" + op + ": ");
    if (at == std::string::npos) return "not served: " + text;
    const std::size_t from = at + op.size() + 3;
    return text.substr(from, text.find('\n', from) - from);
}

class Candidates : public testing::TestWithParam<const char*> {};

TEST_P(Candidates, KernelsServeFloatsByDefault) {
    EXPECT_EQ("handwritten 1", served_by("cpu", CGAN_F32, GetParam()));
    EXPECT_EQ("handwritten 1", served_by("cpu?isa=baseline&threads=1", CGAN_F32, GetParam()));
}

TEST_P(Candidates, PlainLoopsServeDoublesAndWhoAsksForThem) {
    EXPECT_EQ("reference 1", served_by("cpu", CGAN_F64, GetParam()));
    EXPECT_EQ("reference 1", served_by("cpu?kernels=reference", CGAN_F32, GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Operators, Candidates,
                         testing::Values("conv2d_forward", "conv2d_backward_data", "conv2d_backward_filter",
                                         "matmul"));

} // namespace
} // namespace cgan::test
