// What one pass leaves for the next must not outlive the operands that it was made from: a context in which everything is
// written now and then computes the bits of one that starts anew for each call.
#include <random>

#include "support/session.h"

namespace cgan::test {
namespace {

constexpr int kSteps = 150;
const std::vector<std::int64_t> kImages{3, 14, 14, 16}, kFilters{16, 5, 5, 16}, kResults{3, 14, 14, 16},
    kPooled{3, 7, 7, 16};

struct Operands {
    std::vector<float> src, wei, d_dst, dst, d_pooled;
    std::vector<std::uint8_t> arg;
};

std::vector<float> noise(std::mt19937& random, const std::vector<std::int64_t>& dims) {
    std::vector<float> values(static_cast<std::size_t>(element_count(dims)));
    for (float& v : values) v = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 1000;
    return values;
}

Operands draw(std::mt19937& random) {
    Operands o{noise(random, kImages),  noise(random, kFilters), noise(random, kResults),
               noise(random, kPooled), noise(random, kPooled),  {}};
    o.arg.resize(o.dst.size());
    for (std::uint8_t& place : o.arg) place = static_cast<std::uint8_t>(random() % 4);
    return o;
}

// The same operands on a device.
struct OnDevice {
    const Session& session;
    cgan_tensor src, wei, d_dst, dst, d_pooled, arg, result, d_src, d_wei, pooled, places;

    OnDevice(const Session& s, const Operands& o)
        : session(s), src(s.floats(kImages, o.src)), wei(s.floats(kFilters, o.wei)),
          d_dst(s.floats(kResults, o.d_dst)), dst(s.floats(kPooled, o.dst)),
          d_pooled(s.floats(kPooled, o.d_pooled)), arg(s.tensor(CGAN_U8, kPooled, o.arg)),
          result(s.tensor(CGAN_F32, kResults)), d_src(s.tensor(CGAN_F32, kImages)),
          d_wei(s.tensor(CGAN_F32, kFilters)), pooled(s.tensor(CGAN_F32, kPooled)),
          places(s.tensor(CGAN_U8, kPooled)) {}

