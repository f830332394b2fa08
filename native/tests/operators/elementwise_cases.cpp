// Element-wise operators.
#include <cmath>

#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

const std::vector<std::vector<std::int64_t>> kShapes = {
    {},    {1}, {7},       {31},     {32},         {33},   {255},  {256},
    {257}, {0}, {3, 0, 2}, {13, 31}, {2, 3, 5, 7}, {1021}, {4099}, {70001}};

struct UnaryKind {
    const char* name;
    std::int32_t kind;
    double alpha, beta;
    Values values;
    bool exact;
};

const UnaryKind kUnaryKinds[] = {
    {"affine", CGAN_UNARY_AFFINE, 2, -3, Values::Signed, true},
    {"exp", CGAN_UNARY_EXP, 0, 0, Values::Signed, false},
    {"log", CGAN_UNARY_LOG, 0, 0, Values::Positive, false},
    {"sqrt", CGAN_UNARY_SQRT, 0, 0, Values::Positive, false},
    {"rsqrt", CGAN_UNARY_RSQRT, 0, 0, Values::Positive, false},
    {"square", CGAN_UNARY_SQUARE, 0, 0, Values::Signed, true},
    {"abs", CGAN_UNARY_ABS, 0, 0, Values::Signed, true},
    {"reciprocal", CGAN_UNARY_RECIPROCAL, 0, 0, Values::Positive, false},
    {"sign", CGAN_UNARY_SIGN, 0, 0, Values::Signed, true},
    {"step", CGAN_UNARY_STEP, 0.25, 0, Values::Signed, true},
    {"clamp", CGAN_UNARY_CLAMP, -0.5, 0.75, Values::Signed, true},
    {"tanh", CGAN_UNARY_TANH, 0, 0, Values::Signed, false},
    {"sigmoid", CGAN_UNARY_SIGMOID, 0, 0, Values::Signed, false},
    {"softplus", CGAN_UNARY_SOFTPLUS, 0, 0, Values::Signed, false},
    {"relu", CGAN_UNARY_RELU, 0, 0, Values::Signed, true},
    {"leaky_relu", CGAN_UNARY_LEAKY_RELU, 0.25, 0, Values::Signed, true},
};

OperatorCase unary_case(const UnaryKind& kind, const std::vector<std::int64_t>& dims) {
    OperatorCase c;
    c.op = "unary";
    c.text = name(kind.name, "_", dims_text(dims));
    c.operands = {{"src", Role::Source, dims, kind.values}, {"dst", Role::Destination, dims}};
    c.exact = kind.exact;
    auto p = sized<cgan_unary_params>();
    p.kind = kind.kind;
    p.alpha = kind.alpha;
    p.beta = kind.beta;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_unary(ctx, &p, &t[0], &t[1]); };
    return c;
}

OperatorCase unary_in_place_case(const UnaryKind& kind) {
    OperatorCase c = unary_case(kind, {1021});
    c.text += "_in_place";
    c.operands = {{"src", Role::Updated, {1021}, kind.values}};
    auto p = sized<cgan_unary_params>();
    p.kind = kind.kind;
    p.alpha = kind.alpha;
    p.beta = kind.beta;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_unary(ctx, &p, &t[0], &t[0]); };
    return c;
}

OperatorCase activation_backward_case(std::int32_t kind, const char* kind_name,
                                      const std::vector<std::int64_t>& dims, bool in_place) {
    OperatorCase c;
    c.op = "activation_backward";
    c.text = name(kind_name, "_", dims_text(dims), in_place ? "_in_place" : "");
    const OperandSpec dst = {"dst", Role::Source, dims, Values::Activated, 0, -1, kind};
    if (in_place) {
        c.operands = {dst, {"d_dst", Role::Updated, dims}};
    } else {
        c.operands = {dst, {"d_dst", Role::Source, dims}, {"d_src", Role::Destination, dims}};
    }
    c.exact = kind == CGAN_ACT_NONE || kind == CGAN_ACT_RELU || kind == CGAN_ACT_LEAKY_RELU;
    auto p = sized<cgan_unary_params>();
    p.kind = kind;
    p.alpha = 0.25;
    const std::size_t last = c.operands.size() - 1;
    c.call = [p, last](cgan_context* ctx, Tensors t) {
        return cgan_activation_backward(ctx, &p, &t[0], &t[1], &t[last]);
    };
    return c;
}

