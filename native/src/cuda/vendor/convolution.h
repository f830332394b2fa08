// Convolutions as cuDNN takes them, and the algorithm that it chose for each.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "../../plan.h"
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
    bool moderate;          // strides and paddings are of the order of the image; if not, nothing else is set

    std::int64_t image_elems() const { return std::int64_t(n) * h * w * c; }
    std::int64_t result_elems() const { return std::int64_t(n) * oh * ow * k; }
    std::int64_t filter_elems() const { return std::int64_t(k) * r * s * c; }
    bool fits() const; // cuDNN's sizes are 32 bits wide
};
ConvFrame make_frame(const cgan_conv2d_params& p, const View& src, const View& wei);

// One of cuDNN's algorithms for a pass, with the mathematics that it computes in; number < 0: none may be used.
struct ConvAlgorithm {
    int number = -1, math = 0;

    std::string name() const; // "algorithm_6_math_3", "no_algorithm"
    static std::optional<ConvAlgorithm> named(const std::string& name);
};

struct ConvPlan {
    TensorDescriptor x, y;
    FilterDescriptor w;
    ConvolutionDescriptor conv;
    ConvAlgorithm algorithm;
    std::size_t workspace_bytes = 0;

    bool found() const { return algorithm.number >= 0; }
};

// The memory of one pass: two of them are read, the third is written.
struct ConvMemory {
    const float *x, *w, *y;
};

// The plans of one device, one for each pass and shape. Which algorithm serves is looked up among the choices; one that
// is new cuDNN makes by timing its algorithms on the operands, which overwrites what is to be written, and waits: while
// a graph is captured that is CGAN_E_UNSUPPORTED.
class ConvPlans {
  public:
    explicit ConvPlans(Plan& choices) : choices_(choices) {}

    const ConvPlan& find(const Machine& machine, Pass pass, const ConvFrame& frame, const ConvMemory& memory);

  private:
    Plan& choices_;
    std::map<std::array<int, 14>, ConvPlan> plans_;
};

} // namespace cgan::cuda::vendor
