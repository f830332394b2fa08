// Convolutions of few result channels, such as pictures: products at each source pixel, then shifted and added.
#pragma once

#include "cpu/fast/conv_plan.h"
#include "cpu/fast/machine.h"
#include "cpu/fast/pooled.h"

namespace cgan::fast {

// True where there are fewer than 8 results from 8 channels or more, and products at each source pixel are fewer than at
// each result. Plans are those of the direction.
bool shifting_pays(const ConvShape& shape, const AxisPlan& ys, const AxisPlan& xs, bool forward);

// As direct_forward, or direct_backward_data.
void shifted(Machine& machine, const ConvShape& shape, const AxisPlan& ys, const AxisPlan& xs, bool forward,
             const float* wei, const float* src, const Pooled* pooled, const Epilogue& epilogue, float* dst);

} // namespace cgan::fast
