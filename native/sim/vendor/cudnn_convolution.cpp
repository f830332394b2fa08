// Stands in for libcudnn.so on the simulator: the three passes of convolution, their workspaces and finders.
//
// Algorithms are offered as cuDNN offers them for NHWC floats: some not at all, one without workspace, some only for
// 3x3 kernels of stride 1, some not deterministic. All compute with plain loops; a workspace is overwritten.
#include <algorithm>
#include <cstring>
#include <tuple>
#include <vector>

#include "cudnn_objects.h"

using namespace cgan_sim::vendor;

namespace {

struct Geometry {
    const cudnnTensorStruct* x;
    const cudnnFilterStruct* w;
    const cudnnConvolutionStruct* conv;
    const cudnnTensorStruct* y;
};

int out_size(int in, int pad, int kernel, int stride) { return 1 + (in + 2 * pad - kernel) / stride; }

void check_geometry(const Geometry& g, const char* x_name, const char* w_name, const char* y_name) {
    require_set(g.x, x_name);
    require_set(g.w, w_name);
    require_set(g.conv, "convDesc");
    require_set(g.y, y_name);
    require(g.x->c == g.w->c, kShapeMismatch, w_name,
            "has " + std::to_string(g.w->c) + " input channels, " + x_name + " has " +
                std::to_string(g.x->c));
    const cudnnConvolutionStruct& d = *g.conv;
    TensorShape want;
    require(g.x->h + 2 * d.pad_h >= g.w->r && g.x->w + 2 * d.pad_w >= g.w->s, kBadParam, w_name,
            "is larger than the padded image");
    want.n = g.x->n, want.c = g.w->k;
    want.h = out_size(g.x->h, d.pad_h, g.w->r, d.stride_h);
    want.w = out_size(g.x->w, d.pad_w, g.w->s, d.stride_w);
    require(g.y->same(want), kShapeMismatch, y_name, "is " + g.y->text() + ", must be " + want.text());
}

// ---- arithmetic ---------------------------------------------------------------------------------

struct Loops {
    int n, h, w, c, k, r, s, oh, ow, pad_h, pad_w, stride_h, stride_w;

    explicit Loops(const Geometry& g)
        : n(g.x->n), h(g.x->h), w(g.x->w), c(g.x->c), k(g.w->k), r(g.w->r), s(g.w->s), oh(g.y->h), ow(g.y->w),
          pad_h(g.conv->pad_h), pad_w(g.conv->pad_w), stride_h(g.conv->stride_h), stride_w(g.conv->stride_w) {
    }

