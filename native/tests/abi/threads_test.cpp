// Threads: a context serialises its callers, contexts do not disturb each other.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/session.h"

namespace cgan::test {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 200;

template <class F> void run_threads(F&& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; i++) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
}

// Makes a buffer, computes in it, reads it, frees it. Returns the number of wrong results.
int churn(cgan_context* ctx, int seed) {
    int wrong = 0;
    auto p = sized<cgan_unary_params>();
    p.kind = CGAN_UNARY_AFFINE;
    p.alpha = 2;
    for (int round = 0; round < kRounds; round++) {
        const std::int64_t n = 1 + (seed * 131 + round * 17) % 3000;
        cgan_buffer* buffer = nullptr;
        if (cgan_buffer_create(ctx, 4 * n, &buffer) != CGAN_OK) return kRounds;
        const cgan_tensor t = describe(CGAN_F32, {n}, buffer);
        std::vector<float> values(static_cast<std::size_t>(n));
        wrong += cgan_fill(ctx, seed + round, &t) != CGAN_OK;
        wrong += cgan_unary(ctx, &p, &t, &t) != CGAN_OK;
        wrong += cgan_buffer_read(ctx, buffer, 0, values.data(), 4 * n) != CGAN_OK;
        for (const float x : values) wrong += x != static_cast<float>(2 * (seed + round));
        wrong += cgan_buffer_destroy(ctx, buffer) != CGAN_OK;
    }
    return wrong;
}

TEST(Threads, ShareAContext) {
    const Session s("cpu?threads=2");
    std::atomic<int> wrong = 0;
    run_threads([&](int i) { wrong += churn(s, i); });
    EXPECT_EQ(0, wrong);
    EXPECT_EQ(0, s.memory().live_bytes);
    EXPECT_EQ(kThreads * kRounds * 3, s.memory().calls);
}

TEST(Threads, HaveContextsOfTheirOwn) {
    std::atomic<int> wrong = 0;
    run_threads([&](int i) {
        const Session s(i % 2 ? "cpu?threads=2" : "cpu?kernels=reference");
        wrong += churn(s, i);
    });
    EXPECT_EQ(0, wrong);
}

TEST(Threads, HaveErrorTextsOfTheirOwn) {
    const Session s("cpu");
    std::atomic<int> wrong = 0;
    run_threads([&](int i) {
        const std::string want = "buffer_create: bytes is " + std::to_string(-1 - i) + ", must be at least 0";
        for (int round = 0; round < kRounds; round++) {
            cgan_buffer* buffer = nullptr;
            wrong += cgan_buffer_create(s, -1 - i, &buffer) != CGAN_E_BAD_VALUE;
            wrong += last_error() != want;
        }
    });
    EXPECT_EQ(0, wrong);
}

TEST(Threads, MayDestroyAContextThatOthersUse) {
    for (int round = 0; round < 20; round++) {
        cgan_context* ctx = nullptr;
        ASSERT_CGAN_OK(cgan_context_create("cpu?threads=1", &ctx));
        std::atomic<int> strange = 0;
        run_threads([&](int i) {
            for (int call = 0; call < 50; call++) {
                if (i == 0 && call == 25) cgan_context_destroy(ctx);
                cgan_buffer* buffer = nullptr;
                const cgan_status status = cgan_buffer_create(ctx, 100, &buffer);
                strange += status != CGAN_OK && status != CGAN_E_BAD_HANDLE;
            }
        });
        EXPECT_EQ(0, strange);
    }
}

} // namespace
} // namespace cgan::test
