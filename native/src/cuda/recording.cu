// recording.cu: recording operators as a CUDA graph, and replaying it
#include "recording.h"

#include "cuda_backend.h"

namespace cgan::cuda {

CudaRecording::~CudaRecording() {
    (void)cudaSetDevice(device_.index());
    if (!exec_) (void)device_.try_join_side(); // it failed, or was discarded
    if (exec_) (void)cudaGraphExecDestroy(exec_);
    free_postponed();
    for (const Block& block : scratch_) {
        device_.free_in_order(block.data); // after the launches that are queued
        device_.ledger().release_workspace(block.bytes);
    }
}

void* CudaRecording::take(std::int64_t bytes) {
    for (Block& block : scratch_)
        if (!block.taken && block.bytes >= bytes && block.bytes / 2 <= bytes) {
            block.taken = true;
            return block.data;
        }
    scratch_.reserve(scratch_.size() + 1);
    device_.ledger().charge_workspace(bytes);
    try {
        scratch_.push_back({device_.allocate(bytes), bytes, true});
    } catch (...) {
        device_.ledger().release_workspace(bytes);
        throw;
    }
    return scratch_.back().data;
}

void CudaRecording::give(void* data, std::int64_t bytes) noexcept {
    for (Block& block : scratch_)
        if (block.data == data) {
            block.taken = false;
            return;
        }
    free_later(data); // it was taken before the recording began
    device_.ledger().release_workspace(bytes);
}

void CudaRecording::free_later(void* data) noexcept {
    try {
        postponed_.push_back(data);
    } catch (const std::bad_alloc&) {
        // the block is lost until the process ends, which is near
    }
}

void CudaRecording::free_postponed() noexcept {
    for (void* data : postponed_) device_.free_in_order(data);
    postponed_.clear();
}

void CudaRecording::finish(cudaGraph_t graph) {
    CGAN_CUDA(device_.try_join_side());
    CGAN_CUDA(cudaGraphInstantiate(&exec_, graph, 0));
    free_postponed();
}

void CudaRecording::launch() const {
    CGAN_CUDA(cudaGraphLaunch(exec_, device_.stream()));
    device_.wait_if_synchronous();
}

// Relaxed: calls that have nothing to do with the stream stay allowed, and any thread may end the recording.
void CudaBackend::begin_recording() {
    device_.activate();
    auto recording = std::make_unique<CudaRecording>(device_);
    CGAN_CUDA(cudaStreamBeginCapture(device_.stream(), cudaStreamCaptureModeRelaxed));
    recording->uses_index = index_used_; // until the end, when the two change places
    index_used_ = false;
    recording_ = std::move(recording);
    device_.record(recording_.get());
}

std::unique_ptr<CudaRecording> CudaBackend::leave_recording() noexcept {
    device_.record(nullptr);
    if (recording_) std::swap(recording_->uses_index, index_used_);
    return std::move(recording_);
}

std::unique_ptr<Recording> CudaBackend::end_recording() {
    std::unique_ptr<CudaRecording> recording = leave_recording();
    cudaGraph_t graph = nullptr;
    (void)cudaSetDevice(device_.index());
    CGAN_CUDA(cudaStreamEndCapture(device_.stream(), &graph));
    try {
        recording->finish(graph);
    } catch (...) {
        (void)cudaGraphDestroy(graph);
        throw;
    }
    (void)cudaGraphDestroy(graph);
    return recording;
}

void CudaBackend::discard_recording() noexcept {
    const std::unique_ptr<CudaRecording> recording = leave_recording();
    cudaGraph_t graph = nullptr;
    (void)cudaSetDevice(device_.index());
    (void)cudaStreamEndCapture(device_.stream(), &graph);
    (void)cudaGetLastError(); // a capture that was spoiled says so here
    if (graph) (void)cudaGraphDestroy(graph);
}

void CudaBackend::replay(Recording& work) {
    device_.activate();
    const auto& recording = static_cast<const CudaRecording&>(work);
    index_used_ = index_used_ || recording.uses_index;
    recording.launch();
}

} // namespace cgan::cuda