    // body(offset of the result's pixel, of the image's pixel, of the tap): each times channels
    template <class Body> void each(Body&& body) const {
        for (int i = 0; i < n; i++)
            for (int oy = 0; oy < oh; oy++)
                for (int ox = 0; ox < ow; ox++)
                    for (int a = 0; a < r; a++)
                        for (int b = 0; b < s; b++) {
                            const int y = oy * stride_h - pad_h + a, x = ox * stride_w - pad_w + b;
                            if (y < 0 || y >= h || x < 0 || x >= w) continue;
                            body((std::int64_t(i) * oh + oy) * ow + ox, (std::int64_t(i) * h + y) * w + x,
                                 a * s + b);
                        }
    }
};

std::vector<float> operand(const float* data, std::int64_t n, bool tf32) {
    std::vector<float> copy(data, data + n);
    if (tf32)
        for (float& v : copy) v = to_tf32(v);
    return copy;
}

void store(const std::vector<double>& sums, const Scaling& scaling, float* dst) {
    for (std::size_t i = 0; i < sums.size(); i++) dst[i] = scaling(sums[i], dst[i]);
}

void run_forward(const Loops& l, bool tf32, const Scaling& scaling, const float* x, const float* w,
                 float* y) {
    const auto xs = operand(x, std::int64_t(l.n) * l.h * l.w * l.c, tf32);
    const auto ws = operand(w, std::int64_t(l.k) * l.r * l.s * l.c, tf32);
    std::vector<double> sums(std::size_t(l.n) * std::size_t(l.oh) * std::size_t(l.ow) * std::size_t(l.k));
    l.each([&](std::int64_t to, std::int64_t from, int tap) {
        for (int k = 0; k < l.k; k++) {
            const float* f = ws.data() + (std::int64_t(k) * l.r * l.s + tap) * l.c;
            const float* p = xs.data() + from * l.c;
            double sum = 0;
            for (int c = 0; c < l.c; c++) sum += double(p[c]) * double(f[c]);
            sums[std::size_t(to * l.k + k)] += sum;
        }
    });
    store(sums, scaling, y);
}

void run_data(const Loops& l, bool tf32, const Scaling& scaling, const float* w, const float* dy, float* dx) {
    const auto ws = operand(w, std::int64_t(l.k) * l.r * l.s * l.c, tf32);
    const auto ds = operand(dy, std::int64_t(l.n) * l.oh * l.ow * l.k, tf32);
    std::vector<double> sums(std::size_t(l.n) * std::size_t(l.h) * std::size_t(l.w) * std::size_t(l.c));
    l.each([&](std::int64_t from, std::int64_t to, int tap) {
        for (int k = 0; k < l.k; k++) {
            const double d = double(ds[std::size_t(from * l.k + k)]);
            const float* f = ws.data() + (std::int64_t(k) * l.r * l.s + tap) * l.c;
            double* sum = sums.data() + to * l.c;
            for (int c = 0; c < l.c; c++) sum[c] += d * double(f[c]);
        }
    });
    store(sums, scaling, dx);
}

void run_filter(const Loops& l, bool tf32, const Scaling& scaling, const float* x, const float* dy,
                float* dw) {
    const auto xs = operand(x, std::int64_t(l.n) * l.h * l.w * l.c, tf32);
    const auto ds = operand(dy, std::int64_t(l.n) * l.oh * l.ow * l.k, tf32);
    std::vector<double> sums(std::size_t(l.k) * std::size_t(l.r) * std::size_t(l.s) * std::size_t(l.c));
    l.each([&](std::int64_t at, std::int64_t from, int tap) {
        for (int k = 0; k < l.k; k++) {
            const double d = double(ds[std::size_t(at * l.k + k)]);
            double* sum = sums.data() + (std::int64_t(k) * l.r * l.s + tap) * l.c;
            const float* p = xs.data() + from * l.c;
            for (int c = 0; c < l.c; c++) sum[c] += d * double(p[c]);
        }
    });
    store(sums, scaling, dw);
}

// ---- algorithms ---------------------------------------------------------------------------------

// What one algorithm of a pass needs and promises.
struct Algorithm {
    bool offered, deterministic;
    std::size_t bytes; // of workspace
    float ms;          // as a finder would measure it
};

enum class Pass { Forward, Data, Filter };

constexpr int kForwardPlain = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
constexpr int kForwardFast = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;

// The fast algorithms need the more workspace, the larger the image; transforms are the fastest where they fit.
Algorithm algorithm(Pass pass, int algo, const Geometry& g) {
    const std::size_t image = 4 * std::size_t(g.x->elems());
    const bool small = g.w->r == 3 && g.w->s == 3 && g.conv->stride_h == 1 && g.conv->stride_w == 1;
    const Algorithm none{false, true, 0, 0};
    const Algorithm transform{small, true, 16 * image, 0.1f};
    switch (pass) {
    case Pass::Forward:
        if (algo == kForwardPlain) return {true, true, 0, 0.4f};
        if (algo == kForwardFast) return {true, true, 256 + image / 4, 0.2f};
        return algo == CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED ? transform : none;
    case Pass::Data:
        if (algo == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0) return {true, false, 0, 0.1f};
        if (algo == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1) return {true, true, 512 + image / 4, 0.2f};
        return algo == CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED ? transform : none;
    default:
        if (algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 || algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3)
            return {true, false, 0, 0.1f};
        if (algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1) return {true, true, 1024 + image / 4, 0.2f};
        return algo == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED ? transform : none;
    }
}

Algorithm offered(Pass pass, int algo, int count, const Geometry& g) {
    require(algo >= 0 && algo < count, kBadParam, "algo", "is " + std::to_string(algo));
    const Algorithm a = algorithm(pass, algo, g);
    require(a.offered, kNotSupported, "algo",
            std::to_string(algo) + " does not serve NHWC floats of these shapes");
    return a;
}

void check_workspace(void* workspace, std::size_t bytes, std::size_t needed) {
    require(bytes >= needed, kTooSmall, "workSpaceSizeInBytes",
            "is " + std::to_string(bytes) + ", the algorithm needs " + std::to_string(needed));
    if (needed == 0) return;
    require_pointer(workspace, kNullPointer, "workSpace");
    require(cgan_sim::inside_device(workspace, bytes), kBadParam, "workSpace",
            "is not device memory of " + std::to_string(bytes) + " bytes");
}

// One run of a pass: what is read and written, for the checks and the work.
struct Run {
    Pass pass;
    Geometry g;
    const float *x, *w, *y; // those that are read; null is the one that is written
    float* out;
    std::size_t workspace_bytes;
    void* workspace;
};

void enqueue(cudnnHandle_t handle, const Run& run, bool tf32, const Scaling& scaling, std::size_t needed) {
    const Loops loops(run.g);
    cgan_sim::enqueue_vendor_work(handle->stream, [=] {
        if (needed > 0) std::memset(run.workspace, 0xff, needed);
        if (run.pass == Pass::Forward)
            run_forward(loops, tf32, scaling, run.x, run.w, run.out);
        else if (run.pass == Pass::Data)
            run_data(loops, tf32, scaling, run.w, run.y, run.out);
        else
            run_filter(loops, tf32, scaling, run.x, run.y, run.out);
    });
}

void check_operands(const Run& run, const char* names[3]) {
    const float* out = run.out;
    if (run.pass != Pass::Data) require_data(run.g.x, run.x, names[0]);
    if (run.pass != Pass::Filter) require_data(run.g.w, run.w, names[1]);
    if (run.pass != Pass::Forward) require_data(run.g.y, run.y, names[2]);
    switch (run.pass) {
    case Pass::Forward:
        require_data(run.g.y, out, names[2]);
        require_apart(run.g.y, out, run.g.x, run.x, names[2]);
        return require_apart(run.g.y, out, run.g.w, run.w, names[2]);
    case Pass::Data:
        require_data(run.g.x, out, names[0]);
        require_apart(run.g.x, out, run.g.w, run.w, names[0]);
        return require_apart(run.g.x, out, run.g.y, run.y, names[0]);
    default:
        require_data(run.g.w, out, names[1]);
        require_apart(run.g.w, out, run.g.x, run.x, names[1]);
        return require_apart(run.g.w, out, run.g.y, run.y, names[1]);
    }
}

// On the A100 and later, the default lets floats be rounded to TF32.
bool rounds(cudnnMathType_t math) { return math != CUDNN_FMA_MATH; }

void run_pass(cudnnHandle_t handle, const Run& run, int algo, int count, const char* names[3],
              const void* alpha, const void* beta) {
    require_handle(handle);
    check_geometry(run.g, names[0], names[1], names[2]);
    const Scaling scaling = read_scaling(alpha, beta);
    check_operands(run, names);
    const Algorithm a = offered(run.pass, algo, count, run.g);
    check_workspace(run.workspace, run.workspace_bytes, a.bytes);
    enqueue(handle, run, rounds(run.g.conv->math), scaling, a.bytes);
}

// "attempts all algorithms for both the provided convDesc mathType and CUDNN_DEFAULT_MATH", and reports them sorted
// by time, those that failed last. It runs them, and so overwrites the result; it waits for the device.
template <class Perf> void find(cudnnHandle_t handle, const Run& run, int count, const char* names[3],
                                int requested, int* returned, Perf* results) {
    require_handle(handle);
    require(!cgan_sim::is_capturing(handle->stream), kNotSupported, "handle",
            "its stream is being captured, and a finder waits for the device");
    check_geometry(run.g, names[0], names[1], names[2]);
    check_operands(run, names);
    require_pointer(returned, kNullPointer, "returnedAlgoCount");
    require_pointer(results, kNullPointer, "perfResults");
    require(requested >= 1, kBadParam, "requestedAlgoCount", "is " + std::to_string(requested));
    if (run.workspace_bytes > 0) check_workspace(run.workspace, run.workspace_bytes, run.workspace_bytes);
    std::vector<Perf> found;
    for (const cudnnMathType_t math : {CUDNN_FMA_MATH, CUDNN_DEFAULT_MATH}) {
        if (math != CUDNN_DEFAULT_MATH && math != run.g.conv->math) continue;
        for (int i = 0; i < count; i++) {
            const Algorithm a = algorithm(run.pass, i, run.g);
            Perf perf = {};
            perf.algo = decltype(perf.algo)(i);
            perf.status = cudnnStatus_t(!a.offered                      ? int(kNotSupported)
                                        : a.bytes > run.workspace_bytes ? int(kTooSmall)
                                                                        : 0);
            perf.time = perf.status == 0 ? a.ms * (rounds(math) ? 0.5f : 1.0f) : -1.0f;
            perf.memory = a.bytes;
            perf.determinism = a.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
            perf.mathType = math;
            found.push_back(perf);
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const Perf& a, const Perf& b) {
        return std::make_tuple(a.status != 0, a.time) < std::make_tuple(b.status != 0, b.time);
    });
    enqueue(handle, run, true, {1, 0}, 0);
    *returned = std::min(requested, int(found.size()));
    std::copy_n(found.begin(), *returned, results);
}

void workspace_size(cudnnHandle_t handle, Pass pass, const Geometry& g, const char* names[3], int algo,
                    int count, std::size_t* bytes) {
    require_handle(handle);
    check_geometry(g, names[0], names[1], names[2]);
    require_pointer(bytes, kNullPointer, "sizeInBytes");
    *bytes = offered(pass, algo, count, g).bytes;
}

const char* kForwardNames[3] = {"x", "w", "y"};
const char* kDataNames[3] = {"dx", "w", "dy"};
const char* kFilterNames[3] = {"x", "dw", "dy"};

const float* floats(const void* p) { return static_cast<const float*>(p); }

} // namespace

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle,
                                                      const cudnnTensorDescriptor_t x_desc,
                                                      const cudnnFilterDescriptor_t w_desc,
                                                      const cudnnConvolutionDescriptor_t conv,
                                                      const cudnnTensorDescriptor_t y_desc,
                                                      cudnnConvolutionFwdAlgo_t algo, std::size_t* bytes) {
    return dnn_call(__func__, [&] {
        workspace_size(handle, Pass::Forward, {x_desc, w_desc, conv, y_desc}, kForwardNames, algo,
                       CUDNN_CONVOLUTION_FWD_ALGO_COUNT, bytes);
    });
}

