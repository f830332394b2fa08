// elementwise.cpp -- element-wise operators, split into chunks
//
// shapes  : any; a broadcast operand is taken apart into runs in which it is a vector or one repeated scalar
// repeat  : an element's bits depend on its operands alone
// reference: cpu/reference/elementwise.cpp
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "cpu/fast/operators.h"

namespace cgan::fast {
namespace {

// A broadcast, its axes joined where neither operand starts or stops repeating.
struct Broadcast {
    int rank = 0;
    std::int64_t dims[CGAN_MAX_RANK] = {}, a_strides[CGAN_MAX_RANK] = {}, b_strides[CGAN_MAX_RANK] = {};

    Broadcast(const View& a, const View& b, const View& dst) {
        std::int64_t a_stride = 1, b_stride = 1;
        for (int i = 0; i < dst.rank; i++) { // innermost axis first
            const std::int64_t dim = dst.dims[dst.rank - 1 - i];
            const std::int64_t a_dim = i < a.rank ? a.dims[a.rank - 1 - i] : 1;
            const std::int64_t b_dim = i < b.rank ? b.dims[b.rank - 1 - i] : 1;
            if (dim != 1) add(dim, a_dim == 1 ? 0 : a_stride, b_dim == 1 ? 0 : b_stride);
            a_stride *= a_dim;
            b_stride *= b_dim;
        }
        if (rank == 0) add(1, 1, 1);
    }

    void add(std::int64_t dim, std::int64_t a_stride, std::int64_t b_stride) {
        const int last = rank - 1;
        if (rank > 0 && a_stride == a_strides[last] * dims[last] &&
            b_stride == b_strides[last] * dims[last]) {
            dims[last] *= dim;
            return;
        }
        dims[rank] = dim;
        a_strides[rank] = a_stride;
        b_strides[rank] = b_stride;
        rank++;
    }

    Mode mode() const {
        return a_strides[0] == 0   ? Mode::ScalarVector
               : b_strides[0] == 0 ? Mode::VectorScalar
                                   : Mode::VectorVector;
    }

    // Offset of run i (all axes but the innermost) in an operand.
    std::int64_t offset(std::int64_t run, const std::int64_t* strides) const {
        std::int64_t at = 0;
        for (int i = 1; i < rank; i++) {
            at += run % dims[i] * strides[i];
            run /= dims[i];
        }
        return at;
    }
};

} // namespace

bool Operators::fill(double value, const View& dst) {
    if (!all_f32(dst)) return false;
    const float x = static_cast<float>(value);
    pool_.ranges(dst.elems(), kGrain * 4, [&](std::int64_t begin, std::int64_t end) {
        std::fill(dst.as<float>() + begin, dst.as<float>() + end, x);
    });
    return true;
}

bool Operators::convert(double scale, double shift, const View& src, const View& dst) {
    if (!all_f32(dst) || (src.dtype != DType::U8 && src.dtype != DType::F32)) return false;
    const float a = static_cast<float>(scale), b = static_cast<float>(shift);
    // A byte has 256 values: a table gives the bits of the plain loop, so that pixel 255 is exactly 1.
    std::array<float, 256> table;
    for (int u = 0; u < 256; u++) table[u] = a * static_cast<float>(u) + b;
    pool_.ranges(dst.elems(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        if (src.dtype == DType::U8)
            for (std::int64_t i = begin; i < end; i++) dst.as<float>()[i] = table[src.as<std::uint8_t>()[i]];
        else
            machine_.kernels.unary(CGAN_UNARY_AFFINE, a, b, src.as<float>() + begin, dst.as<float>() + begin,
                                   end - begin);
    });
    return true;
}

bool Operators::unary(const cgan_unary_params& p, const View& src, const View& dst) {
    if (!all_f32(src, dst)) return false;
    pool_.ranges(dst.elems(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        machine_.kernels.unary(p.kind, static_cast<float>(p.alpha), static_cast<float>(p.beta),
                               src.as<float>() + begin, dst.as<float>() + begin, end - begin);
    });
    return true;
}

bool Operators::activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                                    const View& d_src) {
    if (!all_f32(dst, d_dst, d_src)) return false;
    pool_.ranges(dst.elems(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        machine_.kernels.act_backward({p.kind, static_cast<float>(p.alpha)}, dst.as<float>() + begin,
                                      d_dst.as<float>() + begin, d_src.as<float>() + begin, end - begin);
    });
    return true;
}

bool Operators::binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) {
    if (!all_f32(a, b, dst)) return false;
    const Broadcast cast(a, b, dst);
    const Mode mode = cast.mode();
    const std::int64_t n = cast.dims[0], runs = dst.elems() / n;
    const auto run = [&](std::int64_t i, std::int64_t begin, std::int64_t end) {
        const float* x = a.as<float>() + cast.offset(i, cast.a_strides) + begin * cast.a_strides[0];
        const float* y = b.as<float>() + cast.offset(i, cast.b_strides) + begin * cast.b_strides[0];
        machine_.kernels.binary(p.kind, mode, x, y, dst.as<float>() + i * n + begin, end - begin);
    };
    if (n >= kGrain) {
        const std::int64_t pieces = ceil_div(n, kGrain);
        pool_.parallel(runs * pieces, [&](std::int64_t i, int) {
            const std::int64_t begin = i % pieces * kGrain;
            run(i / pieces, begin, std::min(begin + kGrain, n));
        });
    } else {
        pool_.ranges(runs, std::max<std::int64_t>(kGrain / n, 1), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; i++) run(i, 0, n);
        });
    }
    return true;
}

} // namespace cgan::fast
