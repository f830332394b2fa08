// optimizer.cu: Adam, AdamW, SGD, RMSProp, EMA, clamp, global norm, clipping: one launch for a whole network
// forward : the update rules of cgan.h; learning rate and step count come from device memory
// shapes  : lists of tensors F32; hyper F64 [2]
// launch  : up to 40 tensors go as a kernel parameter (under 4 KiB); a block of 256 threads serves one chunk
// of 4,096
//           elements of one tensor; longer lists take another launch.  Bound by memory (Adam reads 16 and
//           writes 12 bytes for each parameter).  The norm folds chunks in float64, then their partial sums
//           in their order
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

struct AdamRule {
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
    __device__ __forceinline__ void update(const TensorList& l, int t, std::int64_t i,
                                           SharedArray<float, 4>& s) const {
        const float g = l.data[1][t][i], w = l.data[0][t][i];
        const float mean = fmaf(beta1, l.data[2][t][i], one_minus_beta1 * g);
        const float square = fmaf(beta2, l.data[3][t][i], one_minus_beta2 * g * g);
        const float decayed = fmaf(-s[2], w, w);
        l.data[0][t][i] = decayed - s[0] * mean / fmaf(sqrtf(square), s[1], epsilon);
        l.data[2][t][i] = mean;
        l.data[3][t][i] = square;
    }
};

struct SgdRule {
    float momentum, weight_decay;
    bool nesterov, has_velocity;

    __device__ void prepare(const double* hyper, SharedArray<float, 4>& s) const { s[0] = float(hyper[0]); }
    __device__ __forceinline__ void update(const TensorList& l, int t, std::int64_t i,
                                           SharedArray<float, 4>& s) const {
        const float w = l.data[0][t][i];
        float step = fmaf(weight_decay, w, l.data[1][t][i]);
        if (has_velocity) {
            const float moved = fmaf(momentum, l.data[2][t][i], step);
            l.data[2][t][i] = moved;
            step = nesterov ? fmaf(momentum, moved, step) : moved;
        }
        l.data[0][t][i] = fmaf(-s[0], step, w);
    }
};

struct RmspropRule {
    float rho, one_minus_rho, epsilon;

    __device__ void prepare(const double* hyper, SharedArray<float, 4>& s) const { s[0] = float(hyper[0]); }
    __device__ __forceinline__ void update(const TensorList& l, int t, std::int64_t i,
                                           SharedArray<float, 4>& s) const {
        const float g = l.data[1][t][i];
        const float square = fmaf(rho, l.data[2][t][i], one_minus_rho * g * g);
        l.data[0][t][i] -= s[0] * g / (sqrtf(square) + epsilon);
        l.data[2][t][i] = square;
    }
};

// The decay is in device memory, or by value.
struct EmaRule {
    double decay;

    __device__ void prepare(const double* at, SharedArray<float, 4>& s) const {
        const double d = at ? *at : decay;
        s[0] = float(d);
        s[1] = float(1 - d);
    }
    __device__ __forceinline__ void update(const TensorList& l, int t, std::int64_t i,
                                           SharedArray<float, 4>& s) const {
        l.data[0][t][i] = fmaf(s[0], l.data[0][t][i], s[1] * l.data[1][t][i]);
    }
};

struct ClampRule {
    float low, high;

    __device__ void prepare(const double*, SharedArray<float, 4>& s) const { s[0] = 0; }
    __device__ __forceinline__ void update(const TensorList& l, int t, std::int64_t i,
                                           SharedArray<float, 4>&) const {
        const float x = l.data[0][t][i];
        l.data[0][t][i] = x < low ? low : x > high ? high : x; // NaN stays NaN
    }
};

struct ClipRule {
    const float* norm;
    double max_norm;

    __device__ void prepare(const double*, SharedArray<float, 4>& s) const {
        const double ratio = max_norm / double(*norm);
        s[0] = float(ratio >= 1 ? 1 : ratio); // NaN stays NaN
    }
    __device__ __forceinline__ void update(const TensorList& l, int t, std::int64_t i,
                                           SharedArray<float, 4>& s) const {
        l.data[0][t][i] *= s[0];
    }
};

} // namespace

template <class Rule> __global__ void __launch_bounds__(kBlock)
    update_kernel(TensorList list, Rule rule, const double* hyper) {
    __shared__ SharedArray<float, 4> scalars;
    if (threadIdx.x == 0) rule.prepare(hyper, scalars);
    __syncthreads();
    const Range r = find_range(list);
    for (std::int64_t i = r.first + threadIdx.x; i < r.end; i += kBlock)
        rule.update(list, r.tensor, i, scalars);
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
    const SgdRule rule{float(p.momentum), float(p.weight_decay), p.nesterov != 0, !velocity.empty()};
    if (velocity.empty())
        launch_update(device_, {param, grad}, "sgd", rule, hyper.as<double>());
    else
        launch_update(device_, {param, grad, velocity}, "sgd", rule, hyper.as<double>());
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
