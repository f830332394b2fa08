// optimizer.cu: Adam, AdamW, SGD, RMSProp, EMA, clamp, global norm, clipping: one launch for a whole network
// forward : the update rules of cgan.h; learning rate and step count come from device memory
// shapes  : lists of tensors F32; hyper F64 [2]
// launch  : up to 40 tensors go as a kernel parameter (under 4 KiB); a block of 256 threads serves one chunk of 4,096
//           elements of one tensor, by 16-byte loads if all its operands are aligned, and a tail of up to three; longer
//           lists take another launch.  Bound by memory (Adam reads 16 and writes 12 bytes for each parameter).  The
//           norm folds chunks in float64, then their partial sums in their order
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/optimizers.cpp
#include "cuda_backend.h"
#include "warp.h"

namespace cgan::cuda {

// ---- kernels ------------------------------------------------------------------------------------

namespace {

constexpr int kMaxTensors = 40;
constexpr int kChunk = 4096;

// Some tensors of up to four lists; tensor t owns the chunks first_chunk[t] .. first_chunk[t + 1] - 1.
struct TensorList {
    int count = 0;
    float* data[4][kMaxTensors];
    std::int64_t elems[kMaxTensors];
    int first_chunk[kMaxTensors + 1];
};

struct Range {
    int tensor;
    std::int64_t first, end;
};

__device__ __forceinline__ Range find_range(const TensorList& list) {
    int tensor = 0;
    while (int(blockIdx.x) >= list.first_chunk[tensor + 1]) tensor++;
    const std::int64_t first = std::int64_t(int(blockIdx.x) - list.first_chunk[tensor]) * kChunk;
    const std::int64_t rest = list.elems[tensor] - first;
    return {tensor, first, first + (rest < kChunk ? rest : kChunk)};
}

// A rule updates x, an element of each of its lists; those that it says it writes go back to memory.
struct AdamRule {
    static constexpr int kLists = 4;
    static constexpr bool written(int list) { return list != 1; }

    float beta1, beta2, epsilon, one_minus_beta1, one_minus_beta2;
    double exact_beta1, exact_beta2, weight_decay;
    bool corrected;

    // {step size, divisor of the second moment's root, decay}, in float64 once for a block.
    __device__ void prepare(const double* hyper, SharedArray<float, 4>& s) const {
        const double rate = hyper[0], t = hyper[1];
        const double first = 1 - pow(exact_beta1, t), second = 1 - pow(exact_beta2, t);
        s[0] = float(corrected ? rate / first : rate * sqrt(second) / first);
        s[1] = float(corrected ? 1 / sqrt(second) : 1.0);
        s[2] = float(rate * weight_decay);
    }
    __device__ __forceinline__ void update(float (&x)[kLists], SharedArray<float, 4>& s) const {
        const float g = x[1], w = x[0];
        x[2] = fmaf(beta1, x[2], one_minus_beta1 * g);
        x[3] = fmaf(beta2, x[3], one_minus_beta2 * g * g);
        const float decayed = fmaf(-s[2], w, w);
        x[0] = decayed - s[0] * x[2] / fmaf(sqrtf(x[3]), s[1], epsilon);
    }
};

template <bool kVelocity> struct SgdRule {
    static constexpr int kLists = kVelocity ? 3 : 2;
    static constexpr bool written(int list) { return list != 1; }

    float momentum, weight_decay;
    bool nesterov;

    __device__ void prepare(const double* hyper, SharedArray<float, 4>& s) const { s[0] = float(hyper[0]); }
    __device__ __forceinline__ void update(float (&x)[kLists], SharedArray<float, 4>& s) const {
        float step = fmaf(weight_decay, x[0], x[1]);
        if constexpr (kVelocity) {
            x[2] = fmaf(momentum, x[2], step);
            step = nesterov ? fmaf(momentum, x[2], step) : x[2];
        }
        x[0] = fmaf(-s[0], step, x[0]);
    }
};

struct RmspropRule {
    static constexpr int kLists = 3;
    static constexpr bool written(int list) { return list != 1; }

    float rho, one_minus_rho, epsilon;

    __device__ void prepare(const double* hyper, SharedArray<float, 4>& s) const { s[0] = float(hyper[0]); }
    __device__ __forceinline__ void update(float (&x)[kLists], SharedArray<float, 4>& s) const {
        const float g = x[1];
        x[2] = fmaf(rho, x[2], one_minus_rho * g * g);
        x[0] -= s[0] * g / (sqrtf(x[2]) + epsilon);
    }
};

// The decay is in device memory, or by value.
struct EmaRule {
    static constexpr int kLists = 2;
    static constexpr bool written(int list) { return list == 0; }

