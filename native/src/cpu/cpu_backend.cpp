#include "cpu/cpu_backend.h"

#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "abi/device_name.h"
#include "abi/text.h"
#include "cpu/cpu_info.h"
#include "cpu/fast/kernels.h"
#include "cpu/fast/operators.h"
#include "cpu/reference/reference.h"
#include "cpu/vendor/vendor.h"

namespace cgan {
namespace {

constexpr std::int64_t kAlignment = 256;
// Large blocks lie in huge pages where the system has them: fewer TLB misses, fewer page faults.
constexpr std::int64_t kHugePage = std::int64_t{2} << 20, kHugeFrom = std::int64_t{8} << 20;

const char* isa_name(Isa isa) {
    if (isa == Isa::Avx512) return "avx512";
    if (isa == Isa::Avx2) return "avx2+fma";
#if defined(__aarch64__)
    return "neon";
#elif defined(__x86_64__)
    return "sse2";
#else
    return "baseline";
#endif
}

Isa best_isa() {
    for (const Isa isa : {Isa::Avx512, Isa::Avx2})
        if (cpu_has(isa)) return isa;
    return Isa::Baseline;
}

// The instruction set that an option demands.
Isa forced_isa(Isa isa, const char* name, const char* lacks, const char* remedy) {
    if (cpu_has(isa)) return isa;
    throw Error(CGAN_E_NO_DEVICE, cat("isa=", name, ": this processor lacks ", lacks, "; use ", remedy));
}

Isa read_isa(const Option& option) {
    if (option.value == "auto") return best_isa();
    if (option.value == "baseline") return Isa::Baseline;
    if (option.value == "avx2") return forced_isa(Isa::Avx2, "avx2", "AVX2 or FMA", "isa=baseline");
    if (option.value == "avx512")
        return forced_isa(Isa::Avx512, "avx512", "AVX-512 F, DQ, BW or VL", "isa=auto");
    throw Error(CGAN_E_BAD_DEVICE,
                "isa=" + option.value + " is unknown; known are auto, baseline, avx2, avx512");
}

Kernels read_kernels(const Option& option) {
    if (option.value == "auto") return Kernels::Auto;
    if (option.value == "handwritten") return Kernels::Handwritten;
    if (option.value == "vendor") return Kernels::Vendor;
    if (option.value == "reference") return Kernels::Reference;
    throw Error(CGAN_E_BAD_DEVICE,
                "kernels=" + option.value + " is unknown; known are auto, handwritten, vendor, reference");
}

bool read_switch(const Option& option) {
    if (option.value == "on") return true;
    if (option.value == "off") return false;
    throw Error(CGAN_E_BAD_DEVICE, option.key + "=" + option.value + " is unknown; known are on, off");
}

void require_fp32(const Option& option) {
    if (option.value == "fp32") return;
    if (option.value == "tf32")
        throw Error(CGAN_E_BAD_DEVICE,
                    "device cpu has no precision=tf32, which tensor cores of a GPU have; use "
                    "precision=fp32, or a device cuda:N");
    throw Error(CGAN_E_BAD_DEVICE, "precision=" + option.value + " is unknown; known are fp32, tf32");
}

const char* kernels_name(Kernels kernels) {
    switch (kernels) {
    case Kernels::Auto:
        return "auto";
    case Kernels::Handwritten:
        return "handwritten";
    case Kernels::Vendor:
        return "vendor";
    case Kernels::Reference:
        return "reference";
    }
    return "";
}

} // namespace

std::unique_ptr<Backend> open_cpu(const std::string& options, MemoryLedger& ledger) {
    CpuOptions chosen;
    chosen.threads = cpu_processors();
    chosen.isa = best_isa();
    std::string rest = options;
    while (!rest.empty()) {
        const Option option = take_option(rest);
        if (option.key == "threads") {
            chosen.threads = static_cast<int>(option_number(option, 1, 256));
        } else if (option.key == "isa") {
            chosen.isa = read_isa(option);
        } else if (option.key == "kernels") {
            chosen.kernels = read_kernels(option);
        } else if (option.key == "transforms") {
            chosen.transforms = read_switch(option);
        } else if (option.key == "precision") {
            require_fp32(option);
        } else {
            throw Error(
                CGAN_E_BAD_DEVICE,
                "unknown option \"" + option.key +
                    "\" of device cpu; known are threads, isa, kernels, transforms, precision, memory");
        }
    }
    return std::make_unique<CpuBackend>(chosen, ledger);
}

std::string describe_cpu() {
    const int processors = cpu_processors();
    return cat(cpu_name(), ", ", processors, processors == 1 ? " processor, " : " processors, ",
               isa_name(best_isa()));
}

CpuBackend::CpuBackend(const CpuOptions& options, MemoryLedger& ledger) : options_(options), ledger_(ledger) {
    if (options.kernels == Kernels::Reference) return;
    fast_ = std::make_unique<fast::Operators>(options.threads, fast::kernels_for(options.isa),
                                              options.transforms, ledger);
    if (options.kernels == Kernels::Vendor)
        vendor_ = std::make_unique<vendor::Operators>(options.threads, ledger, *fast_);
    if (options.kernels == Kernels::Auto) plan_candidates();
}

void CpuBackend::plan_candidates() {
    const vendor::LibraryState library = vendor::library_state();
    if (library.path.empty())
        vendor_fault_ = library.reason;
    else
        vendor_ = std::make_unique<vendor::Operators>(options_.threads, ledger_, *fast_);
    planner_ = std::make_unique<Planner>(
        cat("cpu ", cpu_name(), "\nisa ", isa_name(options_.isa), "\nthreads ", options_.threads,
            "\ntransforms ", options_.transforms ? "on" : "off", "\ncgan " CGAN_VERSION "\nvendor ",
            library.path.empty() ? "none" : "oneDNN " + library.version, "\n"));
}

void CpuBackend::keep_plan(const std::string& path) {
    if (planner_) planner_->keep_in(path);
}

CpuBackend::~CpuBackend() = default;

std::string CpuBackend::describe() const {
    std::string text =
        cat("cpu: ", cpu_name(), ", ", options_.threads, options_.threads == 1 ? " thread, " : " threads, ",
            isa_name(options_.isa), ", ", kernels_name(options_.kernels), " kernels",
            vendor_ ? " (" + vendor_->describe() + ")" : "",
            vendor_fault_.empty() ? "" : " (without oneDNN: " + vendor_fault_ + ")",
            options_.transforms ? "" : ", no transforms");
    for (const auto& [op, served] : served_) {
        text += cat("\n", op, ":");
        if (served.vendor > 0) text += cat(" vendor ", served.vendor);
        if (served.handwritten > 0) text += cat(" handwritten ", served.handwritten);
        if (served.reference > 0) text += cat(" reference ", served.reference);
    }
    if (planner_) text += planner_->describe();
    for (const auto& [operation, algorithms] : algorithms_)
        for (const auto& [candidate, algorithm] : algorithms)
            text += cat("\nalgorithm: ", operation, ": ", name_of(candidate), " ", algorithm);
    return text;
}

// ---- memory ----

void* CpuBackend::allocate(std::int64_t bytes) {
    const std::int64_t limit = INT64_MAX - kHugePage;
    void* data = nullptr;
    if (bytes <= limit) {
        const std::int64_t alignment = bytes >= kHugeFrom ? kHugePage : kAlignment;
        const std::int64_t rounded = (bytes + alignment - 1) / alignment * alignment;
        data = std::aligned_alloc(static_cast<std::size_t>(alignment), static_cast<std::size_t>(rounded));
#if defined(__linux__)
        if (data && alignment == kHugePage) madvise(data, static_cast<std::size_t>(rounded), MADV_HUGEPAGE);
#endif
    }
    if (!data)
        throw Error(CGAN_E_OUT_OF_DEVICE_MEMORY, cat("cpu: the system has no ", bytes, " bytes to give"));
    return data;
}

void CpuBackend::release(void* data, std::int64_t) noexcept { std::free(data); }

void CpuBackend::write(void* dst, const void* src, std::int64_t bytes) {
    std::memcpy(dst, src, static_cast<std::size_t>(bytes));
}

void CpuBackend::read(void* dst, const void* src, std::int64_t bytes) {
    std::memcpy(dst, src, static_cast<std::size_t>(bytes));
}

void CpuBackend::synchronize() {}

// ---- operators ----

template <class Function, class Plain>
void CpuBackend::serve_pinned(const char* op, Function candidate, Plain plain) {
    if (options_.kernels == Kernels::Vendor && candidate(*vendor_)) {
        served_[op].vendor++;
    } else {
        serve(op, candidate, plain);
    }
}

template <class Shapes, class Function, class Plain>
void CpuBackend::serve_planned(const char* op, DType type, Shapes shapes, Function candidate,
                               Plain plain) {
    if (!planner_) return serve_pinned(op, candidate, plain);
    std::vector<Candidate> candidates = {Candidate::Handwritten};
    const bool convolves = std::string_view(op).starts_with("conv2d");
    if (options_.transforms && convolves) candidates.push_back(Candidate::Direct);
    if (vendor_) candidates.push_back(Candidate::Vendor);
    const std::string operation = op + shapes() + (type == DType::F32 ? "" : " f64");
    const auto chosen = planner_->serve(operation, candidates, [&](Candidate c) {
        if (c == Candidate::Vendor) return vendor_ && candidate(*vendor_);
        const fast::Operators::Transforms allowed(*fast_, options_.transforms && c == Candidate::Handwritten);
        const bool served = candidate(*fast_);
        if (served && convolves) algorithms_[operation][c] = fast_->conv2d_algorithm();
        return served;
    });
    if (!chosen) return serve(op, plain);
    (*chosen == Candidate::Vendor ? served_[op].vendor : served_[op].handwritten)++;
}

template <class Fast, class Plain> void CpuBackend::serve(const char* op, Fast fast, Plain plain) {
    if (fast_ && fast(*fast_)) {
        served_[op].handwritten++;
    } else {
        serve(op, plain);
    }
}

template <class Plain> void CpuBackend::serve(const char* op, Plain plain) {
    plain();
    served_[op].reference++;
}

void CpuBackend::fill(double value, const View& dst) {
    serve(
        "fill", [&](auto& fast) { return fast.fill(value, dst); }, [&] { reference::fill(value, dst); });
}

void CpuBackend::convert(double scale, double shift, const View& src, const View& dst) {
    serve(
        "convert", [&](auto& fast) { return fast.convert(scale, shift, src, dst); },
        [&] { reference::convert(scale, shift, src, dst); });
}

void CpuBackend::unary(const cgan_unary_params& p, const View& src, const View& dst) {
    serve(
        "unary", [&](auto& fast) { return fast.unary(p, src, dst); }, [&] { reference::unary(p, src, dst); });
}

void CpuBackend::activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                                     const View& d_src) {
    serve(
        "activation_backward", [&](auto& fast) { return fast.activation_backward(p, dst, d_dst, d_src); },
        [&] { reference::activation_backward(p, dst, d_dst, d_src); });
}

