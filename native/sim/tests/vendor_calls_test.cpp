// The stand-ins for cuDNN and cuBLAS have to refuse what the real ones refuse: each test plants one mistake in calls
// that are otherwise right, and the report must name the call and the argument.
#include <cublas_v2.h>
#include <cudnn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../src/control.h"

namespace {

class VendorCalls : public testing::Test {
  protected:
    void SetUp() override {
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
        ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
        ASSERT_EQ(cublasCreate_v2(&blas), 0);
        ASSERT_EQ(cublasSetStream_v2(blas, stream), 0);
        ASSERT_EQ(cudnnCreate(&dnn), 0);
        ASSERT_EQ(cudnnSetStream(dnn, stream), 0);
        for (float*& block : {std::ref(x), std::ref(w), std::ref(y)}) block = floats(kElems);
        ASSERT_EQ(cudnnCreateTensorDescriptor(&x_desc), 0);
        ASSERT_EQ(cudnnCreateTensorDescriptor(&y_desc), 0);
        ASSERT_EQ(cudnnCreateFilterDescriptor(&w_desc), 0);
        ASSERT_EQ(cudnnCreateConvolutionDescriptor(&conv), 0);
        ASSERT_EQ(cudnnSetTensor4dDescriptor(x_desc, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 4, 6, 6), 0);
        ASSERT_EQ(cudnnSetTensor4dDescriptor(y_desc, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 8, 6, 6), 0);
        ASSERT_EQ(cudnnSetFilter4dDescriptor(w_desc, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 8, 4, 3, 3), 0);
        ASSERT_EQ(cudnnSetConvolution2dDescriptor(conv, 1, 1, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION,
                                                  CUDNN_DATA_FLOAT),
                  0);
    }
    void TearDown() override {
        cudnnDestroyTensorDescriptor(x_desc);
        cudnnDestroyTensorDescriptor(y_desc);
        cudnnDestroyFilterDescriptor(w_desc);
        cudnnDestroyConvolutionDescriptor(conv);
        cudnnDestroy(dnn);
        cublasDestroy_v2(blas);
        for (void* block : blocks) cudaFree(block);
        cudaStreamDestroy(stream);
        EXPECT_EQ(cgan_sim::live_vendor_objects(), 0);
        EXPECT_EQ(cgan_sim::live_allocations(), 0);
        cgan_sim::reset_errors();
    }

    float* floats(std::size_t count) {
        void* block = nullptr;
        EXPECT_EQ(cudaMalloc(&block, count * sizeof(float)), cudaSuccess);
        blocks.push_back(block);
        return static_cast<float*>(block);
    }

    cublasStatus_t gemm(cublasOperation_t op, int m, int n, int k, int lda, int ldb, int ldc) {
        return cublasSgemm_v2(blas, op, CUBLAS_OP_N, m, n, k, &one, x, lda, w, ldb, &zero, y, ldc);
    }
    cudnnStatus_t forward(int algo = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, void* workspace = nullptr,
                          std::size_t bytes = 0) {
        return cudnnConvolutionForward(dnn, &one, x_desc, x, w_desc, w, conv, cudnnConvolutionFwdAlgo_t(algo),
                                       workspace, bytes, &zero, y_desc, y);
    }
    std::string report() { return cgan_sim::last_misuse(); }

