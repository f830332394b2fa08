// Element-wise operators: one result for each element, computed in float64 and rounded once.
#include <cmath>
#include <limits>
#include <type_traits>

#include "cpu/reference/activation.h"
#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {
namespace {

// Integers round towards zero and saturate; NaN becomes 0.
template <class D, class S> D convert_value(S value) {
    if constexpr (std::is_floating_point_v<D>) {
        return static_cast<D>(value);
    } else {
        using Limits = std::numeric_limits<D>;
        if (!(value == value)) return 0;
        if (value <= static_cast<S>(Limits::min())) return Limits::min();
        if (value >= static_cast<S>(Limits::max())) return Limits::max(); // max may round up to 2^31 or 2^63
        return static_cast<D>(value);
    }
}

// The type that a conversion to D computes in.
template <class D> using Compute = std::conditional_t<std::is_same_v<D, float>, float, double>;

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x; }

double clamp_value(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

double unary_value(const cgan_unary_params& p, double x) {
    switch (p.kind) {
    case CGAN_UNARY_AFFINE:
        return p.alpha * x + p.beta;
    case CGAN_UNARY_EXP:
        return std::exp(x);
    case CGAN_UNARY_LOG:
        return std::log(x);
    case CGAN_UNARY_SQRT:
        return std::sqrt(x);
    case CGAN_UNARY_RSQRT:
        return 1 / std::sqrt(x);
    case CGAN_UNARY_SQUARE:
        return x * x;
    case CGAN_UNARY_ABS:
        return std::abs(x);
    case CGAN_UNARY_RECIPROCAL:
        return 1 / x;
    case CGAN_UNARY_SIGN:
        return sign(x);
    case CGAN_UNARY_STEP:
        return x > 0 ? 1 : p.alpha;
    case CGAN_UNARY_CLAMP:
        return clamp_value(x, p.alpha, p.beta);
    default:
        return activate(p.kind, p.alpha, x);
    }
}

double binary_value(int kind, double a, double b) {
    switch (kind) {
    case CGAN_BINARY_ADD:
        return a + b;
    case CGAN_BINARY_SUB:
        return a - b;
    case CGAN_BINARY_MUL:
        return a * b;
    case CGAN_BINARY_DIV:
        return a / b;
    case CGAN_BINARY_MAX:
        return a != a || a > b ? a : b; // NaN of either operand wins
    case CGAN_BINARY_MIN:
        return a != a || a < b ? a : b;
    default:
        return a > b ? 1 : 0;
    }
}

// Steps of an operand for each axis of the broadcast result; 0 where it is repeated.
void broadcast_strides(const View& operand, const View& dst, std::int64_t* strides) {
    std::int64_t stride = 1;
    for (int i = dst.rank - 1, j = operand.rank - 1; i >= 0; i--, j--) {
        const std::int64_t dim = j >= 0 ? operand.dims[j] : 1;
        strides[i] = dim == 1 ? 0 : stride;
        stride *= dim;
    }
}

} // namespace

void fill(double value, const View& dst) {
    for_any(dst.dtype, [&]<class T>(T) {
        const T element = convert_value<T>(value);
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) dst.as<T>()[i] = element;
    });
}

void convert(double scale, double shift, const View& src, const View& dst) {
    for_any(dst.dtype, [&]<class D>(D) {
        for_any(src.dtype, [&]<class S>(S) {
            using C = Compute<D>;
            const C a = static_cast<C>(scale), b = static_cast<C>(shift);
            for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
                dst.as<D>()[i] = convert_value<D>(a * static_cast<C>(src.as<S>()[i]) + b);
            }
        });
    });
}

void unary(const cgan_unary_params& p, const View& src, const View& dst) {
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            dst.as<T>()[i] = static_cast<T>(unary_value(p, src.as<T>()[i]));
        }
    });
}

void activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst, const View& d_src) {
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            d_src.as<T>()[i] =
                static_cast<T>(activation_gradient(p.kind, p.alpha, dst.as<T>()[i], d_dst.as<T>()[i]));
        }
    });
}

void binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) {
    std::int64_t a_strides[CGAN_MAX_RANK] = {}, b_strides[CGAN_MAX_RANK] = {}, at[CGAN_MAX_RANK] = {};
    broadcast_strides(a, dst, a_strides);
    broadcast_strides(b, dst, b_strides);
    for_float(dst.dtype, [&]<class T>(T) {
        std::int64_t ia = 0, ib = 0;
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            dst.as<T>()[i] = static_cast<T>(binary_value(p.kind, a.as<T>()[ia], b.as<T>()[ib]));
            for (int axis = dst.rank - 1; axis >= 0; axis--) {
                ia += a_strides[axis];
                ib += b_strides[axis];
                if (++at[axis] < dst.dims[axis]) break;
                ia -= a_strides[axis] * dst.dims[axis];
                ib -= b_strides[axis] * dst.dims[axis];
                at[axis] = 0;
            }
        }
    });
}

} // namespace cgan::reference
