// What libcgan asks of the plugin: which devices there are, and a backend for one of them. The same file
// makes libcgan_cuda.so and, compiled for the simulator, libcgan_sim.so.
#include <cstdlib>
#include <string>

#include "cuda_backend.h"
#include "vendor/libraries.h"

namespace cgan::cuda {
namespace {

#if defined(CGAN_SIM)
constexpr const char* kName = "sim";
#else
constexpr const char* kName = "cuda";
#endif

// Any failure means that there is no GPU to use: without a driver the count is not even written.
int device_count(std::string& reason) {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) {
        reason = std::string("no GPU: ") + cudaGetErrorString(error) + " (CUDA error " +
                 std::to_string(int(error)) + ")";
        (void)cudaGetLastError();
        return 0;
    }
    if (count <= 0) reason = "no GPU: the driver lists no device";
    return count > 0 ? count : 0;
}

std::string describe_device(int index) {
    cudaDeviceProp p = {};
    int driver = 0;
    if (cudaGetDeviceProperties(&p, index) != cudaSuccess || cudaDriverGetVersion(&driver) != cudaSuccess) {
        (void)cudaGetLastError();
        return "a device that does not answer";
    }
    std::string text = std::string(p.name) + ", " + std::to_string(p.totalGlobalMem >> 20) + " MiB, sm_" +
                       std::to_string(p.major) + std::to_string(p.minor);
    if (driver > 0)
        text +=
            ", driver for CUDA " + std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10);
    return text;
}

void set_option(DeviceOptions& options, const std::string& key, const std::string& value) {
    if (key == "precision" && (value == "fp32" || value == "tf32"))
        options.tf32 = value == "tf32";
    else if (key == "transforms" && (value == "on" || value == "off"))
        options.transforms = value == "on";
    else if (key == "kernels" && value == "handwritten")
        options.kernels = Kernels::Handwritten;
    else if (key == "kernels" && value == "vendor")
        options.kernels = Kernels::Vendor;
    else if (key == "kernels" && value == "auto")
        options.kernels = Kernels::Auto;
    else
        throw Error(CGAN_E_BAD_DEVICE, std::string("device ") + kName + ": unknown option " + key + "=" +
                                           value +
                                           "; known are kernels=auto|handwritten|vendor, "
                                           "precision=fp32|tf32, transforms=on|off, memory=BYTES");
}

DeviceOptions parse_options(const char* text) {
    DeviceOptions options;
    const char* sync = std::getenv("CGAN_SYNC");
    options.synchronous = sync && std::string(sync) == "1";
    std::string rest = text ? text : "";
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const std::string item = rest.substr(0, end);
        rest = end == std::string::npos ? "" : rest.substr(end + 1);
        const auto equals = item.find('=');
        set_option(options, item.substr(0, equals),
                   equals == std::string::npos ? "" : item.substr(equals + 1));
    }
    return options;
}

Backend* open_device(int index, const char* options, MemoryLedger& ledger) {
    return new CudaBackend(index, parse_options(options), ledger);
}

} // namespace
} // namespace cgan::cuda

extern "C" CGAN_API const cgan::BackendPlugin cgan_backend_plugin;
const cgan::BackendPlugin cgan_backend_plugin = {
    cgan::kBackendAbi,
    cgan::cuda::kName,
    cgan::cuda::device_count,
    cgan::cuda::describe_device,
    cgan::cuda::vendor::describe_libraries,
    cgan::cuda::open_device,
};
