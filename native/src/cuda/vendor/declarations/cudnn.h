// What this project calls of cuDNN 8 and 9, declared by itself: it stands in for NVIDIA's header of the same
// name where that is not installed, and is what the simulator's stand-in library implements. Status codes other
// than success have other numbers in each major version and are not named here. native/tests/vendor/declarations_test.cpp
// holds it to NVIDIA's header where there is one; for that it is included inside a namespace, without linkage and
// includes.
#if !defined(CGAN_CUDNN_DECLARATIONS)
#define CGAN_CUDNN_DECLARATIONS

#if !defined(CGAN_VENDOR_CALL)
#include <cuda_runtime.h>
#define CGAN_VENDOR_CALL extern "C"
#endif

typedef struct cudnnContext* cudnnHandle_t;
typedef struct cudnnTensorStruct* cudnnTensorDescriptor_t;
typedef struct cudnnFilterStruct* cudnnFilterDescriptor_t;
typedef struct cudnnConvolutionStruct* cudnnConvolutionDescriptor_t;
typedef struct cudnnPoolingStruct* cudnnPoolingDescriptor_t;
typedef struct cudnnActivationStruct* cudnnActivationDescriptor_t;

typedef enum : int { CUDNN_STATUS_SUCCESS = 0 } cudnnStatus_t;
typedef enum : int { CUDNN_DATA_FLOAT = 0 } cudnnDataType_t;
typedef enum : int { CUDNN_DEFAULT_MATH = 0, CUDNN_FMA_MATH = 3 } cudnnMathType_t;
typedef enum : int { CUDNN_PROPAGATE_NAN = 1 } cudnnNanPropagation_t;
typedef enum : int { CUDNN_NON_DETERMINISTIC = 0, CUDNN_DETERMINISTIC = 1 } cudnnDeterminism_t;
typedef enum : int { CUDNN_TENSOR_NHWC = 1 } cudnnTensorFormat_t;
typedef enum : int { CUDNN_CROSS_CORRELATION = 1 } cudnnConvolutionMode_t;
typedef enum : int { CUDNN_BATCHNORM_SPATIAL = 1 } cudnnBatchNormMode_t;
typedef enum : int {
    CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING = 1,
    CUDNN_POOLING_MAX_DETERMINISTIC = 3
} cudnnPoolingMode_t;
typedef enum : int {
    CUDNN_ACTIVATION_SIGMOID = 0,
    CUDNN_ACTIVATION_RELU = 1,
    CUDNN_ACTIVATION_TANH = 2
} cudnnActivationMode_t;

typedef enum : int {
    CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM = 0,
    CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM = 1,
    CUDNN_CONVOLUTION_FWD_ALGO_FFT = 4,
    CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING = 5,
    CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD = 6,
    CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED = 7,
    CUDNN_CONVOLUTION_FWD_ALGO_COUNT = 8
} cudnnConvolutionFwdAlgo_t;
typedef enum : int {
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 = 0, // not deterministic
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 = 1,
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT = 2,
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING = 3,
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD = 4,
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED = 5,
    CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT = 6
} cudnnConvolutionBwdDataAlgo_t;
typedef enum : int {
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 = 0, // not deterministic
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 = 1,
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT = 2,
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3 = 3, // not deterministic
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD = 4,
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED = 5,
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING = 6,
    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT = 7
} cudnnConvolutionBwdFilterAlgo_t;

// One result of a finder: time in ms (-1 if the algorithm failed), memory in bytes.
typedef struct {
    cudnnConvolutionFwdAlgo_t algo;
    cudnnStatus_t status;
    float time;
    size_t memory;
    cudnnDeterminism_t determinism;
    cudnnMathType_t mathType;
    int reserved[3];
} cudnnConvolutionFwdAlgoPerf_t;
typedef struct {
    cudnnConvolutionBwdDataAlgo_t algo;
    cudnnStatus_t status;
    float time;
    size_t memory;
    cudnnDeterminism_t determinism;
    cudnnMathType_t mathType;
    int reserved[3];
} cudnnConvolutionBwdDataAlgoPerf_t;
typedef struct {
    cudnnConvolutionBwdFilterAlgo_t algo;
    cudnnStatus_t status;
    float time;
    size_t memory;
    cudnnDeterminism_t determinism;
    cudnnMathType_t mathType;
    int reserved[3];
} cudnnConvolutionBwdFilterAlgoPerf_t;

