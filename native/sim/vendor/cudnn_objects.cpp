// Stands in for libcudnn.so on the simulator: version, handles and descriptors, after the cuDNN 9 API reference.
#include "cudnn_objects.h"

#include <cstring>

using namespace cgan_sim::vendor;

std::size_t cudnnGetVersion(void) { return 90000; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
    switch (int(status)) {
    case CUDNN_STATUS_SUCCESS:
        return "CUDNN_STATUS_SUCCESS";
    case kNotInitialized:
        return "CUDNN_STATUS_NOT_INITIALIZED";
    case kBadParam:
        return "CUDNN_STATUS_BAD_PARAM";
    case kNullPointer:
        return "CUDNN_STATUS_BAD_PARAM_NULL_POINTER";
    case kMisaligned:
        return "CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER";
    case kNotFinalized:
        return "CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED";
    case kTooSmall:
        return "CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT";
    case kShapeMismatch:
        return "CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH";
    case kNotSupported:
        return "CUDNN_STATUS_NOT_SUPPORTED";
    default:
        return "CUDNN_STATUS_INTERNAL_ERROR";
    }
}

void cudnnGetLastErrorString(char* message, std::size_t cap) {
    const std::string text = cgan_sim::last_misuse();
    if (message && cap) {
        std::strncpy(message, text.c_str(), cap - 1);
        message[cap - 1] = 0;
    }
}

namespace {

template <class T> cudnnStatus_t create(const char* call, T** to) {
    return dnn_call(call, [&] {
        require_pointer(to, kNullPointer, "descriptor");
        *to = new T;
    });
}

template <class T> cudnnStatus_t destroy(const char* call, T* object) {
    const auto body = [&] {
        require_alive(object, kNullPointer, "descriptor");
        delete object;
    };
    return guard<cudnnStatus_t>(call, kInternalError, body, Effect::Releases);
}

void require_at_least(int value, int least, const char* argument) {
    require(value >= least, kBadParam, argument,
            "is " + std::to_string(value) + ", must be at least " + std::to_string(least));
}

} // namespace

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) { return create(__func__, handle); }
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy(__func__, handle); }

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    return dnn_call(__func__, [&] {
        require_alive(handle, kNotInitialized, "handle");
        require(cgan_sim::is_stream(stream), kBadParam, "streamId", "is not a stream of this device");
        handle->stream = stream;
    });
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* t) { return create(__func__, t); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t t) { return destroy(__func__, t); }
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* f) { return create(__func__, f); }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t f) { return destroy(__func__, f); }
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* c) {
    return create(__func__, c);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t c) {
    return destroy(__func__, c);
}
cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* p) { return create(__func__, p); }
cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t p) { return destroy(__func__, p); }
cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* a) { return create(__func__, a); }
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t a) { return destroy(__func__, a); }

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
    return dnn_call(__func__, [&] {
        require_alive(tensor, kNullPointer, "tensorDesc");
        require(format == CUDNN_TENSOR_NHWC, kBadParam, "format", "is not NHWC, which all tensors here are");
        require(type == CUDNN_DATA_FLOAT, kBadParam, "dataType", "is not float, which all tensors here are");
        for (const int size : {n, c, h, w}) require_at_least(size, 1, "n, c, h, w");
        require(std::int64_t(n) * c * h * w < (std::int64_t{1} << 31), kNotSupported, "n, c, h, w",
                "exceed 2^31 - 1 elements");
        tensor->n = n, tensor->c = c, tensor->h = h, tensor->w = w;
        tensor->set = true;
    });
}

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
    return dnn_call(__func__, [&] {
        require_alive(filter, kNullPointer, "filterDesc");
        require(format == CUDNN_TENSOR_NHWC, kBadParam, "format",
                "is not NHWC (KRSC), which all filters here are");
        require(type == CUDNN_DATA_FLOAT, kBadParam, "dataType", "is not float, which all filters here are");
        for (const int size : {k, c, h, w}) require_at_least(size, 1, "k, c, h, w");
        filter->k = k, filter->c = c, filter->r = h, filter->s = w;
        filter->set = true;
    });
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t conv, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t compute_type) {
    return dnn_call(__func__, [&] {
        require_alive(conv, kNullPointer, "convDesc");
        require_at_least(pad_h, 0, "pad_h");
        require_at_least(pad_w, 0, "pad_w");
        require_at_least(stride_h, 1, "u");
        require_at_least(stride_w, 1, "v");
        require(dilation_h == 1 && dilation_w == 1, kBadParam, "dilation_h, dilation_w", "are not 1");
        require(mode == CUDNN_CROSS_CORRELATION, kBadParam, "mode",
                "is a convolution, which turns filters over");
        require(compute_type == CUDNN_DATA_FLOAT, kBadParam, "computeType", "is not float");
        conv->pad_h = pad_h, conv->pad_w = pad_w, conv->stride_h = stride_h, conv->stride_w = stride_w;
        conv->math = CUDNN_DEFAULT_MATH;
        conv->set = true;
    });
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t conv, cudnnMathType_t math) {
    return dnn_call(__func__, [&] {
        require_set(conv, "convDesc");
        require(math == CUDNN_DEFAULT_MATH || math == CUDNN_FMA_MATH, kBadParam, "mathType",
                "is " + std::to_string(int(math)));
        conv->math = math;
    });
}

cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t pooling, cudnnPoolingMode_t mode,
                                          cudnnNanPropagation_t nan, int window_h, int window_w, int pad_h,
                                          int pad_w, int stride_h, int stride_w) {
    return dnn_call(__func__, [&] {
        require_alive(pooling, kNullPointer, "poolingDesc");
        require(mode == CUDNN_POOLING_MAX_DETERMINISTIC ||
                    mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING,
                kBadParam, "mode", "is " + std::to_string(int(mode)));
        require(nan == CUDNN_PROPAGATE_NAN, kBadParam, "maxpoolingNanOpt", "does not propagate NaN");
        require_at_least(window_h, 1, "windowHeight");
        require_at_least(window_w, 1, "windowWidth");
        require(pad_h >= 0 && pad_h < window_h, kBadParam, "verticalPadding", "is not in 0..windowHeight-1");
        require(pad_w >= 0 && pad_w < window_w, kBadParam, "horizontalPadding", "is not in 0..windowWidth-1");
        require_at_least(stride_h, 1, "verticalStride");
        require_at_least(stride_w, 1, "horizontalStride");
        static_cast<PoolingWindow&>(*pooling) = {mode, window_h, window_w, pad_h, pad_w, stride_h, stride_w};
        pooling->set = true;
    });
}

cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activation, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double) {
    return dnn_call(__func__, [&] {
        require_alive(activation, kNullPointer, "activationDesc");
        require(mode == CUDNN_ACTIVATION_SIGMOID || mode == CUDNN_ACTIVATION_RELU ||
                    mode == CUDNN_ACTIVATION_TANH,
                kBadParam, "mode", "is " + std::to_string(int(mode)));
        require(nan == CUDNN_PROPAGATE_NAN, kBadParam, "reluNanOpt", "does not propagate NaN");
        activation->mode = mode;
        activation->set = true;
    });
}
