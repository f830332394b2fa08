#include "operators/contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>

#include "support/session.h"

namespace cgan::test {
namespace {

using Elements = std::vector<std::vector<double>>; // of each operand

constexpr std::int64_t kGuardBytes = 256;
constexpr unsigned char kGuardByte = 0xA5;
constexpr unsigned char kUnwrittenByte = 0xFF; // a NaN in both floating types
constexpr std::size_t kFewResults = 32;        // too few to say that most are zero
constexpr const char* kReference = "cpu?kernels=reference&threads=1";

// ---- elements and bytes
// -----------------------------------------------------------------------------------------

template <class F> void for_dtype(std::int32_t dtype, F&& f) {
    switch (dtype) {
    case CGAN_F32:
        return f(float{});
    case CGAN_F64:
        return f(double{});
    case CGAN_I32:
        return f(std::int32_t{});
    case CGAN_I64:
        return f(std::int64_t{});
    default:
        return f(std::uint8_t{});
    }
}

void encode(const std::vector<double>& values, std::int32_t dtype, char* bytes) {
    for_dtype(dtype, [&]<class T>(T) {
        for (std::size_t i = 0; i < values.size(); i++) {
            const T element = static_cast<T>(values[i]);
            std::memcpy(bytes + i * sizeof element, &element, sizeof element);
        }
    });
}

std::vector<double> decode(std::int32_t dtype, const char* bytes, std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for_dtype(dtype, [&]<class T>(T) {
        for (std::size_t i = 0; i < values.size(); i++) {
            T element;
            std::memcpy(&element, bytes + i * sizeof element, sizeof element);
            values[i] = static_cast<double>(element);
        }
    });
    return values;
}

bool is_float(std::int32_t dtype) { return dtype == CGAN_F32 || dtype == CGAN_F64; }

std::int32_t dtype_of(const OperandSpec& spec, std::int32_t dtype) {
    return spec.dtype >= 0 ? spec.dtype : dtype;
}

// ---- inputs
// -----------------------------------------------------------------------------------------------------

double activation(int kind, double x) {
    switch (kind) {
    case CGAN_ACT_TANH:
        return std::tanh(x);
    case CGAN_ACT_SIGMOID:
        return 1 / (1 + std::exp(-x));
    case CGAN_ACT_SOFTPLUS:
        return std::log1p(std::exp(x));
    case CGAN_ACT_RELU:
        return std::max(x, 0.0);
    case CGAN_ACT_LEAKY_RELU:
        return x > 0 ? x : 0.25 * x;
    default:
        return x;
    }
}

class Source {
  public:
    Source(const std::string& text, bool whole) : whole_(whole) {
        random_.seed(std::hash<std::string>{}(text) + (whole ? 1 : 0));
    }

    std::vector<double> draw(const OperandSpec& spec) {
        std::vector<double> values(static_cast<std::size_t>(element_count(spec.dims)));
        if (spec.values == Values::Distinct) {
            std::iota(values.begin(), values.end(), 1.0);
            std::shuffle(values.begin(), values.end(), random_);
            const bool scaled = !whole_ && is_float(dtype_of(spec, CGAN_F32));
            for (double& x : values) x = scaled ? x / static_cast<double>(values.size()) : x;
        } else if (spec.values == Values::Hyper) {
            values = {0.01, 3};
        } else {
            for (double& x : values) x = element(spec);
        }
        if (dtype_of(spec, CGAN_F32) == CGAN_F32) {
            for (double& x : values) x = static_cast<float>(x); // the same inputs in both floating types
        }
        return values;
    }

  private:
    double integer(std::int64_t low, std::int64_t high) {
        return static_cast<double>(std::uniform_int_distribution<std::int64_t>(low, high)(random_));
    }
    double real(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random_);
    }

    double element(const OperandSpec& spec) {
        switch (spec.values) {
        case Values::Index:
        case Values::Position:
            return integer(0, spec.limit - 1);
        case Values::Positive:
            return whole_ ? integer(1, 4) : real(0.1, 1.1);
        case Values::Activated:
            return activation(spec.activation, whole_ ? integer(-4, 4) : real(-1, 1));
        default:
            return whole_ ? integer(-4, 4) : real(-1, 1);
        }
    }

