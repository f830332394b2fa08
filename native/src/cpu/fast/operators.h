// The fast operators: same arguments as backend.h. Each returns false, having done nothing, when it does not
// serve its operands (float64, unusual combinations); the reference then does.
#pragma once

#include "cpu/fast/machine.h"

namespace cgan::fast {

class Operators {
  public:
    Operators(int threads, const Kernels& kernels, bool transforms, MemoryLedger& ledger);

    bool fill(double value, const View& dst);
    bool convert(double scale, double shift, const View& src, const View& dst);
    bool unary(const cgan_unary_params& p, const View& src, const View& dst);
    bool activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                             const View& d_src);
    bool binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst);

    bool reduce(const cgan_reduce_params& p, const View& src, const View& dst);
    bool permute(const cgan_permute_params& p, const View& src, const View& dst);
    bool softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst);
    bool softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                          const View& d_src);

    bool matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst);
    bool dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                       const View& dst);

    bool conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                        const View& dst);
    bool conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                              const View& bia, const View& d_src);
    bool conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                const View& d_wei, const View& d_bia);
    bool conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                             const View& dst, const View& arg);
    bool conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                   const View& d_dst, const View& arg, const View& d_src);
    bool conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                     const View& d_dst, const View& arg, const View& d_wei,
                                     const View& d_bia);

    // A pooled convolution in parts, whoever computes the convolution: dst and arg from its whole result
    // without bias and activation, and that result's gradient. Everything is F32.
    void pool_whole(const cgan_conv2d_params& p, const View& whole, const View& bia, const View& dst,
                    const View& arg);
    void unpool_whole(const cgan_conv2d_params& p, const View& dst, const View& d_dst, const View& arg,
                      const View& whole);

    const char* conv2d_algorithm() const { return machine_.algorithm; } // of the last call

    bool pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst, const View& arg);
    bool pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg, const View& d_src);
    bool pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg, const View& dst);
    bool upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst);
    bool upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src);

    bool batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                             const View& running_mean, const View& running_var, const View& dst,
                             const View& mean, const View& rstd);
    bool batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                              const View& running_mean, const View& running_var, const View& dst);
    bool batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                             const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                             const View& d_beta);
    bool layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                            const View& dst, const View& mean, const View& rstd);
    bool layer_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                             const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                             const View& d_beta);

    bool adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m, Views v);
    bool sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity);
    bool rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v);
    bool ema(const cgan_ema_params& p, Views src, Views dst);
    bool clamp(const cgan_clamp_params& p, Views tensors);
    bool global_norm(Views tensors, const View& dst);
    bool clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors);

    // Allows or forbids transformed data for as long as it lives.
    class Transforms {
      public:
        Transforms(Operators& operators, bool allowed)
            : machine_(operators.machine_), before_(machine_.transforms) {
            machine_.transforms = allowed;
        }
        ~Transforms() { machine_.transforms = before_; }
        Transforms(const Transforms&) = delete;
        Transforms& operator=(const Transforms&) = delete;

      private:
        Machine& machine_;
        const bool before_;
    };

  private:
    ThreadPool pool_;
    Scratch scratch_;
    StoreTrials store_trials_;
    HeldSpectra held_;
    Machine machine_;
};

// True if every operand that is present is float32.
template <class... V> bool all_f32(const V&... views) {
    return ((!views.present() || views.dtype == DType::F32) && ...);
}
inline bool all_f32(Views views) {
    for (const View& v : views)
        if (v.dtype != DType::F32) return false;
    return true;
}

inline constexpr std::int64_t kGrain = 16384; // elements of an element-wise chunk: 64 KB

} // namespace cgan::fast
