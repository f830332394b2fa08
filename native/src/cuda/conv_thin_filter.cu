// conv_thin_filter.cu: conv2d_backward_filter and conv2d_pool_backward_filter of images of up to 3 channels
// backward: d_wei = sum over pixels of d_dst x src; d_bia = sum over pixels of d_dst, after pooling only
// shapes  : src [n, h, w, c], d_wei [k, r, s, c], d_dst [n, oh, ow, k], or dst, d_dst [n, oh/2, ow/2, k] F32 and arg U8
// launch  : a block sums 64 channels by up to 28 (tap, c) over a band of rows of a few images, whose source pixels lie in
//           shared memory. Each warp walks pixels of its own, four at a time: their gradients of 64 channels come in
//           whole lines, a step ahead, and pass through shared memory; a thread sums 8 channels by 7 (tap, c) in
//           registers: 56 multiply-adds for 2 vector and 7 broadcast reads.  At the end the warps' sums are added, and
//           a second launch adds those of the blocks.  2 n oh ow k r s c FLOP, 4 n oh ow k bytes; pooled 2.25 n oh ow k
// repeat  : run-to-run deterministic (no atomics);  reference: cpu/reference/conv2d.cpp
#include "source_patch.h"

namespace cgan::cuda {
namespace {

constexpr int kWarps = kBlock / 32;
constexpr int kPanel = 64, kHalf = 32; // channels of a block: a thread has a vector of 4 of each half
constexpr int kThreadsAcross = 8, kTapThreads = 4; // of a warp
constexpr int kStep = 4;                           // pixels of a step of a warp: neighbours, or a window
constexpr int kStepFloats = kStep * kPanel;
constexpr int kGradientFloats = kWarps * kStepFloats, kSourceFloats = 4096;
constexpr int kPitch = kPanel + 4; // of a row of sums
constexpr int kMostPixels = 2048;  // of a block: long sums round less in pieces
constexpr int kLeastPixels = 128;
constexpr int kFloatBytes = int(sizeof(float));

// Taps of a thread whose sums are added at a time.
constexpr int round_taps(int taps) { return (taps + 2) / 3; }
constexpr int shared_floats(int taps) {
    const int sums = kWarps * round_taps(taps) * kTapThreads * kPitch,
              steps = kGradientFloats + kSourceFloats;
    return sums > steps ? sums : steps;
}

// How pixels are shared out: a block has `band` rows of results (or of windows) of `images` images.
struct ThinFilterPlan {
    ConvShape shape;
    SourcePatch patch;
    int rows, columns; // of results, or of windows
    int band, images;
    Divider bands, across, run; // across: columns; run: s * c
    int groups, taps;           // groups: of images; taps: r * s * c

    int splits() const { return groups * int(bands.divisor); }
};

// Four pixels' gradients of two channels a thread, from d_dst [n, rows, columns, k].
struct PixelGradient {
    static constexpr bool kWindows = false;
    static constexpr int kSide = 1, kResults = kStep; // pixels of a result either way; results of a step
    const float* d_dst;

    struct Step {
        float v[kStep][2];
    };
    // From pixel `first` on, of which `left` remain; channel and channel + 32 of k.
    __device__ __forceinline__ Step load(int first, int left, int channel, int k) const {
        Step step;
        const unsigned at = unsigned(first) * unsigned(k) + unsigned(channel);
#pragma unroll
        for (int p = 0; p < kStep; p++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                step.v[p][half] = p < left && channel + half * kHalf < k ? d_dst[at + unsigned(p * k + half * kHalf)] : 0;
        return step;
    }
    __device__ __forceinline__ void gradients(const Step& step, float (&v)[kStep][2]) const {
#pragma unroll
        for (int p = 0; p < kStep; p++) v[p][0] = step.v[p][0], v[p][1] = step.v[p][1];
    }
};

// The same of the four places of a window, from dst, d_dst and arg [n, rows, columns, k].
struct WindowGradient {
    static constexpr bool kWindows = true;
    static constexpr int kSide = 2, kResults = 1;
    const float *dst, *d_dst;
    const std::uint8_t* arg;
    Activation act;

