// Optimisers over lists of tensors of several shapes, empty ones among them.
#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

using Dims = std::vector<std::int64_t>;

const std::vector<std::vector<Dims>> kLists = {{{}},
                                               {{7}},
                                               {{31}, {33}},
                                               {{3, 5, 5, 2}, {3}, {0}, {257, 4}, {1}},
                                               {{1021}, {4099}},
                                               {{64, 31}, {255}, {256}}};

// "hyper", then the given lists one after the other: list l of tensor i is operand 1 + l * count + i.
struct ListSpec {
    const char* name;
    Role role;
    Values values = Values::Signed;
};

OperatorCase list_case(const char* op, const std::string& text, const std::vector<Dims>& shapes,
                       const std::vector<ListSpec>& lists) {
    OperatorCase c;
    c.op = op;
    c.text = text;
    for (const Dims& dims : shapes) c.text += "_" + dims_text(dims);
    c.operands = {{"hyper", Role::Source, {2}, Values::Hyper, 0, CGAN_F64}};
    for (const ListSpec& list : lists) {
        for (std::size_t i = 0; i < shapes.size(); i++) {
            c.operands.push_back({name(list.name, i), list.role, shapes[i], list.values});
        }
    }
    c.exact = false;
    c.terms = 2;
    return c;
}

OperatorCase adam_case(const std::vector<Dims>& shapes, std::int32_t form, double decay) {
    OperatorCase c = list_case("adam", name("form", form, decay > 0 ? "_decay" : ""), shapes,
                               {{"param", Role::Updated},
                                {"grad", Role::Source},
                                {"m", Role::Updated},
                                {"v", Role::Updated, Values::Positive}});
    auto p = sized<cgan_adam_params>();
    p.form = form;
    p.beta1 = 0.5;
    p.beta2 = 0.999;
    p.epsilon = 1e-7;
    p.weight_decay = decay;
    const std::size_t n = shapes.size();
    c.call = [p, n](cgan_context* ctx, Tensors t) {
        return cgan_adam(ctx, &p, &t[0], static_cast<std::int32_t>(n), &t[1], &t[1 + n], &t[1 + 2 * n],
                         &t[1 + 3 * n]);
    };
    return c;
}

OperatorCase sgd_case(const std::vector<Dims>& shapes, double momentum, std::int32_t nesterov) {
    std::vector<ListSpec> lists = {{"param", Role::Updated}, {"grad", Role::Source}};
    if (momentum > 0) lists.push_back({"velocity", Role::Updated});
    OperatorCase c = list_case("sgd", name(momentum > 0 ? "momentum" : "plain", nesterov ? "_nesterov" : ""),
                               shapes, lists);
    auto p = sized<cgan_sgd_params>();
    p.momentum = momentum;
    p.nesterov = nesterov;
    p.weight_decay = 0.125;
    const std::size_t n = shapes.size();
    c.call = [p, n](cgan_context* ctx, Tensors t) {
        return cgan_sgd(ctx, &p, &t[0], static_cast<std::int32_t>(n), &t[1], &t[1 + n],
                        p.momentum > 0 ? &t[1 + 2 * n] : nullptr);
    };
    return c;
}

OperatorCase rmsprop_case(const std::vector<Dims>& shapes) {
    OperatorCase c =
        list_case("rmsprop", "list", shapes,
                  {{"param", Role::Updated}, {"grad", Role::Source}, {"v", Role::Updated, Values::Positive}});
    auto p = sized<cgan_rmsprop_params>();
    p.rho = 0.9;
    p.epsilon = 1e-6;
    const std::size_t n = shapes.size();
    c.call = [p, n](cgan_context* ctx, Tensors t) {
        return cgan_rmsprop(ctx, &p, &t[0], static_cast<std::int32_t>(n), &t[1], &t[1 + n], &t[1 + 2 * n]);
    };
    return c;
}

