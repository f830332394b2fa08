// cuDNN's descriptors with owners, and operands as cuDNN wants them.
#pragma once

#include <memory>
#include <type_traits>

#include "machine.h"

namespace cgan::cuda::vendor {

template <class T> using Owned = std::shared_ptr<std::remove_pointer_t<T>>;
using TensorDescriptor = Owned<cudnnTensorDescriptor_t>;
using FilterDescriptor = Owned<cudnnFilterDescriptor_t>;
using ConvolutionDescriptor = Owned<cudnnConvolutionDescriptor_t>;

#define CGAN_CUDNN_DESCRIPTOR(machine, Kind)                                                                 \
    [&] {                                                                                                    \
        cudnn##Kind##Descriptor_t made = nullptr;                                                            \
        CGAN_CUDNN(machine, cudnnCreate##Kind##Descriptor, &made);                                           \
        return Owned<cudnn##Kind##Descriptor_t>(made,                                                        \
                                                (machine).cudnn_calls().cudnnDestroy##Kind##Descriptor);     \
    }()

// NHWC, float
inline TensorDescriptor describe_tensor(const Machine& machine, int n, int h, int w, int c) {
    TensorDescriptor tensor = CGAN_CUDNN_DESCRIPTOR(machine, Tensor);
    CGAN_CUDNN(machine, cudnnSetTensor4dDescriptor, tensor.get(), CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, n, c,
               h, w);
    return tensor;
}

// What an operator reads, aligned as cuDNN wants it: where it lies, or a copy.
class AlignedInput {
  public:
    AlignedInput(const Device& device, const float* data, std::int64_t elems)
        : copy_(device, aligned16(data) ? 0 : elems), data_(aligned16(data) ? data : copy_.data()) {
        if (data_ == data) return;
        CGAN_CUDA(cudaMemcpyAsync(copy_.data(), data, std::size_t(elems) * sizeof(float),
                                  cudaMemcpyDeviceToDevice, device.stream()));
    }
    AlignedInput(const Device& device, const View& v) : AlignedInput(device, v.as<float>(), v.elems()) {}
    const float* data() const { return data_; }

  private:
    Scratch<float> copy_;
    const float* data_;
};

// What an operator writes: where it shall lie, or a place that `finish` copies from.
class AlignedOutput {
  public:
    AlignedOutput(const Device& device, const View& v)
        : device_(device), to_(v.as<float>()), elems_(v.elems()), copy_(device, aligned16(to_) ? 0 : elems_) {
    }
    float* data() const { return copy_.data() ? copy_.data() : to_; }
    void finish() const {
        if (!copy_.data()) return;
        CGAN_CUDA(cudaMemcpyAsync(to_, copy_.data(), std::size_t(elems_) * sizeof(float),
                                  cudaMemcpyDeviceToDevice, device_.stream()));
    }

  private:
    const Device& device_;
    float* const to_;
    const std::int64_t elems_;
    Scratch<float> copy_;
};

inline constexpr float kOne = 1, kZero = 0; // alpha and beta of every call: the result alone

} // namespace cgan::cuda::vendor
