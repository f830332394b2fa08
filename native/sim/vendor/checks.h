// How the stand-ins for cuDNN and cuBLAS check their arguments: as strictly as NVIDIA's documentation words it, and
// with a report that names the call, the argument and what is wrong with it.
#pragma once

#include <cstdint>
#include <string>

#include "../src/vendor_support.h"

namespace cgan_sim::vendor {

// An argument was refused; `status` is the library's own code for it.
struct Refusal {
    int status;
    std::string text; // "x: ..."
};

[[noreturn]] inline void refuse(int status, const char* argument, const std::string& why) {
    throw Refusal{status, std::string(argument) + ": " + why};
}

inline void require(bool holds, int status, const char* argument, const std::string& why) {
    if (!holds) refuse(status, argument, why);
}

inline void require_pointer(const void* p, int status, const char* argument) {
    require(p != nullptr, status, argument, "is null");
}

// Device memory of this many floats, aligned to them.
inline void require_floats(const void* p, std::int64_t count, int status, const char* argument) {
    require_pointer(p, status, argument);
    require(reinterpret_cast<std::uintptr_t>(p) % sizeof(float) == 0, status, argument,
            "is not aligned to its elements");
    require(inside_device(p, std::size_t(count) * sizeof(float)), status, argument,
            "is not device memory of " + std::to_string(count) + " floats");
}

inline bool overlap(const void* a, std::int64_t a_bytes, const void* b, std::int64_t b_bytes) {
    const auto *p = static_cast<const char*>(a), *q = static_cast<const char*>(b);
    return p < q + b_bytes && q < p + a_bytes;
}

// One of the library's calls, its refusal reported. Those that release are not failed on request: nobody could
// release again.
enum class Effect { Works, Releases };
template <class Status, class Body>
Status guard(const char* call, int failure, Body&& body, Effect effect = Effect::Works) {
    try {
        if (effect == Effect::Works && vendor_call_fails()) throw Refusal{failure, "failed on request"};
        body();
        return Status(0);
    } catch (const Refusal& refusal) {
        note_misuse(std::string(call) + ": " + refusal.text);
        return Status(refusal.status);
    }
}

// What a handle or a descriptor begins with, so that a wrong or destroyed one is recognised.
template <std::uint32_t Kind> struct Marked {
    static constexpr std::uint32_t kMark = Kind;
    std::uint32_t mark = kMark;
    Marked() { count_vendor_objects(1); }
    Marked(const Marked&) = delete;
    ~Marked() {
        mark = 0;
        count_vendor_objects(-1);
    }
};

template <class T> void require_alive(const T* object, int status, const char* argument) {
    require_pointer(object, status, argument);
    require(object->mark == T::kMark, status, argument, "was not created, or was destroyed");
}

// Rounded to the 10 bits of mantissa that TF32 keeps, ties away from zero, as the tensor cores' conversion does.
inline float to_tf32(float x) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, &x, 4);
    if ((bits & 0x7f800000u) == 0x7f800000u) return x;
    bits = (bits + 0x1000u) & 0xffffe000u;
    __builtin_memcpy(&x, &bits, 4);
    return x;
}

} // namespace cgan_sim::vendor
