// The wall around cuDNN and cuBLAS: nobody else sees what is behind it.
#pragma once

#include <memory>
#include <string>

#include "../../plan.h"
#include "../device.h"

namespace cgan::cuda::vendor {

class Machine;
class ConvPlans;

// The operators that the vendor's libraries serve, with backend.h's arguments and meanings; docs/cudnn-differences.md
// tells where those differ and how each is bridged. Each returns false, having done nothing, when it does not serve
// its operands. Throws CGAN_E_VENDOR, with the library's words, when one of its calls fails. Everything is queued on
// the device's stream and nothing waits, once an operator has run with its shapes; the first time, a convolution
// lets cuDNN time its algorithms.
class Operators {
  public:
    explicit Operators(const Device& device);
    ~Operators();

    std::string describe() const; // "cuBLAS 13.1.0, cuDNN 9.24.0": what can be used
    std::string
    missing() const;     // why the others cannot: "cuDNN: libcudnn.so.9: cannot open ..."; empty if all can
    bool usable() const; // at least one can

    // The plan where cuDNN's choices between its algorithms are looked up, and kept. Comes before any operator.
    void choose_by(Plan& plan);
    static bool is_algorithm(const std::string& name); // as candidates of that plan are named

    bool matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst);
    bool dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                       const View& dst);

    bool conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                        const View& dst);
    bool conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                              const View& bia, const View& d_src);
    bool conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                const View& d_wei);
    bool conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                             const View& dst, const View& arg);
    bool pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst, const View& arg);
    bool pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& d_src);
    bool unary(const cgan_unary_params& p, const View& src, const View& dst);
    bool activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                             const View& d_src);
    bool batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                             const View& running_mean, const View& running_var, const View& dst,
                             const View& mean, const View& rstd);
    bool batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                              const View& running_mean, const View& running_var, const View& dst);
    bool batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                             const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                             const View& d_beta);

  private:
    std::unique_ptr<Machine> machine_;
    std::unique_ptr<ConvPlans> plans_;
};

} // namespace cgan::cuda::vendor
