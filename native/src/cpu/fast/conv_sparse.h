// Gradients from pooled gradients, for convolutions of few source channels.
#pragma once

#include "cpu/fast/pooled.h"

namespace cgan::fast {

// True if sparse_backward_filter serves the shape: stride 1, filters of up to 7 columns, and an instruction set that makes
// it faster than unpooling.
bool takes_sparse(const Machine& machine, const ConvShape& shape);

// d_wei [k, r, s, c] and d_bia [k] (nullable) from src [n, h, w, c] and a gradient in pooled form.
void sparse_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const Pooled& pooled,
                            float* d_wei, float* d_bia);

// True if sparse_backward_data serves the shape: what a window sees, with the padding, has at most 48 floats,
// and there are at most 96 channels, two chains.
bool takes_patches(const Machine& machine, const ConvShape& shape);

// d_src [n, h, w, c] from a gradient in pooled form.
void sparse_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const Pooled& pooled,
                          float* d_src);

} // namespace cgan::fast
