// Stores past the caches are chosen by time, so every choice has to give the same bits.
#include <chrono>
#include <tuple>

#include "cpu/fast/store_trial.h"
#include "support/session.h"

namespace cgan::test {
namespace {

using fast::StoreTrial;
using std::chrono::nanoseconds;

// Records `calls` calls; those past the caches take `past`, the others `kept`.
void call(StoreTrial& trial, int calls, nanoseconds past, nanoseconds kept) {
    for (int i = 0; i < calls; i++) trial.record(trial.past() ? past : kept);
}

TEST(StoreTrial, TakesTurnsThenKeepsTheShortest) {
    StoreTrial trial;
    int past = 0;
    for (int i = 0; i < 7; i++) {
        past += trial.past();
        call(trial, 1, nanoseconds(10), nanoseconds(20));
    }
    EXPECT_EQ(3, past);
    EXPECT_TRUE(trial.past());
    call(trial, 100, nanoseconds(1000), nanoseconds(1)); // too late to matter
    EXPECT_TRUE(trial.past());
}

TEST(StoreTrial, DoesNotTimeTheFirstCall) {
    StoreTrial trial;
    trial.record(nanoseconds(1)); // kept in the caches, by the way
    call(trial, 6, nanoseconds(10), nanoseconds(20));
    EXPECT_TRUE(trial.past());
}

TEST(StoreTrial, StaysInTheCachesWhereThatIsAsFast) {
    StoreTrial trial;
    call(trial, 7, nanoseconds(10), nanoseconds(10));
    EXPECT_FALSE(trial.past());
}

std::vector<float> noise(std::int64_t n, std::uint32_t seed) {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float& v : values) {
        seed = seed * 1664525u + 1013904223u;
        v = static_cast<float>(seed >> 8) / (1 << 23) - 1.0f;
    }
    return values;
}

// A square convolution.
struct Layer {
    const char* name;
    std::int64_t n, h, c, k, kernel;
    std::int32_t stride, pad;
};

// Their spectra take several megabytes.
constexpr Layer kLayers[] = {
    {"fourier", 48, 14, 32, 48, 5, 1, 2},
    {"winograd_whole_filters", 48, 14, 64, 96, 4, 2, 1},
    {"winograd_whole_windows", 64, 8, 128, 256, 4, 2, 1},
};

// Each pass of a convolution, more often than a trial lasts.
class Spectra : public testing::TestWithParam<std::tuple<const char*, Layer>> {};

TEST_P(Spectra, HaveTheSameBitsWhereverTheyAreStored) {
    const Session s(std::string("cpu?threads=2&isa=") + std::get<0>(GetParam()));
    const Layer layer = std::get<1>(GetParam());
    const std::int64_t side = (layer.h + 2 * layer.pad - layer.kernel) / layer.stride + 1;
    const std::vector<std::int64_t> images{layer.n, layer.h, layer.h, layer.c},
        filters{layer.k, layer.kernel, layer.kernel, layer.c}, results{layer.n, side, side, layer.k};
    const cgan_tensor src = s.floats(images, noise(element_count(images), 1)),
                      wei = s.floats(filters, noise(element_count(filters), 2)),
                      d_dst = s.floats(results, noise(element_count(results), 3)),
                      dst = s.tensor(CGAN_F32, results), d_src = s.tensor(CGAN_F32, images),
                      d_wei = s.tensor(CGAN_F32, filters);
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = layer.stride;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = layer.pad;
    std::vector<float> first[3];
    for (int call = 0; call < 9; call++) {
        ASSERT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst));
        ASSERT_CGAN_OK(cgan_conv2d_backward_data(s, &p, &wei, &d_dst, nullptr, &d_src));
        ASSERT_CGAN_OK(cgan_conv2d_backward_filter(s, &p, &src, &d_dst, &d_wei, nullptr));
        const std::vector<float> now[3] = {s.read_floats(dst), s.read_floats(d_src), s.read_floats(d_wei)};
        for (int pass = 0; pass < 3; pass++) {
            if (call == 0) first[pass] = now[pass];
            ASSERT_EQ(first[pass], now[pass]) << "pass " << pass << ", call " << call;
        }
    }
}

std::vector<const char*> instruction_sets() {
    std::vector<const char*> all{"baseline"};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back("avx2");
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) all.push_back("avx512");
#endif
    return all;
}

INSTANTIATE_TEST_SUITE_P(StoreTrial, Spectra,
                         testing::Combine(testing::ValuesIn(instruction_sets()), testing::ValuesIn(kLayers)),
                         [](const auto& test) {
                             return std::string(std::get<1>(test.param).name) + "_" + std::get<0>(test.param);
                         });

} // namespace
} // namespace cgan::test
