// The vendor's candidate on the CPU (oneDNN): that it serves what it says. Its operators go through the operator contract
// besides, and are held to the handwritten kernels by agreement_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/session.h"

namespace cgan::test {
namespace {

std::string describe_context(const Session& s) {
    return text_of([&](char* to, std::int64_t cap) { return cgan_context_describe(s, to, cap); });
}

TEST(Vendor, SaysWhatItIsAndWhatItServed) {
    const Session s("cpu?kernels=vendor&threads=1");
    EXPECT_NE(std::string::npos, describe_context(s).find("vendor kernels (oneDNN 3."))
        << describe_context(s);
    auto pool = sized<cgan_pool2d_params>();
    pool.kind = CGAN_POOL_MAX;
    pool.window_h = pool.window_w = pool.stride_h = pool.stride_w = 2;
    const cgan_tensor src = s.tensor(CGAN_F32, {1, 4, 4, 8}), dst = s.tensor(CGAN_F32, {1, 2, 2, 8}),
                      arg = s.tensor(CGAN_U8, {1, 2, 2, 8});
    ASSERT_CGAN_OK(cgan_fill(s, 1, &src));
    ASSERT_CGAN_OK(cgan_pool2d_forward(s, &pool, &src, &dst, &arg));
    EXPECT_NE(std::string::npos, describe_context(s).find("\npool2d_forward: handwritten 1"))
        << describe_context(s);
    pool.kind = CGAN_POOL_AVERAGE;
    ASSERT_CGAN_OK(cgan_pool2d_forward(s, &pool, &src, &dst, nullptr));
    EXPECT_NE(std::string::npos, describe_context(s).find("\npool2d_forward: vendor 1 handwritten 1"))
        << describe_context(s);
    const cgan_tensor a = s.tensor(CGAN_F64, {3, 3}), b = s.tensor(CGAN_F64, {3, 3});
    ASSERT_CGAN_OK(cgan_fill(s, 1, &a));
    const auto matmul = sized<cgan_matmul_params>();
    ASSERT_CGAN_OK(cgan_matmul(s, &matmul, &a, &a, &b));
    EXPECT_NE(std::string::npos, describe_context(s).find("\nmatmul: reference 1")) << describe_context(s);
}

TEST(Vendor, ActivationsKeepNaN) {
    const Session s("cpu?kernels=vendor&threads=1");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const cgan_tensor src = s.floats({1, 2}, {nan, 1}), wei = s.floats({1, 2}, {1, 1});
    const cgan_tensor dst = s.tensor(CGAN_F32, {1, 1});
    auto dense = sized<cgan_dense_params>();
    dense.alpha = 0.2;
    for (const std::int32_t kind : {CGAN_ACT_NONE, CGAN_ACT_TANH, CGAN_ACT_SIGMOID, CGAN_ACT_SOFTPLUS,
                                    CGAN_ACT_RELU, CGAN_ACT_LEAKY_RELU}) {
        dense.activation = kind;
        ASSERT_CGAN_OK(cgan_dense_forward(s, &dense, &src, &wei, nullptr, &dst));
        EXPECT_TRUE(std::isnan(s.read_floats(dst)[0])) << "activation " << kind;
    }
}

// Every allocation of a call fails in turn: a clean error, and the same call works afterwards.
TEST(Vendor, FailedAllocationsLeaveTheContextUsable) {
    constexpr int kBuffers = 3;
    bool failed = true;
    for (int n = kBuffers + 1; failed; n++) {
        ASSERT_LT(n, 100) << "never succeeds";
        const Session s("faulty:cpu?kernels=vendor&threads=1&failAlloc=" + std::to_string(n));
        const cgan_tensor src = s.tensor(CGAN_F32, {2, 7, 7, 32}), wei = s.tensor(CGAN_F32, {16, 5, 5, 32}),
                          dst = s.tensor(CGAN_F32, {2, 14, 14, 16});
        for (const cgan_tensor* t : {&src, &wei}) ASSERT_CGAN_OK(cgan_fill(s, 0.5, t));
        auto p = sized<cgan_conv2d_params>();
        p.stride_h = p.stride_w = 1;
        p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 2;
        p.upsample = 2;
        const cgan_status status = cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst);
        failed = status != CGAN_OK;
        if (failed) {
            EXPECT_EQ(CGAN_E_INJECTED, status) << last_error();
            EXPECT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst));
        } else {
            EXPECT_GT(n, kBuffers + 2) << "the enlarged source and the filter's copy were allocated";
        }
        EXPECT_EQ(0.25f * 3 * 3 * 32, s.read_floats(dst)[0]) << "the corner sees 3x3 pixels";
    }
}

} // namespace
} // namespace cgan::test
