// Where the numbers of a convolution are far beyond its image.
#pragma once

#include <cstdint>

namespace cgan {

// One axis of an image, as enlarged: stride and padding (of both sides) are of its order and the filter's. Beyond, tables
// by stride, copies with their padding and sizes of 32 bits would grow past the memory; plain loops serve.
constexpr bool is_moderate(std::int64_t image, std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    const std::int64_t most = 4 * (image + kernel);
    return stride <= most && padding <= most;
}

} // namespace cgan
