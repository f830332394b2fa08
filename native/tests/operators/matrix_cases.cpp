// Matrix products.
#include <algorithm>
#include <tuple>

#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

OperatorCase matmul_case(std::int64_t m, std::int64_t k, std::int64_t n, bool transpose_a, bool transpose_b) {
    OperatorCase c;
    c.op = "matmul";
    c.text = name("m", m, "_k", k, "_n", n, transpose_a ? "_ta" : "", transpose_b ? "_tb" : "");
    const std::vector<std::int64_t> a = transpose_a ? std::vector{k, m} : std::vector{m, k};
    const std::vector<std::int64_t> b = transpose_b ? std::vector{n, k} : std::vector{k, n};
    c.operands = {{"a", Role::Source, a}, {"b", Role::Source, b}, {"dst", Role::Destination, {m, n}}};
    c.reduction = static_cast<double>(std::max<std::int64_t>(k, 1));
    c.doubles = m * k * n < 100000;
    if (k == 0) c.least_nonzero = 0;
    auto p = sized<cgan_matmul_params>();
    p.transpose_a = transpose_a;
    p.transpose_b = transpose_b;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_matmul(ctx, &p, &t[0], &t[1], &t[2]); };
    return c;
}

OperatorCase dense_case(std::int64_t n, std::int64_t i, std::int64_t o, bool bias, std::int32_t activation) {
    OperatorCase c;
    c.op = "dense_forward";
    c.text = name("n", n, "_i", i, "_o", o, bias ? "_bias" : "", "_act", activation);
    c.operands = {
        {"src", Role::Source, {n, i}}, {"wei", Role::Source, {o, i}}, {"dst", Role::Destination, {n, o}}};
    if (bias) c.operands.push_back({"bia", Role::Source, {o}});
    c.reduction = static_cast<double>(i + 1);
    c.exact = activation == CGAN_ACT_NONE || activation == CGAN_ACT_RELU || activation == CGAN_ACT_LEAKY_RELU;
    c.doubles = n * i * o < 100000;
    auto p = sized<cgan_dense_params>();
    p.activation = activation;
    p.alpha = 0.25;
    c.call = [p, bias](cgan_context* ctx, Tensors t) {
        return cgan_dense_forward(ctx, &p, &t[0], &t[1], bias ? &t[3] : nullptr, &t[2]);
    };
    return c;
}

} // namespace

std::vector<OperatorCase> matrix_cases() {
    std::vector<OperatorCase> cases;
    const std::tuple<int, int, int> sizes[] = {
        {1, 1, 1},     {7, 13, 31}, {31, 32, 33},   {33, 31, 32}, {32, 33, 31},   {1, 257, 1},
        {257, 1, 255}, {6, 16, 16}, {5, 7, 17},     {255, 33, 7}, {13, 256, 257}, {0, 5, 3},
        {3, 0, 5},     {3, 5, 0},   {64, 100, 128}, {1, 1000, 2}, {2, 1, 1000},   {97, 89, 83}};
    for (const auto& [m, k, n] : sizes) {
        for (int transposes = 0; transposes < 4; transposes++) {
            cases.push_back(matmul_case(m, k, n, transposes & 1, transposes & 2));
        }
    }
    cases.push_back(matmul_case(64, 6272, 100, true, false)); // layers of the models, thinned
    cases.push_back(matmul_case(32, 1024, 628, false, false));
    cases.push_back(matmul_case(100, 64, 6272, true, false));
    for (const std::int32_t activation : {CGAN_ACT_NONE, CGAN_ACT_TANH, CGAN_ACT_SIGMOID, CGAN_ACT_SOFTPLUS,
                                          CGAN_ACT_RELU, CGAN_ACT_LEAKY_RELU}) {
        for (const auto& [n, i, o] :
             {std::tuple{1, 1, 1}, {7, 13, 31}, {33, 32, 31}, {2, 257, 33}, {0, 5, 3}}) {
            cases.push_back(dense_case(n, i, o, true, activation));
            cases.push_back(dense_case(n, i, o, false, activation));
        }
    }
    cases.push_back(dense_case(8, 100, 6272, true, CGAN_ACT_TANH));
    cases.push_back(dense_case(8, 6272, 1024, true, CGAN_ACT_RELU));
    cases.push_back(dense_case(128, 1024, 1, true, CGAN_ACT_SIGMOID));
    return cases;
}

} // namespace cgan::test
