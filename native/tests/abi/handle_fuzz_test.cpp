// Calls of the functions that are no operators, in any order, with handles, sizes and pointers of any kind: each fails with
// a status and words or does what it was told, and the account of memory stays right. The cases are the same every time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <set>
#include <sstream>

#include "abi/declared_functions.h"
#include "abi/operator_calls.h"
#include "abi/spoiled_call.h"
#include "support/session.h"

namespace cgan::test {
namespace {

constexpr int kCalls = 20000;             // of a device
constexpr std::int64_t kHost = 100000;    // bytes, more than any buffer has
constexpr std::int64_t kMemory = 8 << 20; // of the device

// A caller who does not know what it does, and a second one that keeps the books.
class Caller {
  public:
    explicit Caller(const std::string& device) : s_(device), other_("cpu"), host_(kHost) {
        EXPECT_CGAN_OK(cgan_buffer_create(other_, 10, &foreign_));
        dead_context_ = Session("cpu").get();
    }

    void call() {
        using Step = void (Caller::*)();
        static constexpr Step steps[] = {
            &Caller::create,      &Caller::create,        &Caller::destroy,     &Caller::write,
            &Caller::read,        &Caller::upload,        &Caller::fill,        &Caller::fill,
            &Caller::synchronize, &Caller::begin_graph,   &Caller::end_graph,   &Caller::end_graph,
            &Caller::launch,      &Caller::destroy_graph, &Caller::start_timer, &Caller::stop_timer,
            &Caller::memory,      &Caller::describe,      &Caller::keep_plan,   &Caller::strange_context,
            &Caller::library};
        (this->*steps[random_() % std::size(steps)])();
        if (recording_ && random_() % 20 == 0) finish_recording();
    }

    void finish() {
        finish_recording();
        for (const auto& [buffer, bytes] : live_) EXPECT_CGAN_OK(cgan_buffer_destroy(s_, buffer));
        EXPECT_EQ(0, s_.memory().live_buffers);
        EXPECT_EQ(0, s_.memory().live_bytes);
        EXPECT_GT(good_, kCalls / 4);
        EXPECT_GT(refused_, kCalls / 8);
    }

  private:
    bool one_in(unsigned n) { return random_() % n == 0; }
    std::int64_t size() {
        return one_in(2) ? odd_integer(random_) : static_cast<std::int64_t>(random_() % 3000);
    }

    cgan_buffer* any_buffer() {
        cgan_buffer* const strange[] = {nullptr,
                                        foreign_,
                                        dead_,
                                        reinterpret_cast<cgan_buffer*>(s_.get()),
                                        reinterpret_cast<cgan_buffer*>(graph_),
                                        reinterpret_cast<cgan_buffer*>(3)};
        if (live_.empty() || one_in(4)) return strange[random_() % std::size(strange)];
        return live_[random_() % live_.size()].first;
    }
    cgan_graph* any_graph() {
        cgan_graph* const strange[] = {nullptr, reinterpret_cast<cgan_graph*>(dead_),
                                       reinterpret_cast<cgan_graph*>(any_buffer()),
                                       reinterpret_cast<cgan_graph*>(-1)};
        return one_in(3) ? strange[random_() % std::size(strange)] : graph_;
    }
    void* host() { return one_in(10) ? nullptr : host_.data(); }

    // A failure is told by this function and this context.
    bool expect_answer(const std::string& function, cgan_status status) {
        if (status == CGAN_OK) return good_++, true;
        refused_++;
        EXPECT_TRUE((status >= CGAN_E_NULL_ARG && status <= CGAN_E_BAD_DEVICE) ||
                    status == CGAN_E_OUT_OF_DEVICE_MEMORY || status == CGAN_E_UNSUPPORTED)
            << function << ": " << status << ": " << last_error();
        EXPECT_TRUE(last_error(s_).starts_with(function + ": ")) << last_error(s_);
        return false;
    }

    void create() {
        const std::int64_t bytes = size();
        auto* buffer = reinterpret_cast<cgan_buffer*>(5);
        const bool to_nowhere = one_in(10);
        if (expect_answer("buffer_create", cgan_buffer_create(s_, bytes, to_nowhere ? nullptr : &buffer))) {
            ASSERT_FALSE(to_nowhere);
            live_.emplace_back(buffer, bytes);
        } else if (!to_nowhere) {
            EXPECT_EQ(nullptr, buffer);
        }
        EXPECT_EQ(static_cast<std::int64_t>(live_.size()), s_.memory().live_buffers);
    }

    void destroy() {
        cgan_buffer* const buffer = any_buffer();
        const auto entry =
            std::find_if(live_.begin(), live_.end(), [&](const auto& b) { return b.first == buffer; });
        const bool lives = entry != live_.end();
        EXPECT_EQ(lives || buffer == nullptr,
                  expect_answer("buffer_destroy", cgan_buffer_destroy(s_, buffer)));
        if (!lives) return;
        dead_ = buffer;
        live_.erase(entry);
    }

