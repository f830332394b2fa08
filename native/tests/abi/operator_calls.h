// Every operator of cgan.h as a small valid call, for tests that spoil calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cgan.h"

namespace cgan::test {

enum class Content {
    Reals,    // in [-1, 1)
    Positive, // in [0.5, 1.5)
    Index,    // I32 in 0..limit-1
    Places,   // U8 in 0..limit-1
    Step,     // I64
    Hyper     // learning rate and step, or a decay
};

struct CallArgument {
    std::string name;
    bool written = false;
    std::vector<std::vector<std::int64_t>> dims; // of each tensor: one, or those of a list
    Content content = Content::Reals;
    int limit = 0;
    bool list = false;

    std::int32_t dtype() const;
};

using TensorPointers = const cgan_tensor* const*;

struct OperatorCall {
    std::string name; // without "cgan_"
    // The parameter structure; for functions that take numbers instead, those.
    std::vector<std::byte> params;
    bool by_value = false;
    std::vector<CallArgument> arguments; // in the function's order
    std::function<cgan_status(cgan_context*, const void* params, TensorPointers, std::int32_t count)> run;
};

// Some operators come twice, for their two ways through the library.
std::vector<OperatorCall> operator_calls();

} // namespace cgan::test
