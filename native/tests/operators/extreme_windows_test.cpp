// Windows with strides and paddings far beyond the image: right, or refused for want of memory, on every device. The cases
// are the same every time.
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

constexpr int kCases = 60;               // of an operator
constexpr std::int64_t kElements = 4000; // of a tensor, at most
constexpr std::int64_t kMemory = 1 << 28;

using Dims = std::vector<std::int64_t>;

template <class T, std::size_t n> T one_of(std::mt19937& random, const T (&values)[n]) {
    return values[random() % n];
}

std::int32_t extreme_stride(std::mt19937& random) {
    return one_of<std::int32_t>(random, {1, 1, 2, 3, 7, 1000, 65536, 1 << 30, INT32_MAX - 1, INT32_MAX});
}

std::int32_t extreme_padding(std::mt19937& random) {
    return one_of<std::int32_t>(random, {0, 0, 1, 2, 5, 40, 1000, 65535, 1 << 24, INT32_MAX - 1, INT32_MAX});
}

std::string text_of(const Dims& dims) {
    std::string text;
    for (const std::int64_t dim : dims) text += (text.empty() ? "[" : ",") + std::to_string(dim);
    return text + "]";
}

// A convolution's sides: src [n, h, w, c], wei [k, r, s, c], dst [n, oh, ow, k], pooled [n, oh/2, ow/2, k].
struct Convolution {
    cgan_conv2d_params p = sized<cgan_conv2d_params>();
    Dims src, wei, dst, pooled;

    explicit Convolution(std::mt19937& random) {
        do draw(random);
        while (element_count(dst) < 1 || dst[1] < 1 || dst[2] < 1 || dst[1] > kElements ||
               dst[2] > kElements || element_count(dst) > kElements);
    }

    std::string text() const {
        std::ostringstream text;
        text << "upsample " << p.upsample << ", stride " << p.stride_h << "x" << p.stride_w << ", pad "
             << p.pad_top << "," << p.pad_left << "," << p.pad_bottom << "," << p.pad_right << ", src "
             << text_of(src) << ", wei " << text_of(wei) << ", dst " << text_of(dst);
        return text.str();
    }

  private:
    void draw(std::mt19937& random) {
        p.stride_h = extreme_stride(random), p.stride_w = extreme_stride(random);
        p.pad_top = extreme_padding(random), p.pad_left = extreme_padding(random);
        p.pad_bottom = extreme_padding(random), p.pad_right = extreme_padding(random);
        p.upsample = 1 + static_cast<int>(random() % 4 == 0);
        const auto small = [&](unsigned limit) { return static_cast<std::int64_t>(1 + random() % limit); };
        src = {small(2), small(7), small(7), one_of<std::int64_t>(random, {1, 3, 9})};
        wei = {one_of<std::int64_t>(random, {1, 5, 16}), small(4), small(4), src[3]};
        dst = {src[0], side(src[1], wei[1], p.pad_top, p.pad_bottom, p.stride_h),
               side(src[2], wei[2], p.pad_left, p.pad_right, p.stride_w), wei[0]};
        pooled = {dst[0], dst[1] / 2, dst[2] / 2, dst[3]};
    }
    std::int64_t side(std::int64_t size, std::int64_t kernel, std::int64_t before, std::int64_t after,
                      int stride) const {
        const std::int64_t padded = p.upsample * size + before + after;
        return padded < kernel ? 0 : (padded - kernel) / stride + 1;
    }
};

struct Pooling {
    cgan_pool2d_params p = sized<cgan_pool2d_params>();
    Dims src, dst;

    explicit Pooling(std::mt19937& random) {
        do draw(random);
        while (dst[1] < 1 || dst[2] < 1 || element_count(dst) > kElements);
    }

