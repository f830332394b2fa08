// A call of an operator whose arguments are spoiled at random: pointers, handles, descriptors, parameters, contents.
#pragma once

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "abi/operator_calls.h"

namespace cgan::test {

using Bytes = std::vector<std::byte>;

// Handles that lead nowhere: of a context and a buffer that were destroyed, and of another context's.
struct StrangeHandles {
    cgan_context *dead_context = nullptr, *other_context = nullptr;
    cgan_buffer *dead_buffer = nullptr, *other_buffer = nullptr;
};

// Bytes before and after each tensor in its buffer.
inline constexpr std::int64_t kMargin = 64;

// One tensor of the valid call.
struct Place {
    std::size_t argument = 0, item = 0; // item of a list
    std::int64_t bytes = 0;             // of the tensor
    cgan_buffer* buffer = nullptr;      // with margins
};

struct SpoiledCall {
    const OperatorCall* op = nullptr;
    cgan_context* context = nullptr;
    bool no_params = false;
    Bytes params;
    std::vector<bool> null;                        // of each argument
    std::vector<std::vector<cgan_tensor>> tensors; // of each argument
    std::int32_t count = 0;                        // of lists
    std::vector<Bytes> contents;                   // of each place's buffer
    std::string said;                              // what was spoiled

    cgan_status run() const;
    // The descriptors that the call was told to write to, as the library finds them.
    std::vector<cgan_tensor> written() const;

  private:
    Bytes memory_of(std::size_t argument) const;
};

// The valid call on `places`, which are in order of arguments and items.
SpoiledCall valid_call(const OperatorCall& op, cgan_context* context, const std::vector<Place>& places);

// Spoils one thing. The random numbers decide alone, so that a seed names a case.
void spoil(SpoiledCall& call, const std::vector<Place>& places, const StrangeHandles& strange,
           std::mt19937& random);

// A whole number that breaks things: limits, powers of two, small ones, negative ones.
std::int64_t odd_integer(std::mt19937& random);

} // namespace cgan::test
