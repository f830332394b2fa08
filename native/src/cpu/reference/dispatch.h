// From the type of a view to the type of a template.
#pragma once

#include "backend.h"

namespace cgan::reference {

// Calls f(T{}) with T float or double.
template <class F> void for_float(DType dtype, F&& f) {
    if (dtype == DType::F32) {
        f(float{});
    } else {
        f(double{});
    }
}

// Calls f(T{}) with T the element type.
template <class F> void for_any(DType dtype, F&& f) {
    switch (dtype) {
    case DType::F32:
        return f(float{});
    case DType::F64:
        return f(double{});
    case DType::I32:
        return f(std::int32_t{});
    case DType::I64:
        return f(std::int64_t{});
    case DType::U8:
        return f(std::uint8_t{});
    }
}

} // namespace cgan::reference
