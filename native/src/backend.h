// What a backend must do: one method for each operator of cgan.h, over memory that it hands out itself.
//
// The ABI layer (src/abi) has checked every argument before a method is called: views are inside their
// buffers, shapes and types agree with cgan.h, structures are filled up to the size that this library knows
// (`upsample` is 1 or 2), and neither an operand nor a list is empty; lists hold no empty tensor. Methods
// throw cgan::Error; nothing else may leave them but std::bad_alloc. They never print, abort or exit.
//
// Operators marked (optional) have a default that throws CGAN_E_UNSUPPORTED.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "cgan.h"

namespace cgan {

// Plugins are refused unless built for exactly this number: raise it with every change of this file.
inline constexpr std::uint32_t kBackendAbi = 4;

class Error : public std::runtime_error {
  public:
    Error(cgan_status status, const std::string& text) : std::runtime_error(text), status(status) {}
    const cgan_status status;
};

enum class DType : std::int32_t {
    F32 = CGAN_F32,
    F64 = CGAN_F64,
    I32 = CGAN_I32,
    I64 = CGAN_I64,
    U8 = CGAN_U8
};

// A checked operand: dense, row-major, in the backend's memory. A nullable operand that is absent has data ==
// nullptr and rank == -1.
struct View {
    void* data = nullptr;
    DType dtype = DType::F32;
    std::int32_t rank = -1;
    std::int64_t dims[CGAN_MAX_RANK] = {};
    // Not 0: the same address with the same number holds the same bytes as before.
    std::uint64_t content = 0;

    bool present() const { return rank >= 0; }
    std::int64_t elems() const {
        std::int64_t n = 1;
        for (int i = 0; i < rank; i++) n *= dims[i];
        return n;
    }
    // Product of all dimensions but the last, and the last: how row-wise operators see their operands.
    std::int64_t last() const { return rank > 0 ? dims[rank - 1] : 1; }
    std::int64_t rows() const { return last() == 0 ? 0 : elems() / last(); }
    template <class T> T* as() const { return static_cast<T*>(data); }
};

using Views = std::span<const View>;

// Charges memory that a backend takes for itself (workspaces) to its context: limits, statistics and injected
// failures apply to it. Throws CGAN_E_OUT_OF_DEVICE_MEMORY or CGAN_E_INJECTED.
class MemoryLedger {
  public:
    virtual ~MemoryLedger() = default;
    virtual void charge_workspace(std::int64_t bytes) = 0;
    virtual void release_workspace(std::int64_t bytes) noexcept = 0;
};

// Work that was recorded once and can be put on the queue again and again. Destroying it waits for nothing: work
// that is queued already still runs.
class Recording {
  public:
    virtual ~Recording() = default;
};

class Backend {
  public:
    virtual ~Backend() = default;

    virtual std::string describe() const = 0;

    // Takes the choices between candidates from a file, and keeps them there. This default serves backends whose
    // choices follow from the shapes alone. (optional)
    virtual void keep_plan(const std::string&) {}

    // ---- memory: 256-byte aligned blocks; `bytes` is at least 1 ----
    virtual void* allocate(std::int64_t bytes) = 0;
    virtual void release(void* data, std::int64_t bytes) noexcept = 0;
    virtual void write(void* dst, const void* src, std::int64_t bytes) = 0;
    virtual void read(void* dst, const void* src, std::int64_t bytes) = 0;
    virtual void synchronize() = 0;

    // ---- stopwatch: this default serves devices whose calls have finished when they return ----
    virtual void timer_start() { timer_started_ = std::chrono::steady_clock::now(); }
    virtual double timer_stop() {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - timer_started_).count();
    }

    // ---- copies beside the queue (optional: a device that runs each call at once copies at once) ----

    // Copies to `dst` without waiting for the queue, but for the work that was on it when it was at `used`: the
    // last to use dst. Positions grow from call to call; `now` is that of the queue's end. `src` may be reused
    // on return.
    virtual void upload(void* dst, const void* src, std::int64_t bytes, std::int64_t /*used*/,
                        std::int64_t /*now*/) {
        write(dst, src, bytes);
    }
    // Lets work that is queued from now on see all uploads made so far.
    virtual void await_uploads() {}

    // ---- recorded work (optional) ----

    // From now on operators are recorded instead of run. Memory that is allocated meanwhile is real at once.
    virtual void begin_recording() {
        throw Error(CGAN_E_UNSUPPORTED,
                    "this device runs each call at once and records none; use cuda or sim");
    }
    // Ends the recording, and returns what was recorded; throws if that cannot be replayed.
    virtual std::unique_ptr<Recording> end_recording() {
        throw Error(CGAN_E_INTERNAL, "nothing is recorded");
    }
    // Ends the recording and forgets it.
    virtual void discard_recording() noexcept {}
    virtual void replay(Recording&) { throw Error(CGAN_E_INTERNAL, "nothing was recorded"); }

