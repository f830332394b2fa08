// Memory limits, and the device that fails on request: every failure leaves the context usable.
#include <gtest/gtest.h>

#include "support/session.h"

namespace cgan::test {
namespace {

TEST(Memory, IsCounted) {
    const Session s("cpu");
    EXPECT_EQ(0, s.memory().live_bytes);
    const cgan_tensor a = s.tensor(CGAN_F32, {10}), b = s.tensor(CGAN_F64, {10});
    EXPECT_EQ(120, s.memory().live_bytes);
    EXPECT_EQ(2, s.memory().live_buffers);
    ASSERT_CGAN_OK(cgan_buffer_destroy(s, a.buffer));
    EXPECT_EQ(80, s.memory().live_bytes);
    EXPECT_EQ(120, s.memory().peak_bytes);
    ASSERT_CGAN_OK(cgan_buffer_destroy(s, b.buffer));
    EXPECT_EQ(0, s.memory().live_bytes);
    EXPECT_EQ(0, s.memory().live_buffers);
    EXPECT_EQ(2, s.memory().allocations);
    EXPECT_EQ(0, s.memory().calls);
    const cgan_tensor empty = s.tensor(CGAN_F32, {0});
    EXPECT_EQ(1, s.memory().live_buffers);
    EXPECT_CGAN_OK(cgan_fill(s, 1, &empty));
    EXPECT_EQ(1, s.memory().calls);
}

TEST(Memory, StatisticsOfAnOlderCallerAreCutToItsSize) {
    const Session s("cpu");
    cgan_memory_stats stats;
    std::memset(&stats, 0x55, sizeof stats);
    stats.struct_size = offsetof(cgan_memory_stats, live_buffers);
    ASSERT_CGAN_OK(cgan_context_memory(s, &stats));
    EXPECT_EQ(0, stats.live_bytes);
    EXPECT_EQ(0x5555555555555555, stats.live_buffers);
    stats.struct_size = 0;
    EXPECT_CGAN_FAILS(CGAN_E_STRUCT_SIZE,
                      "context_memory: out.struct_size is 0; set it to sizeof(cgan_memory_stats)",
                      cgan_context_memory(s, &stats));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "context_memory: out is NULL", cgan_context_memory(s, nullptr));
}

TEST(Memory, LimitIsKept) {
    const Session s("cpu?memory=1000");
    const cgan_tensor a = s.tensor(CGAN_U8, {600});
    auto* buffer = reinterpret_cast<cgan_buffer*>(1);
    EXPECT_CGAN_FAILS(
        CGAN_E_OUT_OF_DEVICE_MEMORY,
        "buffer_create: 401 bytes exceed the limit memory=1000: 600 bytes are in buffers, 0 in workspace",
        cgan_buffer_create(s, 401, &buffer));
    EXPECT_EQ(nullptr, buffer);
    EXPECT_EQ(CGAN_E_OUT_OF_DEVICE_MEMORY, cgan_buffer_create(s, INT64_MAX, &buffer));
    EXPECT_CGAN_OK(cgan_buffer_create(s, 400, &buffer));
    EXPECT_CGAN_OK(cgan_buffer_destroy(s, a.buffer));
    EXPECT_CGAN_OK(cgan_buffer_destroy(s, buffer));
    EXPECT_EQ(1000, s.memory().peak_bytes);
}

TEST(Memory, WhatTheSystemCannotGiveIsAnError) {
    const Session s("cpu");
    cgan_buffer* buffer = nullptr;
    EXPECT_CGAN_FAILS(CGAN_E_OUT_OF_DEVICE_MEMORY,
                      "buffer_create: cpu: the system has no 9223372036854775807 bytes to give",
                      cgan_buffer_create(s, INT64_MAX, &buffer));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "buffer_create: bytes is -1, must be at least 0",
                      cgan_buffer_create(s, -1, &buffer));
    EXPECT_EQ(0, s.memory().live_bytes);
}

TEST(Memory, WorkspaceIsChargedAndReturned) {
    const Session s("cpu?kernels=reference&memory=4000");
    const cgan_tensor src = s.tensor(CGAN_F32, {1, 4, 4, 2}), wei = s.tensor(CGAN_F32, {2, 3, 3, 2});
    const cgan_tensor grad = s.tensor(CGAN_F32, {1, 4, 4, 2});
    for (const cgan_tensor* t : {&src, &wei, &grad}) ASSERT_CGAN_OK(cgan_fill(s, 1, t));
    const cgan_tensor d_wei = s.tensor(CGAN_F32, {2, 3, 3, 2});
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
    const std::int64_t before = s.memory().live_bytes;
    EXPECT_CGAN_OK(cgan_conv2d_backward_filter(s, &p, &src, &grad, &d_wei, nullptr));
    EXPECT_EQ(0, s.memory().workspace_bytes);
    EXPECT_GT(s.memory().peak_bytes, before);
    cgan_buffer* rest = nullptr;
    ASSERT_CGAN_OK(cgan_buffer_create(s, 4000 - before, &rest));
    EXPECT_EQ(CGAN_E_OUT_OF_DEVICE_MEMORY, cgan_conv2d_backward_filter(s, &p, &src, &grad, &d_wei, nullptr));
    ASSERT_CGAN_OK(cgan_buffer_destroy(s, rest));
    EXPECT_CGAN_OK(cgan_conv2d_backward_filter(s, &p, &src, &grad, &d_wei, nullptr));
}