// ---- library and handle ----
CGAN_VENDOR_CALL size_t cudnnGetVersion(void);
CGAN_VENDOR_CALL const char* cudnnGetErrorString(cudnnStatus_t status);
CGAN_VENDOR_CALL void cudnnGetLastErrorString(char* message, size_t cap); // cuDNN 9 only
CGAN_VENDOR_CALL cudnnStatus_t cudnnCreate(cudnnHandle_t* handle);
CGAN_VENDOR_CALL cudnnStatus_t cudnnDestroy(cudnnHandle_t handle);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream);

// ---- descriptors ----
CGAN_VENDOR_CALL cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor);
CGAN_VENDOR_CALL cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor,
                                                          cudnnTensorFormat_t format, cudnnDataType_t type,
                                                          int n, int c, int h, int w);
CGAN_VENDOR_CALL cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filter);
CGAN_VENDOR_CALL cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter,
                                                          cudnnDataType_t type, cudnnTensorFormat_t format,
                                                          int k, int c, int h, int w);
CGAN_VENDOR_CALL cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* conv);
CGAN_VENDOR_CALL cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t conv);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t conv, int pad_h,
                                                               int pad_w, int stride_h, int stride_w,
                                                               int dilation_h, int dilation_w,
                                                               cudnnConvolutionMode_t mode,
                                                               cudnnDataType_t compute_type);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t conv,
                                                           cudnnMathType_t math);
CGAN_VENDOR_CALL cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* pooling);
CGAN_VENDOR_CALL cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t pooling);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t pooling,
                                                           cudnnPoolingMode_t mode, cudnnNanPropagation_t nan,
                                                           int window_h, int window_w, int pad_h, int pad_w,
                                                           int stride_h, int stride_w);
CGAN_VENDOR_CALL cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* activation);
CGAN_VENDOR_CALL cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activation);
CGAN_VENDOR_CALL cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activation,
                                                            cudnnActivationMode_t mode,
                                                            cudnnNanPropagation_t nan, double coef);

// ---- convolution; alpha and beta are floats in host memory, everywhere below ----
CGAN_VENDOR_CALL cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const cudnnFilterDescriptor_t w_desc,
    const cudnnConvolutionDescriptor_t conv, const cudnnTensorDescriptor_t y_desc,
    cudnnConvolutionFwdAlgo_t algo, size_t* bytes);
CGAN_VENDOR_CALL cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnFilterDescriptor_t w_desc, const void* w, const cudnnConvolutionDescriptor_t conv,
    const cudnnTensorDescriptor_t y_desc, void* y, const int requested, int* returned,
    cudnnConvolutionFwdAlgoPerf_t* results, void* workspace, size_t workspace_bytes);
CGAN_VENDOR_CALL cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha,
                                                       const cudnnTensorDescriptor_t x_desc, const void* x,
                                                       const cudnnFilterDescriptor_t w_desc, const void* w,
                                                       const cudnnConvolutionDescriptor_t conv,
                                                       cudnnConvolutionFwdAlgo_t algo, void* workspace,
                                                       size_t workspace_bytes, const void* beta,
                                                       const cudnnTensorDescriptor_t y_desc, void* y);
CGAN_VENDOR_CALL cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w_desc, const cudnnTensorDescriptor_t dy_desc,
    const cudnnConvolutionDescriptor_t conv, const cudnnTensorDescriptor_t dx_desc,
    cudnnConvolutionBwdDataAlgo_t algo, size_t* bytes);
CGAN_VENDOR_CALL cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w_desc, const void* w,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnConvolutionDescriptor_t conv,
    const cudnnTensorDescriptor_t dx_desc, void* dx, const int requested, int* returned,
    cudnnConvolutionBwdDataAlgoPerf_t* results, void* workspace, size_t workspace_bytes);
