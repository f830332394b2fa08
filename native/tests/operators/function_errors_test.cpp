// The errors that cpu/fast/math.h states for its functions, over the whole range of float32, for each instruction set.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

constexpr double kGreatest = std::numeric_limits<float>::max(),
                 kLeastNormal = std::numeric_limits<float>::min();

struct Function {
    const char* name;
    std::int32_t kind;
    double (*exact)(double);
    double error;    // greatest, relative to the result
    double absolute; // results nearer to 0 than this may err by error * absolute
};

const Function kFunctions[] = {
    {"exp", CGAN_UNARY_EXP, [](double x) { return std::exp(x); }, 1.5e-7, 0},
    {"log", CGAN_UNARY_LOG, [](double x) { return std::log(x); }, 1.2e-7, 1},
    {"tanh", CGAN_UNARY_TANH, [](double x) { return std::tanh(x); }, 3.4e-7, 0},
    {"sigmoid", CGAN_UNARY_SIGMOID, [](double x) { return 1 / (1 + std::exp(-x)); }, 2.5e-7, 0},
    {"softplus", CGAN_UNARY_SOFTPLUS,
     [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }, 3e-7, 0},
    {"sqrt", CGAN_UNARY_SQRT, [](double x) { return std::sqrt(x); }, 6e-8, 0},
    {"rsqrt", CGAN_UNARY_RSQRT, [](double x) { return 1 / std::sqrt(x); }, 1.3e-7, 0},
};

// Every exponent of both signs, [-20, 20] densely, both sides of where functions saturate, and the special numbers.
std::vector<float> arguments() {
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 1021)
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    for (int i = -300000; i <= 300000; i++) x.push_back(static_cast<float>(i / 15000.0));
    for (const float edge :
         {0.5f, 0.70710678f, 1.0f, 1.4142135f, 2.0f, 9.02f, 87.33655f, 88.72284f, 89.0f, 103.97f, 104.0f})
        for (int i = -200; i <= 200; i++)
            for (const float sign : {1.0f, -1.0f})
                x.push_back(sign * std::bit_cast<float>(std::bit_cast<std::int32_t>(edge) + i));
    const float infinity = std::numeric_limits<float>::infinity();
    for (const float special : {0.0f, infinity, static_cast<float>(kGreatest),
                                static_cast<float>(kLeastNormal), std::numeric_limits<float>::denorm_min()})
        for (const float sign : {1.0f, -1.0f}) x.push_back(sign * special);
    x.push_back(std::numeric_limits<float>::quiet_NaN());
    return x;
}

// The error in units of what is allowed: at most 1 passes.
double share(const Function& f, double want, float got) {
    if (std::isnan(want)) return std::isnan(got) ? 0 : 2;
    if (std::abs(want) > kGreatest) // rounds to infinity, or just does not
        return std::abs(got) >= kGreatest * (1 - f.error) && std::signbit(got) == std::signbit(want) ? 0 : 2;
    const double error = std::abs(static_cast<double>(got) - want);
    const double allowed = std::abs(want) < kLeastNormal && f.absolute == 0
                               ? kLeastNormal
                               : f.error * std::max(std::abs(want), f.absolute);
    return error <= allowed ? error / allowed : std::isnan(error) ? 2 : error / allowed;
}

TEST(FunctionErrors, AreAtMostAsStatedOverTheWholeRange) {
    const std::vector<float> x = arguments();
    for (const Function& f : kFunctions) {
        std::vector<double> want(x.size());
        std::transform(x.begin(), x.end(), want.begin(),
                       [&](float v) { return f.exact(static_cast<double>(v)); });
        for (const std::string& device : test_devices()) {
            if (!device.starts_with("cpu") || device.find("transforms") != std::string::npos) continue;
            const Session s(device);
            auto p = sized<cgan_unary_params>();
            p.kind = f.kind;
            const cgan_tensor t = s.floats({static_cast<std::int64_t>(x.size())}, x);
            ASSERT_CGAN_OK(cgan_unary(s, &p, &t, &t));
            const std::vector<float> got = s.read_floats(t);
            double worst = 0;
            std::size_t at = 0;
            for (std::size_t i = 0; i < x.size(); i++)
                if (const double e = share(f, want[i], got[i]); e > worst) worst = e, at = i;
            EXPECT_LE(worst, 1) << f.name << "(" << x[at] << ") is " << got[at] << ", not " << want[at]
                                << ", on " << device << "; allowed is a relative error of " << f.error;
            EXPECT_GT(worst, 0.01) << f.name << " on " << device << ": too good to be a measurement";
        }
    }
}

} // namespace
} // namespace cgan::test
