// Places of maxima that no window has, as in a buffer that was never written, must not lead a kernel out of its memory.
#include "support/session.h"

namespace cgan::test {
namespace {

class Places : public testing::TestWithParam<int> {};

TEST_P(Places, BeyondTheWindowStayInMemory) {
    for (const char* device : {"cpu?kernels=reference", "cpu?isa=baseline", "cpu"}) {
        const Session s(device);
        const std::vector<std::int64_t> image{2, 12, 12, 1}, filter{20, 5, 5, 1}, pooled{2, 6, 6, 20};
        const auto ones = [&](const std::vector<std::int64_t>& dims) {
            return s.floats(dims, std::vector<float>(static_cast<std::size_t>(element_count(dims)), 1.0f));
        };
        const cgan_tensor src = ones(image), wei = ones(filter), dst = ones(pooled), d_dst = ones(pooled),
                          d_src = ones(image), d_wei = ones(filter),
                          arg = s.tensor(CGAN_U8, pooled,
                                         std::vector<std::uint8_t>(static_cast<std::size_t>(
                                                                       element_count(pooled)),
                                                                   static_cast<std::uint8_t>(GetParam())));
        auto conv = sized<cgan_conv2d_params>();
        conv.stride_h = conv.stride_w = 1;
        conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = 2;
        ASSERT_CGAN_OK(cgan_conv2d_pool_backward_data(s, &conv, &wei, &dst, &d_dst, &arg, &d_src));
        ASSERT_CGAN_OK(
            cgan_conv2d_pool_backward_filter(s, &conv, &src, &dst, &d_dst, &arg, &d_wei, nullptr));
        for (const float v : s.read_floats(d_src)) ASSERT_LE(v, 20 * 25.0f) << device; // all taps, all channels
        const cgan_tensor full = ones({2, 12, 12, 20});
        auto pool = sized<cgan_pool2d_params>();
        pool.kind = CGAN_POOL_MAX;
        pool.window_h = pool.window_w = pool.stride_h = pool.stride_w = 2;
        ASSERT_CGAN_OK(cgan_pool2d_gather(s, &pool, &full, &arg, &dst));
        ASSERT_CGAN_OK(cgan_pool2d_backward(s, &pool, &d_dst, &arg, &full));
        for (const float v : s.read_floats(full)) ASSERT_LE(v, 1.0f) << device;
    }
}

INSTANTIATE_TEST_SUITE_P(Operators, Places, testing::Values(3, 4, 64, 255));

} // namespace
} // namespace cgan::test
