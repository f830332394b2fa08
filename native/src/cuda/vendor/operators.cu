#include "operators.h"

#include "convolution.h"

namespace cgan::cuda::vendor {

Operators::Operators(const Device& device) : machine_(std::make_unique<Machine>(device)) {}
Operators::~Operators() = default;

std::string Operators::describe() const {
    std::string text;
    if (machine_->has_cublas()) text += "cuBLAS " + cublas().version;
    if (machine_->has_cudnn()) text += (text.empty() ? "cuDNN " : ", cuDNN ") + cudnn().version;
    return text;
}

std::string Operators::missing() const { return machine_->missing(); }

void Operators::choose_by(Plan& plan) { plans_ = std::make_unique<ConvPlans>(plan); }

bool Operators::is_algorithm(const std::string& name) { return ConvAlgorithm::named(name).has_value(); }

bool Operators::usable() const { return machine_->has_cublas() || machine_->has_cudnn(); }

} // namespace cgan::cuda::vendor
