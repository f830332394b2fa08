#include "abi/text.h"

#include <cstring>

namespace cgan {

std::string shape_text(const std::int64_t* dims, int rank) {
    std::ostringstream text;
    text << '[';
    for (int i = 0; i < rank; i++) text << (i ? "," : "") << dims[i];
    text << ']';
    return text.str();
}

const char* dtype_name(DType dtype) {
    switch (dtype) {
    case DType::F32:
        return "F32";
    case DType::F64:
        return "F64";
    case DType::I32:
        return "I32";
    case DType::I64:
        return "I64";
    case DType::U8:
        return "U8";
    }
    return "unknown";
}

std::int64_t dtype_size(DType dtype) {
    switch (dtype) {
    case DType::F32:
    case DType::I32:
        return 4;
    case DType::F64:
    case DType::I64:
        return 8;
    case DType::U8:
        return 1;
    }
    return 0;
}

std::int64_t copy_text(const char* text, char* dst, std::int64_t cap) noexcept {
    const auto length = static_cast<std::int64_t>(std::strlen(text));
    if (dst && cap > 0) {
        const std::int64_t n = length < cap - 1 ? length : cap - 1;
        std::memcpy(dst, text, static_cast<std::size_t>(n));
        dst[n] = 0;
    }
    return length;
}

} // namespace cgan