struct Broadcast {
    std::vector<std::int64_t> a, b, dst;
};

const Broadcast kBroadcasts[] = {
    {{}, {}, {}},
    {{257}, {257}, {257}},
    {{4099}, {4099}, {4099}},
    {{31, 33}, {33}, {31, 33}},
    {{31, 33}, {31, 1}, {31, 33}},
    {{31, 33}, {1}, {31, 33}},
    {{33}, {31, 33}, {31, 33}},
    {{}, {7, 13}, {7, 13}},
    {{7, 1, 5}, {3, 1}, {7, 3, 5}},
    {{2, 5, 7, 13}, {13}, {2, 5, 7, 13}},
    {{2, 5, 7, 13}, {2, 1, 1, 13}, {2, 5, 7, 13}},
    {{2, 1, 7, 1}, {5, 1, 13}, {2, 5, 7, 13}},
    {{64, 1}, {1, 100}, {64, 100}},
    {{0, 3}, {3}, {0, 3}},
    {{1, 3}, {0, 3}, {0, 3}},
    {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 2, 1, 2, 1, 2, 1, 2}, {2, 2, 2, 2, 2, 2, 2, 2}},
};

const char* const kBinaryNames[] = {"add", "sub", "mul", "div", "max", "min", "greater"};

OperatorCase binary_case(std::int32_t kind, const Broadcast& shapes) {
    OperatorCase c;
    c.op = "binary";
    c.text = name(kBinaryNames[kind], "_", dims_text(shapes.a), "_with_", dims_text(shapes.b));
    const Values divisor = kind == CGAN_BINARY_DIV ? Values::Positive : Values::Signed;
    c.operands = {{"a", Role::Source, shapes.a},
                  {"b", Role::Source, shapes.b, divisor},
                  {"dst", Role::Destination, shapes.dst}};
    c.least_nonzero = kind == CGAN_BINARY_GREATER ? 0.2 : 0.3;
    if (element_count(shapes.a) == 1 || element_count(shapes.b) == 1) c.least_nonzero = 0;
    c.exact = kind != CGAN_BINARY_DIV;
    auto p = sized<cgan_binary_params>();
    p.kind = kind;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_binary(ctx, &p, &t[0], &t[1], &t[2]); };
    return c;
}

OperatorCase binary_in_place_case(std::int32_t kind, bool left) {
    const std::vector<std::int64_t> dims = {31, 33}, row = {33};
    OperatorCase c;
    c.op = "binary";
    c.text = name(kBinaryNames[kind], "_in_place_", left ? "left" : "right");
    c.operands = {{"dst", Role::Updated, dims}, {"row", Role::Source, row}};
    c.exact = kind != CGAN_BINARY_DIV;
    c.operands[left ? 1 : 0].values = Values::Positive; // the divisor
    c.least_nonzero = 0.1;
    auto p = sized<cgan_binary_params>();
    p.kind = kind;
    c.call = [p, left](cgan_context* ctx, Tensors t) {
        return left ? cgan_binary(ctx, &p, &t[0], &t[1], &t[0]) : cgan_binary(ctx, &p, &t[1], &t[0], &t[0]);
    };
    return c;
}

OperatorCase fill_case(std::int32_t dtype, const std::vector<std::int64_t>& dims) {
    OperatorCase c;
    c.op = "fill";
    c.text = name("dtype", dtype, "_", dims_text(dims));
    c.operands = {{"dst", Role::Destination, dims, Values::Signed, 0, dtype}};
    c.identical = true;
    c.doubles = false;
    c.call = [](cgan_context* ctx, Tensors t) { return cgan_fill(ctx, 2.75, &t[0]); };
    return c;
}