    // ---- element-wise ----
    virtual void fill(double value, const View& dst) = 0;
    virtual void convert(double scale, double shift, const View& src, const View& dst) = 0;
    virtual void unary(const cgan_unary_params& p, const View& src, const View& dst) = 0;
    virtual void activation_backward(const cgan_unary_params& p, const View& dst, const View& d_dst,
                                     const View& d_src) = 0;
    virtual void binary(const cgan_binary_params& p, const View& a, const View& b, const View& dst) = 0;

    // ---- reductions and data movement ----
    virtual void reduce(const cgan_reduce_params& p, const View& src, const View& dst) = 0;
    virtual void argmax(const View& src, const View& dst) = 0;
    virtual void permute(const cgan_permute_params& p, const View& src, const View& dst) = 0;
    virtual void slice_copy(const cgan_slice_params& p, const View& src, const View& dst) = 0;
    virtual void gather_rows(const View& table, const View& index, const View& dst) = 0;
    virtual void scatter_add_rows(const View& index, const View& d_dst, const View& d_table) = 0;
    virtual void softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) = 0;
    virtual void softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst,
                                  const View& d_src) = 0;

    // ---- matrix products ----
    virtual void matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) = 0;
    virtual void dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                               const View& dst) = 0;

    // ---- convolution ----
    virtual void conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                const View& bia, const View& dst) = 0;
    virtual void conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                      const View& bia, const View& d_src) = 0;
    virtual void conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                        const View& d_wei, const View& d_bia) = 0;
    virtual void conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                     const View& bia, const View& dst, const View& arg) = 0;
    virtual void conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                           const View& d_dst, const View& arg, const View& d_src) = 0;
    virtual void conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                             const View& d_dst, const View& arg, const View& d_wei,
                                             const View& d_bia) = 0;

    // ---- pooling and upsampling ----
    virtual void pool2d_forward(const cgan_pool2d_params& p, const View& src, const View& dst,
                                const View& arg) = 0;
    virtual void pool2d_backward(const cgan_pool2d_params& p, const View& d_dst, const View& arg,
                                 const View& d_src) = 0;
    virtual void pool2d_gather(const cgan_pool2d_params& p, const View& src, const View& arg,
                               const View& dst) = 0;
    virtual void upsample2d_forward(const cgan_upsample2d_params& p, const View& src, const View& dst) = 0;
    virtual void upsample2d_backward(const cgan_upsample2d_params& p, const View& d_dst,
                                     const View& d_src) = 0;

    // ---- normalisation ----
    virtual void batch_norm_training(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& beta, const View& running_mean, const View& running_var,
                                     const View& dst, const View& mean, const View& rstd) = 0;
    virtual void batch_norm_inference(const cgan_norm_params& p, const View& src, const View& gamma,
                                      const View& beta, const View& running_mean, const View& running_var,
                                      const View& dst) = 0;
    virtual void batch_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                     const View& d_gamma, const View& d_beta) = 0;
    virtual void layer_norm_forward(const cgan_norm_params& p, const View& src, const View& gamma,
                                    const View& beta, const View& dst, const View& mean,
                                    const View& rstd) = 0;
    virtual void layer_norm_backward(const cgan_norm_params& p, const View& src, const View& gamma,
                                     const View& mean, const View& rstd, const View& d_dst, const View& d_src,
                                     const View& d_gamma, const View& d_beta) = 0;

    // ---- random numbers ----
    virtual void random(const cgan_random_params& p, const View& step, const View& dst) = 0;

    // ---- optimisers ----
    virtual void optimizer_advance(const View& hyper) = 0;
    virtual void adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m,
                      Views v) = 0;
    virtual void sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad,
                     Views velocity) = 0;
    virtual void rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad,
                         Views v) = 0;
    virtual void ema(const cgan_ema_params& p, Views src, Views dst) = 0;
    virtual void ema_by(const View& decay, Views src, Views dst) = 0;
    virtual void clamp(const cgan_clamp_params& p, Views tensors) = 0;
    virtual void global_norm(Views tensors, const View& dst) = 0;
    virtual void clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors) = 0;

  private:
    std::chrono::steady_clock::time_point timer_started_;
};

// ---- plugins ----

// What a plugin (libcgan_cuda.so, libcgan_sim.so) exports under the name `cgan_backend_plugin`.
struct BackendPlugin {
    std::uint32_t abi;                         // kBackendAbi of its build
    const char* name;                          // "cuda", "sim"
    int (*device_count)(std::string& reason);  // 0 with a reason in words
    std::string (*describe_device)(int index); // "NVIDIA H100, 80 GiB, sm_90, driver 580"
    std::string (*describe_libraries)();       // lines as in cgan_describe_libraries
    Backend* (*open)(int index, const char* options,
                     MemoryLedger& ledger); // throws Error; deleted by the caller
};
// The plugin defines it as: extern "C" __attribute__((visibility("default"))) const BackendPlugin
// cgan_backend_plugin

} // namespace cgan
