// The handle and the descriptors of the cuDNN stand-in, and the checks that all its calls share.
#pragma once

#include <cudnn.h>

#include <string>

#include "checks.h"

// Status codes of cuDNN 9.
enum {
    kNotInitialized = 1001,
    kBadParam = 2000,
    kNullPointer = 2002,
    kMisaligned = 2003,
    kNotFinalized = 2004,
    kTooSmall = 2006,
    kShapeMismatch = 2008,
    kNotSupported = 3000,
    kInternalError = 4000
};

struct cudnnContext : cgan_sim::vendor::Marked<0x646e6e31> {
    cudaStream_t stream = nullptr;
};

// NHWC, float
struct TensorShape {
    int n = 0, c = 0, h = 0, w = 0;
    std::int64_t elems() const { return std::int64_t(n) * c * h * w; }
    bool same(const TensorShape& o) const { return n == o.n && c == o.c && h == o.h && w == o.w; }
    std::string text() const {
        return "[" + std::to_string(n) + "," + std::to_string(h) + "," + std::to_string(w) + "," +
               std::to_string(c) + "]";
    }
};
struct cudnnTensorStruct : cgan_sim::vendor::Marked<0x646e6e32>, TensorShape {
    bool set = false;
};

// KRSC, float
struct cudnnFilterStruct : cgan_sim::vendor::Marked<0x646e6e33> {
    bool set = false;
    int k = 0, c = 0, r = 0, s = 0;
    std::int64_t elems() const { return std::int64_t(k) * c * r * s; }
};

struct cudnnConvolutionStruct : cgan_sim::vendor::Marked<0x646e6e34> {
    bool set = false;
    int pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1;
    cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

struct PoolingWindow {
    cudnnPoolingMode_t mode = CUDNN_POOLING_MAX_DETERMINISTIC;
    int window_h = 1, window_w = 1, pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1;
};
struct cudnnPoolingStruct : cgan_sim::vendor::Marked<0x646e6e35>, PoolingWindow {
    bool set = false;
};

struct cudnnActivationStruct : cgan_sim::vendor::Marked<0x646e6e36> {
    bool set = false;
    cudnnActivationMode_t mode = CUDNN_ACTIVATION_RELU;
};

namespace cgan_sim::vendor {

template <class Body> cudnnStatus_t dnn_call(const char* call, Body&& body) {
    return guard<cudnnStatus_t>(call, kInternalError, body);
}

inline void require_handle(cudnnHandle_t handle) {
    require_alive(handle, kNotInitialized, "handle");
    require(handle->stream != nullptr, kBadParam, "handle",
            "has no stream: the work would not follow what wrote its operands");
}

template <class T> void require_set(const T* descriptor, const char* argument) {
    require_alive(descriptor, kNullPointer, argument);
    require(descriptor->set, kNotFinalized, argument, "was created, but never set");
}

// A tensor's or filter's data: device memory, aligned to 16 bytes.
template <class Descriptor>
void require_data(const Descriptor* descriptor, const void* data, const char* argument) {
    require_floats(data, descriptor->elems(), kBadParam, argument);
    require(reinterpret_cast<std::uintptr_t>(data) % 16 == 0, kMisaligned, argument,
            "is not aligned to 16 bytes");
}

struct Scaling {
    float alpha, beta;
    // beta 0: what was there is not read
    float operator()(double value, float old) const {
        return float(double(alpha) * value + (beta == 0 ? 0 : double(beta) * double(old)));
    }
};

inline Scaling read_scaling(const void* alpha, const void* beta) {
    require_pointer(alpha, kNullPointer, "alpha");
    require_pointer(beta, kNullPointer, "beta");
    require(!inside_device(alpha, 4) && !inside_device(beta, 4), kBadParam, "alpha, beta",
            "are device memory; they must be floats of the host");
    return {*static_cast<const float*>(alpha), *static_cast<const float*>(beta)};
}

template <class A, class B>
void require_apart(const A* a_desc, const void* a, const B* b_desc, const void* b, const char* argument) {
    require(!overlap(a, 4 * a_desc->elems(), b, 4 * b_desc->elems()), kBadParam, argument,
            "overlaps an operand");
}

} // namespace cgan_sim::vendor