    struct Step {
        float y[2], d[2];
        unsigned place[2];
    };
    __device__ __forceinline__ Step load(int window, int left, int channel, int k) const {
        Step step = {};
#pragma unroll
        for (int half = 0; half < 2; half++)
            if (left > 0 && channel + half * kHalf < k) {
                const std::int64_t at = std::int64_t(window) * k + channel + half * kHalf;
                step.y[half] = dst[at], step.d[half] = d_dst[at], step.place[half] = arg[at];
            }
        return step;
    }
    __device__ __forceinline__ void gradients(const Step& step, float (&v)[kStep][2]) const {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float g = act.gradient(step.y[half], step.d[half]);
#pragma unroll
            for (int q = 0; q < kStep; q++) v[q][half] = step.place[half] == unsigned(q) ? g : 0;
        }
    }
};

// What a thread sums: channels 4 across .. 4 across + 3 of each half by (tap, c) down, down + 4, ... of the block's.
template <int Taps> struct ThinSums {
    static constexpr int kShared = shared_floats(Taps);
    using Shared = SharedArray<float, kShared>;
    float v[2][Taps][4] = {};

    __device__ __forceinline__ void add(Shared& shared, int gradient, int source, const int (&tap)[Taps]) {
        const int across = int(threadIdx.x) % kThreadsAcross;
        float g[2][4];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float4 x = load4(shared.span(gradient + half * kHalf + 4 * across, 4));
            g[half][0] = x.x, g[half][1] = x.y, g[half][2] = x.z, g[half][3] = x.w;
        }
#pragma unroll
        for (int j = 0; j < Taps; j++) {
            const float x = shared.at_byte(source + tap[j]);
#pragma unroll
            for (int half = 0; half < 2; half++)
#pragma unroll
                for (int q = 0; q < 4; q++) v[half][j][q] = fmaf(g[half][q], x, v[half][j][q]);
        }
    }

    // to [k, taps]: the sums of all warps in their order, of channels from k0 and (tap, c) from tap0 on.
    __device__ __forceinline__ void finish(Shared& shared, int k0, int k, int tap0, int taps,
                                           float* to) const {
        constexpr int kRound = round_taps(Taps);
        const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
        const int across = lane % kThreadsAcross, down = lane / kThreadsAcross;
#pragma unroll
        for (int first = 0; first < Taps; first += kRound) {
            __syncthreads();
#pragma unroll
            for (int j = first; j < first + kRound && j < Taps; j++)
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const int row = (warp * kRound + j - first) * kTapThreads + down;
                    store4(shared.span(row * kPitch + half * kHalf + 4 * across, 4),
                           make_float4(v[half][j][0], v[half][j][1], v[half][j][2], v[half][j][3]));
                }
            __syncthreads();
            const int rows = least(kRound, Taps - first) * kTapThreads;
            for (int i = int(threadIdx.x); i < rows * kPanel; i += kBlock) {
                const int row = i % rows, channel = i / rows, tap = tap0 + first * kTapThreads + row;
                if (tap >= taps || k0 + channel >= k) continue;
                float sum = 0;
#pragma unroll
                for (int w = 0; w < kWarps; w++)
                    sum += shared[(w * kRound * kTapThreads + row) * kPitch + channel];
                to[std::int64_t(k0 + channel) * taps + tap] = sum;
            }
        }
    }
};

