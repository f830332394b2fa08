// The handles of cuDNN and cuBLAS on one device's stream, and the check of every call.
#pragma once

#include <memory>
#include <string>

#include "../device.h"
#include "libraries.h"

namespace cgan::cuda::vendor {

class Machine {
  public:
    explicit Machine(const Device& device);
    Machine(const Machine&) = delete;

    const Device& device() const { return device_; }
    bool has_cublas() const { return blas_ != nullptr; }
    bool has_cudnn() const { return dnn_ != nullptr; }
    const std::string& missing() const { return missing_; }

    const CublasCalls& cublas_calls() const { return cublas().calls; }
    const CudnnCalls& cudnn_calls() const { return cudnn().calls; }
    cublasHandle_t blas() const { return blas_.get(); }
    cudnnHandle_t dnn() const { return dnn_.get(); }

  private:
    void open_cublas();
    void open_cudnn();

    const Device& device_;
    std::string missing_;
    std::unique_ptr<Scratch<unsigned char>> blas_workspace_;
    std::shared_ptr<cublasContext> blas_;
    std::shared_ptr<cudnnContext> dnn_;
};

// Throw CGAN_E_VENDOR: "cudnnConvolutionForward: CUDNN_STATUS_BAD_PARAM (2000): ..."
void check(const Machine& machine, cublasStatus_t status, const char* call);
void check(const Machine& machine, cudnnStatus_t status, const char* call);

#define CGAN_CUBLAS(machine, call, ...)                                                                      \
    ::cgan::cuda::vendor::check(machine, (machine).cublas_calls().call(__VA_ARGS__), #call)
#define CGAN_CUDNN(machine, call, ...)                                                                       \
    ::cgan::cuda::vendor::check(machine, (machine).cudnn_calls().call(__VA_ARGS__), #call)

} // namespace cgan::cuda::vendor
