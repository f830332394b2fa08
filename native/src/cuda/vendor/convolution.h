// Convolutions as cuDNN takes them, and the algorithm that it chose for each.
#pragma once

#include <array>
#include <map>

#include "descriptors.h"

namespace cgan::cuda::vendor {

enum class Pass { Forward, Data, Filter };

// A convolution whose image cuDNN sees: x [n, h, w, c] with the same padding on both sides, which is src itself, or
// src enlarged and framed with zeros (`framed`), where cuDNN has no words for what is asked.
struct ConvFrame {
    int n, h, w, c, k, r, s, oh, ow;
    int pad_h, pad_w, stride_h, stride_w;
    bool framed;
    int enlarge, top, left; // of src in x

    std::int64_t image_elems() const { return std::int64_t(n) * h * w * c; }
    std::int64_t result_elems() const { return std::int64_t(n) * oh * ow * k; }
    std::int64_t filter_elems() const { return std::int64_t(k) * r * s * c; }
    bool fits() const; // cuDNN's sizes are 32 bits wide
};
ConvFrame make_frame(const cgan_conv2d_params& p, const View& src, const View& wei);

struct ConvPlan {
    TensorDescriptor x, y;
    FilterDescriptor w;
    ConvolutionDescriptor conv;
    bool found = false; // cuDNN has an algorithm that may be used
    int algorithm = 0;
    std::size_t workspace_bytes = 0;
};

// The memory of one pass: two of them are read, the third is written.
struct ConvMemory {
    const float *x, *w, *y;
};

// The plans of one device, one for each pass and shape. The first time, cuDNN times its algorithms on the operands,
// overwrites what is to be written, and waits; while a graph is captured that is CGAN_E_UNSUPPORTED.
class ConvPlans {
  public:
    const ConvPlan& find(const Machine& machine, Pass pass, const ConvFrame& frame, const ConvMemory& memory);

  private:
    std::map<std::array<int, 14>, ConvPlan> plans_;
};

} // namespace cgan::cuda::vendor
