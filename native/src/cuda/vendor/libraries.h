// cuDNN and cuBLAS as this process found them: opened once, at first need, and every call that is used by name.
#pragma once

#include <cublas_v2.h>
#include <cudnn.h>

#include <string>

#define CGAN_CUBLAS_CALLS(CALL)                                                                              \
    CALL(cublasGetProperty)                                                                                  \
    CALL(cublasGetStatusString)                                                                              \
    CALL(cublasCreate_v2)                                                                                    \
    CALL(cublasDestroy_v2)                                                                                   \
    CALL(cublasSetStream_v2)                                                                                 \
    CALL(cublasSetWorkspace_v2)                                                                              \
    CALL(cublasSetMathMode)                                                                                  \
    CALL(cublasSgemm_v2)

#define CGAN_CUDNN_CALLS(CALL)                                                                               \
    CALL(cudnnGetVersion)                                                                                    \
    CALL(cudnnGetErrorString)                                                                                \
    CALL(cudnnCreate)                                                                                        \
    CALL(cudnnDestroy)                                                                                       \
    CALL(cudnnSetStream)                                                                                     \
    CALL(cudnnCreateTensorDescriptor)                                                                        \
    CALL(cudnnDestroyTensorDescriptor)                                                                       \
    CALL(cudnnSetTensor4dDescriptor)                                                                         \
    CALL(cudnnCreateFilterDescriptor)                                                                        \
    CALL(cudnnDestroyFilterDescriptor)                                                                       \
    CALL(cudnnSetFilter4dDescriptor)                                                                         \
    CALL(cudnnCreateConvolutionDescriptor)                                                                   \
    CALL(cudnnDestroyConvolutionDescriptor)                                                                  \
    CALL(cudnnSetConvolution2dDescriptor)                                                                    \
    CALL(cudnnSetConvolutionMathType)                                                                        \
    CALL(cudnnCreatePoolingDescriptor)                                                                       \
    CALL(cudnnDestroyPoolingDescriptor)                                                                      \
    CALL(cudnnSetPooling2dDescriptor)                                                                        \
    CALL(cudnnCreateActivationDescriptor)                                                                    \
    CALL(cudnnDestroyActivationDescriptor)                                                                   \
    CALL(cudnnSetActivationDescriptor)                                                                       \
    CALL(cudnnGetConvolutionForwardWorkspaceSize)                                                            \
    CALL(cudnnFindConvolutionForwardAlgorithmEx)                                                             \
    CALL(cudnnConvolutionForward)                                                                            \
    CALL(cudnnGetConvolutionBackwardDataWorkspaceSize)                                                       \
    CALL(cudnnFindConvolutionBackwardDataAlgorithmEx)                                                        \
    CALL(cudnnConvolutionBackwardData)                                                                       \
    CALL(cudnnGetConvolutionBackwardFilterWorkspaceSize)                                                     \
    CALL(cudnnFindConvolutionBackwardFilterAlgorithmEx)                                                      \
    CALL(cudnnConvolutionBackwardFilter)                                                                     \
    CALL(cudnnPoolingForward)                                                                                \
    CALL(cudnnPoolingBackward)                                                                               \
    CALL(cudnnActivationForward)                                                                             \
    CALL(cudnnActivationBackward)                                                                            \
    CALL(cudnnBatchNormalizationForwardTraining)                                                             \
    CALL(cudnnBatchNormalizationForwardInference)                                                            \
    CALL(cudnnBatchNormalizationBackward)

namespace cgan::cuda::vendor {

#define CGAN_DECLARE_CALL(name) decltype(&::name) name = nullptr;
struct CublasCalls {
    CGAN_CUBLAS_CALLS(CGAN_DECLARE_CALL)
};
struct CudnnCalls {
    CGAN_CUDNN_CALLS(CGAN_DECLARE_CALL)
    void (*cudnnGetLastErrorString)(char*, size_t) = nullptr; // null before cuDNN 9
};
#undef CGAN_DECLARE_CALL

template <class Calls> struct Loaded {
    Calls calls;
    bool usable = false;
    std::string path, version; // "9.24.0"; empty unless usable
    std::string reason;        // unless usable: every place that was tried, and the loader's words
};

const Loaded<CublasCalls>& cublas();
const Loaded<CudnnCalls>& cudnn();

// Lines as in cgan_describe_libraries.
std::string describe_libraries();

} // namespace cgan::cuda::vendor
