// elementwise.cu: fill, convert, unary, activation_backward
// forward : dst[i] = f(src[i]);  backward: d_src[i] = d_dst[i] * f'(x), from the result of f
// shapes  : any, n elements, contiguous; F32, except fill and convert, which take any type
// launch  : 1-D grid-stride, 256 threads, 16-byte accesses where both addresses allow;  bound by memory
//           (unary reads 4n and writes 4n bytes); the choice of f is uniform, so its branch costs nothing
//           that shows
// repeat  : run-to-run deterministic;  reference: cpu/reference/elementwise.cpp
#include <limits>

#include "cuda_backend.h"
#include "math.h"
#include "shared.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

struct UnaryMap {
    int kind;
    float alpha, beta;

    __device__ __forceinline__ float operator()(float x) const {
        switch (kind) {
        case CGAN_UNARY_AFFINE:
            return fmaf(alpha, x, beta);
        case CGAN_UNARY_EXP:
            return expf(x);
        case CGAN_UNARY_LOG:
            return logf(x);
        case CGAN_UNARY_SQRT:
            return sqrtf(x);
        case CGAN_UNARY_RSQRT:
            return 1 / sqrtf(x);
        case CGAN_UNARY_SQUARE:
            return x * x;
        case CGAN_UNARY_ABS:
            return fabsf(x);
        case CGAN_UNARY_RECIPROCAL:
            return 1 / x;
        case CGAN_UNARY_SIGN:
            return x > 0 ? 1.0f : x < 0 ? -1.0f : x == 0 ? 0.0f : x;
        case CGAN_UNARY_STEP:
            return x > 0 ? 1.0f : alpha;
        case CGAN_UNARY_CLAMP:
            return x < alpha ? alpha : x > beta ? beta : x;
        default:
            return Activation{kind, alpha}(x);
        }
    }
};

// Integers round towards zero and saturate; NaN becomes 0.
template <class D, class S> __host__ __device__ D convert_value(S value) {
    if constexpr (std::is_floating_point_v<D>) {
        return static_cast<D>(value);
    } else {
        constexpr D low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max();
        if (!(value == value)) return 0;
        if (value <= static_cast<S>(low)) return low;
        if (value >= static_cast<S>(high)) return high; // high may round up to 2^31 or 2^63
        return static_cast<D>(value);
    }
}

} // namespace

template <class T> __global__ void __launch_bounds__(kBlock)
    fill_kernel(std::int64_t n, T value, T* __restrict__ dst) {
    for (std::int64_t i = first_item(); i < n; i += item_step()) dst[i] = value;
}

template <class S, class D, class C> __global__ void __launch_bounds__(kBlock)
    convert_kernel(std::int64_t n, C scale, C shift, const S* __restrict__ src, D* __restrict__ dst) {
    for (std::int64_t i = first_item(); i < n; i += item_step())
        dst[i] = convert_value<D>(scale * static_cast<C>(src[i]) + shift);
}

// n4 groups of four elements, then n elements one by one. src and dst may be the same.
__global__ void __launch_bounds__(kBlock)
    unary_kernel(std::int64_t n4, std::int64_t n, UnaryMap f, const float* src, float* dst) {
    for (std::int64_t i = first_item(); i < n4; i += item_step()) {
        const float4 x = load4(src + 4 * i);
        store4(dst + 4 * i, make_float4(f(x.x), f(x.y), f(x.z), f(x.w)));
    }
    for (std::int64_t i = 4 * n4 + first_item(); i < n; i += item_step()) dst[i] = f(src[i]);
}

