// Handles: destroyed, foreign and invented ones are errors, never crashes.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support/session.h"

namespace cgan::test {
namespace {

TEST(Handles, ContextOfNothing) {
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "context_synchronize: ctx is NULL", cgan_context_synchronize(nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "context_create: device is NULL",
                      cgan_context_create(nullptr, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "context_create: out is NULL", cgan_context_create("cpu", nullptr));
    cgan_context_destroy(nullptr);
}

TEST(Handles, ContextDestroyedBefore) {
    cgan_context* ctx = nullptr;
    ASSERT_CGAN_OK(cgan_context_create("cpu", &ctx));
    cgan_context_destroy(ctx);
    cgan_context_destroy(ctx);
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "context_synchronize: ctx was destroyed before",
                      cgan_context_synchronize(ctx));
    cgan_buffer* buffer = nullptr;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "buffer_create: ctx was destroyed before",
                      cgan_buffer_create(ctx, 4, &buffer));
    EXPECT_EQ("", text_of([&](char* dst, std::int64_t cap) { return cgan_context_describe(ctx, dst, cap); }));
    EXPECT_EQ("context_describe: ctx was destroyed before", last_error(ctx));
}

TEST(Handles, ContextInvented) {
    int something = 0;
    auto* ctx = reinterpret_cast<cgan_context*>(&something);
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "context_synchronize: ctx is not a context",
                      cgan_context_synchronize(ctx));
    cgan_context_destroy(ctx);
}

TEST(Handles, ContextNumbersAreNotReused) {
    cgan_context *first = nullptr, *second = nullptr;
    ASSERT_CGAN_OK(cgan_context_create("cpu", &first));
    cgan_context_destroy(first);
    ASSERT_CGAN_OK(cgan_context_create("cpu", &second));
    EXPECT_NE(first, second);
    EXPECT_EQ(CGAN_E_BAD_HANDLE, cgan_context_synchronize(first));
    cgan_context_destroy(second);
}

TEST(Handles, BufferDestroyedBefore) {
    const Session s("cpu");
    const cgan_tensor t = s.tensor(CGAN_F32, {2});
    ASSERT_CGAN_OK(cgan_buffer_destroy(s, t.buffer));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "buffer_destroy: buffer was destroyed before",
                      cgan_buffer_destroy(s, t.buffer));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "fill: dst.buffer was destroyed before", cgan_fill(s, 1, &t));
    const cgan_tensor other = s.tensor(CGAN_F32, {2});
    EXPECT_NE(t.buffer, other.buffer);
    EXPECT_EQ(CGAN_E_BAD_HANDLE, cgan_fill(s, 1, &t));
}

TEST(Handles, BufferOfAnotherContext) {
    const Session a("cpu"), b("cpu");
    const cgan_tensor t = a.tensor(CGAN_F32, {2});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "fill: dst.buffer belongs to another context", cgan_fill(b, 1, &t));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "buffer_destroy: buffer belongs to another context",
                      cgan_buffer_destroy(b, t.buffer));
    EXPECT_CGAN_OK(cgan_fill(a, 1, &t));
}

TEST(Handles, BufferInvented) {
    const Session s("cpu");
    int something = 0;
    auto* buffer = reinterpret_cast<cgan_buffer*>(&something);
    EXPECT_EQ(CGAN_E_BAD_HANDLE, cgan_buffer_destroy(s, buffer));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "buffer_destroy: buffer is not a buffer",
                      cgan_buffer_destroy(s, reinterpret_cast<cgan_buffer*>(s.get())));
    EXPECT_CGAN_OK(cgan_buffer_destroy(s, nullptr));
}

TEST(Handles, ContextTakesItsBuffersAlong) {
    cgan_context* ctx = nullptr;
    ASSERT_CGAN_OK(cgan_context_create("cpu", &ctx));
    cgan_buffer* buffer = nullptr;
    for (int i = 0; i < 10; i++) ASSERT_CGAN_OK(cgan_buffer_create(ctx, 1000, &buffer));
    cgan_context_destroy(ctx); // the leak check of the sanitizer build sees what remains
    EXPECT_EQ(CGAN_E_BAD_HANDLE, cgan_buffer_destroy(ctx, buffer));
}

TEST(Handles, ErrorTextIsKeptPerContextAndPerThread) {
    const Session a("cpu"), b("cpu");
    EXPECT_EQ(CGAN_E_NULL_ARG, cgan_fill(a, 1, nullptr));
    EXPECT_EQ(CGAN_E_NULL_ARG, cgan_buffer_create(b, 4, nullptr));
    EXPECT_EQ("fill: dst is NULL", last_error(a));
    EXPECT_EQ("buffer_create: out is NULL", last_error(b));
    EXPECT_EQ("buffer_create: out is NULL", last_error());
    EXPECT_CGAN_OK(cgan_context_synchronize(a));
    EXPECT_EQ("fill: dst is NULL", last_error(a)) << "a success keeps the text";
}

TEST(Handles, TheTimerMeasuresWhatIsBetweenStartAndStop) {
    const Session session("cpu?threads=1");
    double seconds = -1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "timer_stop: the timer does not run; call cgan_timer_start first",
                      cgan_timer_stop(session, &seconds));
    EXPECT_CGAN_OK(cgan_timer_start(session));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "timer_stop: out_seconds is NULL", cgan_timer_stop(session, nullptr));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_CGAN_OK(cgan_timer_stop(session, &seconds));
    EXPECT_GE(seconds, 0.02);
    EXPECT_EQ(CGAN_E_BAD_VALUE, cgan_timer_stop(session, &seconds)) << "it has stopped";
}

TEST(Handles, TextIsCutAtTheCapacity) {
    EXPECT_EQ(CGAN_E_NULL_ARG, cgan_context_synchronize(nullptr));
    const std::string whole = "context_synchronize: ctx is NULL";
    char text[8] = "xxxxxxx";
    EXPECT_EQ(static_cast<std::int64_t>(whole.size()), cgan_last_error(nullptr, text, 8));
    EXPECT_STREQ("context", text);
    EXPECT_EQ(static_cast<std::int64_t>(whole.size()), cgan_last_error(nullptr, text, 1));
    EXPECT_STREQ("", text);
    EXPECT_EQ(static_cast<std::int64_t>(whole.size()), cgan_last_error(nullptr, nullptr, 0));
}

} // namespace
} // namespace cgan::test