    double decay;

    __device__ void prepare(const double* at, SharedArray<float, 4>& s) const {
        const double d = at ? *at : decay;
        s[0] = float(d);
        s[1] = float(1 - d);
    }
    __device__ __forceinline__ void update(float (&x)[kLists], SharedArray<float, 4>& s) const {
        x[0] = fmaf(s[0], x[0], s[1] * x[1]);
    }
};

struct ClampRule {
    static constexpr int kLists = 1;
    static constexpr bool written(int) { return true; }

    float low, high;

    __device__ void prepare(const double*, SharedArray<float, 4>& s) const { s[0] = 0; }
    __device__ __forceinline__ void update(float (&x)[kLists], SharedArray<float, 4>&) const {
        x[0] = x[0] < low ? low : x[0] > high ? high : x[0]; // NaN stays NaN
    }
};

struct ClipRule {
    static constexpr int kLists = 1;
    static constexpr bool written(int) { return true; }

    const float* norm;
    double max_norm;

    __device__ void prepare(const double*, SharedArray<float, 4>& s) const {
        const double ratio = max_norm / double(*norm);
        s[0] = float(ratio >= 1 ? 1 : ratio); // NaN stays NaN
    }
    __device__ __forceinline__ void update(float (&x)[kLists], SharedArray<float, 4>& s) const {
        x[0] *= s[0];
    }
};

// Where list l of the range's tensor begins.
__device__ __forceinline__ float* base_of(const TensorList& list, const Range& r, int l) {
    return list.data[l][r.tensor] + r.first;
}

template <class Rule> __device__ __forceinline__ bool aligned16(const TensorList& list, const Range& r) {
    std::uintptr_t bits = 0;
#pragma unroll
    for (int l = 0; l < Rule::kLists; l++) bits |= reinterpret_cast<std::uintptr_t>(base_of(list, r, l));
    return bits % 16 == 0;
}

// Elements i .. i + 3 of each list, which are aligned to 16 bytes.
template <class Rule> __device__ __forceinline__ void
update_four(const Rule& rule, const TensorList& list, const Range& r, int i, SharedArray<float, 4>& scalars) {
    float x[4][Rule::kLists];
#pragma unroll
    for (int l = 0; l < Rule::kLists; l++) {
        const float4 v = load4(base_of(list, r, l) + i);
        x[0][l] = v.x, x[1][l] = v.y, x[2][l] = v.z, x[3][l] = v.w;
    }
#pragma unroll
    for (int e = 0; e < 4; e++) rule.update(x[e], scalars);
#pragma unroll
    for (int l = 0; l < Rule::kLists; l++)
        if (Rule::written(l))
            store4(base_of(list, r, l) + i, make_float4(x[0][l], x[1][l], x[2][l], x[3][l]));
}

template <class Rule> __device__ __forceinline__ void
update_one(const Rule& rule, const TensorList& list, const Range& r, int i, SharedArray<float, 4>& scalars) {
    float x[Rule::kLists];
#pragma unroll
    for (int l = 0; l < Rule::kLists; l++) x[l] = base_of(list, r, l)[i];
    rule.update(x, scalars);
#pragma unroll
    for (int l = 0; l < Rule::kLists; l++)
        if (Rule::written(l)) base_of(list, r, l)[i] = x[l];
}

// Blocks that a multiprocessor holds at least. Left alone the compiler takes 43 registers for Adam, which is one
// block less; Turing has no room for more than 4 blocks. The other rules take few registers by themselves.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <class Rule> inline constexpr int kResident = 1;
#else
template <class Rule> inline constexpr int kResident = std::is_same_v<Rule, AdamRule> ? 6 : 1;
#endif

} // namespace

template <class Rule> __global__ void __launch_bounds__(kBlock, kResident<Rule>)
    update_kernel(TensorList list, Rule rule, const double* hyper) {
    __shared__ SharedArray<float, 4> scalars;
    if (threadIdx.x == 0) rule.prepare(hyper, scalars);
    __syncthreads();
    const Range r = find_range(list);
    const int n = int(r.end - r.first), n4 = aligned16<Rule>(list, r) ? n / 4 : 0;
    for (int i = int(threadIdx.x); i < n4; i += kBlock) update_four(rule, list, r, 4 * i, scalars);
    for (int i = 4 * n4 + int(threadIdx.x); i < n; i += kBlock) update_one(rule, list, r, i, scalars);
}

// partial[chunk] = sum of the squares of its elements
__global__ void __launch_bounds__(kBlock) square_sum_kernel(TensorList list, double* __restrict__ partial) {
    __shared__ SharedArray<double, 32> scratch;
    const Range r = find_range(list);
    double sum = 0;
    for (std::int64_t i = r.first + threadIdx.x; i < r.end; i += kBlock) {
        const double x = double(list.data[0][r.tensor][i]);
        sum += x * x;
    }
    sum = block_fold(sum, Add{}, scratch);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kBlock)
    norm_kernel(std::int64_t n, const double* __restrict__ partial, float* __restrict__ dst) {
    __shared__ SharedArray<double, 32> scratch;
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < n; i += kBlock) sum += partial[i];
    sum = block_fold(sum, Add{}, scratch);
    if (threadIdx.x == 0) *dst = float(sqrt(sum));
}

