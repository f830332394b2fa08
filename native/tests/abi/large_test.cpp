// Tensors of more than 2^31 bytes on the CPU: every offset is a 64-bit number. Results follow from the pattern of the
// input, so that one large tensor at a time is enough; the last rows are the ones that a 32-bit offset would miss.
#include <gtest/gtest.h>

#include <fstream>

#include "support/session.h"

namespace cgan::test {
namespace {

constexpr std::int64_t kWidth = 64;
constexpr std::int64_t kRows = (std::int64_t{1} << 31) / (kWidth * 4) + 3 * kWidth;

std::int64_t available_bytes() {
    std::ifstream info("/proc/meminfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("MemAvailable:")) return std::stoll(line.substr(13)) * 1024;
    }
    return 0;
}

// [rows, kWidth] of the value 1, but 3 in the last row.
class Large : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_GT(available_bytes(), std::int64_t{6} << 30) << "these tests need 6 GiB of memory";
        big = s.tensor(CGAN_F32, {kRows, kWidth});
        ASSERT_CGAN_OK(cgan_fill(s, 1, &big));
        const cgan_tensor last = describe(CGAN_F32, {1, kWidth}, big.buffer, (kRows - 1) * kWidth * 4);
        ASSERT_CGAN_OK(cgan_fill(s, 3, &last));
    }

    // Elements of a large tensor that starts at offset 0 of its buffer.
    std::vector<float> at(const cgan_tensor& t, std::int64_t first, std::int64_t count) const {
        std::vector<float> values(static_cast<std::size_t>(count));
        EXPECT_EQ(CGAN_OK, cgan_buffer_read(s, t.buffer, first * 4, values.data(), count * 4))
            << last_error();
        return values;
    }

    const Session s{"cpu"};
    cgan_tensor big{};
};

using Floats = std::vector<float>;

TEST_F(Large, ElementwiseInPlace) {
    ASSERT_EQ((Floats{1, 3}), at(big, (kRows - 1) * kWidth - 1, 2)); // fill
    auto affine = sized<cgan_unary_params>();
    affine.kind = CGAN_UNARY_AFFINE;
    affine.alpha = 2;
    affine.beta = 1;
    ASSERT_CGAN_OK(cgan_unary(s, &affine, &big, &big));
    EXPECT_EQ((Floats{3, 7}), at(big, (kRows - 1) * kWidth - 1, 2));

    auto add = sized<cgan_binary_params>();
    add.kind = CGAN_BINARY_ADD;
    Floats row(kWidth);
    for (std::size_t i = 0; i < row.size(); i++) row[i] = static_cast<float>(i);
    const cgan_tensor bias = s.floats({kWidth}, row);
    ASSERT_CGAN_OK(cgan_binary(s, &add, &big, &bias, &big));
    EXPECT_EQ((Floats{3 + 63, 7 + 0, 7 + 1}), at(big, (kRows - 1) * kWidth - 1, 3));
    EXPECT_EQ((Floats{3 + 0, 3 + 1}), at(big, 0, 2));
}

TEST_F(Large, ConversionAndMovement) {
    const cgan_tensor bytes = s.tensor(CGAN_U8, {kRows, kWidth});
    ASSERT_CGAN_OK(cgan_convert(s, 1, 4, &big, &bytes));
    std::vector<std::uint8_t> tail(2);
    ASSERT_CGAN_OK(cgan_buffer_read(s, bytes.buffer, (kRows - 1) * kWidth - 1, tail.data(), 2));
    EXPECT_EQ((std::vector<std::uint8_t>{5, 7}), tail);
    ASSERT_CGAN_OK(cgan_convert(s, 2, 0, &bytes, &big));
    EXPECT_EQ((Floats{10, 14}), at(big, (kRows - 1) * kWidth - 1, 2));

    auto slice = sized<cgan_slice_params>();
    slice.axis = 0;
    slice.src_start = kRows - 2;
    slice.count = 2;
    const cgan_tensor two = s.tensor(CGAN_F32, {2, kWidth});
    ASSERT_CGAN_OK(cgan_slice_copy(s, &slice, &big, &two));
    EXPECT_EQ((Floats{10, 14}), at(two, kWidth - 1, 2));

    const cgan_tensor index =
        s.tensor<std::int32_t>(CGAN_I32, {2}, {static_cast<std::int32_t>(kRows - 1), 0});
    ASSERT_CGAN_OK(cgan_gather_rows(s, &big, &index, &two));
    EXPECT_EQ((Floats{14, 10}), at(two, kWidth - 1, 2));
}

TEST_F(Large, Reductions) {
    auto sum = sized<cgan_reduce_params>();
    sum.kind = CGAN_REDUCE_SUM;
    sum.axis_mask = 2;
    const cgan_tensor rows = s.tensor(CGAN_F32, {kRows, 1});
    ASSERT_CGAN_OK(cgan_reduce(s, &sum, &big, &rows));
    EXPECT_EQ((Floats{kWidth, 3 * kWidth}), at(rows, kRows - 2, 2));

    sum.kind = CGAN_REDUCE_MAX;
    sum.axis_mask = 3;
    const cgan_tensor one = s.tensor(CGAN_F32, {1, 1});
    ASSERT_CGAN_OK(cgan_reduce(s, &sum, &big, &one));
    EXPECT_EQ((Floats{3}), at(one, 0, 1));
    sum.kind = CGAN_REDUCE_MEAN;
    ASSERT_CGAN_OK(cgan_reduce(s, &sum, &big, &one));
    EXPECT_NEAR(1, at(one, 0, 1)[0], 1e-5);
}

TEST_F(Large, Products) {
    const cgan_tensor ones = s.floats({kWidth, 1}, Floats(kWidth, 1));
    const cgan_tensor product = s.tensor(CGAN_F32, {kRows, 1});
    const auto matmul = sized<cgan_matmul_params>();
    ASSERT_CGAN_OK(cgan_matmul(s, &matmul, &big, &ones, &product));
    EXPECT_EQ((Floats{kWidth, 3 * kWidth}), at(product, kRows - 2, 2));
}

// The same numbers as a batch of 64 x 64 images, each reduced to 16 x 16.
TEST_F(Large, Convolutions) {
    const std::int64_t n = kRows / kWidth;
    const cgan_tensor images = describe(CGAN_F32, {n, kWidth, kWidth, 1}, big.buffer);
    const cgan_tensor filter = s.floats({1, 4, 4, 1}, Floats(16, 0.5));
    const cgan_tensor result = s.tensor(CGAN_F32, {n, 16, 16, 1});
    auto conv = sized<cgan_conv2d_params>();
    conv.stride_h = conv.stride_w = 4;
    ASSERT_CGAN_OK(cgan_conv2d_forward(s, &conv, &images, &filter, nullptr, &result));
    EXPECT_EQ((Floats{8, 12}), at(result, n * 256 - 17, 2)); // 16 / 2, and (12 * 1 + 4 * 3) / 2
    ASSERT_CGAN_OK(cgan_conv2d_backward_data(s, &conv, &filter, &result, nullptr, &images));
    EXPECT_EQ((Floats{4, 6}), at(big, (kRows - 4) * kWidth - 1, 2));
}

} // namespace
} // namespace cgan::test
