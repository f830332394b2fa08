// Every call of cuBLAS and cuDNN that is used.
#pragma once

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
