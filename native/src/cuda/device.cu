#include "device.h"

#include <cstring>

#include "recording.h"

namespace cgan::cuda {
namespace {

// Failures after which CUDA refuses all further work of the process on this device.
bool stays(cudaError_t error) {
    switch (int(error)) {
    case 214: // cudaErrorECCUncorrectable
    case 220: // cudaErrorNvlinkUncorrectable
    case 226: // cudaErrorContained
    case 700: // cudaErrorIllegalAddress
    case 702: // cudaErrorLaunchTimeout
    case 710: // cudaErrorAssert
    case 714: // cudaErrorHardwareStackError
    case 715: // cudaErrorIllegalInstruction
    case 716: // cudaErrorMisalignedAddress
    case 717: // cudaErrorInvalidAddressSpace
    case 718: // cudaErrorInvalidPc
    case 719: // cudaErrorLaunchFailure
    case 721: // cudaErrorTensorMemoryLeak
    case 810: // cudaErrorMpsClientTerminated
        return true;
    default:
        return false;
    }
}

// Tells for which architecture this library's code was compiled.
__global__ void probe_kernel() {}

void require_tf32(const cudaDeviceProp& p) {
    cudaFuncAttributes code = {};
    CGAN_CUDA(cudaFuncGetAttributes(&code, probe_kernel));
    if (p.major >= 8 && code.ptxVersion >= 80) return;
    throw Error(CGAN_E_UNSUPPORTED, "precision=tf32 needs a GPU of compute capability 8.0 or higher and code "
                                    "compiled for it; this is an sm_" +
                                        std::to_string(10 * p.major + p.minor) + " with code for compute_" +
                                        std::to_string(code.ptxVersion) + "; use precision=fp32");
}

} // namespace

void throw_cuda_error(cudaError_t error, const char* call, const char* file, int line) {
    const std::string reason = cudaGetErrorString(error);
    (void)cudaGetLastError(); // a failure that does not stay must not surface in a later call
    if (error == cudaErrorMemoryAllocation)
        throw Error(CGAN_E_OUT_OF_DEVICE_MEMORY, "the GPU has not enough free memory: " + reason);
    const char* slash = std::strrchr(file, '/');
    const std::string where = std::string(slash ? slash + 1 : file) + ":" + std::to_string(line) + " " +
                              std::string(call, std::strcspn(call, "(")) + ": " + reason;
    if (stays(error))
        throw Error(CGAN_E_DEVICE_LOST, where + "; the GPU refuses further work of this process: restart it" +
                                            ", with CGAN_SYNC=1 to learn which kernel failed");
    throw Error(CGAN_E_CUDA, where);
}

Device::Device(int index, const DeviceOptions& options, MemoryLedger& ledger)
    : index_(index), options_(options), ledger_(ledger) {
    activate();
    CGAN_CUDA(cudaGetDeviceProperties(&properties_, index));
    if (options.tf32) require_tf32(properties_);
    try {
        CGAN_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
        CGAN_CUDA(cudaStreamCreateWithFlags(&side_, cudaStreamNonBlocking));
        CGAN_CUDA(cudaEventCreateWithFlags(&joined_, cudaEventDisableTiming));
        make_pool();
    } catch (...) {
        destroy();
        throw;
    }
}

Device::~Device() { destroy(); }

void Device::destroy() noexcept {
    (void)cudaSetDevice(index_);
    for (cudaStream_t stream : {stream_, side_}) {
        if (!stream) continue;
        (void)cudaStreamSynchronize(stream);
        (void)cudaStreamDestroy(stream);
    }
    if (joined_) (void)cudaEventDestroy(joined_);
    if (pool_) (void)cudaMemPoolDestroy(pool_);
}

// By default a pool gives all free memory back whenever the host waits, which it does in each step for the losses;
// the scratch memory of the next step would have to be mapped anew. Tensors are kept by a pool of the caller already,
// so that what stays here is little more than the scratch memory of one step. It goes back when the context closes.
// The device's default pool would do the same for everybody else in the process, and mix their memory with ours.
void Device::make_pool() {
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.handleTypes = cudaMemHandleTypeNone;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = index_;
    CGAN_CUDA(cudaMemPoolCreate(&pool_, &properties));
    std::uint64_t keep = ~std::uint64_t{0};
    CGAN_CUDA(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep));
}

cudaError_t Device::try_join_side() const noexcept {
    const cudaError_t error = cudaEventRecord(joined_, side_);
    return error == cudaSuccess ? cudaStreamWaitEvent(stream_, joined_) : error;
}

void Device::wait_if_synchronous() const {
    if (!options_.synchronous) return;
    if (recording_)
        throw Error(CGAN_E_UNSUPPORTED, "CGAN_SYNC=1 waits for every kernel, and so nothing can be recorded");
    CGAN_CUDA(cudaStreamSynchronize(stream_));
}

bool Device::capturing() const {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    CGAN_CUDA(cudaStreamIsCapturing(stream_, &status));
    return status != cudaStreamCaptureStatusNone;
}

cudaError_t Device::try_allocate(std::int64_t bytes, void*& data) const {
    const cudaError_t error =
        cudaMallocFromPoolAsync(&data, std::size_t(bytes), pool_, recording_ ? side_ : stream_);
    if (error == cudaErrorMemoryAllocation) (void)cudaGetLastError();
    return error;
}

void* Device::allocate(std::int64_t bytes) const {
    activate();
    void* data = nullptr;
    cudaError_t error = try_allocate(bytes, data);
    if (error == cudaErrorMemoryAllocation &&
        !recording_) { // what the pool keeps in pieces may be enough as a whole
        CGAN_CUDA(cudaStreamSynchronize(stream_));
        CGAN_CUDA(cudaMemPoolTrimTo(pool_, 0));
        error = try_allocate(bytes, data);
    }
    if (error == cudaErrorMemoryAllocation) {
        throw Error(CGAN_E_OUT_OF_DEVICE_MEMORY,
                    "cannot allocate " + std::to_string(bytes) + " bytes on the GPU");
    }
    CGAN_CUDA(error);
    return data;
}

void Device::release(void* data) const noexcept {
    if (recording_)
        recording_->free_later(data);
    else
        free_in_order(data);
}

void* Device::take_scratch(std::int64_t bytes) const {
    if (recording_) return recording_->take(bytes);
    ledger_.charge_workspace(bytes);
    try {
        return allocate(bytes);
    } catch (...) {
        ledger_.release_workspace(bytes);
        throw;
    }
}

void Device::give_scratch(void* data, std::int64_t bytes) const noexcept {
    if (recording_) return recording_->give(data, bytes);
    release(data);
    ledger_.release_workspace(bytes);
}

void Device::free_in_order(void* data) const noexcept {
    (void)cudaSetDevice(index_);
    (void)cudaFreeAsync(data, stream_);
}

} // namespace cgan::cuda