CGAN_VENDOR_CALL cudnnStatus_t cudnnConvolutionBackwardData(
    cudnnHandle_t handle, const void* alpha, const cudnnFilterDescriptor_t w_desc, const void* w,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnConvolutionDescriptor_t conv,
    cudnnConvolutionBwdDataAlgo_t algo, void* workspace, size_t workspace_bytes, const void* beta,
    const cudnnTensorDescriptor_t dx_desc, void* dx);
CGAN_VENDOR_CALL cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const cudnnTensorDescriptor_t dy_desc,
    const cudnnConvolutionDescriptor_t conv, const cudnnFilterDescriptor_t dw_desc,
    cudnnConvolutionBwdFilterAlgo_t algo, size_t* bytes);
CGAN_VENDOR_CALL cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnConvolutionDescriptor_t conv,
    const cudnnFilterDescriptor_t dw_desc, void* dw, const int requested, int* returned,
    cudnnConvolutionBwdFilterAlgoPerf_t* results, void* workspace, size_t workspace_bytes);
CGAN_VENDOR_CALL cudnnStatus_t cudnnConvolutionBackwardFilter(
    cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnConvolutionDescriptor_t conv,
    cudnnConvolutionBwdFilterAlgo_t algo, void* workspace, size_t workspace_bytes, const void* beta,
    const cudnnFilterDescriptor_t dw_desc, void* dw);

// ---- pooling, activation, batch normalisation ----
CGAN_VENDOR_CALL cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle,
                                                   const cudnnPoolingDescriptor_t pooling, const void* alpha,
                                                   const cudnnTensorDescriptor_t x_desc, const void* x,
                                                   const void* beta, const cudnnTensorDescriptor_t y_desc,
                                                   void* y);
CGAN_VENDOR_CALL cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle,
                                                    const cudnnPoolingDescriptor_t pooling, const void* alpha,
                                                    const cudnnTensorDescriptor_t y_desc, const void* y,
                                                    const cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                    const cudnnTensorDescriptor_t x_desc, const void* x,
                                                    const void* beta, const cudnnTensorDescriptor_t dx_desc,
                                                    void* dx);
CGAN_VENDOR_CALL cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle,
                                                      cudnnActivationDescriptor_t activation,
                                                      const void* alpha, const cudnnTensorDescriptor_t x_desc,
                                                      const void* x, const void* beta,
                                                      const cudnnTensorDescriptor_t y_desc, void* y);
CGAN_VENDOR_CALL cudnnStatus_t cudnnActivationBackward(
    cudnnHandle_t handle, cudnnActivationDescriptor_t activation, const void* alpha,
    const cudnnTensorDescriptor_t y_desc, const void* y, const cudnnTensorDescriptor_t dy_desc,
    const void* dy, const cudnnTensorDescriptor_t x_desc, const void* x, const void* beta,
    const cudnnTensorDescriptor_t dx_desc, void* dx);
CGAN_VENDOR_CALL cudnnStatus_t cudnnBatchNormalizationForwardTraining(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha, const void* beta,
    const cudnnTensorDescriptor_t x_desc, const void* x, const cudnnTensorDescriptor_t y_desc, void* y,
    const cudnnTensorDescriptor_t param_desc, const void* scale, const void* bias, double average_factor,
    void* running_mean, void* running_variance, double epsilon, void* save_mean, void* save_inv_variance);
CGAN_VENDOR_CALL cudnnStatus_t cudnnBatchNormalizationForwardInference(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha, const void* beta,
    const cudnnTensorDescriptor_t x_desc, const void* x, const cudnnTensorDescriptor_t y_desc, void* y,
    const cudnnTensorDescriptor_t param_desc, const void* scale, const void* bias, const void* mean,
    const void* variance, double epsilon);
CGAN_VENDOR_CALL cudnnStatus_t cudnnBatchNormalizationBackward(
    cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha_data, const void* beta_data,
    const void* alpha_param, const void* beta_param, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnTensorDescriptor_t dx_desc, void* dx,
    const cudnnTensorDescriptor_t param_desc, const void* scale, void* d_scale, void* d_bias, double epsilon,
    const void* saved_mean, const void* saved_inv_variance);

#endif // CGAN_CUDNN_DECLARATIONS