void CpuBackend::binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) {
    serve(
        "binary", [&](auto& fast) { return fast.binary(p, a, b, dst); },
        [&] { reference::binary(p, a, b, dst); });
}

void CpuBackend::reduce(const cgan_reduce_params& p, const View& src, const View& dst) {
    serve(
        "reduce", [&](auto& fast) { return fast.reduce(p, src, dst); },
        [&] { reference::reduce(p, src, dst); });
}

void CpuBackend::argmax(const View& src, const View& dst) {
    serve("argmax", [&] { reference::argmax(src, dst); });
}

void CpuBackend::permute(const cgan_permute_params& p, const View& src, const View& dst) {
    serve(
        "permute", [&](auto& fast) { return fast.permute(p, src, dst); },
        [&] { reference::permute(p, src, dst); });
}

void CpuBackend::slice_copy(const cgan_slice_params& p, const View& src, const View& dst) {
    serve("slice_copy", [&] { reference::slice_copy(p, src, dst); });
}

void CpuBackend::gather_rows(const View& table, const View& index, const View& dst) {
    serve("gather_rows", [&] { reference::gather_rows(table, index, dst); });
}

void CpuBackend::scatter_add_rows(const View& index, const View& d_dst, const View& d_table) {
    serve("scatter_add_rows", [&] { reference::scatter_add_rows(index, d_dst, d_table); });
}

