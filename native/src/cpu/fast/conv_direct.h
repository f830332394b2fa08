// Convolutions by register tiles over gathered rows: any kernel, stride, padding, channel count.
#pragma once

#include "cpu/fast/pooled.h"

namespace cgan::fast {

// dst [n, oh, ow, k] = epilogue(conv(src [n, h, w, c], wei [k, r, s, c]))
void direct_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                    const Epilogue& epilogue, float* dst);

// dst [n, oh / 2, ow / 2, k] = act(maxpool(conv + bia)), arg its positions
void direct_pool_forward(Machine& machine, const ConvShape& shape, const float* src, const float* wei,
                         const Epilogue& epilogue, float* dst, std::uint8_t* arg);

// d_src [n, h, w, c] = epilogue(transposed convolution of d_dst); with `pooled` the gradient d_dst takes the
// form given
// there.
void direct_backward_data(Machine& machine, const ConvShape& shape, const float* wei, const float* d_dst,
                          const Epilogue& epilogue, float* d_src, const Pooled* pooled = nullptr);

// d_wei [k, r, s, c] from src and d_dst
void direct_backward_filter(Machine& machine, const ConvShape& shape, const float* src, const float* d_dst,
                            float* d_wei);

} // namespace cgan::fast