    const bool whole_;
    std::mt19937_64 random_;
};

// ---- one run
// ----------------------------------------------------------------------------------------------------

// An operand on a device: guard words, the tensor, guard words.
struct Placed {
    cgan_tensor tensor{};
    std::vector<char> before; // the whole block
    std::int64_t begin = 0, end = 0;
};

class Failure : public std::runtime_error {
  public:
    explicit Failure(const std::string& text, cgan_status status = CGAN_OK)
        : std::runtime_error(text), status(status) {}
    const cgan_status status; // of the call under test
};

Placed place(const Session& session, const OperandSpec& spec, std::int32_t dtype,
             const std::vector<double>& values) {
    const std::int64_t bytes = element_count(spec.dims) * element_size(dtype);
    const bool aligned =
        std::hash<std::string>{}(spec.name) % 2 == values.size() % 2; // about half of the operands
    Placed placed;
    placed.begin = kGuardBytes + (aligned ? 0 : element_size(dtype));
    placed.end = placed.begin + bytes;
    placed.before.assign(static_cast<std::size_t>(placed.end + kGuardBytes), static_cast<char>(kGuardByte));
    if (spec.role == Role::Destination) {
        std::fill_n(placed.before.begin() + placed.begin, bytes, static_cast<char>(kUnwrittenByte));
    } else {
        encode(values, dtype, placed.before.data() + placed.begin);
    }
    const auto size = static_cast<std::int64_t>(placed.before.size());
    cgan_buffer* buffer = nullptr;
    if (cgan_buffer_create(session, size, &buffer) != CGAN_OK) throw Failure(last_error());
    placed.tensor = describe(dtype, spec.dims, buffer, placed.begin);
    if (cgan_buffer_write(session, buffer, 0, placed.before.data(), size) != CGAN_OK)
        throw Failure(last_error());
    return placed;
}

// Reads the block back and checks what must not have changed. Returns the tensor's bytes.
std::vector<char> collect(const Session& session, const OperandSpec& spec, const Placed& placed) {
    std::vector<char> after(placed.before.size());
    if (cgan_buffer_read(session, placed.tensor.buffer, 0, after.data(),
                         static_cast<std::int64_t>(after.size())) != CGAN_OK) {
        throw Failure(last_error());
    }
    for (std::size_t i = 0; i < after.size(); i++) {
        const auto at = static_cast<std::int64_t>(i);
        const bool inside = at >= placed.begin && at < placed.end;
        if (after[i] == placed.before[i] || (inside && spec.role != Role::Source)) continue;
        std::ostringstream text;
        text << spec.name << ": byte " << at - placed.begin << " was overwritten ("
             << (inside ? "a source" : "outside the tensor") << " of " << placed.end - placed.begin
             << " bytes)";
        throw Failure(text.str());
    }
    return {after.begin() + placed.begin, after.begin() + placed.end};
}

void expect_written(const OperandSpec& spec, std::int32_t dtype, const std::vector<double>& values) {
    if (!is_float(dtype) || spec.role == Role::Source) return;
    for (std::size_t i = 0; i < values.size(); i++) {
        if (std::isfinite(values[i])) continue;
        std::ostringstream text;
        text << spec.name << "[" << i << "] is " << values[i] << ", or was never written";
        throw Failure(text.str());
    }
}

struct Result {
    Elements elements;
    std::vector<std::vector<char>> bytes;
};

// Runs the case once. Throws Failure.
Result run_once(const Session& session, const OperatorCase& c, std::int32_t dtype, const Elements& inputs) {
    std::vector<Placed> placed;
    std::vector<cgan_tensor> tensors;
    for (std::size_t i = 0; i < c.operands.size(); i++) {
        placed.push_back(place(session, c.operands[i], dtype_of(c.operands[i], dtype), inputs[i]));
        tensors.push_back(placed.back().tensor);
    }
    const cgan_status status = c.call(session, tensors);
    if (status != CGAN_OK) throw Failure(last_error(), status);
    Result result;
    for (std::size_t i = 0; i < c.operands.size(); i++) {
        const OperandSpec& spec = c.operands[i];
        result.bytes.push_back(collect(session, spec, placed[i]));
        result.elements.push_back(
            decode(dtype_of(spec, dtype), result.bytes.back().data(), element_count(spec.dims)));
        expect_written(spec, dtype_of(spec, dtype), result.elements.back());
        cgan_buffer_destroy(session, placed[i].tensor.buffer);
    }
    return result;
}

// ---- comparisons
// ------------------------------------------------------------------------------------------------

// How near a result must be to the wanted one: equal, or within the law, where max|a| * max|b| is 1 for
// random inputs and 16 for whole numbers.
enum class Agreement { Equal, Law, LawOfWholeNumbers };

double scale_of(Agreement agreement) { return agreement == Agreement::LawOfWholeNumbers ? 16 : 1; }

bool may_transform(const std::string& device) {
    return device.find("transforms=off") == std::string::npos &&
           device.find("kernels=reference") == std::string::npos;
}

// Tensor cores keep 10 bits of an operand's mantissa: 2^-11 is rounded off where the law has 2^-24. Only products
// run on them.
bool rounds_to_tf32(const std::string& device, const OperatorCase& c) {
    return device.find("precision=tf32") != std::string::npos &&
           (c.op.starts_with("conv2d_") || c.op.starts_with("matmul") || c.op.starts_with("dense_"));
}

// oneDNN, as cuDNN, adds the K products of a result one by one, so that its error grows with K where the law, which
// our own kernels keep, has sqrt(K); the most that was seen in these cases is 5 times the law, at K = 4096. The
// simulator's stand-ins keep the law. With kernels=auto any candidate may have been the fastest.
double slack(const std::string& device, const OperatorCase& c, std::int32_t dtype) {
    if (rounds_to_tf32(device, c)) return 0x1p13;
    if (dtype != CGAN_F32) return 1;
    const auto pinned = [&](const char* kernels) {
        return device.find(std::string("kernels=") + kernels) != std::string::npos;
    };
    double slack = 1;
    if ((pinned("vendor") || pinned("auto")) && !device.starts_with("sim"))
        slack = std::max(4.0, std::sqrt(c.reduction) / 8);
    if (device.starts_with("cpu") && may_transform(device) && !pinned("vendor"))
        slack = std::max(slack, c.magnified); // Winograd runs on the CPU alone
    return slack;
}

double tolerance(const OperatorCase& c, std::int32_t dtype, Agreement agreement, double slack, double want) {
    if (agreement == Agreement::Equal) return 0;
    const double epsilon = dtype == CGAN_F64 ? 0x1p-53 : 0x1p-24;
    return slack * 8 * epsilon *
           std::max(std::sqrt(c.reduction) * c.terms * scale_of(agreement), std::abs(want));
}

void compare(const OperatorCase& c, std::int32_t dtype, Agreement agreement, double slack,
             const Elements& got, const Elements& want) {
    for (std::size_t operand = 0; operand < c.operands.size(); operand++) {
        const OperandSpec& spec = c.operands[operand];
        if (spec.role == Role::Source) continue;
        const bool integers = !is_float(dtype_of(spec, dtype));
        if (agreement != Agreement::Equal && integers && c.check_integers) continue;
        for (std::size_t i = 0; i < got[operand].size(); i++) {
            const double a = got[operand][i], b = want[operand][i];
            const double limit = integers ? 0 : tolerance(c, dtype_of(spec, dtype), agreement, slack, b);
            if (std::abs(a - b) <= limit) continue;
            std::ostringstream text;
            text.precision(9);
            text << spec.name << "[" << i << "] of " << got[operand].size() << " is " << a << ", want " << b
                 << ", off by " << a - b << ", limit " << limit;
            throw Failure(text.str());
        }
    }
    if (agreement != Agreement::Equal && c.check_integers) {
        const std::string fault = c.check_integers(got, want, slack * scale_of(agreement));
        if (!fault.empty()) throw Failure(fault);
    }
}

void expect_same_bits(const OperatorCase& c, const Result& first, const Result& second) {
    for (std::size_t i = 0; i < c.operands.size(); i++) {
        if (first.bytes[i] != second.bytes[i])
            throw Failure(c.operands[i].name + ": a second run gave other bits");
    }
}

void expect_not_trivial(const OperatorCase& c, const Elements& got) {
    std::size_t total = 0, nonzero = 0;
    for (std::size_t i = 0; i < c.operands.size(); i++) {
        if (c.operands[i].role == Role::Source) continue;
        total += got[i].size();
        for (const double x : got[i]) nonzero += x != 0;
    }
    if (total < kFewResults) return;
    if (static_cast<double>(nonzero) >= c.least_nonzero * static_cast<double>(total)) return;
    std::ostringstream text;
    text << "only " << nonzero << " of " << total << " results are not zero";
    throw Failure(text.str());
}

// ---- the contract
// -----------------------------------------------------------------------------------------------

const Session& session_of(const std::string& device) {
    static std::map<std::string, std::unique_ptr<Session>> sessions;
    std::unique_ptr<Session>& session = sessions[device];
    if (!session) session = std::make_unique<Session>(device);
    return *session;
}

Elements draw_inputs(const OperatorCase& c, bool whole) {
    Source source(c.op + c.text, whole);
    Elements inputs;
    for (const OperandSpec& spec : c.operands) inputs.push_back(source.draw(spec));
    return inputs;
}

// What the reference makes of the two kinds of inputs.
struct Expectation {
    Elements whole_inputs, whole; // of the type of the run
    Elements real_inputs, real;   // of float64, or of the type of the run if results shall be identical
};

Expectation expectation(const OperatorCase& c, std::int32_t dtype) {
    const Session& reference = session_of(kReference);
    Expectation e;
    if (c.exact) {
        e.whole_inputs = draw_inputs(c, true);
        e.whole = run_once(reference, c, dtype, e.whole_inputs).elements;
    }
    e.real_inputs = draw_inputs(c, false);
    e.real = run_once(reference, c, c.identical ? dtype : static_cast<std::int32_t>(CGAN_F64), e.real_inputs)
                 .elements;
    return e;
}

void check_device(const std::string& device, const OperatorCase& c, std::int32_t dtype,
                  const Expectation& e) {
    const Session& session = session_of(device);
    if (c.exact) {
        const Result whole = run_once(session, c, dtype, e.whole_inputs);
        const bool transformed = c.transformable && may_transform(device);
        const Agreement agreement = transformed ? Agreement::LawOfWholeNumbers : Agreement::Equal;
        compare(c, dtype, agreement, slack(device, c, dtype), whole.elements, e.whole);
    }
    const Result real = run_once(session, c, dtype, e.real_inputs);
    compare(c, dtype, c.identical ? Agreement::Equal : Agreement::Law, slack(device, c, dtype), real.elements,
            e.real);
    expect_same_bits(c, real, run_once(session, c, dtype, e.real_inputs));
    expect_not_trivial(c, real.elements);
}

std::string repeat_command(const std::string& device) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    return "repeat with: CGAN_TEST_DEVICES='" + device + "' " + testing::internal::GetArgvs()[0] +
           " --gtest_filter='" + test->test_suite_name() + "." + test->name() + "'";
}