void CpuBackend::softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) {
    serve(
        "softmax_forward", [&](auto& fast) { return fast.softmax_forward(p, src, dst); },
        [&] { reference::softmax_forward(p, src, dst); });
}

void CpuBackend::softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                                  const View& d_src) {
    serve(
        "softmax_backward", [&](auto& fast) { return fast.softmax_backward(p, dst, d_dst, d_src); },
        [&] { reference::softmax_backward(p, dst, d_dst, d_src); });
}

namespace {

std::string shapes_of(const cgan_conv2d_params& p, const View& src, const View& wei, bool biased) {
    return cat(" n", src.dims[0], " h", src.dims[1], " w", src.dims[2], " c", src.dims[3], " k", wei.dims[0],
               " r", wei.dims[1], " s", wei.dims[2], " stride", p.stride_h, "x", p.stride_w, " pad",
               p.pad_top, ",", p.pad_left, ",", p.pad_bottom, ",", p.pad_right, " up", p.upsample, " act",
               p.activation, biased ? " bias" : "");
}

} // namespace

void CpuBackend::matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) {
    const std::int64_t k = p.transpose_a ? a.dims[0] : a.dims[1];
    serve_planned(
        "matmul", dst.dtype,
        [&] {
            return cat(" m", dst.dims[0], " n", dst.dims[1], " k", k, p.transpose_a ? " ta" : "",
                       p.transpose_b ? " tb" : "");
        },
        [&](auto& fast) { return fast.matmul(p, a, b, dst); }, [&] { reference::matmul(p, a, b, dst); });
}

