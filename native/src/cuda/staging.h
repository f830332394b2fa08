// Host memory on its way to the device.
#pragma once

#include "device.h"

namespace cgan::cuda {

// Two halves of pinned memory: the host fills one while the device drains the other. Made at its first use.
class Staging {
  public:
    explicit Staging(const Device& device) : device_(device) {}
    ~Staging();
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;

    // Copies in the order of the stream; `src` may be reused on return.
    void copy(void* dst, const void* src, std::int64_t bytes, cudaStream_t stream);

  private:
    void prepare();

    const Device& device_;
    void* memory_ = nullptr;
    cudaEvent_t drained_[2] = {}; // when a half may be filled again
    int half_ = 0;
};

} // namespace cgan::cuda
