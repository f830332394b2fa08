// One GPU in use: its stream, its limits, and the ways to check a call, to launch a kernel and to take
// scratch memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "../backend.h"

namespace cgan::cuda {

[[noreturn]] void throw_cuda_error(cudaError_t error, const char* call, const char* file, int line);

inline void check(cudaError_t error, const char* call, const char* file, int line) {
    if (error != cudaSuccess) throw_cuda_error(error, call, file, line);
}

// Throws Error: CGAN_E_OUT_OF_DEVICE_MEMORY, CGAN_E_DEVICE_LOST after a failure that stays, else CGAN_E_CUDA.
#define CGAN_CUDA(call) ::cgan::cuda::check((call), #call, __FILE__, __LINE__)

enum class Kernels { Handwritten, Vendor, Auto };

struct DeviceOptions {
    Kernels kernels = Kernels::Handwritten;
    bool tf32 = false;        // tensor cores, operands rounded to 10 bits of mantissa
    bool transforms = true;   // algorithms that work on transformed data (FFT, Winograd) may serve
    bool synchronous = false; // wait after every launch, so that a failure names its kernel (CGAN_SYNC=1)
};

class CudaRecording;

class Device {
  public:
    Device(int index, const DeviceOptions& options, MemoryLedger& ledger);
    ~Device();
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    void activate() const { CGAN_CUDA(cudaSetDevice(index_)); }
    cudaStream_t stream() const { return stream_; }
    cudaStream_t side() const { return side_; } // for copies beside the work
    int index() const { return index_; }
    int multiprocessors() const { return properties_.multiProcessorCount; }
    const cudaDeviceProp& properties() const { return properties_; }
    bool tf32() const { return options_.tf32; }
    bool transforms() const { return options_.transforms; }
    Kernels kernels() const { return options_.kernels; }
    bool synchronous() const { return options_.synchronous; }
    MemoryLedger& ledger() const { return ledger_; }

    bool capturing() const; // a graph is recorded: nothing may wait

    // Memory in the stream's order: free for the work that is queued from now on, until that which is queued at
    // its release. While operators are recorded it is made beside the stream, and released after the recording.
    void* allocate(std::int64_t bytes) const;
    void release(void* data) const noexcept;
    void free_in_order(void* data) const noexcept; // even while operators are recorded
    void* take_scratch(std::int64_t bytes) const;  // charged to the ledger
    void give_scratch(void* data, std::int64_t bytes) const noexcept;

    // From now on `recording` (null: none) receives what is put on the stream.
    void record(CudaRecording* recording) { recording_ = recording; }
    // Lets the stream wait for all that is on the side stream now.
    cudaError_t try_join_side() const noexcept;
    // With CGAN_SYNC=1 waits for the work that was just queued.
    void wait_if_synchronous() const;

  private:
    void destroy() noexcept;
    void make_pool();
    cudaError_t try_allocate(std::int64_t bytes, void*& data) const;

    const int index_;
    const DeviceOptions options_;
    MemoryLedger& ledger_;
    cudaDeviceProp properties_ = {};
    cudaStream_t stream_ = nullptr, side_ = nullptr;
    cudaEvent_t joined_ = nullptr;
    cudaMemPool_t pool_ = nullptr; // of this context alone: where memory in the stream's order comes from
    CudaRecording* recording_ = nullptr;
};

// Puts a kernel on the device's stream. Arguments are converted to the kernel's parameters.
template <class... P> void launch(const Device& device, dim3 grid, dim3 block, void (*kernel)(P...),
                                  std::type_identity_t<P>... args) {
    device.activate();
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.stream = device.stream();
    CGAN_CUDA(cudaLaunchKernelEx(&config, kernel, args...));
    device.wait_if_synchronous();
}

// Scratch memory of one operator call; the stream's order lets it go back while kernels that use it are still
// queued.
template <class T> class Scratch {
  public:
    Scratch(const Device& device, std::int64_t elems) : device_(device) {
        if (elems == 0) return;
        bytes_ = elems * std::int64_t(sizeof(T));
        data_ = static_cast<T*>(device.take_scratch(bytes_));
    }
    ~Scratch() {
        if (data_) device_.give_scratch(data_, bytes_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    T* data() const { return data_; }

  private:
    const Device& device_;
    T* data_ = nullptr;
    std::int64_t bytes_ = 0;
};

inline constexpr int kBlock = 256;

constexpr std::int64_t div_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A grid-stride loop over n items: for (i = first_item(); i < n; i += item_step()).
__device__ __forceinline__ std::int64_t first_item() {
    return std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t item_step() { return std::int64_t(gridDim.x) * blockDim.x; }

// Its blocks: enough to fill the chip a few times over.
inline unsigned grid_1d(const Device& device, std::int64_t n, int threads = kBlock) {
    const std::int64_t wanted = div_up(n, threads), most = std::int64_t(device.multiprocessors()) * 32;
    return unsigned(wanted < 1 ? 1 : wanted < most ? wanted : most);
}

inline bool aligned16(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

// A length that kernels count in 32 bits.
inline int require_length(std::int64_t length, const char* what) {
    if (length > 0x7fffffff - 65536) // a loop's last step goes beyond
        throw Error(CGAN_E_UNSUPPORTED,
                    std::string(what) + ": a row or column of about 2^31 elements or more");
    return int(length);
}

// Refuses what no kernel of this backend computes with.
inline void require_f32(const View& v, const char* what) {
    if (v.present() && v.dtype != DType::F32)
        throw Error(CGAN_E_UNSUPPORTED,
                    std::string(what) + ": GPU kernels compute with F32 only; use the cpu device");
}

} // namespace cgan::cuda