void CpuBackend::dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                               const View& dst) {
    serve_planned(
        "dense_forward", dst.dtype,
        [&] {
            return cat(" m", src.dims[0], " n", wei.dims[0], " k", src.dims[1], " act", p.activation,
                       bia.present() ? " bias" : "");
        },
        [&](auto& fast) { return fast.dense_forward(p, src, wei, bia, dst); },
        [&] { reference::dense_forward(p, src, wei, bia, dst); });
}

void CpuBackend::conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                const View& bia, const View& dst) {
    serve_planned(
        "conv2d_forward", dst.dtype, [&] { return shapes_of(p, src, wei, bia.present()); },
        [&](auto& fast) { return fast.conv2d_forward(p, src, wei, bia, dst); },
        [&] { reference::conv2d_forward(p, src, wei, bia, dst); });
}

void CpuBackend::conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                      const View& bia, const View& d_src) {
    serve_planned(
        "conv2d_backward_data", d_src.dtype, [&] { return shapes_of(p, d_src, wei, bia.present()); },
        [&](auto& fast) { return fast.conv2d_backward_data(p, wei, d_dst, bia, d_src); },
        [&] { reference::conv2d_backward_data(ledger_, p, wei, d_dst, bia, d_src); });
}

void CpuBackend::conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                        const View& d_wei, const View& d_bia) {
    serve_planned(
        "conv2d_backward_filter", d_wei.dtype, [&] { return shapes_of(p, src, d_wei, d_bia.present()); },
        [&](auto& fast) { return fast.conv2d_backward_filter(p, src, d_dst, d_wei, d_bia); },
        [&] { reference::conv2d_backward_filter(ledger_, p, src, d_dst, d_wei, d_bia); });
}

void CpuBackend::conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                     const View& bia, const View& dst, const View& arg) {
    serve_planned(
        "conv2d_pool_forward", dst.dtype, [&] { return shapes_of(p, src, wei, bia.present()); },
        [&](auto& fast) { return fast.conv2d_pool_forward(p, src, wei, bia, dst, arg); },
        [&] { reference::conv2d_pool_forward(p, src, wei, bia, dst, arg); });
}

void CpuBackend::conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                           const View& d_dst, const View& arg, const View& d_src) {
    serve_planned(
        "conv2d_pool_backward_data", d_src.dtype, [&] { return shapes_of(p, d_src, wei, false); },
        [&](auto& fast) { return fast.conv2d_pool_backward_data(p, wei, dst, d_dst, arg, d_src); },
        [&] { reference::conv2d_pool_backward_data(ledger_, p, wei, dst, d_dst, arg, d_src); });
}

void CpuBackend::conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                             const View& d_dst, const View& arg, const View& d_wei,
                                             const View& d_bia) {
    serve_planned(
        "conv2d_pool_backward_filter", d_wei.dtype, [&] { return shapes_of(p, src, d_wei, d_bia.present()); },
        [&](auto& fast) { return fast.conv2d_pool_backward_filter(p, src, dst, d_dst, arg, d_wei, d_bia); },
        [&] { reference::conv2d_pool_backward_filter(ledger_, p, src, dst, d_dst, arg, d_wei, d_bia); });
}

void CpuBackend::pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                                const View& arg) {
    serve_pinned(
        "pool2d_forward", [&](auto& fast) { return fast.pool2d_forward(p, src, dst, arg); },
        [&] { reference::pool2d_forward(p, src, dst, arg); });
}

void CpuBackend::pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg,
                                 const View& d_src) {
    serve_pinned(
        "pool2d_backward", [&](auto& fast) { return fast.pool2d_backward(p, d_dst, arg, d_src); },
        [&] { reference::pool2d_backward(p, d_dst, arg, d_src); });
}

void CpuBackend::pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg,
                               const View& dst) {
    serve(
        "pool2d_gather", [&](auto& fast) { return fast.pool2d_gather(p, src, arg, dst); },
        [&] { reference::pool2d_gather(p, src, arg, dst); });
}

