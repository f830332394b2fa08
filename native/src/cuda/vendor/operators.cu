#include "operators.h"

#include "convolution.h"

namespace cgan::cuda::vendor {

Operators::Operators(const Device& device)
    : machine_(std::make_unique<Machine>(device)), plans_(std::make_unique<ConvPlans>()) {}
Operators::~Operators() = default;

std::string Operators::describe() const {
    std::string text;
    if (machine_->has_cublas()) text += "cuBLAS " + cublas().version;
    if (machine_->has_cudnn()) text += (text.empty() ? "cuDNN " : ", cuDNN ") + cudnn().version;
    return text;
}

std::string Operators::missing() const { return machine_->missing(); }

bool Operators::usable() const { return machine_->has_cublas() || machine_->has_cudnn(); }

} // namespace cgan::cuda::vendor
