// Activation functions and their derivatives, in float64.
#pragma once

#include <cmath>

#include "cgan.h"

namespace cgan::reference {

inline double sigmoid(double x) {
    const double e = std::exp(-std::abs(x)); // in (0, 1]: never overflows
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

inline double softplus(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::abs(x))); }

// `kind` is a cgan_activation.
inline double activate(int kind, double alpha, double x) {
    switch (kind) {
    case CGAN_ACT_TANH:
        return std::tanh(x);
    case CGAN_ACT_SIGMOID:
        return sigmoid(x);
    case CGAN_ACT_SOFTPLUS:
        return softplus(x);
    case CGAN_ACT_RELU:
        return x <= 0 ? 0 : x; // NaN stays NaN
    case CGAN_ACT_LEAKY_RELU:
        return x > 0 ? x : alpha * x;
    default:
        return x;
    }
}

// The gradient d of the result y = f(x), times f'(x).
inline double activation_gradient(int kind, double alpha, double y, double d) {
    switch (kind) {
    case CGAN_ACT_TANH:
        return d * (1 - y * y);
    case CGAN_ACT_SIGMOID:
        return d * (y * (1 - y));
    case CGAN_ACT_SOFTPLUS:
        return d * -std::expm1(-y);
    case CGAN_ACT_RELU:
        return y > 0 ? d : 0;
    case CGAN_ACT_LEAKY_RELU:
        return y > 0 ? d : alpha * d;
    default:
        return d;
    }
}

} // namespace cgan::reference
