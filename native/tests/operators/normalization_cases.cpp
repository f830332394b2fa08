// Batch and layer normalisation. Results are sums of several rounded terms of size up to |x| / sigma, so the
// law is taken some times over (`terms`); whole numbers give no exact results.
#include <algorithm>

#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

using Dims = std::vector<std::int64_t>;

cgan_norm_params norm_params() {
    auto p = sized<cgan_norm_params>();
    p.epsilon = 1e-3;
    p.momentum = 0.75;
    return p;
}

OperatorCase norm_case(const char* op, const std::string& text, std::int64_t count) {
    OperatorCase c;
    c.op = op;
    c.text = text;
    c.exact = false;
    c.reduction = static_cast<double>(std::max<std::int64_t>(count, 1));
    c.terms = 4;
    if (count <= 1) c.least_nonzero = 0; // what is constant has no deviation
    return c;
}

OperatorCase batch_training_case(const Dims& dims, bool affine, bool running) {
    const std::int64_t channels = dims.back(), rows = channels ? element_count(dims) / channels : 0;
    OperatorCase c =
        norm_case("batch_norm_training",
                  name(dims_text(dims), affine ? "_affine" : "", running ? "_running" : ""), rows);
    c.operands = {{"src", Role::Source, dims},
                  {"dst", Role::Destination, dims},
                  {"mean", Role::Destination, {channels}},
                  {"rstd", Role::Destination, {channels}},
                  {"gamma", Role::Source, {channels}},
                  {"beta", Role::Source, {channels}},
                  {"running_mean", running ? Role::Updated : Role::Source, {channels}},
                  {"running_var", running ? Role::Updated : Role::Source, {channels}, Values::Positive}};
    const auto p = norm_params();
    c.call = [p, affine, running](cgan_context* ctx, Tensors t) {
        return cgan_batch_norm_training(ctx, &p, &t[0], affine ? &t[4] : nullptr, affine ? &t[5] : nullptr,
                                        running ? &t[6] : nullptr, running ? &t[7] : nullptr, &t[1], &t[2],
                                        &t[3]);
    };
    return c;
}

OperatorCase batch_inference_case(const Dims& dims, bool affine) {
    const std::int64_t channels = dims.back();
    OperatorCase c = norm_case("batch_norm_inference", name(dims_text(dims), affine ? "_affine" : ""), 2);
    c.operands = {{"src", Role::Source, dims},
                  {"gamma", Role::Source, {channels}},
                  {"beta", Role::Source, {channels}},
                  {"running_mean", Role::Source, {channels}},
                  {"running_var", Role::Source, {channels}, Values::Positive},
                  {"dst", Role::Destination, dims}};
    const auto p = norm_params();
    c.call = [p, affine](cgan_context* ctx, Tensors t) {
        return cgan_batch_norm_inference(ctx, &p, &t[0], affine ? &t[1] : nullptr, affine ? &t[2] : nullptr,
                                         &t[3], &t[4], &t[5]);
    };
    return c;
}

// mean and rstd are given, so that the formula is tested whatever they are.
OperatorCase backward_case(const char* op, const Dims& dims, std::int64_t statistics, std::int64_t features,
                           bool affine, bool batch) {
    const std::int64_t count = statistics ? element_count(dims) / statistics : 0;
    OperatorCase c = norm_case(op, name(dims_text(dims), affine ? "_affine" : ""), count);
    c.terms = 16; // d_src has the square of rstd * x, up to (2 * 1.1)^2, times gradients
    c.reduction = static_cast<double>(
        std::max<std::int64_t>(element_count(dims) / std::max<std::int64_t>(features, 1), 1));
    c.operands = {
        {"src", Role::Source, dims},          {"gamma", Role::Source, {features}},
        {"mean", Role::Source, {statistics}}, {"rstd", Role::Source, {statistics}, Values::Positive},
        {"d_dst", Role::Source, dims},        {"d_src", Role::Destination, dims}};
    if (affine) {
        c.operands.push_back({"d_gamma", Role::Destination, {features}});
        c.operands.push_back({"d_beta", Role::Destination, {features}});
    }
    const auto p = norm_params();
    c.call = [p, affine, batch](cgan_context* ctx, Tensors t) {
        const auto call = batch ? cgan_batch_norm_backward : cgan_layer_norm_backward;
        return call(ctx, &p, &t[0], affine ? &t[1] : nullptr, &t[2], &t[3], &t[4], &t[5],
                    affine ? &t[6] : nullptr, affine ? &t[7] : nullptr);
    };
    return c;
}

OperatorCase layer_forward_case(const Dims& dims, bool affine) {
    OperatorCase c = norm_case("layer_norm_forward", name(dims_text(dims), affine ? "_affine" : ""), dims[1]);
    c.operands = {{"src", Role::Source, dims},
                  {"gamma", Role::Source, {dims[1]}},
                  {"beta", Role::Source, {dims[1]}},
                  {"dst", Role::Destination, dims},
                  {"mean", Role::Destination, {dims[0]}},
                  {"rstd", Role::Destination, {dims[0]}}};
    const auto p = norm_params();
    c.call = [p, affine](cgan_context* ctx, Tensors t) {
        return cgan_layer_norm_forward(ctx, &p, &t[0], affine ? &t[1] : nullptr, affine ? &t[2] : nullptr,
                                       &t[3], &t[4], &t[5]);
    };
    return c;
}

} // namespace

std::vector<OperatorCase> normalization_cases() {
    std::vector<OperatorCase> cases;
    const Dims batches[] = {{1, 1}, {7, 13},      {64, 6272},      {128, 33},      {2, 257}, {1, 31},
                            {0, 5}, {2, 5, 7, 3}, {2, 14, 14, 64}, {1, 3, 3, 255}, {1009},   {33, 32},
                            {40000, 3}}; // more chunks of rows than a grid has blocks for
    for (const Dims& dims : batches) {
        const std::int64_t channels = dims.back();
        for (const bool affine : {false, true}) {
            cases.push_back(batch_training_case(dims, affine, false));
            cases.push_back(batch_training_case(dims, affine, true));
            cases.push_back(batch_inference_case(dims, affine));
            cases.push_back(backward_case("batch_norm_backward", dims, channels, channels, affine, true));
        }
    }
    for (const Dims& dims :
         {Dims{1, 1}, {7, 13}, {64, 1024}, {33, 257}, {3, 3136}, {0, 5}, {5, 0}, {31, 32}}) {
        for (const bool affine : {false, true}) {
            cases.push_back(layer_forward_case(dims, affine));
            cases.push_back(backward_case("layer_norm_backward", dims, dims[0], dims[1], affine, false));
        }
    }
    return cases;
}

} // namespace cgan::test