// d_src may be d_dst.
__global__ void __launch_bounds__(kBlock)
    activation_backward_kernel(std::int64_t n4, std::int64_t n, Activation f, const float* dst,
                               const float* d_dst, float* d_src) {
    for (std::int64_t i = first_item(); i < n4; i += item_step()) {
        const float4 y = load4(dst + 4 * i), d = load4(d_dst + 4 * i);
        store4(d_src + 4 * i, make_float4(f.gradient(y.x, d.x), f.gradient(y.y, d.y), f.gradient(y.z, d.z),
                                          f.gradient(y.w, d.w)));
    }
    for (std::int64_t i = 4 * n4 + first_item(); i < n; i += item_step())
        d_src[i] = f.gradient(dst[i], d_dst[i]);
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

template <class Body> void for_type(DType type, Body&& body) {
    switch (type) {
    case DType::F32:
        return body(float{});
    case DType::F64:
        return body(double{});
    case DType::I32:
        return body(std::int32_t{});
    case DType::I64:
        return body(std::int64_t{});
    default:
        return body(std::uint8_t{});
    }
}

} // namespace

void CudaBackend::fill(double value, const View& dst) {
    const std::int64_t n = dst.elems();
    for_type(dst.dtype, [&]<class T>(T) {
        launch(device_, grid_1d(device_, n), kBlock, fill_kernel<T>, n, convert_value<T>(value), dst.as<T>());
    });
}

void CudaBackend::convert(double scale, double shift, const View& src, const View& dst) {
    const std::int64_t n = dst.elems();
    for_type(dst.dtype, [&]<class D>(D) {
        for_type(src.dtype, [&]<class S>(S) {
            using C = std::conditional_t<std::is_same_v<D, float>, float, double>;
            launch(device_, grid_1d(device_, n), kBlock, convert_kernel<S, D, C>, n, C(scale), C(shift),
                   src.as<S>(), dst.as<D>());
        });
    });
}

template <class Vendor, class Own> void CudaBackend::serve_elementwise(const OperatorKey& key, Vendor vendor,
                                                                       Own own, bool in_place,
                                                                       const View& dst) {
    const bool rehearse = in_place && candidates_.undecided(key);
    const Scratch<float> memory(device_, rehearse ? dst.elems() : 0);
    View other = dst;
    if (rehearse) other.data = memory.data();
    candidates_.serve(key, vendor(dst), own(dst), vendor(other), own(other));
}

void CudaBackend::unary(const cgan_unary_params& p, const View& src, const View& dst) {
    require_f32(src, "unary");
    const std::int64_t n = dst.elems(), n4 = aligned16(src.data) && aligned16(dst.data) ? n / 4 : 0;
    const UnaryMap f{p.kind, float(p.alpha), float(p.beta)};
    const auto vendor = [&](const View& to) {
        return [&](vendor::Operators& v) { return v.unary(p, src, to); };
    };
    const auto own = [&](const View& to) {
        return [&] {
            launch(device_, grid_1d(device_, n4 ? n4 : n), kBlock, unary_kernel, n4, n, f, src.as<float>(),
                   to.as<float>());
        };
    };
    serve_elementwise({"unary", {&src}, {p.kind}}, vendor, own, src.data == dst.data, dst);
}

void CudaBackend::activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                                      const View& d_src) {
    require_f32(dst, "activation_backward");
    const bool vector = aligned16(dst.data) && aligned16(d_dst.data) && aligned16(d_src.data);
    const std::int64_t n = dst.elems(), n4 = vector ? n / 4 : 0;
    const auto vendor = [&](const View& to) {
        return [&](vendor::Operators& v) { return v.activation_backward(p, dst, d_dst, to); };
    };
    const auto own = [&](const View& to) {
        return [&] {
            launch(device_, grid_1d(device_, n4 ? n4 : n), kBlock, activation_backward_kernel, n4, n,
                   Activation{p.kind, float(p.alpha)}, dst.as<float>(), d_dst.as<float>(), to.as<float>());
        };
    };
    serve_elementwise({"activation_backward", {&dst}, {p.kind}}, vendor, own, d_dst.data == d_src.data,
                      d_src);
}

} // namespace cgan::cuda