    // Whether a copy of these bytes is a right call.
    bool right(cgan_buffer* buffer, std::int64_t offset, std::int64_t bytes, const void* memory) const {
        if (recording_ || bytes < 0 || offset < 0 || (bytes > 0 && !memory)) return false;
        return std::any_of(live_.begin(), live_.end(), [&](const auto& b) {
            return b.first == buffer && offset <= b.second && bytes <= b.second - offset;
        });
    }

    template <class Copy> void copy(const char* function, Copy&& f) {
        cgan_buffer* const buffer = any_buffer();
        void* const memory = host();
        const std::int64_t offset = one_in(2) ? 0 : size(), bytes = size();
        EXPECT_EQ(right(buffer, offset, bytes, memory),
                  expect_answer(function, f(buffer, offset, memory, bytes)))
            << function << " " << offset << " " << bytes;
    }
    void write() {
        copy("buffer_write",
             [&](auto b, auto offset, auto p, auto n) { return cgan_buffer_write(s_, b, offset, p, n); });
    }
    void read() {
        copy("buffer_read",
             [&](auto b, auto offset, auto p, auto n) { return cgan_buffer_read(s_, b, offset, p, n); });
    }
    void upload() {
        copy("buffer_upload",
             [&](auto b, auto offset, auto p, auto n) { return cgan_buffer_upload(s_, b, offset, p, n); });
    }

    void fill() {
        const cgan_tensor t = describe(CGAN_U8, {size()}, any_buffer());
        expect_answer("fill", cgan_fill(s_, 1, &t));
    }
    void synchronize() { expect_answer("context_synchronize", cgan_context_synchronize(s_)); }

    void begin_graph() { recording_ = expect_answer("graph_begin", cgan_graph_begin(s_)) || recording_; }
    void end_graph() {
        cgan_graph* graph = nullptr;
        const bool kept = !one_in(4);
        if (expect_answer("graph_end", cgan_graph_end(s_, kept ? &graph : nullptr)) && kept) graph_ = graph;
        recording_ = false;
    }
    void finish_recording() {
        if (!recording_) return;
        EXPECT_CGAN_OK(cgan_graph_end(s_, nullptr));
        recording_ = false;
    }
    void launch() { expect_answer("graph_launch", cgan_graph_launch(s_, any_graph())); }
    void destroy_graph() { expect_answer("graph_destroy", cgan_graph_destroy(s_, any_graph())); }

    void start_timer() { expect_answer("timer_start", cgan_timer_start(s_)); }
    void stop_timer() {
        double seconds = -1;
        const bool to_nowhere = one_in(3);
        const bool stopped =
            expect_answer("timer_stop", cgan_timer_stop(s_, to_nowhere ? nullptr : &seconds));
        EXPECT_EQ(stopped, seconds >= 0);
    }

    void memory() {
        Bytes out(sizeof(cgan_memory_stats) + 8, std::byte{0x77});
        const auto size = static_cast<std::uint32_t>(odd_integer(random_));
        std::memcpy(out.data(), &size, sizeof size);
        auto* stats = one_in(5) ? nullptr : reinterpret_cast<cgan_memory_stats*>(out.data());
        expect_answer("context_memory", cgan_context_memory(s_, stats));
        for (std::size_t i = std::clamp<std::size_t>(size, 4, sizeof(cgan_memory_stats)); i < out.size(); i++)
            EXPECT_EQ(std::byte{0x77}, out[i]);
    }

    // Text goes no further than its capacity, and ends.
    template <class Text> void expect_text(Text&& text) {
        std::vector<char> out(40, 'x');
        const std::int64_t cap = one_in(3) ? -static_cast<std::int64_t>(random_() % 3000)
                                           : static_cast<std::int64_t>(random_() % 33);
        const std::int64_t length = text(one_in(5) ? nullptr : out.data(), std::min<std::int64_t>(cap, 32));
        EXPECT_GE(length, 0);
        for (std::size_t i = static_cast<std::size_t>(std::clamp<std::int64_t>(cap, 0, 32)); i < out.size();
             i++)
            EXPECT_EQ('x', out[i]);
    }
    void describe_text(cgan_context* ctx) {
        expect_text([&](char* dst, std::int64_t cap) { return cgan_context_describe(ctx, dst, cap); });
        expect_text([&](char* dst, std::int64_t cap) { return cgan_last_error(ctx, dst, cap); });
    }
    void describe() { describe_text(s_); }

    static cgan_tensor describe(std::int32_t dtype, const std::vector<std::int64_t>& dims,
                                cgan_buffer* buffer) {
        return test::describe(dtype, dims, buffer);
    }

    void keep_plan() {
        const char* const paths[] = {nullptr, "", "/", "/dev/full/plan", "/nonexistent/folder/plan"};
        expect_answer("context_keep_plan", cgan_context_keep_plan(s_, paths[random_() % std::size(paths)]));
    }

