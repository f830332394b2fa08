// Normalisation of the C ABI.
#include <cmath>

#include "abi/arguments.h"

using namespace cgan;

namespace {

cgan_norm_params read_norm(const cgan_norm_params* params) {
    const auto p = read_struct(params, "params");
    if (!(p.epsilon >= 0) || !std::isfinite(p.epsilon)) {
        throw Error(CGAN_E_BAD_VALUE, cat("params.epsilon is ", p.epsilon, ", must be at least 0"));
    }
    return p;
}

// Batch normalisation: src [..., c], the others [c].
void check_channels(const Call& call, const Operand& src, std::initializer_list<const Operand*> vectors) {
    if (src.rank() < 1) call.bad_shape(cat(src.name, " is a scalar, must be [..., c]"));
    for (const Operand* vector : vectors) call.expect_shape(*vector, {src.dim(src.rank() - 1)});
}

// The statistics of nothing: mean 0, variance 0.
void empty_statistics(Call& call, const cgan_norm_params& p, const Operand& mean, const Operand& rstd) {
    if (mean.empty()) return;
    call.backend().fill(0, mean);
    call.backend().fill(1 / std::sqrt(p.epsilon), rstd);
}

} // namespace

cgan_status cgan_batch_norm_training(cgan_context* ctx, const cgan_norm_params* params,
                                     const cgan_tensor* src, const cgan_tensor* gamma,
                                     const cgan_tensor* beta, const cgan_tensor* running_mean,
                                     const cgan_tensor* running_var, const cgan_tensor* dst,
                                     const cgan_tensor* mean, const cgan_tensor* rstd) {
    return operator_call(ctx, "batch_norm_training", [&](Call& call) {
        const auto p = read_norm(params);
        const Operand& x = call.in("src", src);
        const Operand& scale = call.optional_in("gamma", gamma);
        const Operand& shift = call.optional_in("beta", beta);
        const Operand& kept_mean = call.optional_out("running_mean", running_mean);
        const Operand& kept_var = call.optional_out("running_var", running_var);
        const Operand& y = call.out("dst", dst);
        const Operand& mu = call.out("mean", mean);
        const Operand& sigma = call.out("rstd", rstd);
        if (!(p.momentum >= 0 && p.momentum <= 1)) {
            throw Error(CGAN_E_BAD_VALUE, cat("params.momentum is ", p.momentum, ", must be in [0, 1]"));
        }
        if (kept_mean.present() != kept_var.present()) {
            throw Error(CGAN_E_NULL_ARG, "running_mean and running_var must be given, or be NULL, together");
        }
        call.expect_floats({&x, &scale, &shift, &kept_mean, &kept_var, &y, &mu, &sigma});
        check_channels(call, x, {&scale, &shift, &kept_mean, &kept_var, &mu, &sigma});
        call.expect_same_shape(y, x);
        if (y.empty()) return empty_statistics(call, p, mu, sigma);
        call.backend().batch_norm_training(p, x, scale, shift, kept_mean, kept_var, y, mu, sigma);
    });
}

cgan_status cgan_batch_norm_inference(cgan_context* ctx, const cgan_norm_params* params,
                                      const cgan_tensor* src, const cgan_tensor* gamma,
                                      const cgan_tensor* beta, const cgan_tensor* running_mean,
                                      const cgan_tensor* running_var, const cgan_tensor* dst) {
    return operator_call(ctx, "batch_norm_inference", [&](Call& call) {
        const auto p = read_norm(params);
        const Operand& x = call.in("src", src);
        const Operand& scale = call.optional_in("gamma", gamma);
        const Operand& shift = call.optional_in("beta", beta);
        const Operand& mu = call.in("running_mean", running_mean);
        const Operand& var = call.in("running_var", running_var);
        const Operand& y = call.out("dst", dst);
        call.expect_floats({&x, &scale, &shift, &mu, &var, &y});
        check_channels(call, x, {&scale, &shift, &mu, &var});
        call.expect_same_shape(y, x);
        if (!y.empty()) call.backend().batch_norm_inference(p, x, scale, shift, mu, var, y);
    });
}

