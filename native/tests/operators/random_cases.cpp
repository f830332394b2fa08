// Random numbers: the same bits on every device.
#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

struct Distribution {
    const char* name;
    std::int32_t kind;
    double a, b;
};

OperatorCase random_case(const Distribution& distribution, std::int64_t n) {
    OperatorCase c;
    c.op = "random";
    c.text = name(distribution.name, "_", n);
    const bool integers = distribution.kind == CGAN_RANDOM_INTEGER;
    c.operands = {{"step", Role::Source, {}, Values::Index, std::int64_t{1} << 40, CGAN_I64},
                  {"dst", Role::Destination, {n}, Values::Signed, 0, integers ? CGAN_I32 : -1}};
    c.identical = true;
    c.doubles = !integers;
    auto p = sized<cgan_random_params>();
    p.kind = distribution.kind;
    p.seed = 0x0123456789ABCDEFu;
    p.stream = 7;
    p.a = distribution.a;
    p.b = distribution.b;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_random(ctx, &p, &t[0], &t[1]); };
    return c;
}

} // namespace

std::vector<OperatorCase> random_cases() {
    const Distribution distributions[] = {{"uniform", CGAN_RANDOM_UNIFORM, -1, 1},
                                          {"uniform_far", CGAN_RANDOM_UNIFORM, 1e6, 1e6 + 1},
                                          {"normal", CGAN_RANDOM_NORMAL, 0.5, 2},
                                          {"bernoulli", CGAN_RANDOM_BERNOULLI, 0.625, 1.6},
                                          {"integer", CGAN_RANDOM_INTEGER, -5, 10},
                                          {"all_integers", CGAN_RANDOM_INTEGER, -2147483648.0, 2147483647.0}};
    std::vector<OperatorCase> cases;
    for (const Distribution& distribution : distributions) {
        for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 31, 33, 257, 6400, 100003}) {
            cases.push_back(random_case(distribution, n));
        }
    }
    return cases;
}

} // namespace cgan::test