    void strange_context() {
        cgan_context* const strange[] = {nullptr, dead_context_, reinterpret_cast<cgan_context*>(foreign_),
                                         reinterpret_cast<cgan_context*>(-1),
                                         reinterpret_cast<cgan_context*>(12345)};
        cgan_context* const ctx = strange[random_() % std::size(strange)];
        describe_text(ctx);
        cgan_context_destroy(ctx);
        cgan_buffer* buffer = nullptr;
        EXPECT_EQ(ctx ? CGAN_E_BAD_HANDLE : CGAN_E_NULL_ARG, cgan_buffer_create(ctx, 8, &buffer));
        EXPECT_EQ(ctx ? CGAN_E_BAD_HANDLE : CGAN_E_NULL_ARG, cgan_context_synchronize(ctx));
        EXPECT_EQ(ctx ? CGAN_E_BAD_HANDLE : CGAN_E_NULL_ARG, cgan_graph_begin(ctx));
    }

    void library() {
        EXPECT_EQ(CGAN_ABI_MAJOR << 16 | CGAN_ABI_MINOR, cgan_abi_version());
        const auto kind = static_cast<std::int32_t>(odd_integer(random_));
        EXPECT_EQ(kind < 0 || kind > CGAN_STRUCT_CLIP, cgan_sizeof(kind) < 0) << kind;
        expect_text(cgan_version);
    }

    const Session s_, other_;
    std::mt19937 random_{5};
    std::vector<std::byte> host_;
    std::vector<std::pair<cgan_buffer*, std::int64_t>> live_;
    cgan_buffer *foreign_ = nullptr, *dead_ = nullptr;
    cgan_context* dead_context_ = nullptr;
    cgan_graph* graph_ = nullptr;
    bool recording_ = false;
    int good_ = 0, refused_ = 0;
};

TEST(HandleFuzz, AnyOrderOfCallsIsAnswered) {
    const char* given = std::getenv("CGAN_TEST_DEVICES");
    std::istringstream list(given ? given : "cpu");
    for (std::string device; list >> device;) {
        Caller caller(device + (device.find('?') == std::string::npos ? "?" : "&") +
                      "memory=" + std::to_string(kMemory));
        for (int i = 0; i < kCalls && !testing::Test::HasFailure(); i++) {
            SCOPED_TRACE(device + " call " + std::to_string(i));
            caller.call();
        }
        caller.finish();
    }
}

TEST(HandleFuzz, AnyDeviceNameIsAnswered) {
    const std::string words[] = {"cpu",
                                 "sim",
                                 "faulty:",
                                 "?",
                                 "&",
                                 "=",
                                 ":",
                                 "threads=",
                                 "memory=",
                                 "isa=",
                                 "kernels=",
                                 "fail=",
                                 "failAlloc=",
                                 "1",
                                 "-1",
                                 "0",
                                 "99999999999999999999",
                                 "reference",
                                 "baseline",
                                 "\xff\x01",
                                 " ",
                                 "%s%n",
                                 std::string(5000, 'a')};
    std::mt19937 random(9);
    int opened = 0;
    for (int i = 0; i < 3000; i++) {
        std::string name = i % 2 ? "cpu?" : "";
        for (std::size_t n = random() % 6; n > 0; n--) name += words[random() % std::size(words)];
        auto* ctx = reinterpret_cast<cgan_context*>(1);
        const cgan_status status = cgan_context_create(name.c_str(), &ctx);
        if (status == CGAN_OK) {
            opened++;
            cgan_context_destroy(ctx);
            continue;
        }
        EXPECT_TRUE(status == CGAN_E_BAD_DEVICE || status == CGAN_E_NO_DEVICE || status == CGAN_E_PLUGIN)
            << name;
        EXPECT_TRUE(last_error().starts_with("context_create: ")) << last_error();
        EXPECT_EQ(nullptr, ctx) << name;
    }
    EXPECT_GT(opened, 20);
    EXPECT_EQ(CGAN_E_NULL_ARG, cgan_context_create("cpu", nullptr));
}

TEST(HandleFuzz, EveryFunctionIsSpoiledSomewhere) {
    std::set<std::string> spoiled;
    for (const OperatorCall& op : operator_calls()) spoiled.insert("cgan_" + op.name);
    for (const char* name :
         {"abi_version",     "sizeof",           "version",           "last_error",          "context_create",
          "context_destroy", "context_describe", "context_keep_plan", "context_synchronize", "context_memory",
          "timer_start",     "timer_stop",       "buffer_create",     "buffer_destroy",      "buffer_write",
          "buffer_read",     "buffer_upload",    "graph_begin",       "graph_end",           "graph_launch",
          "graph_destroy"})
        spoiled.insert(std::string("cgan_") + name);
    // These two take nothing but a place for their text, which is copied out as cgan_version's.
    spoiled.insert({"cgan_describe_devices", "cgan_describe_libraries"});
    EXPECT_EQ(declared_functions(), spoiled);
}

} // namespace
} // namespace cgan::test
