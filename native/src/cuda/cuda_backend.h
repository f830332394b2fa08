// The backend of CUDA devices. Every operator is a member function defined in the file of its family.
#pragma once

#include "candidates.h"
#include "recording.h"
#include "staging.h"

namespace cgan::cuda {

class CudaBackend final : public Backend {
  public:
    CudaBackend(int index, const DeviceOptions& options, MemoryLedger& ledger);
    ~CudaBackend() override;

    std::string describe() const override;
    void keep_plan(const std::string& path) override { candidates_.keep_plan(path); }

    void* allocate(std::int64_t bytes) override;
    void release(void* data, std::int64_t bytes) noexcept override;
    void write(void* dst, const void* src, std::int64_t bytes) override;
    void read(void* dst, const void* src, std::int64_t bytes) override;
    void synchronize() override;
    void timer_start() override;
    double timer_stop() override;
    void upload(void* dst, const void* src, std::int64_t bytes, std::int64_t used, std::int64_t now) override;
    void await_uploads() override;

    void begin_recording() override;
    std::unique_ptr<Recording> end_recording() override;
    void discard_recording() noexcept override;
    void replay(Recording& work) override;

    void fill(double value, const View& dst) override;
    void convert(double scale, double shift, const View& src, const View& dst) override;
    void unary(const cgan_unary_params& p, const View& src, const View& dst) override;
    void activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                             const View& d_src) override;
    void binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) override;

    void reduce(const cgan_reduce_params& p, const View& src, const View& dst) override;
    void argmax(const View& src, const View& dst) override;
    void permute(const cgan_permute_params& p, const View& src, const View& dst) override;
    void slice_copy(const cgan_slice_params& p, const View& src, const View& dst) override;
    void gather_rows(const View& table, const View& index, const View& dst) override;
    void scatter_add_rows(const View& index, const View& d_dst, const View& d_table) override;
    void softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) override;
    void softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                          const View& d_src) override;

    void matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) override;
    void dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                       const View& dst) override;

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

    void pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                        const View& arg) override;
    void pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg,
                         const View& d_src) override;
    void pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg,
                       const View& dst) override;
    void upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) override;
    void upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst, const View& d_src) override;

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

    void random(const cgan_random_params& p, const View& step, const View& dst) override;

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
    // A place in the queue that an upload can wait for.
    struct Mark {
        std::int64_t position = -1; // it is behind all work up to this one
        cudaEvent_t event = nullptr;
    };
    static constexpr int kMarks = 8;

    void free_parts() noexcept;
    const Mark& mark(std::int64_t position);
    std::unique_ptr<CudaRecording> leave_recording() noexcept;
    void report_bad_index();
    // vendor(to) and own(to) write to `to`: if that is an operand, they are timed on other memory.
    template <class Vendor, class Own>
    void serve_elementwise(const OperatorKey& key, Vendor vendor, Own own, bool in_place, const View& dst);

    // The hand-written candidates.
    void own_conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                            const View& dst);
    void own_conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                  const View& bia, const View& d_src);
    void own_conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                    const View& d_wei);
    void own_conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                 const View& bia, const View& dst, const View& arg);
    const float* enlarge(const View& src, float* large);
    View expand_pooled(const cgan_conv2d_params& p, const View& dst, const View& d_dst, const View& arg,
                       const View& image, const View& wei, float* gradient) const;

    Device device_;
    Candidates candidates_;
    bool index_used_ = false; // a gather or scatter has run since the last report
    unsigned long long* bad_index_ =
        nullptr; // on the device: first offending position << 32 | its value, or ~0
    Staging written_, uploaded_;
    Mark marks_[kMarks];
    int next_mark_ = 0;
    std::unique_ptr<CudaRecording> recording_;
    cudaEvent_t timed_[2] = {}; // start and stop of the stopwatch
};

} // namespace cgan::cuda