// to[k0 ..] = the sums of what each warp's lanes have of channels lane and lane + 32.
template <int N> __device__ __forceinline__ void
finish_bias(SharedArray<float, N>& shared, const float (&bias)[2], int k0, int k, float* to) {
    __syncthreads();
#pragma unroll
    for (int half = 0; half < 2; half++)
        shared[int(threadIdx.x) / 32 * kPanel + half * kHalf + int(threadIdx.x) % 32] = bias[half];
    __syncthreads();
    const int channel = int(threadIdx.x);
    if (channel >= kPanel || k0 + channel >= k) return;
    float sum = 0;
#pragma unroll
    for (int w = 0; w < kWarps; w++) sum += shared[w * kPanel + channel];
    to[k0 + channel] = sum;
}

// Where a block is: the rows of results (or of windows) that it sums in each image of its group, and the channels and (tap, c).
struct ThinPlace {
    int group, first_row, count; // count: results of an image
    int k0, tap0;

    __device__ __forceinline__ ThinPlace(const ThinFilterPlan& p, int taps) {
        unsigned band;
        group = int(p.bands.divmod(blockIdx.x, band)), first_row = int(band) * p.band;
        count = least(p.band, p.rows - first_row) * p.columns;
        k0 = int(blockIdx.y) * kPanel, tap0 = int(blockIdx.z) * kTapThreads * taps;
    }
};

// Bytes in shared memory from a pixel's source to that of the next in its column and in its row.
struct SourceSteps {
    int y, x;

    __device__ __forceinline__ explicit SourceSteps(const ThinFilterPlan& p)
        : y(p.shape.stride_y * p.patch.line * kFloatBytes), x(p.shape.stride_x * p.shape.c * kFloatBytes) {}
};

// tap[j]: bytes from the start of shared memory to what the thread's j-th (tap, c) sees from the first pixel. Beyond the
// last it is the last's: what is summed there is not stored.
template <int Taps> __device__ __forceinline__ void
locate_taps(const ThinFilterPlan& p, int tap0, int (&tap)[Taps]) {
    const int down = int(threadIdx.x) % 32 / kThreadsAcross;
#pragma unroll
    for (int j = 0; j < Taps; j++) {
        unsigned at;
        const int row = int(p.run.divmod(least(tap0 + j * kTapThreads + down, p.taps - 1), at));
        tap[j] = (kGradientFloats + row * p.patch.line + int(at)) * kFloatBytes;
    }
}

// Passes the gradients of channels lane and lane + 32 on to the whole warp, whose patch begins at `mine`.
template <int N> __device__ __forceinline__ void
share_gradients(SharedArray<float, N>& shared, int mine, const float (&v)[kStep][2]) {
    __syncwarp(); // the last step is read
#pragma unroll
    for (int q = 0; q < kStep; q++)
#pragma unroll
        for (int half = 0; half < 2; half++)
            shared[mine + q * kPanel + half * kHalf + int(threadIdx.x) % 32] = v[q][half];
    __syncwarp();
}

// Adds the four places of a window, whose source begins at byte `at`.
template <int Taps> __device__ __forceinline__ void
add_window(ThinSums<Taps>& sums, typename ThinSums<Taps>::Shared& shared, int mine, int at,
           const SourceSteps& step, const int (&tap)[Taps]) {
#pragma unroll
    for (int q = 0; q < kStep; q++)
        sums.add(shared, mine + q * kPanel, at + q / 2 * step.y + q % 2 * step.x, tap);
}

// Adds four pixels, or the `left` that remain, of which the first is in column x and its source at byte `at`.
template <int Taps> __device__ __forceinline__ void
add_pixels(ThinSums<Taps>& sums, typename ThinSums<Taps>::Shared& shared, int mine, int at,
           const SourceSteps& step, const int (&tap)[Taps], int left, int x, int columns) {
    const int wrap = step.y - columns * step.x; // from the end of a row to the next
    const auto add = [&](int q) {
        sums.add(shared, mine + q * kPanel, at, tap);
        at += step.x;
        if (++x == columns) x = 0, at += wrap;
    };
    if (left >= kStep) {
#pragma unroll 2 // by 4 takes more registers than there are for two blocks
        for (int q = 0; q < kStep; q++) add(q);
    } else {
#pragma unroll 1
        for (int q = 0; q < left; q++) add(q);
    }
}

