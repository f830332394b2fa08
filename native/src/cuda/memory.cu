// memory.cu: what the backend holds, and how data travels between host and device.
//
// write : through pinned memory, in the stream's order: kernels queued earlier still see the old contents.
// upload: the same on the side stream, so that the copy runs beside the kernels. It waits for the last kernels
//         that use its destination; kernels that use it later wait for the copy.
// read  : straight into the caller's memory, after all queued work.
#include <cstring>

#include "cuda_backend.h"

namespace cgan::cuda {
namespace {

constexpr std::int64_t kStagingBytes = 8 << 20;
constexpr std::int64_t kHalf = kStagingBytes / 2;

} // namespace

Staging::~Staging() {
    (void)cudaSetDevice(device_.index());
    for (cudaEvent_t event : drained_) {
        if (!event) continue;
        (void)cudaEventSynchronize(event);
        (void)cudaEventDestroy(event);
    }
    if (memory_) (void)cudaFreeHost(memory_);
}

void Staging::prepare() {
    for (cudaEvent_t& event : drained_)
        if (!event) CGAN_CUDA(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
    if (!memory_) CGAN_CUDA(cudaMallocHost(&memory_, kStagingBytes));
}

void Staging::copy(void* dst, const void* src, std::int64_t bytes, cudaStream_t stream) {
    prepare();
    for (std::int64_t done = 0; done < bytes;) {
        const std::int64_t part = bytes - done < kHalf ? bytes - done : kHalf;
        char* half = static_cast<char*>(memory_) + half_ * kHalf;
        CGAN_CUDA(cudaEventSynchronize(drained_[half_]));
        std::memcpy(half, static_cast<const char*>(src) + done, std::size_t(part));
        CGAN_CUDA(cudaMemcpyAsync(static_cast<char*>(dst) + done, half, std::size_t(part),
                                  cudaMemcpyHostToDevice, stream));
        CGAN_CUDA(cudaEventRecord(drained_[half_], stream));
        half_ ^= 1;
        done += part;
    }
}

CudaBackend::CudaBackend(int index, const DeviceOptions& options, MemoryLedger& ledger)
    : device_(index, options, ledger), candidates_(device_), written_(device_), uploaded_(device_) {
    try {
        for (Mark& mark : marks_) CGAN_CUDA(cudaEventCreateWithFlags(&mark.event, cudaEventDisableTiming));
        for (cudaEvent_t& event : timed_) CGAN_CUDA(cudaEventCreateWithFlags(&event, cudaEventDefault));
        bad_index_ = static_cast<unsigned long long*>(device_.allocate(sizeof(unsigned long long)));
        CGAN_CUDA(cudaMemsetAsync(bad_index_, 0xff, sizeof *bad_index_, device_.stream()));
    } catch (...) {
        free_parts();
        throw;
    }
}

CudaBackend::~CudaBackend() { free_parts(); }

void CudaBackend::free_parts() noexcept {
    if (bad_index_) device_.release(bad_index_);
    (void)cudaSetDevice(device_.index());
    for (const Mark& mark : marks_)
        if (mark.event) (void)cudaEventDestroy(mark.event);
    for (cudaEvent_t event : timed_)
        if (event) (void)cudaEventDestroy(event);
}

std::string CudaBackend::describe() const {
    const cudaDeviceProp& p = device_.properties();
    return std::string(p.name) + ", " + std::to_string(p.totalGlobalMem >> 20) + " MiB, sm_" +
           std::to_string(p.major) + std::to_string(p.minor) + ", " + candidates_.describe() + ", " +
           (device_.tf32() ? "tf32" : "fp32") + candidates_.report();
}

void* CudaBackend::allocate(std::int64_t bytes) { return device_.allocate(bytes); }
void CudaBackend::release(void* data, std::int64_t) noexcept { device_.release(data); }

void CudaBackend::write(void* dst, const void* src, std::int64_t bytes) {
    device_.activate();
    written_.copy(dst, src, bytes, device_.stream());
}

// Marks the queue's end. Uploads wait for marks, since an event cannot be put behind work that is queued already.
const CudaBackend::Mark& CudaBackend::mark(std::int64_t position) {
    Mark& mark = marks_[next_mark_];
    mark.position = -1; // until it is recorded
    CGAN_CUDA(cudaEventRecord(mark.event, device_.stream()));
    mark.position = position;
    next_mark_ = (next_mark_ + 1) % kMarks;
    return mark;
}

void CudaBackend::upload(void* dst, const void* src, std::int64_t bytes, std::int64_t used,
                         std::int64_t now) {
    device_.activate();
    const Mark* earliest = nullptr;
    for (const Mark& m : marks_)
        if (m.position >= used && (!earliest || m.position < earliest->position)) earliest = &m;
    const cudaEvent_t free = earliest ? earliest->event : mark(now).event;
    CGAN_CUDA(cudaStreamWaitEvent(device_.side(), free));
    uploaded_.copy(dst, src, bytes, device_.side());
    if (earliest) mark(now);
}

void CudaBackend::await_uploads() {
    device_.activate();
    CGAN_CUDA(device_.try_join_side());
}

void CudaBackend::read(void* dst, const void* src, std::int64_t bytes) {
    device_.activate();
    CGAN_CUDA(cudaMemcpyAsync(dst, src, std::size_t(bytes), cudaMemcpyDeviceToHost, device_.stream()));
    synchronize();
}

void CudaBackend::synchronize() {
    device_.activate();
    CGAN_CUDA(cudaStreamSynchronize(device_.stream()));
    if (index_used_) report_bad_index();
}

void CudaBackend::timer_start() {
    device_.activate();
    CGAN_CUDA(cudaEventRecord(timed_[0], device_.stream()));
}

double CudaBackend::timer_stop() {
    device_.activate();
    CGAN_CUDA(cudaEventRecord(timed_[1], device_.stream()));
    synchronize();
    float milliseconds = 0;
    CGAN_CUDA(cudaEventElapsedTime(&milliseconds, timed_[0], timed_[1]));
    return double(milliseconds) / 1e3;
}

// Rows that a gather or scatter clamped since the last time: reported once, by name and value.
void CudaBackend::report_bad_index() {
    unsigned long long found = 0;
    index_used_ = false;
    CGAN_CUDA(cudaMemcpyAsync(&found, bad_index_, sizeof found, cudaMemcpyDeviceToHost, device_.stream()));
    CGAN_CUDA(cudaStreamSynchronize(device_.stream()));
    if (found == ~0ull) return;
    CGAN_CUDA(cudaMemsetAsync(bad_index_, 0xff, sizeof found, device_.stream()));
    throw Error(CGAN_E_BAD_VALUE, "index[" + std::to_string(found >> 32) + "] was " +
                                      std::to_string(int(found)) +
                                      ", outside the table of an earlier gather or scatter; it was clamped");
}

} // namespace cgan::cuda