TEST(Faulty, FailsTheCallThatWasAskedFor) {
    const Session s("faulty:cpu?fail=2");
    const cgan_tensor t = s.tensor(CGAN_F32, {3});
    EXPECT_CGAN_OK(cgan_fill(s, 1, &t));
    EXPECT_CGAN_FAILS(CGAN_E_INJECTED, "fill: call 2 failed on request (device faulty:cpu?fail=2)",
                      cgan_fill(s, 2, &t));
    EXPECT_EQ((std::vector<float>{1, 1, 1}), s.read_floats(t));
    EXPECT_CGAN_OK(cgan_fill(s, 3, &t));
    EXPECT_EQ((std::vector<float>{3, 3, 3}), s.read_floats(t));
    EXPECT_EQ(5, s.memory().calls);
}

TEST(Faulty, CountsCopiesAsCalls) {
    const Session s("faulty:cpu?fail=1");
    const cgan_tensor t = s.tensor(CGAN_F32, {1});
    const float x = 5;
    EXPECT_CGAN_FAILS(CGAN_E_INJECTED, "buffer_write: call 1 failed on request (device faulty:cpu?fail=1)",
                      cgan_buffer_write(s, t.buffer, 0, &x, 4));
    EXPECT_CGAN_OK(cgan_buffer_write(s, t.buffer, 0, &x, 4));
    const Session r("faulty:cpu?fail=2");
    const cgan_tensor u = r.floats({1}, {7});
    float y = 0;
    EXPECT_EQ(CGAN_E_INJECTED, cgan_buffer_read(r, u.buffer, 0, &y, 4));
    EXPECT_EQ(0, y);
    EXPECT_EQ((std::vector<float>{7}), r.read_floats(u));
}

// A small run: buffers, copies, a convolution with its gradients. Returns the first failure.
cgan_status work(cgan_context* ctx, std::vector<cgan_buffer*>& buffers) {
    cgan_tensor t[5];
    const std::vector<std::int64_t> dims[] = {
        {2, 6, 6, 3}, {4, 3, 3, 3}, {2, 6, 6, 4}, {2, 6, 6, 3}, {4, 3, 3, 3}};
    for (int i = 0; i < 5; i++) {
        cgan_buffer* buffer = nullptr;
        const std::int64_t bytes = 4 * element_count(dims[i]);
        if (const cgan_status status = cgan_buffer_create(ctx, bytes, &buffer)) return status;
        buffers.push_back(buffer);
        t[i] = describe(CGAN_F32, dims[i], buffer);
        const std::vector<float> values(static_cast<std::size_t>(bytes / 4), 0.5f);
        if (const cgan_status status = cgan_buffer_write(ctx, buffer, 0, values.data(), bytes)) return status;
    }
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
    if (const auto status = cgan_conv2d_forward(ctx, &p, &t[0], &t[1], nullptr, &t[2])) return status;
    if (const auto status = cgan_conv2d_backward_data(ctx, &p, &t[1], &t[2], nullptr, &t[3])) return status;
    if (const auto status = cgan_conv2d_backward_filter(ctx, &p, &t[0], &t[2], &t[4], nullptr)) return status;
    float first = 0;
    return cgan_buffer_read(ctx, buffers.back(), 0, &first, 4);
}

// Walks every n-th failure of `option` until none is reached.
void walk_failures(const std::string& device, const std::string& option) {
    for (int n = 1;; n++) {
        ASSERT_LT(n, 1000);
        const Session s("faulty:" + device + (device.find('?') == std::string::npos ? "?" : "&") + option +
                        "=" + std::to_string(n));
        std::vector<cgan_buffer*> buffers;
        const cgan_status status = work(s, buffers);
        for (cgan_buffer* buffer : buffers) EXPECT_CGAN_OK(cgan_buffer_destroy(s, buffer));
        EXPECT_EQ(0, s.memory().live_bytes);
        EXPECT_EQ(0, s.memory().live_buffers);
        if (status == CGAN_OK) {
            EXPECT_GT(n, 5);
            return;
        }
        EXPECT_EQ(CGAN_E_INJECTED, status) << option << "=" << n << ": " << last_error();
        std::vector<cgan_buffer*> again;
        EXPECT_EQ(CGAN_OK, work(s, again)) << "after " << option << "=" << n << ": " << last_error();
    }
}

TEST(Faulty, EveryCallOfARunCanFail) {
    walk_failures("cpu", "fail");
    walk_failures("cpu?kernels=reference", "fail");
}

TEST(Faulty, EveryAllocationOfARunCanFail) {
    walk_failures("cpu", "failAlloc");
    walk_failures("cpu?kernels=reference", "failAlloc");
}

} // namespace
} // namespace cgan::test
