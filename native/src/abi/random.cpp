// Random numbers of the C ABI.
#include <cmath>

#include "abi/arguments.h"

using namespace cgan;

namespace {

[[noreturn]] void bad_parameters(const char* what, const cgan_random_params& p) {
    throw Error(CGAN_E_BAD_VALUE, cat(what, "; params.a is ", p.a, ", params.b is ", p.b));
}

void expect_distribution(const cgan_random_params& p) {
    expect_finite("params.a", p.a);
    expect_finite("params.b", p.b);
    switch (p.kind) {
    case CGAN_RANDOM_UNIFORM:
        if (!(p.a < p.b)) bad_parameters("uniform numbers need a < b", p);
        break;
    case CGAN_RANDOM_NORMAL:
        if (!(p.b >= 0)) bad_parameters("normal numbers need a standard deviation b of at least 0", p);
        break;
    case CGAN_RANDOM_BERNOULLI:
        if (!(p.a >= 0 && p.a <= 1)) bad_parameters("Bernoulli numbers need a probability a in [0, 1]", p);
        break;
    case CGAN_RANDOM_INTEGER:
        if (!(p.a < p.b && p.a >= INT32_MIN && p.b <= 2147483648.0 && p.b - p.a <= 4294967295.0 &&
              p.a == std::floor(p.a) && p.b == std::floor(p.b))) {
            bad_parameters("integer numbers need whole a < b inside the range of I32, fewer than 2^32 values",
                           p);
        }
        break;
    }
}

} // namespace

cgan_status cgan_random(cgan_context* ctx, const cgan_random_params* params, const cgan_tensor* step,
                        const cgan_tensor* dst) {
    return operator_call(ctx, "random", [&](Call& call) {
        const auto p = read_struct(params, "params");
        const Operand& counter = call.in("step", step);
        const Operand& y = call.out("dst", dst);
        expect_range("params.kind", p.kind, CGAN_RANDOM_UNIFORM, CGAN_RANDOM_INTEGER);
        expect_distribution(p);
        call.expect_type(counter, DType::I64);
        if (counter.view.elems() != 1) call.bad_shape("step must have one element");
        if (p.kind == CGAN_RANDOM_INTEGER) {
            call.expect_type(y, DType::I32);
        } else {
            call.expect_floats({&y});
        }
        if (y.view.elems() > std::int64_t{1} << 34)
            call.bad_shape("dst has more than 2^34 elements, one stream's length");
        if (!y.empty()) call.backend().random(p, counter, y);
    });
}
