// convolution.cu: conv2d_forward, conv2d_backward_data, conv2d_backward_filter and conv2d_pool_forward by cuDNN
//
// Bias and activation follow as a launch of our own: cuDNN's fused call knows relu alone. Enlarged images and padding
// that differs from side to side are written out first (ConvFrame).
#include "convolution.h"

#include <cstdio>
#include <vector>

#include "../../abi/text.h"
#include "../../moderate.h"
#include "../divider.h"
#include "glue.h"
#include "operators.h"

namespace cgan::cuda::vendor {
namespace {

constexpr std::size_t kWorkspaceLimit = std::size_t{256} << 20;

int result_size(int image, int before, int after, int kernel, int stride) {
    return (image + before + after - kernel) / stride + 1;
}

// ---- the choice of an algorithm ------------------------------------------------------------------

bool transforms(Pass pass, int algorithm) {
    if (pass == Pass::Forward)
        return algorithm >= CUDNN_CONVOLUTION_FWD_ALGO_FFT &&
               algorithm <= CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED;
    if (pass == Pass::Data) return algorithm >= CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT;
    return algorithm >= CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT &&
           algorithm != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
}

// A finder tries the mathematics that it is told and the default, which rounds to TF32: who asked for float32 must
// not take the latter.
template <class Perf> bool usable(const Machine& machine, Pass pass, const Perf& perf) {
    const Device& device = machine.device();
    return perf.status == CUDNN_STATUS_SUCCESS && perf.determinism == CUDNN_DETERMINISTIC &&
           perf.memory <= kWorkspaceLimit && (device.tf32() || perf.mathType == CUDNN_FMA_MATH) &&
           (device.transforms() || !transforms(pass, int(perf.algo)));
}

// Where the choice for one convolution is looked up, and kept.
struct Choice {
    Plan& choices;
    std::string operation; // "cudnn_forward n2 h14 ..."
};

// Asks cuDNN to time its algorithms: size(algorithm, bytes) asks for one algorithm's workspace, find(room, returned,
// results, workspace, bytes) times all. An algorithm that does not serve the shape says so in either.
template <class Perf, class Size, class Find>
PlanEntry measure(const Machine& machine, Pass pass, int count, Size size, Find find) {
    if (machine.device().capturing())
        throw Error(CGAN_E_UNSUPPORTED,
                    "a convolution is met for the first time while a graph is captured, when "
                    "cuDNN cannot time its algorithms; run it once before");
    std::size_t most = 0;
    for (int i = 0; i < count; i++) {
        std::size_t bytes = 0;
        if (size(decltype(Perf::algo)(i), &bytes) == CUDNN_STATUS_SUCCESS && bytes <= kWorkspaceLimit &&
            bytes > most)
            most = bytes;
    }
    std::vector<Perf> results(std::size_t(2 * count));
    int returned = 0;
    {
        const Scratch<unsigned char> workspace(machine.device(), std::int64_t(most));
        find(2 * count, &returned, results.data(), workspace.data(), most);
    }
    PlanEntry entry;
    for (int i = 0; i < returned; i++) { // in the order of their times
        const Perf& perf = results[std::size_t(i)];
        if (usable(machine, pass, perf))
            entry.add(ConvAlgorithm{int(perf.algo), int(perf.mathType)}.name(), double(perf.time));
    }
    if (entry.milliseconds.empty()) entry.add(ConvAlgorithm{}.name(), 0);
    return entry;
}

template <class Perf, class Size, class Find> void choose(const Machine& machine, Pass pass, int count,
                                                          Size size, Find find, const Choice& choice,
                                                          ConvPlan& plan) {
    const PlanEntry* entry = choice.choices.find(choice.operation);
    if (!entry)
        entry = &choice.choices.adopt(choice.operation, measure<Perf>(machine, pass, count, size, find));
    const auto algorithm = ConvAlgorithm::named(entry->winner);
    if (!algorithm)
        throw choice.choices.fault(CGAN_E_BAD_VALUE, choice.operation, "is no algorithm of cuDNN's");
    plan.algorithm = *algorithm;
    if (!plan.found()) return;
    CGAN_CUDNN(machine, cudnnSetConvolutionMathType, plan.conv.get(), cudnnMathType_t(algorithm->math));
    try {
        check(machine, size(decltype(Perf::algo)(algorithm->number), &plan.workspace_bytes),
              "the question for its workspace");
    } catch (const Error& e) {
        throw choice.choices.fault(e.status, choice.operation, cat("failed: ", e.what()));
    }
}

void choose_forward(const Machine& m, const ConvMemory& at, const Choice& choice, ConvPlan& plan) {
    choose<cudnnConvolutionFwdAlgoPerf_t>(
        m, Pass::Forward, CUDNN_CONVOLUTION_FWD_ALGO_COUNT,
        [&](auto algorithm, std::size_t* bytes) {
            return m.cudnn_calls().cudnnGetConvolutionForwardWorkspaceSize(
                m.dnn(), plan.x.get(), plan.w.get(), plan.conv.get(), plan.y.get(), algorithm, bytes);
        },
        [&](int room, int* returned, auto* results, void* workspace, std::size_t bytes) {
            CGAN_CUDNN(m, cudnnFindConvolutionForwardAlgorithmEx, m.dnn(), plan.x.get(), at.x, plan.w.get(),
                       at.w, plan.conv.get(), plan.y.get(), const_cast<float*>(at.y), room, returned, results,
                       workspace, bytes);
        },
        choice, plan);
}

void choose_data(const Machine& m, const ConvMemory& at, const Choice& choice, ConvPlan& plan) {
    choose<cudnnConvolutionBwdDataAlgoPerf_t>(
        m, Pass::Data, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT,
        [&](auto algorithm, std::size_t* bytes) {
            return m.cudnn_calls().cudnnGetConvolutionBackwardDataWorkspaceSize(
                m.dnn(), plan.w.get(), plan.y.get(), plan.conv.get(), plan.x.get(), algorithm, bytes);
        },
        [&](int room, int* returned, auto* results, void* workspace, std::size_t bytes) {
            CGAN_CUDNN(m, cudnnFindConvolutionBackwardDataAlgorithmEx, m.dnn(), plan.w.get(), at.w,
                       plan.y.get(), at.y, plan.conv.get(), plan.x.get(), const_cast<float*>(at.x), room,
                       returned, results, workspace, bytes);
        },
        choice, plan);
}

void choose_filter(const Machine& m, const ConvMemory& at, const Choice& choice, ConvPlan& plan) {
    choose<cudnnConvolutionBwdFilterAlgoPerf_t>(
        m, Pass::Filter, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT,
        [&](auto algorithm, std::size_t* bytes) {
            return m.cudnn_calls().cudnnGetConvolutionBackwardFilterWorkspaceSize(
                m.dnn(), plan.x.get(), plan.y.get(), plan.conv.get(), plan.w.get(), algorithm, bytes);
        },
        [&](int room, int* returned, auto* results, void* workspace, std::size_t bytes) {
            CGAN_CUDNN(m, cudnnFindConvolutionBackwardFilterAlgorithmEx, m.dnn(), plan.x.get(), at.x,
                       plan.y.get(), at.y, plan.conv.get(), plan.w.get(), const_cast<float*>(at.w), room,
                       returned, results, workspace, bytes);
        },
        choice, plan);
}

std::string operation_of(Pass pass, const ConvFrame& f) {
    const char* name = pass == Pass::Forward ? "cudnn_forward"
                       : pass == Pass::Data  ? "cudnn_data"
                                             : "cudnn_filter";
    return cat(name, " n", f.n, " h", f.h, " w", f.w, " c", f.c, " k", f.k, " r", f.r, " s", f.s, " stride",
               f.stride_h, "x", f.stride_w, " pad", f.pad_h, "x", f.pad_w);
}

ConvPlan make_plan(const Machine& machine, Pass pass, const ConvFrame& f, const ConvMemory& memory,
                   Plan& choices) {
    ConvPlan plan;
    plan.x = describe_tensor(machine, f.n, f.h, f.w, f.c);
    plan.y = describe_tensor(machine, f.n, f.oh, f.ow, f.k);
    plan.w = CGAN_CUDNN_DESCRIPTOR(machine, Filter);
    CGAN_CUDNN(machine, cudnnSetFilter4dDescriptor, plan.w.get(), CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, f.k,
               f.c, f.r, f.s);
    plan.conv = CGAN_CUDNN_DESCRIPTOR(machine, Convolution);
    CGAN_CUDNN(machine, cudnnSetConvolution2dDescriptor, plan.conv.get(), f.pad_h, f.pad_w, f.stride_h,
               f.stride_w, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
    CGAN_CUDNN(machine, cudnnSetConvolutionMathType, plan.conv.get(),
               machine.device().tf32() ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH);
    const Choice choice{choices, operation_of(pass, f)};
    if (pass == Pass::Forward)
        choose_forward(machine, memory, choice, plan);
    else if (pass == Pass::Data)
        choose_data(machine, memory, choice, plan);
    else
        choose_filter(machine, memory, choice, plan);
    return plan;
}

// x of a frame: src where it lies, or as cuDNN shall see it.
class FramedImage {
  public:
    FramedImage(const Device& device, const ConvFrame& f, const View& src)
        : drawn_(device, f.framed ? f.image_elems() : 0),
          image_(device, f.framed ? drawn_.data() : src.as<float>(), f.image_elems()) {
        if (f.framed) draw_frame(device, f, src, drawn_.data());
    }
    const float* data() const { return image_.data(); }

  private:
    Scratch<float> drawn_;
    AlignedInput image_;
};

bool run_forward(const Machine& m, ConvPlans& plans, const ConvFrame& f, const View& src, const View& wei,
                 float* result) {
    const FramedImage x(m.device(), f, src);
    const AlignedInput w(m.device(), wei);
    const ConvPlan& plan = plans.find(m, Pass::Forward, f, {x.data(), w.data(), result});
    if (!plan.found()) return false;
    const Scratch<unsigned char> workspace(m.device(), std::int64_t(plan.workspace_bytes));
    CGAN_CUDNN(m, cudnnConvolutionForward, m.dnn(), &kOne, plan.x.get(), x.data(), plan.w.get(), w.data(),
               plan.conv.get(), cudnnConvolutionFwdAlgo_t(plan.algorithm.number), workspace.data(),
               plan.workspace_bytes, &kZero, plan.y.get(), result);
    return true;
}

} // namespace

std::string ConvAlgorithm::name() const {
    return number < 0 ? "no_algorithm" : cat("algorithm_", number, "_math_", math);
}

std::optional<ConvAlgorithm> ConvAlgorithm::named(const std::string& name) {
    ConvAlgorithm a;
    if (name == a.name()) return a;
    if (std::sscanf(name.c_str(), "algorithm_%d_math_%d", &a.number, &a.math) != 2 || a.name() != name)
        return std::nullopt;
    return a;
}

bool ConvFrame::fits() const {
    return moderate && image_elems() <= kMaxIndex && result_elems() <= kMaxIndex && filter_elems() <= kMaxIndex;
}

// Sums of a few sizes of a moderate axis are numbers of 32 bits.
static bool is_small(std::int64_t image, std::int64_t kernel) { return image + kernel <= kMaxIndex / 16; }

ConvFrame make_frame(const cgan_conv2d_params& p, const View& src, const View& wei) {
    ConvFrame f = {};
    f.enlarge = p.upsample == 2 ? 2 : 1;
    const std::int64_t h = src.dims[1] * f.enlarge, w = src.dims[2] * f.enlarge;
    const std::int64_t r = wei.dims[1], s = wei.dims[2];
    f.moderate = is_small(h, r) && is_moderate(h, r, p.stride_h, std::int64_t(p.pad_top) + p.pad_bottom) &&
                 is_small(w, s) && is_moderate(w, s, p.stride_w, std::int64_t(p.pad_left) + p.pad_right);
    if (!f.moderate) return f;
    f.n = int(src.dims[0]), f.h = int(src.dims[1]) * f.enlarge, f.w = int(src.dims[2]) * f.enlarge;
    f.c = int(src.dims[3]), f.k = int(wei.dims[0]), f.r = int(wei.dims[1]), f.s = int(wei.dims[2]);
    f.stride_h = p.stride_h, f.stride_w = p.stride_w;
    f.oh = result_size(f.h, p.pad_top, p.pad_bottom, f.r, p.stride_h);
    f.ow = result_size(f.w, p.pad_left, p.pad_right, f.s, p.stride_w);
    const bool same = result_size(f.h, p.pad_top, p.pad_top, f.r, p.stride_h) == f.oh &&
                      result_size(f.w, p.pad_left, p.pad_left, f.s, p.stride_w) == f.ow;
    f.framed = !same || f.enlarge == 2;
    if (same) {
        f.pad_h = p.pad_top, f.pad_w = p.pad_left;
    } else {
        f.top = p.pad_top, f.left = p.pad_left;
        f.h += p.pad_top + p.pad_bottom, f.w += p.pad_left + p.pad_right;
    }
    return f;
}

const ConvPlan& ConvPlans::find(const Machine& machine, Pass pass, const ConvFrame& f,
                                const ConvMemory& memory) {
    const std::array<int, 14> key = {int(pass), f.n,  f.h,     f.w,     f.c,        f.k,        f.r,
                                     f.s,       f.oh, f.pad_h, f.pad_w, f.stride_h, f.stride_w, f.ow};
    const auto known = plans_.find(key);
    if (known != plans_.end()) return known->second;
    return plans_.emplace(key, make_plan(machine, pass, f, memory, choices_)).first->second;
}

bool Operators::conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                               const View& dst) {
    const ConvFrame f = make_frame(p, src, wei);
    if (!machine_->has_cudnn() || !f.fits()) return false;
    machine_->device().activate();
    const AlignedOutput y(machine_->device(), dst);
    if (!run_forward(*machine_, *plans_, f, src, wei, y.data())) return false;
    y.finish();
    if (bia.present() || p.activation != CGAN_ACT_NONE)
        add_bias(machine_->device(), dst.as<float>(), dst.rows(), f.k, bia.as<float>(),
                 Activation{p.activation, float(p.alpha)});
    return true;
}

bool Operators::conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                    const View& bia, const View& dst, const View& arg) {
    const ConvFrame f = make_frame(p, src, wei);
    if (!machine_->has_cudnn() || !f.fits()) return false;
    machine_->device().activate();
    const Scratch<float> result(machine_->device(), f.result_elems());
    if (!run_forward(*machine_, *plans_, f, src, wei, result.data())) return false;
    pool_result(machine_->device(), f, result.data(), bia.as<float>(),
                Activation{p.activation, float(p.alpha)}, dst.as<float>(), arg.as<std::uint8_t>());
    return true;
}

