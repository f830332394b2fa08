#include "machine.h"

namespace cgan::cuda::vendor {
namespace {

// What NVIDIA recommends for cuBLAS: 32 MiB on Hopper and later, 4 MiB before. A workspace of our own keeps cuBLAS
// from allocating while a graph is captured, and its results the same from run to run.
std::int64_t blas_workspace_bytes(const Device& device) {
    return std::int64_t(device.properties().major >= 9 ? 32 : 4) << 20;
}

} // namespace

void check(const Machine& machine, cublasStatus_t status, const char* call) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    throw Error(CGAN_E_VENDOR, std::string(call) + ": " +
                                   machine.cublas_calls().cublasGetStatusString(status) + " (cuBLAS status " +
                                   std::to_string(int(status)) + ")");
}

void check(const Machine& machine, cudnnStatus_t status, const char* call) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    const CudnnCalls& calls = machine.cudnn_calls();
    char details[512] = {};
    if (calls.cudnnGetLastErrorString) calls.cudnnGetLastErrorString(details, sizeof details);
    throw Error(CGAN_E_VENDOR, std::string(call) + ": " + calls.cudnnGetErrorString(status) +
                                   " (cuDNN status " + std::to_string(int(status)) + ")" +
                                   (*details ? ": " : "") + details);
}

Machine::Machine(const Device& device) : device_(device) {
    const auto try_open = [&](const char* name, bool found, const std::string& reason, auto open) {
        try {
            if (!found) throw Error(CGAN_E_VENDOR, reason);
            (this->*open)();
        } catch (const Error& e) {
            if (e.status != CGAN_E_VENDOR) throw;
            missing_ += (missing_.empty() ? "" : "; ") + std::string(name) + ": " + e.what();
        }
    };
    device.activate();
    try_open("cuBLAS", cublas().usable, cublas().reason, &Machine::open_cublas);
    try_open("cuDNN", cudnn().usable, cudnn().reason, &Machine::open_cudnn);
}

// Setting the stream takes the workspace back, so it comes first.
void Machine::open_cublas() {
    const std::int64_t bytes = blas_workspace_bytes(device_);
    cublasHandle_t handle = nullptr;
    CGAN_CUBLAS(*this, cublasCreate_v2, &handle);
    const std::shared_ptr<cublasContext> opened(handle, cublas_calls().cublasDestroy_v2);
    auto workspace = std::make_unique<Scratch<unsigned char>>(device_, bytes);
    CGAN_CUBLAS(*this, cublasSetStream_v2, handle, device_.stream());
    CGAN_CUBLAS(*this, cublasSetWorkspace_v2, handle, workspace->data(), std::size_t(bytes));
    CGAN_CUBLAS(*this, cublasSetMathMode, handle,
                device_.tf32() ? CUBLAS_TF32_TENSOR_OP_MATH : CUBLAS_DEFAULT_MATH);
    blas_workspace_ = std::move(workspace);
    blas_ = opened;
}

void Machine::open_cudnn() {
    cudnnHandle_t handle = nullptr;
    CGAN_CUDNN(*this, cudnnCreate, &handle);
    const std::shared_ptr<cudnnContext> opened(handle, cudnn_calls().cudnnDestroy);
    CGAN_CUDNN(*this, cudnnSetStream, handle, device_.stream());
    dnn_ = opened;
}

} // namespace cgan::cuda::vendor
