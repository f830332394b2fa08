// The reference of every operator: plain loops that accumulate in float64, for float and double operands.
// They define what the operators of cgan.h mean; faster candidates are held against them. Arguments are as in
// backend.h.
#pragma once

#include "backend.h"

namespace cgan::reference {

void fill(double value, const View& dst);
void convert(double scale, double shift, const View& src, const View& dst);
void unary(const cgan_unary_params& p, const View& src, const View& dst);
void activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst, const View& d_src);
void binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst);
void reduce(const cgan_reduce_params& p, const View& src, const View& dst);
void argmax(const View& src, const View& dst);
void permute(const cgan_permute_params& p, const View& src, const View& dst);
void slice_copy(const cgan_slice_params& p, const View& src, const View& dst);
void gather_rows(const View& table, const View& index, const View& dst);
void scatter_add_rows(const View& index, const View& d_dst, const View& d_table);
void softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst);
void softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst, const View& d_src);
void matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst);
void dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                   const View& dst);
void conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                    const View& dst);
void conv2d_backward_data(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& wei,
                          const View& d_dst, const View& bia, const View& d_src);
void conv2d_backward_filter(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& src,
                            const View& d_dst, const View& d_wei, const View& d_bia);
void conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                         const View& dst, const View& arg);
void conv2d_pool_backward_data(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& wei,
                               const View& dst, const View& d_dst, const View& arg, const View& d_src);
void conv2d_pool_backward_filter(MemoryLedger& ledger, const cgan_conv2d_params& p, const View& src,
                                 const View& dst, const View& d_dst, const View& arg, const View& d_wei,
                                 const View& d_bia);
void pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst, const View& arg);
void pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg, const View& d_src);
void pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg, const View& dst);
void upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst);
void upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src);
void batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                         const View& running_mean, const View& running_var, const View& dst, const View& mean,
                         const View& rstd);
void batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                          const View& running_mean, const View& running_var, const View& dst);
void batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                         const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                         const View& d_beta);
void layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                        const View& dst, const View& mean, const View& rstd);
void layer_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                         const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                         const View& d_beta);
void random(const cgan_random_params& p, const View& step, const View& dst);
void optimizer_advance(const View& hyper);
void adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m, Views v);
void sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity);
void rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v);
void ema(const cgan_ema_params& p, Views src, Views dst);
void clamp(const cgan_clamp_params& p, Views tensors);
void global_norm(Views tensors, const View& dst);
void clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors);

} // namespace cgan::reference
