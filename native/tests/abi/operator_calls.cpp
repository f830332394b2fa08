#include "abi/operator_calls.h"

#include <cstring>

#include "support/session.h"

namespace cgan::test {
namespace {

using Dims = std::vector<std::int64_t>;

CallArgument in(const char* name, const Dims& dims, Content content = Content::Reals, int limit = 0) {
    return {name, false, {dims}, content, limit, false};
}
CallArgument out(const char* name, const Dims& dims, Content content = Content::Reals, int limit = 0) {
    return {name, true, {dims}, content, limit, false};
}
CallArgument list(const char* name, bool written) {
    return {name, written, {{3, 5}, {17}, {2, 3, 2}}, Content::Reals, 0, true};
}

// `run(ctx, params, tensors, count)` with the structure as its own type.
template <class P, class Run>
OperatorCall call(const char* name, const P& params, std::vector<CallArgument> arguments, Run run) {
    OperatorCall c{name, {}, false, std::move(arguments), {}};
    c.params.resize(sizeof params);
    std::memcpy(c.params.data(), &params, sizeof params);
    c.run = [run](cgan_context* ctx, const void* p, TensorPointers t, std::int32_t count) {
        return run(ctx, static_cast<const P*>(p), t, count);
    };
    return c;
}

template <class Run>
OperatorCall call_without(const char* name, std::vector<CallArgument> arguments, Run run) {
    return {
        name, {}, false, std::move(arguments), [run](auto* ctx, const void*, TensorPointers t, auto count) {
            return run(ctx, t, count);
        }};
}

struct Numbers {
    double scale, shift;
};

template <class P> P with_kind(std::int32_t kind) {
    P p = sized<P>();
    p.kind = kind;
    return p;
}

void add_elementwise(std::vector<OperatorCall>& calls) {
    OperatorCall fill = call("fill", Numbers{2, 0}, {out("dst", {3, 7})},
                             [](auto* ctx, auto* p, auto t, int) { return cgan_fill(ctx, p->scale, t[0]); });
    OperatorCall convert = call(
        "convert", Numbers{2, 1}, {in("src", {3, 7}), out("dst", {21})},
        [](auto* ctx, auto* p, auto t, int) { return cgan_convert(ctx, p->scale, p->shift, t[0], t[1]); });
    fill.by_value = convert.by_value = true;
    calls.push_back(fill);
    calls.push_back(convert);
    auto unary = with_kind<cgan_unary_params>(CGAN_UNARY_AFFINE);
    unary.alpha = 0.5;
    calls.push_back(call("unary", unary, {in("src", {3, 7}), out("dst", {3, 7})},
                         [](auto* ctx, auto* p, auto t, int) { return cgan_unary(ctx, p, t[0], t[1]); }));
    calls.push_back(call(
        "activation_backward", with_kind<cgan_unary_params>(CGAN_ACT_TANH),
        {in("dst", {3, 7}), in("d_dst", {3, 7}), out("d_src", {3, 7})},
        [](auto* ctx, auto* p, auto t, int) { return cgan_activation_backward(ctx, p, t[0], t[1], t[2]); }));
    calls.push_back(
        call("binary", with_kind<cgan_binary_params>(CGAN_BINARY_MUL),
             {in("a", {3, 1, 5}), in("b", {4, 5}), out("dst", {3, 4, 5})},
             [](auto* ctx, auto* p, auto t, int) { return cgan_binary(ctx, p, t[0], t[1], t[2]); }));
}

void add_movement(std::vector<OperatorCall>& calls) {
    auto reduce = with_kind<cgan_reduce_params>(CGAN_REDUCE_MEAN);
    reduce.axis_mask = 5;
    calls.push_back(call("reduce", reduce, {in("src", {3, 4, 5}), out("dst", {1, 4, 1})},
                         [](auto* ctx, auto* p, auto t, int) { return cgan_reduce(ctx, p, t[0], t[1]); }));
    calls.push_back(call_without("argmax", {in("src", {4, 6}), out("dst", {4}, Content::Index, 6)},
                                 [](auto* ctx, auto t, int) { return cgan_argmax(ctx, t[0], t[1]); }));
    auto permute = sized<cgan_permute_params>();
    permute.axes[0] = 2, permute.axes[1] = 0, permute.axes[2] = 1;
    calls.push_back(call("permute", permute, {in("src", {3, 4, 5}), out("dst", {5, 3, 4})},
                         [](auto* ctx, auto* p, auto t, int) { return cgan_permute(ctx, p, t[0], t[1]); }));
    auto slice = sized<cgan_slice_params>();
    slice.axis = 1, slice.src_start = 1, slice.dst_start = 2, slice.count = 3;
    calls.push_back(
        call("slice_copy", slice, {in("src", {3, 4, 5}), out("dst", {3, 6, 5})},
             [](auto* ctx, auto* p, auto t, int) { return cgan_slice_copy(ctx, p, t[0], t[1]); }));
    calls.push_back(call_without(
        "gather_rows", {in("table", {6, 5}), in("index", {4}, Content::Index, 6), out("dst", {4, 5})},
        [](auto* ctx, auto t, int) { return cgan_gather_rows(ctx, t[0], t[1], t[2]); }));
    calls.push_back(
        call_without("scatter_add_rows",
                     {in("index", {4}, Content::Index, 6), in("d_dst", {4, 5}), out("d_table", {6, 5})},
                     [](auto* ctx, auto t, int) { return cgan_scatter_add_rows(ctx, t[0], t[1], t[2]); }));
    const auto softmax = sized<cgan_softmax_params>();
    calls.push_back(
        call("softmax_forward", softmax, {in("src", {4, 6}), out("dst", {4, 6})},
             [](auto* ctx, auto* p, auto t, int) { return cgan_softmax_forward(ctx, p, t[0], t[1]); }));
    calls.push_back(call(
        "softmax_backward", softmax, {in("dst", {4, 6}), in("d_dst", {4, 6}), out("d_src", {4, 6})},
        [](auto* ctx, auto* p, auto t, int) { return cgan_softmax_backward(ctx, p, t[0], t[1], t[2]); }));
}

void add_products(std::vector<OperatorCall>& calls) {
    auto matmul = sized<cgan_matmul_params>();
    matmul.transpose_b = 1;
    calls.push_back(
        call("matmul", matmul, {in("a", {5, 7}), in("b", {6, 7}), out("dst", {5, 6})},
             [](auto* ctx, auto* p, auto t, int) { return cgan_matmul(ctx, p, t[0], t[1], t[2]); }));
    calls.push_back(call(
        "dense_forward", sized<cgan_dense_params>(),
        {in("src", {5, 7}), in("wei", {6, 7}), in("bia", {6}), out("dst", {5, 6})},
        [](auto* ctx, auto* p, auto t, int) { return cgan_dense_forward(ctx, p, t[0], t[1], t[2], t[3]); }));
}

// src, wei and dst of a convolution, or of one with pooling.
struct ConvDims {
    Dims src, wei, dst;
    Dims channels() const { return {wei[0]}; }
};

void add_convolutions(std::vector<OperatorCall>& calls, const cgan_conv2d_params& p, const ConvDims& d) {
    calls.push_back(call(
        "conv2d_forward", p, {in("src", d.src), in("wei", d.wei), in("bia", d.channels()), out("dst", d.dst)},
        [](auto* ctx, auto* q, auto t, int) { return cgan_conv2d_forward(ctx, q, t[0], t[1], t[2], t[3]); }));
    calls.push_back(call("conv2d_backward_data", p,
                         {in("wei", d.wei), in("d_dst", d.dst), in("bia", {d.wei[3]}), out("d_src", d.src)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_conv2d_backward_data(ctx, q, t[0], t[1], t[2], t[3]);
                         }));
    calls.push_back(
        call("conv2d_backward_filter", p,
             {in("src", d.src), in("d_dst", d.dst), out("d_wei", d.wei), out("d_bia", d.channels())},
             [](auto* ctx, auto* q, auto t, int) {
                 return cgan_conv2d_backward_filter(ctx, q, t[0], t[1], t[2], t[3]);
             }));
}

void add_pooled_convolutions(std::vector<OperatorCall>& calls, const cgan_conv2d_params& p,
                             const ConvDims& d) {
    calls.push_back(call("conv2d_pool_forward", p,
                         {in("src", d.src), in("wei", d.wei), in("bia", d.channels()), out("dst", d.dst),
                          out("arg", d.dst, Content::Places, 4)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_conv2d_pool_forward(ctx, q, t[0], t[1], t[2], t[3], t[4]);
                         }));
    calls.push_back(call("conv2d_pool_backward_data", p,
                         {in("wei", d.wei), in("dst", d.dst), in("d_dst", d.dst),
                          in("arg", d.dst, Content::Places, 4), out("d_src", d.src)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_conv2d_pool_backward_data(ctx, q, t[0], t[1], t[2], t[3], t[4]);
                         }));
    calls.push_back(
        call("conv2d_pool_backward_filter", p,
             {in("src", d.src), in("dst", d.dst), in("d_dst", d.dst), in("arg", d.dst, Content::Places, 4),
              out("d_wei", d.wei), out("d_bia", d.channels())},
             [](auto* ctx, auto* q, auto t, int) {
                 return cgan_conv2d_pool_backward_filter(ctx, q, t[0], t[1], t[2], t[3], t[4], t[5]);
             }));
}

void add_all_convolutions(std::vector<OperatorCall>& calls) {
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = 1;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
    add_convolutions(calls, p, {{2, 6, 5, 9}, {16, 3, 3, 9}, {2, 6, 5, 16}});
    add_pooled_convolutions(calls, p, {{2, 6, 5, 1}, {20, 3, 3, 1}, {2, 3, 2, 20}});
    add_pooled_convolutions(calls, p, {{2, 6, 5, 9}, {16, 3, 3, 9}, {2, 3, 2, 16}});
    p.stride_h = p.stride_w = 2;
    add_convolutions(calls, p, {{2, 6, 5, 3}, {5, 3, 3, 3}, {2, 3, 3, 5}});
}

void add_pooling(std::vector<OperatorCall>& calls) {
    auto p = with_kind<cgan_pool2d_params>(CGAN_POOL_MAX);
    p.window_h = p.window_w = 3;
    p.stride_h = p.stride_w = 2;
    p.pad_top = p.pad_left = 1;
    const Dims large{2, 6, 7, 5}, small{2, 3, 3, 5};
    calls.push_back(call(
        "pool2d_forward", p, {in("src", large), out("dst", small), out("arg", small, Content::Places, 9)},
        [](auto* ctx, auto* q, auto t, int) { return cgan_pool2d_forward(ctx, q, t[0], t[1], t[2]); }));
    calls.push_back(call(
        "pool2d_backward", p, {in("d_dst", small), in("arg", small, Content::Places, 9), out("d_src", large)},
        [](auto* ctx, auto* q, auto t, int) { return cgan_pool2d_backward(ctx, q, t[0], t[1], t[2]); }));
    calls.push_back(
        call("pool2d_gather", p, {in("src", large), in("arg", small, Content::Places, 9), out("dst", small)},
             [](auto* ctx, auto* q, auto t, int) { return cgan_pool2d_gather(ctx, q, t[0], t[1], t[2]); }));
    auto up = sized<cgan_upsample2d_params>();
    up.factor_h = 2, up.factor_w = 3;
    calls.push_back(
        call("upsample2d_forward", up, {in("src", {2, 3, 4, 5}), out("dst", {2, 6, 12, 5})},
             [](auto* ctx, auto* q, auto t, int) { return cgan_upsample2d_forward(ctx, q, t[0], t[1]); }));
    calls.push_back(
        call("upsample2d_backward", up, {in("d_dst", {2, 6, 12, 5}), out("d_src", {2, 3, 4, 5})},
             [](auto* ctx, auto* q, auto t, int) { return cgan_upsample2d_backward(ctx, q, t[0], t[1]); }));
}

void add_normalization(std::vector<OperatorCall>& calls) {
    auto p = sized<cgan_norm_params>();
    p.epsilon = 1e-3, p.momentum = 0.9;
    const Dims x{6, 5}, c{5}, n{6};
    const auto gamma = in("gamma", c), beta = in("beta", c);
    calls.push_back(
        call("batch_norm_training", p,
             {in("src", x), gamma, beta, out("running_mean", c), out("running_var", c, Content::Positive),
              out("dst", x), out("mean", c), out("rstd", c)},
             [](auto* ctx, auto* q, auto t, int) {
                 return cgan_batch_norm_training(ctx, q, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
             }));
    calls.push_back(call("batch_norm_inference", p,
                         {in("src", x), gamma, beta, in("running_mean", c),
                          in("running_var", c, Content::Positive), out("dst", x)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_batch_norm_inference(ctx, q, t[0], t[1], t[2], t[3], t[4], t[5]);
                         }));
    calls.push_back(call("batch_norm_backward", p,
                         {in("src", x), gamma, in("mean", c), in("rstd", c, Content::Positive),
                          in("d_dst", x), out("d_src", x), out("d_gamma", c), out("d_beta", c)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_batch_norm_backward(ctx, q, t[0], t[1], t[2], t[3], t[4], t[5], t[6],
                                                             t[7]);
                         }));
    calls.push_back(call("layer_norm_forward", p,
                         {in("src", x), gamma, beta, out("dst", x), out("mean", n), out("rstd", n)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_layer_norm_forward(ctx, q, t[0], t[1], t[2], t[3], t[4], t[5]);
                         }));
    calls.push_back(call("layer_norm_backward", p,
                         {in("src", x), gamma, in("mean", n), in("rstd", n, Content::Positive),
                          in("d_dst", x), out("d_src", x), out("d_gamma", c), out("d_beta", c)},
                         [](auto* ctx, auto* q, auto t, int) {
                             return cgan_layer_norm_backward(ctx, q, t[0], t[1], t[2], t[3], t[4], t[5], t[6],
                                                             t[7]);
                         }));
}

void add_random(std::vector<OperatorCall>& calls) {
    auto p = with_kind<cgan_random_params>(CGAN_RANDOM_NORMAL);
    p.seed = 7, p.b = 1;
    calls.push_back(call("random", p, {in("step", {}, Content::Step), out("dst", {37})},
                         [](auto* ctx, auto* q, auto t, int) { return cgan_random(ctx, q, t[0], t[1]); }));
}

void add_optimizers(std::vector<OperatorCall>& calls) {
    const auto hyper = in("hyper", {2}, Content::Hyper);
    calls.push_back(call_without("optimizer_advance", {out("hyper", {2}, Content::Hyper)},
                                 [](auto* ctx, auto t, int) { return cgan_optimizer_advance(ctx, t[0]); }));
    auto adam = sized<cgan_adam_params>();
    adam.beta1 = 0.5, adam.beta2 = 0.9, adam.epsilon = 1e-6;
    auto m = list("m", true), v = list("v", true);
    v.content = Content::Positive;
    calls.push_back(call("adam", adam, {hyper, list("param", true), list("grad", false), m, v},
                         [](auto* ctx, auto* p, auto t, int count) {
                             return cgan_adam(ctx, p, t[0], count, t[1], t[2], t[3], t[4]);
                         }));
    auto sgd = sized<cgan_sgd_params>();
    sgd.momentum = 0.5;
    calls.push_back(call("sgd", sgd,
                         {hyper, list("param", true), list("grad", false), list("velocity", true)},
                         [](auto* ctx, auto* p, auto t, int count) {
                             return cgan_sgd(ctx, p, t[0], count, t[1], t[2], t[3]);
                         }));
    auto rmsprop = sized<cgan_rmsprop_params>();
    rmsprop.rho = 0.9, rmsprop.epsilon = 1e-6;
    calls.push_back(call("rmsprop", rmsprop, {hyper, list("param", true), list("grad", false), v},
                         [](auto* ctx, auto* p, auto t, int count) {
                             return cgan_rmsprop(ctx, p, t[0], count, t[1], t[2], t[3]);
                         }));
}

void add_updates(std::vector<OperatorCall>& calls) {
    auto ema = sized<cgan_ema_params>();
    ema.decay = 0.9;
    calls.push_back(
        call("ema", ema, {list("src", false), list("dst", true)},
             [](auto* ctx, auto* p, auto t, int count) { return cgan_ema(ctx, p, count, t[0], t[1]); }));
    calls.push_back(
        call_without("ema_by", {in("decay", {1}, Content::Hyper), list("src", false), list("dst", true)},
                     [](auto* ctx, auto t, int count) { return cgan_ema_by(ctx, t[0], count, t[1], t[2]); }));
    auto clamp = sized<cgan_clamp_params>();
    clamp.low = -0.5, clamp.high = 0.5;
    calls.push_back(call("clamp", clamp, {list("tensors", true)}, [](auto* ctx, auto* p, auto t, int count) {
        return cgan_clamp(ctx, p, count, t[0]);
    }));
    calls.push_back(
        call_without("global_norm", {list("tensors", false), out("dst", {1})},
                     [](auto* ctx, auto t, int count) { return cgan_global_norm(ctx, count, t[0], t[1]); }));
    auto clip = sized<cgan_clip_params>();
    clip.max_norm = 0.5;
    calls.push_back(call(
        "clip_by_norm", clip, {in("norm", {1}, Content::Positive), list("tensors", true)},
        [](auto* ctx, auto* p, auto t, int count) { return cgan_clip_by_norm(ctx, p, t[0], count, t[1]); }));
}

} // namespace

std::int32_t CallArgument::dtype() const {
    switch (content) {
    case Content::Index:
        return CGAN_I32;
    case Content::Places:
        return CGAN_U8;
    case Content::Step:
        return CGAN_I64;
    case Content::Hyper:
        return CGAN_F64;
    default:
        return CGAN_F32;
    }
}

std::vector<OperatorCall> operator_calls() {
    std::vector<OperatorCall> calls;
    add_elementwise(calls);
    add_movement(calls);
    add_products(calls);
    add_all_convolutions(calls);
    add_pooling(calls);
    add_normalization(calls);
    add_random(calls);
    add_optimizers(calls);
    add_updates(calls);
    return calls;
}

} // namespace cgan::test