__global__ void advance_kernel(double* hyper) { hyper[1] += 1; }

// ---- launchers ----------------------------------------------------------------------------------

namespace {

// Calls body(list, chunks) for each group of tensors; empty tensors take no part.
template <class Body> void for_groups(std::initializer_list<Views> lists, const char* what, Body&& body) {
    const Views& first = *lists.begin();
    TensorList group;
    group.first_chunk[0] = 0;
    for (std::size_t t = 0; t < first.size(); t++) {
        const std::int64_t n = first[t].elems();
        if (n > 0) {
            const int slot = group.count++;
            int list = 0;
            for (const Views& views : lists) {
                require_f32(views[t], what);
                group.data[list++][slot] = views[t].as<float>();
            }
            group.elems[slot] = n;
            group.first_chunk[slot + 1] = group.first_chunk[slot] + int(div_up(n, kChunk));
        }
        if (group.count == kMaxTensors || (t + 1 == first.size() && group.count > 0)) {
            body(group, unsigned(group.first_chunk[group.count]));
            group.count = 0;
        }
    }
}

template <class Rule> void launch_update(const Device& device, std::initializer_list<Views> lists,
                                         const char* what, const Rule& rule, const double* hyper) {
    for_groups(lists, what, [&](const TensorList& list, unsigned chunks) {
        launch(device, chunks, kBlock, update_kernel<Rule>, list, rule, hyper);
    });
}

} // namespace

void CudaBackend::optimizer_advance(const View& hyper) {
    launch(device_, 1, 1, advance_kernel, hyper.as<double>());
}

void CudaBackend::adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m,
                       Views v) {
    const AdamRule rule{
        float(p.beta1), float(p.beta2), float(p.epsilon), float(1 - p.beta1),           float(1 - p.beta2),
        p.beta1,        p.beta2,        p.weight_decay,   p.form == CGAN_ADAM_CORRECTED};
    launch_update(device_, {param, grad, m, v}, "adam", rule, hyper.as<double>());
}

void CudaBackend::sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity) {
    const auto momentum = float(p.momentum), decay = float(p.weight_decay);
    if (velocity.empty())
        launch_update(device_, {param, grad}, "sgd", SgdRule<false>{momentum, decay, false},
                      hyper.as<double>());
    else
        launch_update(device_, {param, grad, velocity}, "sgd",
                      SgdRule<true>{momentum, decay, p.nesterov != 0}, hyper.as<double>());
}

void CudaBackend::rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v) {
    const RmspropRule rule{float(p.rho), float(1 - p.rho), float(p.epsilon)};
    launch_update(device_, {param, grad, v}, "rmsprop", rule, hyper.as<double>());
}

void CudaBackend::ema(const cgan_ema_params& p, Views src, Views dst) {
    launch_update(device_, {dst, src}, "ema", EmaRule{p.decay}, nullptr);
}

void CudaBackend::ema_by(const View& decay, Views src, Views dst) {
    launch_update(device_, {dst, src}, "ema_by", EmaRule{0}, decay.as<double>());
}

void CudaBackend::clamp(const cgan_clamp_params& p, Views tensors) {
    launch_update(device_, {tensors}, "clamp", ClampRule{float(p.low), float(p.high)}, nullptr);
}

void CudaBackend::global_norm(Views tensors, const View& dst) {
    require_f32(dst, "global_norm");
    std::int64_t chunks = 0, done = 0;
    for (const View& v : tensors) chunks += div_up(v.elems(), kChunk);
    Scratch<double> partial(device_, chunks);
    for_groups({tensors}, "global_norm", [&](const TensorList& list, unsigned count) {
        launch(device_, count, kBlock, square_sum_kernel, list, partial.data() + done);
        done += count;
    });
    launch(device_, 1, kBlock, norm_kernel, chunks, partial.data(), dst.as<float>());
}

void CudaBackend::clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors) {
    require_f32(norm, "clip_by_norm");
    launch_update(device_, {tensors}, "clip_by_norm", ClipRule{norm.as<float>(), p.max_norm}, nullptr);
}

} // namespace cgan::cuda