cudnnStatus_t cudnnFindConvolutionForwardAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnFilterDescriptor_t w_desc, const void* w, const cudnnConvolutionDescriptor_t conv,
    const cudnnTensorDescriptor_t y_desc, void* y, const int requested, int* returned,
    cudnnConvolutionFwdAlgoPerf_t* results, void* workspace, std::size_t workspace_bytes) {
    return dnn_call(__func__, [&] {
        const Run run{Pass::Forward, {x_desc, w_desc, conv, y_desc}, floats(x),       floats(w),
                      nullptr,       static_cast<float*>(y),         workspace_bytes, workspace};
        find(handle, run, CUDNN_CONVOLUTION_FWD_ALGO_COUNT, kForwardNames, requested, returned, results);
    });
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha,
                                      const cudnnTensorDescriptor_t x_desc, const void* x,
                                      const cudnnFilterDescriptor_t w_desc, const void* w,
                                      const cudnnConvolutionDescriptor_t conv, cudnnConvolutionFwdAlgo_t algo,
                                      void* workspace, std::size_t workspace_bytes, const void* beta,
                                      const cudnnTensorDescriptor_t y_desc, void* y) {
    return dnn_call(__func__, [&] {
        const Run run{Pass::Forward, {x_desc, w_desc, conv, y_desc}, floats(x),       floats(w),
                      nullptr,       static_cast<float*>(y),         workspace_bytes, workspace};
        run_pass(handle, run, algo, CUDNN_CONVOLUTION_FWD_ALGO_COUNT, kForwardNames, alpha, beta);
    });
}

cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w_desc, const cudnnTensorDescriptor_t dy_desc,
    const cudnnConvolutionDescriptor_t conv, const cudnnTensorDescriptor_t dx_desc,
    cudnnConvolutionBwdDataAlgo_t algo, std::size_t* bytes) {
    return dnn_call(__func__, [&] {
        workspace_size(handle, Pass::Data, {dx_desc, w_desc, conv, dy_desc}, kDataNames, algo,
                       CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT, bytes);
    });
}

cudnnStatus_t cudnnFindConvolutionBackwardDataAlgorithmEx(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w_desc, const void* w,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnConvolutionDescriptor_t conv,
    const cudnnTensorDescriptor_t dx_desc, void* dx, const int requested, int* returned,
    cudnnConvolutionBwdDataAlgoPerf_t* results, void* workspace, std::size_t workspace_bytes) {
    return dnn_call(__func__, [&] {
        const Run run{Pass::Data, {dx_desc, w_desc, conv, dy_desc}, nullptr,         floats(w),
                      floats(dy), static_cast<float*>(dx),          workspace_bytes, workspace};
        find(handle, run, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT, kDataNames, requested, returned, results);
    });
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           const cudnnFilterDescriptor_t w_desc, const void* w,
                                           const cudnnTensorDescriptor_t dy_desc, const void* dy,
                                           const cudnnConvolutionDescriptor_t conv,
                                           cudnnConvolutionBwdDataAlgo_t algo, void* workspace,
                                           std::size_t workspace_bytes, const void* beta,
                                           const cudnnTensorDescriptor_t dx_desc, void* dx) {
    return dnn_call(__func__, [&] {
        const Run run{Pass::Data, {dx_desc, w_desc, conv, dy_desc}, nullptr,         floats(w),
                      floats(dy), static_cast<float*>(dx),          workspace_bytes, workspace};
        run_pass(handle, run, algo, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT, kDataNames, alpha, beta);
    });
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const cudnnTensorDescriptor_t dy_desc,
    const cudnnConvolutionDescriptor_t conv, const cudnnFilterDescriptor_t dw_desc,
    cudnnConvolutionBwdFilterAlgo_t algo, std::size_t* bytes) {
    return dnn_call(__func__, [&] {
        workspace_size(handle, Pass::Filter, {x_desc, dw_desc, conv, dy_desc}, kFilterNames, algo,
                       CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT, bytes);
    });
}