// Devices other than the CPU may decline float64.
bool may_decline(const std::string& device, std::int32_t dtype, cgan_status status) {
    return dtype == CGAN_F64 && status == CGAN_E_UNSUPPORTED && !device.starts_with("cpu");
}

} // namespace

std::vector<std::string> test_devices() {
    std::vector<std::string> devices;
    if (const char* given = std::getenv("CGAN_TEST_DEVICES")) {
        std::istringstream list(given);
        for (std::string device; list >> device;) devices.push_back(device);
        return devices;
    }
    devices = {"cpu?kernels=reference"};
    for (const std::string isa : {"baseline", "avx2", "avx512"}) {
        cgan_context* ctx = nullptr;
        if (cgan_context_create(("cpu?isa=" + isa).c_str(), &ctx) != CGAN_OK)
            continue; // not of this processor
        cgan_context_destroy(ctx);
        for (const char* options : {"&threads=1", "&threads=2", "&threads=2&transforms=off"}) {
            devices.push_back("cpu?isa=" + isa + options);
        }
    }
    return devices;
}

void run_contract(const OperatorCase& c, std::int32_t dtype) {
    std::unique_ptr<Expectation> expected;
    try {
        expected = std::make_unique<Expectation>(expectation(c, dtype));
    } catch (const std::exception& e) {
        FAIL() << "the reference: " << e.what() << "\n" << repeat_command(kReference);
    }
    for (const std::string& device : test_devices()) {
        try {
            check_device(device, c, dtype, *expected);
        } catch (const Failure& e) {
            if (may_decline(device, dtype, e.status)) continue;
            ADD_FAILURE() << device << ": " << e.what() << "\n" << repeat_command(device);
        } catch (const std::exception& e) {
            ADD_FAILURE() << device << ": " << e.what() << "\n" << repeat_command(device);
        }
    }
}

} // namespace cgan::test