    std::string text() const {
        std::ostringstream text;
        text << "kind " << p.kind << ", window " << p.window_h << "x" << p.window_w << ", stride "
             << p.stride_h << "x" << p.stride_w << ", pad " << p.pad_top << "," << p.pad_left << ","
             << p.pad_bottom << "," << p.pad_right << ", src " << text_of(src) << ", dst " << text_of(dst);
        return text.str();
    }

  private:
    void draw(std::mt19937& random) {
        p.kind = random() % 2 ? CGAN_POOL_MAX : CGAN_POOL_AVERAGE;
        p.window_h = one_of<std::int32_t>(random, {1, 2, 3, 5, 16, 256});
        p.window_w = one_of<std::int32_t>(random, {1, 2, 3, 16, 256});
        if (p.window_h * p.window_w > 256) p.window_w = 1;
        p.stride_h = extreme_stride(random), p.stride_w = extreme_stride(random);
        const auto below = [&](std::int32_t window) {
            return static_cast<std::int32_t>(random() % static_cast<unsigned>(window));
        };
        p.pad_top = below(p.window_h), p.pad_bottom = below(p.window_h);
        p.pad_left = below(p.window_w), p.pad_right = below(p.window_w);
        const auto small = [&](unsigned limit) { return static_cast<std::int64_t>(1 + random() % limit); };
        src = {small(2), small(9), small(9), one_of<std::int64_t>(random, {1, 3, 9, 16})};
        dst = {src[0], side(src[1], p.window_h, p.pad_top, p.pad_bottom, p.stride_h),
               side(src[2], p.window_w, p.pad_left, p.pad_right, p.stride_w), src[3]};
    }
    static std::int64_t side(std::int64_t size, int window, int before, int after, int stride) {
        const std::int64_t padded = size + before + after;
        return padded < window ? 0 : (padded - window) / stride + 1;
    }
};

// Results of a call on one device; none if it was refused.
using Results = std::vector<std::vector<float>>;

class Extremes : public testing::Test {
  protected:
    std::mt19937 random{11};

    std::vector<float> reals(const Dims& dims) {
        std::vector<float> values(static_cast<std::size_t>(element_count(dims)));
        for (float& v : values) v = static_cast<float>(random() >> 8) * 0x1p-23f - 1;
        return values;
    }

    // Runs `call(session)`, which returns a status and fills the results, on the reference and on every device.
    template <class Call> void compare(const std::string& about, Call&& call) {
        Results want;
        ASSERT_CGAN_OK(call(session("cpu?kernels=reference"), want)) << about;
        for (const std::string& device : test_devices()) {
            Results got;
            const cgan_status status = call(session(device), got);
            if (status == CGAN_E_OUT_OF_DEVICE_MEMORY || status == CGAN_E_UNSUPPORTED) {
                refused_++;
                continue;
            }
            ASSERT_EQ(CGAN_OK, status) << device << ": " << last_error() << "\n" << about;
            done_++;
            expect_close(want, got, device + ": " + about);
        }
    }

    static cgan_status read_all(const Session& s, cgan_status status,
                                std::initializer_list<cgan_tensor> tensors, Results& results) {
        if (status != CGAN_OK) return status;
        for (const cgan_tensor& t : tensors) results.push_back(s.read_floats(t));
        return CGAN_OK;
    }

    // A device that refuses more than three calls in four has not been compared.
    void TearDown() override { EXPECT_GT(3 * done_, refused_); }

  private:
    const Session& session(const std::string& device) {
        std::unique_ptr<Session>& s = sessions_[device];
        const std::string memory =
            (device.find('?') == std::string::npos ? "?memory=" : "&memory=") + std::to_string(kMemory);
        if (!s) s = std::make_unique<Session>(device + memory);
        return *s;
    }

    // Sums of at most kElements products of values below 1: three times the contract's 8 * 2^-24 * sqrt(kElements).
    void expect_close(const Results& want, const Results& got, const std::string& about) {
        ASSERT_EQ(want.size(), got.size());
        for (std::size_t i = 0; i < want.size(); i++)
            for (std::size_t j = 0; j < want[i].size(); j++)
                ASSERT_NEAR(want[i][j], got[i][j], 1e-4 * std::max(1.0f, std::fabs(want[i][j])))
                    << "result " << i << "[" << j << "] on " << about;
    }