struct Conversion {
    std::int32_t from, to;
    double scale, shift;
};

// F32 results are compared by the law; integers may differ by one where the product falls beside a whole
// number.
OperatorCase convert_case(const Conversion& conversion, std::int64_t n) {
    OperatorCase c;
    c.op = "convert";
    c.text = name("dtype", conversion.from, "_to_dtype", conversion.to, "_", n);
    const bool from_byte = conversion.from == CGAN_U8;
    c.operands = {
        {"src", Role::Source, {n}, from_byte ? Values::Position : Values::Signed, 256, conversion.from},
        {"dst", Role::Destination, {1, n}, Values::Signed, 0, conversion.to}};
    c.doubles = false;
    c.exact = conversion.scale == std::floor(conversion.scale);
    c.least_nonzero = conversion.from == CGAN_I32 ? 0 : 0.2;
    c.terms = 2;
    c.check_integers = [](const auto& got, const auto& want, double) {
        for (std::size_t i = 0; i < got[1].size(); i++) {
            if (!(std::abs(got[1][i] - want[1][i]) <= 1)) return name("dst[", i, "] is ", got[1][i]);
        }
        return std::string();
    };
    c.call = [conversion](cgan_context* ctx, Tensors t) {
        return cgan_convert(ctx, conversion.scale, conversion.shift, &t[0], &t[1]);
    };
    return c;
}

} // namespace

std::vector<OperatorCase> elementwise_cases() {
    std::vector<OperatorCase> cases;
    for (const UnaryKind& kind : kUnaryKinds) {
        for (const auto& dims : kShapes) cases.push_back(unary_case(kind, dims));
        cases.push_back(unary_in_place_case(kind));
    }
    const std::pair<std::int32_t, const char*> activations[] = {
        {CGAN_ACT_NONE, "none"},         {CGAN_ACT_TANH, "tanh"}, {CGAN_ACT_SIGMOID, "sigmoid"},
        {CGAN_ACT_SOFTPLUS, "softplus"}, {CGAN_ACT_RELU, "relu"}, {CGAN_ACT_LEAKY_RELU, "leaky_relu"}};
    for (const auto& [kind, kind_name] : activations) {
        for (const auto& dims : kShapes)
            cases.push_back(activation_backward_case(kind, kind_name, dims, false));
        cases.push_back(activation_backward_case(kind, kind_name, {257}, true));
    }
    for (std::int32_t kind = CGAN_BINARY_ADD; kind <= CGAN_BINARY_GREATER; kind++) {
        for (const Broadcast& shapes : kBroadcasts) cases.push_back(binary_case(kind, shapes));
        cases.push_back(binary_in_place_case(kind, true));
        cases.push_back(binary_in_place_case(kind, false));
    }
    for (const std::int32_t dtype : {CGAN_F32, CGAN_F64, CGAN_I32, CGAN_I64, CGAN_U8}) {
        for (const std::int64_t n : {1, 31, 257}) cases.push_back(fill_case(dtype, {n}));
    }
    const Conversion conversions[] = {{CGAN_U8, CGAN_F32, 1 / 127.5, -1}, {CGAN_F32, CGAN_U8, 127.5, 127.5},
                                      {CGAN_F32, CGAN_F64, 2, 1},         {CGAN_F64, CGAN_F32, -3, 2},
                                      {CGAN_I32, CGAN_F32, 1, 0},         {CGAN_F32, CGAN_I32, 100, -7},
                                      {CGAN_F32, CGAN_I64, 1000, 0},      {CGAN_U8, CGAN_U8, 2, 0},
                                      {CGAN_F32, CGAN_F32, 2, 0},         {CGAN_U8, CGAN_F64, 1 / 127.5, -1}};
    for (const Conversion& conversion : conversions) {
        for (const std::int64_t n : {1, 31, 33, 784, 4099}) cases.push_back(convert_case(conversion, n));
    }
    return cases;
}

} // namespace cgan::test
