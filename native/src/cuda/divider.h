// Division by numbers that the host knows: an index split into coordinates costs a multiplication and a
// shift.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace cgan::cuda {

// n / d for n < 2^31 (Granlund and Montgomery 1994).
struct Divider {
    std::uint32_t divisor = 1, magic = 0, shift = 0;

    Divider() = default;
    explicit Divider(std::int64_t d) : divisor(std::uint32_t(d < 1 ? 1 : d)) {
        while (shift < 32 && (1ull << shift) < divisor) shift++;
        magic = std::uint32_t(((1ull << 32) * ((1ull << shift) - divisor)) / divisor + 1);
    }

    __device__ __forceinline__ std::uint32_t div(std::uint32_t n) const {
        return (__umulhi(n, magic) + n) >> shift;
    }
    // n = quotient * divisor + remainder
    __device__ __forceinline__ std::uint32_t divmod(std::uint32_t n, std::uint32_t& remainder) const {
        const std::uint32_t q = div(n);
        remainder = n - q * divisor;
        return q;
    }
};

inline constexpr std::int64_t kMaxIndex = 0x7fffffff; // what a Divider can split

} // namespace cgan::cuda