    std::vector<float> run(int pass, std::int32_t activation) const {
        auto p = sized<cgan_conv2d_params>();
        p.stride_h = p.stride_w = 1;
        p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 2;
        switch (pass) {
        case 0:
            EXPECT_CGAN_OK(cgan_conv2d_forward(session, &p, &src, &wei, nullptr, &result));
            return session.read_floats(result);
        case 1:
            EXPECT_CGAN_OK(cgan_conv2d_backward_data(session, &p, &wei, &d_dst, nullptr, &d_src));
            return session.read_floats(d_src);
        case 2:
            EXPECT_CGAN_OK(cgan_conv2d_backward_filter(session, &p, &src, &d_dst, &d_wei, nullptr));
            return session.read_floats(d_wei);
        case 3:
            EXPECT_CGAN_OK(
                cgan_conv2d_pool_forward(session, &p, &src, &wei, nullptr, &pooled, &places));
            return session.read_floats(pooled);
        case 4:
            p.activation = activation;
            EXPECT_CGAN_OK(
                cgan_conv2d_pool_backward_data(session, &p, &wei, &dst, &d_pooled, &arg, &d_src));
            return session.read_floats(d_src);
        default:
            p.activation = activation;
            EXPECT_CGAN_OK(cgan_conv2d_pool_backward_filter(session, &p, &src, &dst, &d_pooled, &arg, &d_wei,
                                                            nullptr));
            return session.read_floats(d_wei);
        }
    }
};

// Changes one number of an operand, on the device and here, by one of the ways to write.
void change(std::mt19937& random, const OnDevice& device, Operands& o) {
    const std::pair<const cgan_tensor*, std::vector<float>*> all[] = {{&device.src, &o.src},
                                                                      {&device.d_dst, &o.d_dst},
                                                                      {&device.dst, &o.dst},
                                                                      {&device.d_pooled, &o.d_pooled},
                                                                      {&device.wei, &o.wei}};
    if (random() % 6 == 0) {
        const std::size_t at = random() % o.arg.size();
        o.arg[at] = static_cast<std::uint8_t>((o.arg[at] + 1) % 4);
        EXPECT_CGAN_OK(cgan_buffer_write(device.session, device.arg.buffer, static_cast<std::int64_t>(at),
                                         &o.arg[at], 1));
        return;
    }
    const auto& [tensor, values] = all[random() % std::size(all)];
    const std::size_t at = random() % values->size();
    const std::int64_t offset = static_cast<std::int64_t>(at * sizeof(float));
    float& value = (*values)[at];
    value = 0.75f - value;
    switch (random() % 3) {
    case 0:
        EXPECT_CGAN_OK(cgan_buffer_write(device.session, tensor->buffer, offset, &value, sizeof value));
        break;
    case 1:
        EXPECT_CGAN_OK(cgan_buffer_upload(device.session, tensor->buffer, offset, &value, sizeof value));
        break;
    default:
        const cgan_tensor one = describe(CGAN_F32, {1}, tensor->buffer, offset);
        EXPECT_CGAN_OK(cgan_fill(device.session, value, &one));
    }
}

TEST(HeldSpectra, FollowEveryWrite) {
    std::mt19937 random(7);
    Operands operands = draw(random);
    const Session lasting("cpu?threads=2");
    const OnDevice device(lasting, operands);
    for (int step = 0; step < kSteps; step++) {
        const int pass = static_cast<int>(random() % 6);
        const std::int32_t activation = random() % 2 ? CGAN_ACT_TANH : CGAN_ACT_RELU;
        const Session fresh("cpu?threads=2");
        ASSERT_EQ(OnDevice(fresh, operands).run(pass, activation), device.run(pass, activation))
            << "step " << step << ", pass " << pass;
        if (random() % 2) change(random, device, operands);
    }
}

// Memory that is freed and taken again holds something else.
TEST(HeldSpectra, DoNotOutliveABuffer) {
    std::mt19937 random(8);
    const Session session("cpu?threads=2");
    for (int round = 0; round < 6; round++) {
        const Operands operands = draw(random);
        const Session fresh("cpu?threads=2");
        const OnDevice device(session, operands);
        for (const int pass : {0, 1, 2, 3, 4, 5})
            ASSERT_EQ(OnDevice(fresh, operands).run(pass, CGAN_ACT_TANH), device.run(pass, CGAN_ACT_TANH));
        for (const cgan_tensor* t : {&device.src, &device.d_dst, &device.dst, &device.d_pooled, &device.arg})
            ASSERT_CGAN_OK(cgan_buffer_destroy(session, t->buffer));
    }
}

// Without a pass that finds them, spectra are not held for ever; with one, they are found again.
TEST(HeldSpectra, AreGivenUpWhereNobodyFindsThem) {
    std::mt19937 random(9);
    const Operands operands = draw(random);
    const Session session("cpu?threads=2");
    const OnDevice device(session, operands);
    const auto workspace = [&](int pass) {
        const float value = 0.5f;
        EXPECT_CGAN_OK(cgan_buffer_write(session, device.src.buffer, 0, &value, sizeof value));
        device.run(pass, CGAN_ACT_TANH);
        return session.memory().workspace_bytes;
    };
    const std::int64_t first = workspace(0);
    for (int i = 0; i < 10; i++) workspace(0);
    EXPECT_LT(workspace(0), first);
}

// A context that may not have the memory computes without.
TEST(HeldSpectra, YieldToALimitOfMemory) {
    std::mt19937 random(10);
    const Operands operands = draw(random);
    const Session plenty("cpu?threads=1");
    const OnDevice model(plenty, operands);
    const std::vector<float> expected = model.run(0, CGAN_ACT_NONE);
    const std::int64_t all = plenty.memory().live_bytes + plenty.memory().workspace_bytes;
    const Session tight("cpu?threads=1&memory=" + std::to_string(all - (std::int64_t{1} << 20)));
    EXPECT_EQ(expected, OnDevice(tight, operands).run(0, CGAN_ACT_NONE));
}

} // namespace
} // namespace cgan::test
