// Gradients against central differences in float64.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "support/session.h"

namespace cgan::test {

using Vector = std::vector<double>;
using Vectors = std::vector<Vector>;

// An operator with its backward pass, as functions of plain numbers.
struct Differentiable {
    std::function<Vector(const Vectors& inputs)> forward;
    // The gradients of sum(d_dst * forward(inputs)) by each input; an empty vector for an input that has
    // none.
    std::function<Vectors(const Vectors& inputs, const Vector& d_dst)> backward;
};

// Numbers in [-1, 1), none nearer than 0.05 to zero, where relu and its kin have a kink.
inline Vector random_vector(std::mt19937_64& random, std::int64_t n) {
    std::uniform_real_distribution<double> draw(-0.95, 0.95);
    Vector values(static_cast<std::size_t>(n));
    for (double& x : values) {
        x = draw(random);
        x += x < 0 ? -0.05 : 0.05;
    }
    return values;
}

// Compares every element of every gradient with central differences of a random projection of the result: a
// plain sum would hide errors of normalisation and softmax, whose gradients under it vanish.
inline void check_gradients(const Differentiable& op, const Vectors& inputs, std::size_t least_compared) {
    std::mt19937_64 random(42);
    const Vector weights = random_vector(random, static_cast<std::int64_t>(op.forward(inputs).size()));
    const auto loss = [&](const Vectors& at) {
        const Vector result = op.forward(at);
        double sum = 0;
        for (std::size_t i = 0; i < result.size(); i++) sum += weights[i] * result[i];
        return sum;
    };
    const Vectors gradients = op.backward(inputs, weights);
    ASSERT_EQ(inputs.size(), gradients.size());
    std::size_t compared = 0;
    for (std::size_t input = 0; input < inputs.size(); input++) {
        if (gradients[input].empty()) continue;
        ASSERT_EQ(inputs[input].size(), gradients[input].size());
        for (std::size_t i = 0; i < inputs[input].size(); i++) {
            Vectors low = inputs, high = inputs;
            const double h = 1e-6 * std::max(1.0, std::abs(inputs[input][i]));
            low[input][i] -= h;
            high[input][i] += h;
            const double numeric = (loss(high) - loss(low)) / (high[input][i] - low[input][i]);
            const double analytic = gradients[input][i];
            const double limit = 1e-7 + 1e-6 * std::abs(numeric);
            EXPECT_TRUE(std::abs(analytic - numeric) <= limit)
                << "input " << input << " element " << i << ": gradient " << analytic << ", difference "
                << numeric;
            compared++;
        }
    }
    EXPECT_GE(compared, least_compared);
}

} // namespace cgan::test