    static constexpr std::size_t kElems = 1024;
    const float one = 1, zero = 0;
    cudaStream_t stream = nullptr;
    cublasHandle_t blas = nullptr;
    cudnnHandle_t dnn = nullptr;
    cudnnTensorDescriptor_t x_desc = nullptr, y_desc = nullptr;
    cudnnFilterDescriptor_t w_desc = nullptr;
    cudnnConvolutionDescriptor_t conv = nullptr;
    float *x = nullptr, *w = nullptr, *y = nullptr;
    std::vector<void*> blocks;
};

TEST_F(VendorCalls, RightCallsPass) {
    EXPECT_EQ(gemm(CUBLAS_OP_N, 5, 6, 7, 5, 7, 5), 0) << report();
    EXPECT_EQ(forward(), 0) << report();
    EXPECT_EQ(report(), "");
}

TEST_F(VendorCalls, ALeadingDimensionBelowTheRows) {
    EXPECT_EQ(gemm(CUBLAS_OP_N, 5, 6, 7, 4, 7, 5), 7);
    EXPECT_EQ(report(), "cublasSgemm_v2: lda: is 4, less than the 5 rows of A");
    EXPECT_EQ(gemm(CUBLAS_OP_T, 5, 6, 7, 5, 7, 5), 7);
    EXPECT_EQ(report(), "cublasSgemm_v2: lda: is 5, less than the 7 rows of A");
    EXPECT_EQ(gemm(CUBLAS_OP_N, 5, 6, 7, 5, 7, 4), 7);
    EXPECT_EQ(report(), "cublasSgemm_v2: ldc: is 4, less than the 5 rows of C");
}

TEST_F(VendorCalls, AnOperandShorterThanItsShape) {
    EXPECT_EQ(gemm(CUBLAS_OP_N, 64, 6, 17, 64, 17, 64), 7);
    EXPECT_EQ(report(), "cublasSgemm_v2: A: is not device memory of 1088 floats");
}

TEST_F(VendorCalls, AScaleInDeviceMemory) {
    EXPECT_EQ(cublasSgemm_v2(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, x, x, 2, w, 2, &zero, y, 2), 7);
    EXPECT_EQ(report(), "cublasSgemm_v2: alpha, beta: are device memory, but the pointer mode is host");
}

TEST_F(VendorCalls, AWorkspaceThatIsNotTheDevices) {
    alignas(256) static char host[256];
    EXPECT_EQ(cublasSetWorkspace_v2(blas, host, sizeof host), 7);
    EXPECT_EQ(report(), "cublasSetWorkspace_v2: workspace: is not device memory of 256 bytes");
    EXPECT_EQ(cublasSetWorkspace_v2(blas, x + 1, 64), 7);
    EXPECT_EQ(report(), "cublasSetWorkspace_v2: workspace: must be aligned to 256 bytes");
}

TEST_F(VendorCalls, AHandleWithoutAStream) {
    cudnnHandle_t fresh = nullptr;
    ASSERT_EQ(cudnnCreate(&fresh), 0);
    std::swap(fresh, dnn);
    EXPECT_EQ(forward(), 2000);
    EXPECT_EQ(report(),
              "cudnnConvolutionForward: handle: has no stream: the work would not follow what wrote its "
              "operands");
    std::swap(fresh, dnn);
    cudnnDestroy(fresh);
}

TEST_F(VendorCalls, AHandleThatWasDestroyed) {
    cublasHandle_t gone = nullptr;
    ASSERT_EQ(cublasCreate_v2(&gone), 0);
    EXPECT_EQ(cublasSetStream_v2(gone, reinterpret_cast<cudaStream_t>(&gone)), 7);
    EXPECT_EQ(report(), "cublasSetStream_v2: streamId: is not a stream of this device");
    EXPECT_EQ(cublasDestroy_v2(gone), 0);
    EXPECT_EQ(cublasDestroy_v2(nullptr), 1);
    EXPECT_EQ(report(), "cublasDestroy_v2: handle: is null");
}

// Work on another stream than the one that wrote its operands reads what was there before: poison.
TEST_F(VendorCalls, AnotherStreamSeesOldData) {
    cudaStream_t other = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
    for (float* block : {x, w})
        ASSERT_EQ(cudaMemsetAsync(block, 0, kElems * sizeof(float), stream), cudaSuccess);
    float got = 0;
    ASSERT_EQ(cublasSetStream_v2(blas, other), 0);
    ASSERT_EQ(gemm(CUBLAS_OP_N, 5, 6, 7, 5, 7, 5), 0);
    ASSERT_EQ(cudaMemcpyAsync(&got, y, sizeof got, cudaMemcpyDeviceToHost, other), cudaSuccess);
    EXPECT_TRUE(std::isnan(got));
    ASSERT_EQ(cublasSetStream_v2(blas, stream), 0);
    ASSERT_EQ(gemm(CUBLAS_OP_N, 5, 6, 7, 5, 7, 5), 0);
    ASSERT_EQ(cudaMemcpyAsync(&got, y, sizeof got, cudaMemcpyDeviceToHost, stream), cudaSuccess);
    EXPECT_EQ(got, 0);
    cudaStreamDestroy(other);
}

TEST_F(VendorCalls, AResultDescriptorOfTheWrongSize) {
    ASSERT_EQ(cudnnSetTensor4dDescriptor(y_desc, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 2, 8, 5, 6), 0);
    EXPECT_EQ(forward(), 2008);
    EXPECT_EQ(report(), "cudnnConvolutionForward: y: is [2,5,6,8], must be [2,6,6,8]");
}

TEST_F(VendorCalls, AFilterOfOtherChannels) {
    ASSERT_EQ(cudnnSetFilter4dDescriptor(w_desc, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 8, 5, 3, 3), 0);
    EXPECT_EQ(forward(), 2008);
    EXPECT_EQ(report(), "cudnnConvolutionForward: w: has 5 input channels, x has 4");
}

TEST_F(VendorCalls, ADescriptorThatWasNeverSet) {
    cudnnConvolutionDescriptor_t fresh = nullptr;
    ASSERT_EQ(cudnnCreateConvolutionDescriptor(&fresh), 0);
    std::swap(fresh, conv);
    EXPECT_EQ(forward(), 2004);
    EXPECT_EQ(report(), "cudnnConvolutionForward: convDesc: was created, but never set");
    std::swap(fresh, conv);
    cudnnDestroyConvolutionDescriptor(fresh);
}

TEST_F(VendorCalls, AnEmptyBatch) {
    EXPECT_EQ(cudnnSetTensor4dDescriptor(x_desc, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 0, 4, 6, 6), 2000);
    EXPECT_EQ(report(), "cudnnSetTensor4dDescriptor: n, c, h, w: is 0, must be at least 1");
}

TEST_F(VendorCalls, AMisalignedTensor) {
    x++;
    EXPECT_EQ(forward(), 2003);
    EXPECT_EQ(report(), "cudnnConvolutionForward: x: is not aligned to 16 bytes");
    x--;
}

TEST_F(VendorCalls, AWorkspaceTooSmall) {
    std::size_t needed = 0;
    const auto algo = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    ASSERT_EQ(cudnnGetConvolutionForwardWorkspaceSize(dnn, x_desc, w_desc, conv, y_desc, algo, &needed), 0);
    float* workspace = floats(needed / 4);
    EXPECT_EQ(forward(algo, workspace, needed - 1), 2006);
    EXPECT_EQ(report(), "cudnnConvolutionForward: workSpaceSizeInBytes: is " + std::to_string(needed - 1) +
                            ", the algorithm needs " + std::to_string(needed));
    EXPECT_EQ(forward(algo, nullptr, needed), 2002);
    EXPECT_EQ(report(), "cudnnConvolutionForward: workSpace: is null");
    EXPECT_EQ(forward(algo, workspace, needed), 0);
}

TEST_F(VendorCalls, AnAlgorithmThatDoesNotServeTheShape) {
    EXPECT_EQ(forward(CUDNN_CONVOLUTION_FWD_ALGO_FFT), 3000);
    EXPECT_EQ(report(), "cudnnConvolutionForward: algo: 4 does not serve NHWC floats of these shapes");
}

// A finder tries the default mathematics beside the one it was given: taking the fastest loses float32.
TEST_F(VendorCalls, AFinderOffersTf32ToWhoAskedForFma) {
    ASSERT_EQ(cudnnSetConvolutionMathType(conv, CUDNN_FMA_MATH), 0);
    cudnnConvolutionFwdAlgoPerf_t found[16] = {};
    int count = 0;
    ASSERT_EQ(cudnnFindConvolutionForwardAlgorithmEx(dnn, x_desc, x, w_desc, w, conv, y_desc, y, 16, &count,
                                                     found, nullptr, 0),
              0);
    ASSERT_EQ(count, 16);
    EXPECT_EQ(found[0].mathType, CUDNN_DEFAULT_MATH);
    EXPECT_EQ(found[1].mathType, CUDNN_FMA_MATH);
}

TEST_F(VendorCalls, AFinderWhileAGraphIsCaptured) {
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    cudnnConvolutionFwdAlgoPerf_t found[16] = {};
    int count = 0;
    EXPECT_EQ(cudnnFindConvolutionForwardAlgorithmEx(dnn, x_desc, x, w_desc, w, conv, y_desc, y, 16, &count,
                                                     found, nullptr, 0),
              3000);
    EXPECT_EQ(report(),
              "cudnnFindConvolutionForwardAlgorithmEx: handle: its stream is being captured, and a finder "
              "waits for the device");
    EXPECT_EQ(forward(), 0) << "the convolution itself can be captured: " << report();
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    cudaGraphDestroy(graph);
}

TEST_F(VendorCalls, APoolThatHidesNaN) {
    cudnnPoolingDescriptor_t pooling = nullptr;
    ASSERT_EQ(cudnnCreatePoolingDescriptor(&pooling), 0);
    EXPECT_EQ(cudnnSetPooling2dDescriptor(pooling, CUDNN_POOLING_MAX_DETERMINISTIC, cudnnNanPropagation_t(0),
                                          2, 2, 0, 0, 2, 2),
              2000);
    EXPECT_EQ(report(), "cudnnSetPooling2dDescriptor: maxpoolingNanOpt: does not propagate NaN");
    EXPECT_EQ(cudnnSetPooling2dDescriptor(pooling, CUDNN_POOLING_MAX_DETERMINISTIC, CUDNN_PROPAGATE_NAN, 2, 2,
                                          2, 0, 2, 2),
              2000);
    EXPECT_EQ(report(), "cudnnSetPooling2dDescriptor: verticalPadding: is not in 0..windowHeight-1");
    cudnnDestroyPoolingDescriptor(pooling);
}

TEST_F(VendorCalls, BatchNormParametersOfTheWrongShape) {
    EXPECT_EQ(cudnnBatchNormalizationForwardTraining(dnn, CUDNN_BATCHNORM_SPATIAL, &one, &zero, x_desc, x,
                                                     x_desc, y, x_desc, w, w, 1, nullptr, nullptr, 1e-3,
                                                     nullptr, nullptr),
              2008);
    EXPECT_EQ(report(),
              "cudnnBatchNormalizationForwardTraining: bnScaleBiasMeanVarDesc: is [2,6,6,4], must be "
              "[1,1,1,4]");
}

TEST_F(VendorCalls, AFailureOnRequest) {
    cgan_sim::options().fail_vendor_call = cgan_sim::vendor_calls() + 2;
    EXPECT_EQ(forward(), 0);
    EXPECT_EQ(forward(), 4000);
    EXPECT_EQ(report(), "cudnnConvolutionForward: failed on request");
    EXPECT_EQ(forward(), 0);
}

} // namespace
