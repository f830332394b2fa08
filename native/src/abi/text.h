// Text for messages and for the functions that copy text out.
#pragma once

#include <cstdint>
#include <sstream>
#include <string>

#include "backend.h"

namespace cgan {

// All arguments, streamed one after the other.
template <class... Args> std::string cat(const Args&... args) {
    std::ostringstream out;
    (out << ... << args);
    return out.str();
}

// "[16,64,32,32]"
std::string shape_text(const std::int64_t* dims, int rank);
inline std::string shape_text(const View& view) { return shape_text(view.dims, view.rank); }

const char* dtype_name(DType dtype);
std::int64_t dtype_size(DType dtype);

// Copies at most cap - 1 bytes and a final zero into dst (nullable if cap is 0); returns the full length.
std::int64_t copy_text(const char* text, char* dst, std::int64_t cap) noexcept;

} // namespace cgan
