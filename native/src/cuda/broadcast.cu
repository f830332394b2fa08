// broadcast.cu: binary operators with NumPy's broadcasting
// forward : dst[i] = a[..] op b[..]
// shapes  : up to 8 axes; axes that all three operands walk alike are merged first, so that equal shapes, a scalar and a
//           row vector cost no more than one division an element
// launch  : 1-D grid-stride, 256 threads, 16-byte accesses when a and b have dst's shape;  bound by memory
// repeat  : run-to-run deterministic;  reference: cpu/reference/elementwise.cpp
#include "cuda_backend.h"
#include "divider.h"
#include "math.h"
#include "shared.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

struct Broadcast {
    int rank = 0;
    Divider dims[CGAN_MAX_RANK];                     // last axis first
    std::int64_t a[CGAN_MAX_RANK], b[CGAN_MAX_RANK]; // steps, 0 where the operand is repeated
};

__device__ __forceinline__ float apply(int kind, float a, float b) {
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
        return nan_max(a, b);
    case CGAN_BINARY_MIN:
        return nan_min(a, b);
    default:
        return a > b ? 1.0f : 0.0f;
    }
}

} // namespace

__global__ void __launch_bounds__(kBlock) binary_same_kernel(std::int64_t n4, std::int64_t n, int kind,
                                                             const float* a, const float* b, float* dst) {
    for (std::int64_t i = first_item(); i < n4; i += item_step()) {
        const float4 x = load4(a + 4 * i), y = load4(b + 4 * i);
        store4(dst + 4 * i, make_float4(apply(kind, x.x, y.x), apply(kind, x.y, y.y), apply(kind, x.z, y.z),
                                        apply(kind, x.w, y.w)));
    }
    for (std::int64_t i = 4 * n4 + first_item(); i < n; i += item_step()) dst[i] = apply(kind, a[i], b[i]);
}

__global__ void __launch_bounds__(kBlock)
    binary_broadcast_kernel(unsigned n, int kind, Broadcast shape, const float* a, const float* b,
                            float* dst) {
    for (std::int64_t i = first_item(); i < n; i += item_step()) {
        unsigned rest = unsigned(i);
        std::int64_t ia = 0, ib = 0;
        for (int axis = 0; axis < shape.rank; axis++) {
            unsigned at;
            rest = shape.dims[axis].divmod(rest, at);
            ia += at * shape.a[axis];
            ib += at * shape.b[axis];
        }
        dst[i] = apply(kind, a[ia], b[ib]);
    }
}

// ---- launchers ----------------------------------------------------------------------------------

namespace {

struct Axis {
    std::int64_t dim, a, b;
};

// The axes of the result, last first; neighbours that both operands walk as one are merged.
int merge_axes(const View& a, const View& b, const View& dst, Axis* axes) {
    int rank = 0;
    std::int64_t step_a = 1, step_b = 1;
    for (int i = 0; i < dst.rank; i++) {
        const std::int64_t dim = dst.dims[dst.rank - 1 - i];
        const std::int64_t dim_a = i < a.rank ? a.dims[a.rank - 1 - i] : 1;
        const std::int64_t dim_b = i < b.rank ? b.dims[b.rank - 1 - i] : 1;
        const Axis axis{dim, dim_a == 1 ? 0 : step_a, dim_b == 1 ? 0 : step_b};
        step_a *= dim_a;
        step_b *= dim_b;
        if (dim == 1) continue;
        if (rank > 0) {
            Axis& inner = axes[rank - 1];
            if (axis.a == inner.a * inner.dim && axis.b == inner.b * inner.dim) {
                inner.dim *= dim;
                continue;
            }
        }
        axes[rank++] = axis;
    }
    return rank;
}

// Runs the inner `rank` axes in one launch if their index fits, else one launch for each step of the
// outermost.
void launch_broadcast(const Device& device, int kind, const Axis* axes, int rank, const float* a,
                      const float* b, float* dst) {
    Broadcast shape;
    std::int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= axes[i].dim;
    if (n > kMaxIndex) {
        const Axis& outer = axes[rank - 1];
        const std::int64_t inner = n / outer.dim;
        if (rank == 1) { // one long axis: in pieces
            for (std::int64_t at = 0; at < n; at += kMaxIndex) {
                const Axis piece{n - at < kMaxIndex ? n - at : kMaxIndex, outer.a, outer.b};
                launch_broadcast(device, kind, &piece, 1, a + at * outer.a, b + at * outer.b, dst + at);
            }
            return;
        }
        for (std::int64_t i = 0; i < outer.dim; i++)
            launch_broadcast(device, kind, axes, rank - 1, a + i * outer.a, b + i * outer.b, dst + i * inner);
        return;
    }
    shape.rank = rank;
    for (int i = 0; i < rank; i++) {
        shape.dims[i] = Divider(axes[i].dim);
        shape.a[i] = axes[i].a;
        shape.b[i] = axes[i].b;
    }
    launch(device, grid_1d(device, n), kBlock, binary_broadcast_kernel, unsigned(n), kind, shape, a, b, dst);
}

} // namespace

void CudaBackend::binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) {
    require_f32(dst, "binary");
    Axis axes[CGAN_MAX_RANK] = {};
    const int rank = merge_axes(a, b, dst, axes);
    const std::int64_t n = dst.elems();
    if (rank == 0 || (rank == 1 && axes[0].a == 1 && axes[0].b == 1)) {
        const bool vector = aligned16(a.data) && aligned16(b.data) && aligned16(dst.data);
        const std::int64_t n4 = vector ? n / 4 : 0;
        launch(device_, grid_1d(device_, n4 ? n4 : n), kBlock, binary_same_kernel, n4, n, p.kind,
               a.as<float>(), b.as<float>(), dst.as<float>());
        return;
    }
    launch_broadcast(device_, p.kind, axes, rank, a.as<float>(), b.as<float>(), dst.as<float>());
}

} // namespace cgan::cuda
