// The CPU backend: for each operator it picks the candidate that the context's options and the operands
// allow.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "backend.h"
#include "cpu/cpu_info.h"
#include "cpu/planner.h"

namespace cgan {

namespace fast {
class Operators;
}
namespace vendor {
class Operators;
}

// Which candidates may serve an operator (option `kernels`).
enum class Kernels { Auto, Handwritten, Vendor, Reference };

struct CpuOptions {
    int threads = 1;
    Isa isa = Isa::Baseline;
    Kernels kernels = Kernels::Handwritten;
    bool transforms = true; // whether convolutions may work on transformed data (FFT, Winograd)
};

class CpuBackend final : public Backend {
  public:
    CpuBackend(const CpuOptions& options, MemoryLedger& ledger);
    ~CpuBackend() override;

    std::string describe() const override;
    void keep_plan(const std::string& path) override;

    // ---- memory: 256-byte aligned blocks; `bytes` is at least 1 ----
    void* allocate(std::int64_t bytes) override;
    void release(void* data, std::int64_t bytes) noexcept override;
    void write(void* dst, const void* src, std::int64_t bytes) override;
    void read(void* dst, const void* src, std::int64_t bytes) override;
    void synchronize() override;

    // ---- element-wise ----
    void fill(double value, const View& dst) override;
    void convert(double scale, double shift, const View& src, const View& dst) override;
    void unary(const cgan_unary_params& p, const View& src, const View& dst) override;
    void activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                             const View& d_src) override;
    void binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) override;

    // ---- reductions and data movement ----
    void reduce(const cgan_reduce_params& p, const View& src, const View& dst) override;
    void argmax(const View& src, const View& dst) override;
    void permute(const cgan_permute_params& p, const View& src, const View& dst) override;
    void slice_copy(const cgan_slice_params& p, const View& src, const View& dst) override;
    void gather_rows(const View& table, const View& index, const View& dst) override;
    void scatter_add_rows(const View& index, const View& d_dst, const View& d_table) override;
    void softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) override;
    void softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                          const View& d_src) override;

    // ---- matrix products ----
    void matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) override;
    void dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                       const View& dst) override;

    // ---- convolution ----
    void conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                        const View& dst) override;
    void conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                              const View& bia, const View& d_src) override;
    void conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                const View& d_wei, const View& d_bia) override;
    void conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                             const View& dst, const View& arg) override;
    void conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                   const View& d_dst, const View& arg, const View& d_src) override;
    void conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                     const View& d_dst, const View& arg, const View& d_wei,
                                     const View& d_bia) override;

    // ---- pooling and upsampling ----
    void pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                        const View& arg) override;
    void pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg,
                         const View& d_src) override;
    void pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg,
                       const View& dst) override;
    void upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) override;
    void upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src) override;

    // ---- normalisation ----
    void batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                             const View& running_mean, const View& running_var, const View& dst,
                             const View& mean, const View& rstd) override;
    void batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                              const View& running_mean, const View& running_var, const View& dst) override;
    void batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                             const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                             const View& d_beta) override;
    void layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma, const View& beta,
                            const View& dst, const View& mean, const View& rstd) override;
    void layer_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma, const View& mean,
                             const View& rstd, const View& d_dst, const View& d_src, const View& d_gamma,
                             const View& d_beta) override;

    // ---- random numbers ----
    void random(const cgan_random_params& p, const View& step, const View& dst) override;

    // ---- optimisers ----
    void optimizer_advance(const View& hyper) override;
    void adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m,
              Views v) override;
    void sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity) override;
    void rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v) override;
    void ema(const cgan_ema_params& p, Views src, Views dst) override;
    void ema_by(const View& decay, Views src, Views dst) override;
    void clamp(const cgan_clamp_params& p, Views tensors) override;
    void global_norm(Views tensors, const View& dst) override;
    void clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors) override;

  private:
    // Calls that a candidate has served, for describe().
    struct Served {
        std::int64_t vendor = 0, handwritten = 0, reference = 0;
    };

    // Runs the vendor's candidate, a generic function of either set of operators, where that is asked for and
    // serves these operands; else as below.
    template <class Function, class Plain> void serve_pinned(const char* op, Function candidate, Plain plain);
    // Runs the candidate that kernels=auto has planned for the operation; without that, as above.
    template <class Shapes, class Function, class Plain>
    void serve_planned(const char* op, DType type, Shapes shapes, Function candidate, Plain plain);
    // Runs the handwritten kernel, or the plain loops if there is none for these operands (fast returns false).
    template <class Fast, class Plain> void serve(const char* op, Fast fast, Plain plain);
    // Runs plain loops that no kernel would beat: they only move data or make few numbers.
    template <class Plain> void serve(const char* op, Plain plain);

    void plan_candidates();

    const CpuOptions options_;
    MemoryLedger& ledger_;
    std::map<std::string_view, Served> served_;
    std::unique_ptr<fast::Operators> fast_;     // null when the reference is to serve everything
    std::unique_ptr<vendor::Operators> vendor_; // null unless the vendor's library may serve
    std::string vendor_fault_;                  // why kernels=auto has to do without it
    std::unique_ptr<Planner> planner_;          // of kernels=auto
    // By which candidates have convolved, for each operation that was planned.
    std::map<std::string, std::map<Candidate, const char*>> algorithms_;
};

// Opens the CPU with options as in a device name ("threads=2&isa=baseline"). Throws CGAN_E_BAD_DEVICE for
// unknown options and values, CGAN_E_NO_DEVICE for what this machine cannot do.
std::unique_ptr<Backend> open_cpu(const std::string& options, MemoryLedger& ledger);

// "AMD EPYC 7763 64-Core Processor, 2 processors, avx2+fma"
std::string describe_cpu();

} // namespace cgan