namespace {

// The gradients of either normalisation. check(call, x, features, statistics): the shapes of what belongs to a channel or
// feature, and of mean and rstd.
template <class Check> cgan_status norm_backward(cgan_context* ctx, const char* op,
                                                 decltype(&Backend::batch_norm_backward) run, Check check,
                                                 const cgan_norm_params* params, const cgan_tensor* src,
                                                 const cgan_tensor* gamma, const cgan_tensor* mean,
                                                 const cgan_tensor* rstd, const cgan_tensor* d_dst,
                                                 const cgan_tensor* d_src, const cgan_tensor* d_gamma,
                                                 const cgan_tensor* d_beta) {
    return operator_call(ctx, op, [&](Call& call) {
        const auto p = read_norm(params);
        const Operand& x = call.in("src", src);
        const Operand& scale = call.optional_in("gamma", gamma);
        const Operand& mu = call.in("mean", mean);
        const Operand& sigma = call.in("rstd", rstd);
        const Operand& dy = call.in("d_dst", d_dst);
        const Operand& dx = call.out("d_src", d_src);
        const Operand& d_scale = call.optional_out("d_gamma", d_gamma);
        const Operand& d_shift = call.optional_out("d_beta", d_beta);
        call.expect_floats({&x, &scale, &mu, &sigma, &dy, &dx, &d_scale, &d_shift});
        check(call, x, {&scale, &d_scale, &d_shift}, {&mu, &sigma});
        call.expect_same_shape(dy, x);
        call.expect_same_shape(dx, x);
        if (x.empty()) return call.zero_destinations();
        (call.backend().*run)(p, x, scale, mu, sigma, dy, dx, d_scale, d_shift);
    });
}

using Vectors = std::initializer_list<const Operand*>;

} // namespace

cgan_status cgan_batch_norm_backward(cgan_context* ctx, const cgan_norm_params* params,
                                     const cgan_tensor* src, const cgan_tensor* gamma,
                                     const cgan_tensor* mean, const cgan_tensor* rstd,
                                     const cgan_tensor* d_dst, const cgan_tensor* d_src,
                                     const cgan_tensor* d_gamma, const cgan_tensor* d_beta) {
    const auto check = [](Call& call, const Operand& x, Vectors features, Vectors statistics) {
        check_channels(call, x, features);
        check_channels(call, x, statistics);
    };
    return norm_backward(ctx, "batch_norm_backward", &Backend::batch_norm_backward, check, params, src, gamma,
                         mean, rstd, d_dst, d_src, d_gamma, d_beta);
}

namespace {

// Layer normalisation: src [n, f].
void check_rows(const Call& call, const Operand& src, std::initializer_list<const Operand*> features,
                std::initializer_list<const Operand*> statistics) {
    call.expect_rank(src, 2, "[n, f]");
    for (const Operand* vector : features) call.expect_shape(*vector, {src.dim(1)});
    for (const Operand* vector : statistics) call.expect_shape(*vector, {src.dim(0)});
}

} // namespace

cgan_status cgan_layer_norm_forward(cgan_context* ctx, const cgan_norm_params* params, const cgan_tensor* src,
                                    const cgan_tensor* gamma, const cgan_tensor* beta, const cgan_tensor* dst,
                                    const cgan_tensor* mean, const cgan_tensor* rstd) {
    return operator_call(ctx, "layer_norm_forward", [&](Call& call) {
        const auto p = read_norm(params);
        const Operand& x = call.in("src", src);
        const Operand& scale = call.optional_in("gamma", gamma);
        const Operand& shift = call.optional_in("beta", beta);
        const Operand& y = call.out("dst", dst);
        const Operand& mu = call.out("mean", mean);
        const Operand& sigma = call.out("rstd", rstd);
        call.expect_floats({&x, &scale, &shift, &y, &mu, &sigma});
        check_rows(call, x, {&scale, &shift}, {&mu, &sigma});
        call.expect_same_shape(y, x);
        if (y.empty()) return empty_statistics(call, p, mu, sigma);
        call.backend().layer_norm_forward(p, x, scale, shift, y, mu, sigma);
    });
}

cgan_status cgan_layer_norm_backward(cgan_context* ctx, const cgan_norm_params* params,
                                     const cgan_tensor* src, const cgan_tensor* gamma,
                                     const cgan_tensor* mean, const cgan_tensor* rstd,
                                     const cgan_tensor* d_dst, const cgan_tensor* d_src,
                                     const cgan_tensor* d_gamma, const cgan_tensor* d_beta) {
    return norm_backward(ctx, "layer_norm_backward", &Backend::layer_norm_backward, check_rows, params, src,
                         gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta);
}
