// Reductions, arg-max and softmax.
#include <algorithm>

#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

const char* const kReduceNames[] = {"sum", "mean", "max", "min"};

OperatorCase reduce_case(std::int32_t kind, const std::vector<std::int64_t>& dims, std::uint32_t mask) {
    OperatorCase c;
    c.op = "reduce";
    c.text = name(kReduceNames[kind], "_", dims_text(dims), "_mask", mask);
    std::vector<std::int64_t> result = dims;
    double count = 1;
    for (std::size_t i = 0; i < dims.size(); i++) {
        if (!(mask >> i & 1)) continue;
        count *= static_cast<double>(dims[i]);
        result[i] = 1;
    }
    c.operands = {{"src", Role::Source, dims}, {"dst", Role::Destination, result}};
    c.reduction = std::max(count, 1.0);
    c.exact = kind != CGAN_REDUCE_MEAN; // an inexact division
    if (count == 0) c.least_nonzero = 0;
    auto p = sized<cgan_reduce_params>();
    p.kind = kind;
    p.axis_mask = mask;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_reduce(ctx, &p, &t[0], &t[1]); };
    return c;
}

OperatorCase argmax_case(const std::vector<std::int64_t>& dims) {
    OperatorCase c;
    c.op = "argmax";
    c.text = dims_text(dims);
    const std::vector<std::int64_t> rows(dims.begin(), dims.end() - 1);
    c.operands = {{"src", Role::Source, dims}, {"dst", Role::Destination, rows, Values::Signed, 0, CGAN_I32}};
    c.identical = true;
    c.least_nonzero = 0; // the greatest may well be the first
    c.call = [](cgan_context* ctx, Tensors t) { return cgan_argmax(ctx, &t[0], &t[1]); };
    return c;
}

OperatorCase softmax_forward_case(const std::vector<std::int64_t>& dims, std::int32_t log) {
    OperatorCase c;
    c.op = "softmax_forward";
    c.text = name(log ? "log_" : "", dims_text(dims));
    c.operands = {{"src", Role::Source, dims}, {"dst", Role::Destination, dims}};
    c.exact = false;
    if (log && dims.back() == 1) c.least_nonzero = 0; // log 1
    auto p = sized<cgan_softmax_params>();
    p.log = log;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_softmax_forward(ctx, &p, &t[0], &t[1]); };
    return c;
}

OperatorCase softmax_backward_case(const std::vector<std::int64_t>& dims, std::int32_t log) {
    OperatorCase c = softmax_forward_case(dims, log);
    c.op = "softmax_backward";
    c.operands = {
        {"dst", Role::Source, dims}, {"d_dst", Role::Source, dims}, {"d_src", Role::Destination, dims}};
    c.reduction = static_cast<double>(dims.back());
    c.terms = 3; // exp(dst) is up to e
    auto p = sized<cgan_softmax_params>();
    p.log = log;
    c.call = [p](cgan_context* ctx, Tensors t) {
        return cgan_softmax_backward(ctx, &p, &t[0], &t[1], &t[2]);
    };
    return c;
}

} // namespace

std::vector<OperatorCase> reduction_cases() {
    std::vector<OperatorCase> cases;
    for (std::int32_t kind = CGAN_REDUCE_SUM; kind <= CGAN_REDUCE_MIN; kind++) {
        cases.push_back(reduce_case(kind, {}, 0));
        cases.push_back(reduce_case(kind, {7}, 0));
        for (const std::int64_t n : {1, 31, 32, 33, 255, 256, 257, 100003}) {
            cases.push_back(reduce_case(kind, {n}, 1));
        }
        for (std::uint32_t mask = 0; mask < 4; mask++) cases.push_back(reduce_case(kind, {31, 257}, mask));
        for (std::uint32_t mask = 0; mask < 16; mask++)
            cases.push_back(reduce_case(kind, {3, 5, 7, 13}, mask));
        cases.push_back(reduce_case(kind, {128, 1024}, 1));
        cases.push_back(reduce_case(kind, {2, 28, 28, 64}, 7));
        cases.push_back(reduce_case(kind, {0, 5}, 2));
        cases.push_back(reduce_case(kind, {2, 1, 2, 3, 1, 2, 3, 2}, 0xA5));
    }
    for (const std::int32_t kind : {CGAN_REDUCE_SUM, CGAN_REDUCE_MEAN}) { // of nothing
        cases.push_back(reduce_case(kind, {0, 5}, 1));
        cases.push_back(reduce_case(kind, {5, 0}, 3));
    }
    const std::vector<std::vector<std::int64_t>> rows = {{1},     {10},      {64, 10}, {31, 33}, {7, 257},
                                                         {0, 10}, {3, 5, 7}, {13, 1},  {2, 1000}};
    for (const auto& dims : rows) {
        cases.push_back(argmax_case(dims));
        for (const std::int32_t log : {0, 1}) {
            cases.push_back(softmax_forward_case(dims, log));
            cases.push_back(softmax_backward_case(dims, log));
        }
    }
    return cases;
}

} // namespace cgan::test