OperatorCase ema_case(const std::vector<Dims>& shapes) {
    OperatorCase c = list_case("ema", "list", shapes, {{"src", Role::Source}, {"dst", Role::Updated}});
    auto p = sized<cgan_ema_params>();
    p.decay = 0.999;
    const std::size_t n = shapes.size();
    c.call = [p, n](cgan_context* ctx, Tensors t) {
        return cgan_ema(ctx, &p, static_cast<std::int32_t>(n), &t[1], &t[1 + n]);
    };
    return c;
}

OperatorCase ema_by_case(const std::vector<Dims>& shapes) {
    OperatorCase c = list_case("ema_by", "list", shapes, {{"src", Role::Source}, {"dst", Role::Updated}});
    const std::size_t n = shapes.size();
    c.call = [n](cgan_context* ctx, Tensors t) {
        cgan_tensor decay = t[0]; // the first number of hyper, 0.01
        decay.dims[0] = 1;
        return cgan_ema_by(ctx, &decay, static_cast<std::int32_t>(n), &t[1], &t[1 + n]);
    };
    return c;
}

OperatorCase clamp_case(const std::vector<Dims>& shapes) {
    OperatorCase c = list_case("clamp", "list", shapes, {{"tensors", Role::Updated}});
    c.exact = true;
    auto p = sized<cgan_clamp_params>();
    p.low = -0.125;
    p.high = 0.25;
    const std::size_t n = shapes.size();
    c.call = [p, n](cgan_context* ctx, Tensors t) {
        return cgan_clamp(ctx, &p, static_cast<std::int32_t>(n), &t[1]);
    };
    return c;
}

OperatorCase norm_case(const std::vector<Dims>& shapes) {
    OperatorCase c = list_case("global_norm", "list", shapes, {{"tensors", Role::Source}});
    c.operands.push_back({"dst", Role::Destination, {}});
    const std::size_t n = shapes.size();
    c.call = [n](cgan_context* ctx, Tensors t) {
        return cgan_global_norm(ctx, static_cast<std::int32_t>(n), &t[1], &t[1 + n]);
    };
    return c;
}

OperatorCase clip_case(const std::vector<Dims>& shapes, double max_norm) {
    OperatorCase c =
        list_case("clip_by_norm", max_norm > 1 ? "loose" : "tight", shapes, {{"tensors", Role::Updated}});
    c.operands.push_back({"norm", Role::Source, {1}, Values::Positive});
    auto p = sized<cgan_clip_params>();
    p.max_norm = max_norm;
    const std::size_t n = shapes.size();
    c.call = [p, n](cgan_context* ctx, Tensors t) {
        return cgan_clip_by_norm(ctx, &p, &t[1 + n], static_cast<std::int32_t>(n), &t[1]);
    };
    return c;
}

OperatorCase advance_case() {
    OperatorCase c;
    c.op = "optimizer_advance";
    c.text = "hyper";
    c.operands = {{"hyper", Role::Updated, {2}, Values::Hyper, 0, CGAN_F64}};
    c.identical = true;
    c.doubles = false;
    c.call = [](cgan_context* ctx, Tensors t) { return cgan_optimizer_advance(ctx, &t[0]); };
    return c;
}

} // namespace

std::vector<OperatorCase> optimizer_cases() {
    std::vector<OperatorCase> cases = {advance_case()};
    for (const auto& shapes : kLists) {
        for (const std::int32_t form : {CGAN_ADAM_EPSILON_HAT, CGAN_ADAM_CORRECTED}) {
            cases.push_back(adam_case(shapes, form, 0));
            cases.push_back(adam_case(shapes, form, 0.25));
        }
        cases.push_back(sgd_case(shapes, 0, 0));
        cases.push_back(sgd_case(shapes, 0.5, 0));
        cases.push_back(sgd_case(shapes, 0.5, 1));
        cases.push_back(rmsprop_case(shapes));
        cases.push_back(ema_case(shapes));
        cases.push_back(ema_by_case(shapes));
        cases.push_back(clamp_case(shapes));
        cases.push_back(norm_case(shapes));
        cases.push_back(clip_case(shapes, 0.0625));
        cases.push_back(clip_case(shapes, 2));
    }
    return cases;
}

} // namespace cgan::test
