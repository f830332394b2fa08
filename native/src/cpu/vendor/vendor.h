// The wall around the CPU's vendor library, oneDNN: what is behind it is seen by nobody else.
#pragma once

#include <memory>
#include <string>

#include "backend.h"

namespace cgan::fast {
class Operators;
}
namespace cgan::onednn {
class Machine;
}

namespace cgan::vendor {

struct LibraryState {
    std::string path, version; // empty if there is no usable library
    std::string reason;        // every place that was tried, and why it gave none
};
LibraryState library_state();

// The operators that oneDNN serves, with backend.h's arguments. Each returns false, having done nothing, when it
// does not serve its operands: float64, and what oneDNN has no optimised code for. Only algorithms that neither
// transform the data nor depend on timing: the same inputs and thread count give the same bits.
class Operators {
  public:
    // Throws CGAN_E_NO_DEVICE, with every place that was tried, if there is no usable library. `own` are the
    // context's handwritten operators, for what oneDNN computes otherwise than we mean: its relu of NaN is 0.
    Operators(int threads, MemoryLedger& ledger, fast::Operators& own);
    ~Operators();

    std::string describe() const; // "oneDNN 3.8.1, /usr/lib/libdnnl.so.3"

    bool matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst);
    bool dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                       const View& dst);
    bool conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                        const View& dst);
    bool conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                              const View& bia, const View& d_src);
    bool conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                const View& d_wei, const View& d_bia);
    // The library's convolution, and our pooling, which knows the first of equal maxima.
    bool conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                             const View& dst, const View& arg);
    bool conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                   const View& d_dst, const View& arg, const View& d_src);
    bool conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                     const View& d_dst, const View& arg, const View& d_wei,
                                     const View& d_bia);
    // Averages: oneDNN does not say which of equal elements wins a maximum.
    bool pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst, const View& arg);
    bool pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg, const View& d_src);
    bool batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                              const View& running_mean, const View& running_var, const View& dst);

  private:
    // The part of an activation that was not fused into what made dst.
    void finish(std::int32_t activation, const View& dst);

    std::unique_ptr<onednn::Machine> machine_;
    fast::Operators& own_;
};

} // namespace cgan::vendor
