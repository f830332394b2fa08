// Spoiled operator calls: each fails with a status and words, or does what it was told; nothing else changes, and the
// context goes on. The cases are the same every time. Devices: CGAN_TEST_DEVICES, else the CPU's kernels.
// With CGAN_FUZZ_LOG=1 each case is printed before it runs, to find one that brings the process down.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>

#include "abi/spoiled_call.h"
#include "support/session.h"

namespace cgan::test {

void PrintTo(const OperatorCall& op, std::ostream* to) { *to << op.name; }

namespace {

constexpr int kCases = 1000; // of an operator and device

std::vector<std::string> devices() {
    const char* given = std::getenv("CGAN_TEST_DEVICES");
    std::istringstream list(given ? given : "cpu?kernels=reference cpu?isa=baseline&threads=2 cpu?threads=2");
    std::vector<std::string> found;
    for (std::string device; list >> device;)
        found.push_back(device + (device.find('?') == std::string::npos ? "?" : "&") + "memory=67108864");
    return found;
}

// What a caller's mistake may be answered with.
bool is_answer(cgan_status status) {
    return (status >= CGAN_E_NULL_ARG && status <= CGAN_E_BAD_HANDLE) || status == CGAN_E_OUT_OF_BOUNDS ||
           status == CGAN_E_OUT_OF_DEVICE_MEMORY || status == CGAN_E_UNSUPPORTED;
}

class Fuzzer {
  public:
    Fuzzer(const std::string& device, const OperatorCall& op) : s_(device), other_("cpu"), op_(op) {
        for (std::size_t i = 0; i < op.arguments.size(); i++)
            for (std::size_t item = 0; item < op.arguments[i].dims.size(); item++) add_place(i, item);
        strange_.other_context = other_;
        EXPECT_CGAN_OK(cgan_buffer_create(other_, 1000, &strange_.other_buffer));
        EXPECT_CGAN_OK(cgan_buffer_create(s_, 1000, &strange_.dead_buffer));
        EXPECT_CGAN_OK(cgan_buffer_destroy(s_, strange_.dead_buffer));
        strange_.dead_context = Session("cpu").get();
    }

    void run() {
        const SpoiledCall valid = valid_call(op_, s_, places_);
        const std::vector<Bytes> results = run_valid(valid);
        std::seed_seq seed(op_.name.begin(), op_.name.end());
        std::mt19937 random(seed);
        for (int i = 0; i < kCases && !testing::Test::HasFailure(); i++) {
            SpoiledCall call = valid;
            for (std::size_t n = 1 + random() % 3; n > 0; n--) spoil(call, places_, strange_, random);
            run_case(call, i);
        }
        EXPECT_TRUE(results == run_valid(valid)) << "the valid call gives other results";
        EXPECT_GT(refused_, kCases / 4);
        EXPECT_GT(done_, kCases / 20);
    }

  private:
    void add_place(std::size_t argument, std::size_t item) {
        const CallArgument& a = op_.arguments[argument];
        Place place{argument, item, element_count(a.dims[item]) * element_size(a.dtype()), nullptr};
        EXPECT_CGAN_OK(cgan_buffer_create(s_, place.bytes + 2 * kMargin, &place.buffer));
        places_.push_back(place);
    }

    void write(const SpoiledCall& call) {
        for (std::size_t i = 0; i < places_.size(); i++) {
            const Bytes& content = call.contents[i];
            ASSERT_CGAN_OK(cgan_buffer_write(s_, places_[i].buffer, 0, content.data(),
                                             static_cast<std::int64_t>(content.size())));
        }
    }

    std::vector<Bytes> read() {
        std::vector<Bytes> contents;
        for (const Place& place : places_) {
            Bytes& content = contents.emplace_back(static_cast<std::size_t>(place.bytes + 2 * kMargin));
            EXPECT_CGAN_OK(cgan_buffer_read(s_, place.buffer, 0, content.data(), place.bytes + 2 * kMargin));
        }
        return contents;
    }

    std::vector<Bytes> run_valid(const SpoiledCall& call) {
        write(call);
        EXPECT_CGAN_OK(call.run());
        EXPECT_CGAN_OK(cgan_context_synchronize(s_));
        return read();
    }

    void run_case(const SpoiledCall& call, int number) {
        const std::string about = op_.name + " case " + std::to_string(number) + ": " + call.said;
        SCOPED_TRACE(about);
        if (std::getenv("CGAN_FUZZ_LOG")) std::fprintf(stderr, "%s\n", about.c_str());
        write(call);
        const cgan_status status = call.run();
        if (status != CGAN_OK) check_refusal(status);
        const cgan_status later = cgan_context_synchronize(s_);
        if (later != CGAN_OK) check_late_refusal(later);
        status == CGAN_OK&& later == CGAN_OK ? done_++ : refused_++;
        check_contents(call, status == CGAN_OK);
    }

    void check_refusal(cgan_status status) {
        EXPECT_TRUE(is_answer(status)) << status;
        EXPECT_TRUE(last_error().starts_with(op_.name + ": ")) << last_error();
        EXPECT_GT(last_error().size(), op_.name.size() + 8) << last_error();
    }

    // Devices with a queue see the contents of an index only then.
    void check_late_refusal(cgan_status status) {
        EXPECT_EQ(CGAN_E_BAD_VALUE, status) << last_error();
        EXPECT_NE(std::string::npos, last_error().find("index")) << last_error();
    }

    // A call that succeeded wrote where it was told and nowhere else; one that failed wrote nothing.
    void check_contents(const SpoiledCall& call, bool succeeded) {
        const std::vector<Bytes> after = read();
        std::vector<Bytes> want = call.contents;
        if (succeeded) {
            for (const cgan_tensor& t : call.written()) allow(t, after, want);
        }
        for (std::size_t i = 0; i < places_.size(); i++)
            EXPECT_TRUE(after[i] == want[i]) << op_.arguments[places_[i].argument].name << " changed";
    }

    void allow(const cgan_tensor& t, const std::vector<Bytes>& after, std::vector<Bytes>& want) {
        for (std::size_t i = 0; i < places_.size(); i++) {
            if (t.buffer != places_[i].buffer) continue;
            const std::vector<std::int64_t> dims(t.dims, t.dims + t.rank);
            const std::int64_t bytes = element_count(dims) * element_size(t.dtype);
            std::memcpy(want[i].data() + t.offset_bytes, after[i].data() + t.offset_bytes,
                        static_cast<std::size_t>(bytes));
        }
    }

    const Session s_, other_;
    const OperatorCall& op_;
    std::vector<Place> places_;
    StrangeHandles strange_;
    int refused_ = 0, done_ = 0;
};

class OperatorFuzz : public testing::TestWithParam<OperatorCall> {};

TEST_P(OperatorFuzz, IsRefusedOrDone) {
    for (const std::string& device : devices()) {
        SCOPED_TRACE(device);
        Fuzzer(device, GetParam()).run();
    }
}

INSTANTIATE_TEST_SUITE_P(Abi, OperatorFuzz, testing::ValuesIn(operator_calls()),
                         [](const auto& info) { return info.param.name + "_" + std::to_string(info.index); });

} // namespace
} // namespace cgan::test