    std::map<std::string, std::unique_ptr<Session>> sessions_;
    int refused_ = 0, done_ = 0;
};

TEST_F(Extremes, OfConvolutions) {
    for (int i = 0; i < kCases; i++) {
        const Convolution c(random);
        const auto x = reals(c.src), w = reals(c.wei), b = reals({c.wei[0]}), dy = reals(c.dst);
        compare(c.text(), [&](const Session& s, Results& results) {
            const cgan_tensor src = s.floats(c.src, x), wei = s.floats(c.wei, w),
                              bia = s.floats({c.wei[0]}, b), d_dst = s.floats(c.dst, dy),
                              dst = s.tensor(CGAN_F32, c.dst), d_src = s.tensor(CGAN_F32, c.src),
                              d_wei = s.tensor(CGAN_F32, c.wei);
            cgan_status status = cgan_conv2d_forward(s, &c.p, &src, &wei, &bia, &dst);
            if (status == CGAN_OK) status = cgan_conv2d_backward_data(s, &c.p, &wei, &d_dst, nullptr, &d_src);
            if (status == CGAN_OK) status = cgan_conv2d_backward_filter(s, &c.p, &src, &d_dst, &d_wei, &bia);
            return read_all(s, status, {dst, d_src, d_wei, bia}, results);
        });
    }
}

TEST_F(Extremes, OfPooledConvolutions) {
    for (int i = 0; i < kCases; i++) {
        Convolution c(random);
        while (element_count(c.pooled) == 0) c = Convolution(random);
        const auto x = reals(c.src), w = reals(c.wei), b = reals({c.wei[0]}), dy = reals(c.pooled);
        compare(c.text(), [&](const Session& s, Results& results) {
            const cgan_tensor src = s.floats(c.src, x), wei = s.floats(c.wei, w),
                              bia = s.floats({c.wei[0]}, b), d_dst = s.floats(c.pooled, dy),
                              dst = s.tensor(CGAN_F32, c.pooled), arg = s.tensor(CGAN_U8, c.pooled),
                              d_src = s.tensor(CGAN_F32, c.src), d_wei = s.tensor(CGAN_F32, c.wei);
            cgan_status status = cgan_conv2d_pool_forward(s, &c.p, &src, &wei, &bia, &dst, &arg);
            if (status == CGAN_OK)
                status = cgan_conv2d_pool_backward_data(s, &c.p, &wei, &dst, &d_dst, &arg, &d_src);
            if (status == CGAN_OK)
                status = cgan_conv2d_pool_backward_filter(s, &c.p, &src, &dst, &d_dst, &arg, &d_wei, &bia);
            return read_all(s, status, {dst, d_src, d_wei, bia}, results);
        });
    }
}

TEST_F(Extremes, OfPooling) {
    for (int i = 0; i < kCases; i++) {
        const Pooling c(random);
        const auto x = reals(c.src), dy = reals(c.dst);
        compare(c.text(), [&](const Session& s, Results& results) {
            const cgan_tensor src = s.floats(c.src, x), d_dst = s.floats(c.dst, dy),
                              dst = s.tensor(CGAN_F32, c.dst), arg = s.tensor(CGAN_U8, c.dst),
                              d_src = s.tensor(CGAN_F32, c.src);
            const cgan_tensor* const places = c.p.kind == CGAN_POOL_MAX ? &arg : nullptr;
            cgan_status status = cgan_pool2d_forward(s, &c.p, &src, &dst, places);
            if (status == CGAN_OK) status = cgan_pool2d_backward(s, &c.p, &d_dst, places, &d_src);
            return read_all(s, status, {dst, d_src}, results);
        });
    }
}

} // namespace
} // namespace cgan::test
