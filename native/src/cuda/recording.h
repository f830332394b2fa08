// Operators recorded as a CUDA graph, and the scratch memory that they work in.
#pragma once

#include <vector>

#include "device.h"

namespace cgan::cuda {

// While operators are recorded, no memory may come from the stream's order, which is recorded too: a graph that
// allocated would not find the same block at each launch. Blocks come from a stream beside it, and scratch
// memory, which the operators of one recording take in turns, stays with the graph.
class CudaRecording final : public Recording {
  public:
    explicit CudaRecording(const Device& device) : device_(device) {}
    ~CudaRecording() override;
    CudaRecording(const CudaRecording&) = delete;
    CudaRecording& operator=(const CudaRecording&) = delete;

    void* take(std::int64_t bytes);
    void give(void* data, std::int64_t bytes) noexcept;
    // Frees a block that is no scratch when the recording has ended.
    void free_later(void* data) noexcept;
    void free_postponed() noexcept;

    // What was captured from the device's stream becomes this recording's work.
    void finish(cudaGraph_t graph);
    void launch() const;

    bool uses_index = false; // a gather or scatter is in it

  private:
    struct Block {
        void* data;
        std::int64_t bytes;
        bool taken;
    };

    const Device& device_;
    std::vector<Block> scratch_;
    std::vector<void*> postponed_;
    cudaGraphExec_t exec_ = nullptr;
};

} // namespace cgan::cuda
