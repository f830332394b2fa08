// Convolutions of few source channels, such as pictures.
#pragma once

#include "cpu/fast/pooled.h"

namespace cgan::fast {

// True if the two functions below serve the shape: fewer than 8 source channels, not enlarged.
bool is_thin(const ConvShape& shape);

// True if thin_forward serves the shape best as well: of the taps of a filter's row, few channels each, it makes
// one loop.
bool has_short_taps(const ConvShape& shape);

// As direct_forward, for any shape that is not enlarged; with `pooled` the result takes the form given there.
void thin_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                  const Epilogue& epilogue, float* dst, const Pooled* pooled = nullptr);

// As direct_pool_forward.
void thin_pool_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                       const Epilogue& epilogue, const Pooled& pooled);

// True if thin_backward_filter serves the shape best: a thin one, or a filter so small that each part of the batch can
// have sums of its own.
bool sums_by_image(const ConvShape& shape);

// As direct_backward_filter, for any shape that is not enlarged; with `pooled` the gradient d_dst takes the form given there.
void thin_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                          float* d_wei, const Pooled* pooled = nullptr);

} // namespace cgan::fast
