// Gradients as those of the convolution turned around, which has few source channels where this one has few
// results.
#pragma once

#include "cpu/fast/conv_plan.h"
#include "cpu/fast/machine.h"

namespace cgan::fast {

// True if both functions below serve the shape best: fewer than 8 result channels from 8 or more, stride 1, less
// padding than filter.
bool is_thin_result(const ConvShape& shape);
// True if the first of them does: also where the convolution turned around has short taps (conv_thin.h).
bool turns_for_source(const ConvShape& shape);

// As direct_backward_data without `pooled`.
void turned_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                          const Epilogue& epilogue, float* d_src);

// As direct_backward_filter.
void turned_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                            float* d_wei);

} // namespace cgan::fast