cudnnStatus_t cudnnFindConvolutionBackwardFilterAlgorithmEx(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x_desc, const void* x,
    const cudnnTensorDescriptor_t dy_desc, const void* dy, const cudnnConvolutionDescriptor_t conv,
    const cudnnFilterDescriptor_t dw_desc, void* dw, const int requested, int* returned,
    cudnnConvolutionBwdFilterAlgoPerf_t* results, void* workspace, std::size_t workspace_bytes) {
    return dnn_call(__func__, [&] {
        const Run run{Pass::Filter, {x_desc, dw_desc, conv, dy_desc}, floats(x),       nullptr,
                      floats(dy),   static_cast<float*>(dw),          workspace_bytes, workspace};
        find(handle, run, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT, kFilterNames, requested, returned,
             results);
    });
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             const cudnnTensorDescriptor_t x_desc, const void* x,
                                             const cudnnTensorDescriptor_t dy_desc, const void* dy,
                                             const cudnnConvolutionDescriptor_t conv,
                                             cudnnConvolutionBwdFilterAlgo_t algo, void* workspace,
                                             std::size_t workspace_bytes, const void* beta,
                                             const cudnnFilterDescriptor_t dw_desc, void* dw) {
    return dnn_call(__func__, [&] {
        const Run run{Pass::Filter, {x_desc, dw_desc, conv, dy_desc}, floats(x),       nullptr,
                      floats(dy),   static_cast<float*>(dw),          workspace_bytes, workspace};
        run_pass(handle, run, algo, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT, kFilterNames, alpha, beta);
    });
}