void CpuBackend::upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) {
    serve(
        "upsample2d_forward", [&](auto& fast) { return fast.upsample2d_forward(p, src, dst); },
        [&] { reference::upsample2d_forward(p, src, dst); });
}

void CpuBackend::upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src) {
    serve(
        "upsample2d_backward", [&](auto& fast) { return fast.upsample2d_backward(p, d_dst, d_src); },
        [&] { reference::upsample2d_backward(p, d_dst, d_src); });
}

void CpuBackend::batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& beta, const View& running_mean, const View& running_var,
                                     const View& dst, const View& mean, const View& rstd) {
    serve(
        "batch_norm_training",
        [&](auto& fast) {
            return fast.batch_norm_training(p, src, gamma, beta, running_mean, running_var, dst, mean, rstd);
        },
        [&] {
            reference::batch_norm_training(p, src, gamma, beta, running_mean, running_var, dst, mean, rstd);
        });
}

void CpuBackend::batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma,
                                      const View& beta, const View& running_mean, const View& running_var,
                                      const View& dst) {
    serve_pinned(
        "batch_norm_inference",
        [&](auto& fast) {
            return fast.batch_norm_inference(p, src, gamma, beta, running_mean, running_var, dst);
        },
        [&] { reference::batch_norm_inference(p, src, gamma, beta, running_mean, running_var, dst); });
}

void CpuBackend::batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                     const View& d_gamma, const View& d_beta) {
    serve(
        "batch_norm_backward",
        [&](auto& fast) {
            return fast.batch_norm_backward(p, src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta);
        },
        [&] { reference::batch_norm_backward(p, src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta); });
}

void CpuBackend::layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma,
                                    const View& beta, const View& dst, const View& mean, const View& rstd) {
    serve(
        "layer_norm_forward",
        [&](auto& fast) { return fast.layer_norm_forward(p, src, gamma, beta, dst, mean, rstd); },
        [&] { reference::layer_norm_forward(p, src, gamma, beta, dst, mean, rstd); });
}

void CpuBackend::layer_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                     const View& d_gamma, const View& d_beta) {
    serve(
        "layer_norm_backward",
        [&](auto& fast) {
            return fast.layer_norm_backward(p, src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta);
        },
        [&] { reference::layer_norm_backward(p, src, gamma, mean, rstd, d_dst, d_src, d_gamma, d_beta); });
}

void CpuBackend::random(const cgan_random_params& p, const View& step, const View& dst) {
    serve("random", [&] { reference::random(p, step, dst); });
}

void CpuBackend::optimizer_advance(const View& hyper) {
    serve("optimizer_advance", [&] { reference::optimizer_advance(hyper); });
}

void CpuBackend::adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m,
                      Views v) {
    serve(
        "adam", [&](auto& fast) { return fast.adam(p, hyper, param, grad, m, v); },
        [&] { reference::adam(p, hyper, param, grad, m, v); });
}

void CpuBackend::sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity) {
    serve(
        "sgd", [&](auto& fast) { return fast.sgd(p, hyper, param, grad, velocity); },
        [&] { reference::sgd(p, hyper, param, grad, velocity); });
}

void CpuBackend::rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v) {
    serve(
        "rmsprop", [&](auto& fast) { return fast.rmsprop(p, hyper, param, grad, v); },
        [&] { reference::rmsprop(p, hyper, param, grad, v); });
}

void CpuBackend::ema(const cgan_ema_params& p, Views src, Views dst) {
    serve(
        "ema", [&](auto& fast) { return fast.ema(p, src, dst); }, [&] { reference::ema(p, src, dst); });
}

void CpuBackend::ema_by(const View& decay, Views src, Views dst) {
    ema({sizeof(cgan_ema_params), 0, *decay.as<double>()}, src, dst);
}

void CpuBackend::clamp(const cgan_clamp_params& p, Views tensors) {
    serve(
        "clamp", [&](auto& fast) { return fast.clamp(p, tensors); }, [&] { reference::clamp(p, tensors); });
}

void CpuBackend::global_norm(Views tensors, const View& dst) {
    serve(
        "global_norm", [&](auto& fast) { return fast.global_norm(tensors, dst); },
        [&] { reference::global_norm(tensors, dst); });
}

void CpuBackend::clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors) {
    serve(
        "clip_by_norm", [&](auto& fast) { return fast.clip_by_norm(p, norm, tensors); },
        [&] { reference::clip_by_norm(p, norm, tensors); });
}

} // namespace cgan