bool Operators::conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                     const View& bia, const View& d_src) {
    const ConvFrame f = make_frame(p, d_src, wei);
    if (!machine_->has_cudnn() || !f.fits()) return false;
    const Machine& m = *machine_;
    m.device().activate();
    const AlignedInput w(m.device(), wei), dy(m.device(), d_dst);
    const Scratch<float> large(m.device(), f.framed ? f.image_elems() : 0);
    const AlignedOutput small(m.device(), d_src);
    float* const dx = f.framed ? large.data() : small.data();
    const ConvPlan& plan = plans_->find(m, Pass::Data, f, {dx, w.data(), dy.data()});
    if (!plan.found()) return false;
    const Scratch<unsigned char> workspace(m.device(), std::int64_t(plan.workspace_bytes));
    CGAN_CUDNN(m, cudnnConvolutionBackwardData, m.dnn(), &kOne, plan.w.get(), w.data(), plan.y.get(),
               dy.data(), plan.conv.get(), cudnnConvolutionBwdDataAlgo_t(plan.algorithm.number),
               workspace.data(), plan.workspace_bytes, &kZero, plan.x.get(), dx);
    if (f.framed)
        gather_frame(m.device(), f, dx, d_src);
    else
        small.finish();
    if (bia.present() || p.activation != CGAN_ACT_NONE)
        add_bias(m.device(), d_src.as<float>(), d_src.rows(), f.c, bia.as<float>(),
                 Activation{p.activation, float(p.alpha)});
    return true;
}

bool Operators::conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                       const View& d_wei) {
    const ConvFrame f = make_frame(p, src, d_wei);
    if (!machine_->has_cudnn() || !f.fits()) return false;
    const Machine& m = *machine_;
    m.device().activate();
    const FramedImage x(m.device(), f, src);
    const AlignedInput dy(m.device(), d_dst);
    const AlignedOutput dw(m.device(), d_wei);
    const ConvPlan& plan = plans_->find(m, Pass::Filter, f, {x.data(), dw.data(), dy.data()});
    if (!plan.found()) return false;
    const Scratch<unsigned char> workspace(m.device(), std::int64_t(plan.workspace_bytes));
    CGAN_CUDNN(m, cudnnConvolutionBackwardFilter, m.dnn(), &kOne, plan.x.get(), x.data(), plan.y.get(),
               dy.data(), plan.conv.get(), cudnnConvolutionBwdFilterAlgo_t(plan.algorithm.number),
               workspace.data(), plan.workspace_bytes, &kZero, plan.w.get(), dw.data());
    dw.finish();
    return true;
}

} // namespace cgan::cuda::vendor