// Adds what this warp walks of an image, whose source is in shared memory. `first`: its first result; `next`: the gradients
// of the warp's first step.
template <class Gradient, int Taps> __device__ __forceinline__ void
add_image(const ThinFilterPlan& p, const ThinPlace& place, const Gradient& from, int first,
          typename Gradient::Step next, typename ThinSums<Taps>::Shared& shared, const int (&tap)[Taps],
          ThinSums<Taps>& sums, float (&bias)[2]) {
    constexpr int kWarpStep = kWarps * Gradient::kResults;
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, mine = warp * kStepFloats;
    const SourceSteps step(p);
    for (int i = warp * Gradient::kResults; i < place.count; i += kWarpStep) {
        float v[kStep][2];
        from.gradients(next, v);
        share_gradients(shared, mine, v);
        next = from.load(first + i + kWarpStep, place.count - i - kWarpStep, place.k0 + lane, p.shape.k);
        unsigned x;
        const int y = int(p.across.divmod(unsigned(i), x));
        const int at = (y * step.y + int(x) * step.x) * Gradient::kSide;
        if constexpr (Gradient::kWindows) {
#pragma unroll
            for (int q = 0; q < kStep; q++) bias[0] += v[q][0], bias[1] += v[q][1];
            add_window(sums, shared, mine, at, step, tap);
        } else {
            add_pixels(sums, shared, mine, at, step, tap, place.count - i, int(x), p.columns);
        }
    }
}

// Grid (bands * groups of images, panels of channels, panels of (tap, c)). Block x writes the x-th d_wei and d_bia.
template <class Gradient, int Taps> __global__ void __launch_bounds__(kBlock, 2)
    thin_filter_kernel(const __grid_constant__ ThinFilterPlan p, const float* __restrict__ src, Gradient from,
                       float* __restrict__ d_wei, float* __restrict__ d_bia) {
    __shared__ typename ThinSums<Taps>::Shared shared; // each warp's gradients, then the source
    const ConvShape& g = p.shape;
    const ThinPlace place(p, Taps);
    const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
    int tap[Taps];
    locate_taps(p, place.tap0, tap);
    ThinSums<Taps> sums;
    float bias[2] = {};
    for (int image = place.group * p.images; image < least((place.group + 1) * p.images, g.n); image++) {
        const int first = (image * p.rows + place.first_row) * p.columns, i = warp * Gradient::kResults;
        const typename Gradient::Step next = from.load(first + i, place.count - i, place.k0 + lane, g.k);
        __syncthreads(); // nobody reads the last image any more
        p.patch.start(g, src + std::int64_t(image) * g.h * g.w * g.c,
                      place.first_row * Gradient::kSide * g.stride_y - g.pad_y, -g.pad_x, shared,
                      kGradientFloats);
        __pipeline_commit();
        __pipeline_wait_prior(0);
        __syncthreads();
        add_image(p, place, from, first, next, shared, tap, sums, bias);
    }
    sums.finish(shared, place.k0, g.k, place.tap0, p.taps, d_wei + std::int64_t(blockIdx.x) * g.k * p.taps);
    if constexpr (Gradient::kWindows)
        if (d_bia && blockIdx.z == 0)
            finish_bias(shared, bias, place.k0, g.k, d_bia + std::int64_t(blockIdx.x) * g.k);
}

// ---- launchers ----------------------------------------------------------------------------------

constexpr int kFewTaps = 4, kManyTaps = 7; // of a thread

int tap_panels(int taps) {
    return int(div_up(taps, kTapThreads * (taps <= kTapThreads * kFewTaps ? kFewTaps : kManyTaps)));
}

int clamp(std::int64_t value, std::int64_t low, std::int64_t high) {
    return int(value < low ? low : value > high ? high : value);
}

