// The wall around cuDNN and cuBLAS: nobody else sees what is behind it.
#pragma once

#include <memory>
#include <string>

#include "../device.h"

namespace cgan::cuda::vendor {

class Machine;

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

    bool matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst);
    bool dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                       const View& dst);

  private:
    std::unique_ptr<Machine> machine_;
};

} // namespace cgan::cuda::vendor
