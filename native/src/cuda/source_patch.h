// The part of an image of few channels that a block works on, brought to shared memory with zeros around the image:
// convolutions read each pixel once for every tap of a filter, from there.
#pragma once

#include <cuda_pipeline_primitives.h>

#include "conv.h"

namespace cgan::cuda {

struct SourcePatch {
    int height = 0, line = 0; // rows, and floats of a row
    Divider line_floats;

    // What `rows` x `columns` results see. False if that is more than `most` floats.
    bool fit(const ConvShape& g, int rows, int columns, std::int64_t most) {
        const std::int64_t high = std::int64_t(rows - 1) * g.stride_y + g.r;
        const std::int64_t wide = (std::int64_t(columns - 1) * g.stride_x + g.s) * g.c;
        if (high > most / wide) return false;
        height = int(high), line = int(wide), line_floats = Divider(wide);
        return true;
    }

    // Starts the copies of the patch whose first pixel is (y0, x0) to `to` from `offset` on, by all threads of the block.
    template <int N> __device__ __forceinline__ void start(const ConvShape& g, const float* image, int y0,
                                                           int x0, SharedArray<float, N>& to,
                                                           int offset) const {
        for (int i = int(threadIdx.x); i < height * line; i += kBlock) {
            unsigned at;
            const int y = y0 + int(line_floats.divmod(unsigned(i), at)), x = x0 * g.c + int(at);
            const bool inside = y >= 0 && y < g.h && x >= 0 && x < g.w * g.c;
            __pipeline_memcpy_async(to.span(offset + i, 1), image + (inside ? y * g.w * g.c + x : 0),
                                    sizeof(float), inside ? 0 : sizeof(float));
        }
    }
};

} // namespace cgan::cuda