// False if these kernels do not serve the shape. About two blocks for each multiprocessor, whose bands fit the shared memory.
bool plan_thin_filter(const Device& device, const ConvShape& g, bool windows, ThinFilterPlan& p) {
    const int side = windows ? 2 : 1;
    p.shape = g;
    p.rows = g.oh / side, p.columns = g.ow / side;
    p.taps = g.r * g.s * g.c;
    if (g.c > 3 || g.n < 1 || p.rows < 1 || p.columns < 1) return false;
    p.across = Divider(p.columns), p.run = Divider(g.s * g.c);
    const auto fits = [&](int band) {
        p.band = band;
        return p.patch.fit(g, band * side, p.columns * side, kSourceFloats);
    };
    const std::int64_t wanted =
        div_up(2 * device.multiprocessors(), div_up(g.k, kPanel) * tap_panels(p.taps));
    const std::int64_t row = std::int64_t(p.columns) * side * side; // pixels
    int bands = clamp(wanted / g.n, 1, clamp(p.rows * row / kLeastPixels, 1, p.rows));
    while (!fits(int(div_up(p.rows, bands))))
        if (bands++ == p.rows) return false;
    p.bands = Divider(div_up(p.rows, p.band));
    const std::int64_t pixels = p.band * row;
    p.images = clamp(g.n * std::int64_t(p.bands.divisor) / wanted, div_up(kLeastPixels, pixels),
                     kMostPixels > pixels ? kMostPixels / pixels : 1);
    p.groups = int(div_up(g.n, p.images));
    return true;
}

template <class Gradient> void launch_thin_filter(const Device& device, const ThinFilterPlan& p,
                                                  const float* src, const Gradient& from, float* d_wei,
                                                  float* d_bia) {
    const ConvShape& g = p.shape;
    const int splits = p.splits();
    Scratch<float> wei(device, splits > 1 ? std::int64_t(splits) * g.filter_elems() : 0);
    Scratch<float> bia(device, splits > 1 && d_bia ? std::int64_t(splits) * g.k : 0);
    const dim3 grid(unsigned(splits), unsigned(div_up(g.k, kPanel)), unsigned(tap_panels(p.taps)));
    launch(device, grid, kBlock,
           p.taps <= kTapThreads * kFewTaps ? thin_filter_kernel<Gradient, kFewTaps>
                                            : thin_filter_kernel<Gradient, kManyTaps>,
           p, src, from, splits > 1 ? wei.data() : d_wei, splits > 1 ? bia.data() : d_bia);
    if (splits == 1) return;
    add_splits(device, splits, {d_wei, nullptr, wei.data(), Activation{}, g.k, p.taps, 0});
    if (d_bia) add_splits(device, splits, {d_bia, nullptr, bia.data(), Activation{}, 1, g.k, 0});
}

} // namespace

bool launch_thin_filter(const Device& device, const ConvShape& g, const float* src, const float* d_dst,
                        float* d_wei) {
    ThinFilterPlan plan = {};
    if (!plan_thin_filter(device, g, false, plan)) return false;
    launch_thin_filter(device, plan, src, PixelGradient{d_dst}, d_wei, nullptr);
    return true;
}

bool serves_thin_pooled_filter(const Device& device, const ConvShape& g) {
    ThinFilterPlan plan = {};
    return plan_thin_filter(device, g, true, plan);
}

void launch_thin_pooled_filter(const Device& device, const ConvShape& g, const float* src, const float* dst,
                               const float* d_dst, const std::uint8_t* arg, Activation act, float* d_wei,
                               float* d_bia) {
    ThinFilterPlan plan = {};
    if (plan_thin_filter(device, g, true, plan))
        launch_thin_filter(device, plan, src, WindowGradient{dst, d_dst, arg, act}, d_wei, d_bia);
}

} // namespace cgan::cuda
