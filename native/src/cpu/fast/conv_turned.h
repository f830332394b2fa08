// Gradients of convolutions of few result channels: convolutions of few source channels, turned around.
#pragma once

#include "cpu/fast/conv_plan.h"
#include "cpu/fast/machine.h"

namespace cgan::fast {

// True if the two functions below serve the shape: fewer than 8 result channels from 8 or more, stride 1, less padding
// than filter.
bool is_thin_result(const ConvShape& shape);

// As direct_backward_data without `pooled`.
void turned_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                          const Epilogue& epilogue, float* d_src);

// As direct_backward_filter.
void turned_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                            float* d_wei);

} // namespace cgan::fast
