// A plugin for the tests of plugin loading. What it is like is chosen when it is compiled:
//   TEST_PLUGIN_ABI     the backend ABI that it claims
//   TEST_PLUGIN_COUNT   how many devices it has
#include <cstdlib>
#include <cstring>

#include "backend.h"

namespace {

using namespace cgan;

[[noreturn]] void decline() { throw Error(CGAN_E_UNSUPPORTED, "the test plugin computes nothing"); }

// Memory and `fill` with zero work; every other operator declines.
class TestBackend final : public Backend {
  public:
    explicit TestBackend(const char* options) : options_(options) {}

    std::string describe() const override { return "test plugin with options " + options_; }

    void* allocate(std::int64_t bytes) override {
        return std::aligned_alloc(256, static_cast<std::size_t>((bytes + 255) / 256 * 256));
    }
    void release(void* data, std::int64_t) noexcept override { std::free(data); }
    void write(void* dst, const void* src, std::int64_t n) override {
        std::memcpy(dst, src, static_cast<std::size_t>(n));
    }
    void read(void* dst, const void* src, std::int64_t n) override {
        std::memcpy(dst, src, static_cast<std::size_t>(n));
    }
    void synchronize() override {}
    void fill(double, const View& dst) override {
        std::memset(dst.data, 0, static_cast<std::size_t>(dst.elems()) * 4);
    }
    void convert(double, double, const View&, const View&) override { decline(); }
    void unary(const cgan_unary_params&, const View&, const View&) override { decline(); }
    void activation_backward(const cgan_unary_params&, const View&, const View&, const View&) override {
        decline();
    }
    void binary(const cgan_binary_params&, const View&, const View&, const View&) override { decline(); }
    void reduce(const cgan_reduce_params&, const View&, const View&) override { decline(); }
    void argmax(const View&, const View&) override { decline(); }
    void permute(const cgan_permute_params&, const View&, const View&) override { decline(); }
    void slice_copy(const cgan_slice_params&, const View&, const View&) override { decline(); }
    void gather_rows(const View&, const View&, const View&) override { decline(); }
    void scatter_add_rows(const View&, const View&, const View&) override { decline(); }
    void softmax_forward(const cgan_softmax_params&, const View&, const View&) override { decline(); }
    void softmax_backward(const cgan_softmax_params&, const View&, const View&, const View&) override {
        decline();
    }
    void matmul(const cgan_matmul_params&, const View&, const View&, const View&) override { decline(); }
    void dense_forward(const cgan_dense_params&, const View&, const View&, const View&,
                       const View&) override {
        decline();
    }
    void conv2d_forward(const cgan_conv2d_params&, const View&, const View&, const View&,
                        const View&) override {
        decline();
    }
    void conv2d_backward_data(const cgan_conv2d_params&, const View&, const View&, const View&,
                              const View&) override {
        decline();
    }
    void conv2d_backward_filter(const cgan_conv2d_params&, const View&, const View&, const View&,
                                const View&) override {
        decline();
    }
    void conv2d_pool_forward(const cgan_conv2d_params&, const View&, const View&, const View&, const View&,
                             const View&) override {
        decline();
    }
    void conv2d_pool_backward_data(const cgan_conv2d_params&, const View&, const View&, const View&,
                                   const View&, const View&) override {
        decline();
    }
    void conv2d_pool_backward_filter(const cgan_conv2d_params&, const View&, const View&, const View&,
                                     const View&, const View&, const View&) override {
        decline();
    }
    void pool2d_forward(const cgan_pool2d_params&, const View&, const View&, const View&) override {
        decline();
    }
    void pool2d_backward(const cgan_pool2d_params&, const View&, const View&, const View&) override {
        decline();
    }
    void pool2d_gather(const cgan_pool2d_params&, const View&, const View&, const View&) override {
        decline();
    }
    void upsample2d_forward(const cgan_upsample2d_params&, const View&, const View&) override { decline(); }
    void upsample2d_backward(const cgan_upsample2d_params&, const View&, const View&) override { decline(); }
    void batch_norm_training(const cgan_norm_params&, const View&, const View&, const View&, const View&,
                             const View&, const View&, const View&, const View&) override {
        decline();
    }
    void batch_norm_inference(const cgan_norm_params&, const View&, const View&, const View&, const View&,
                              const View&, const View&) override {
        decline();
    }
    void batch_norm_backward(const cgan_norm_params&, const View&, const View&, const View&, const View&,
                             const View&, const View&, const View&, const View&) override {
        decline();
    }
    void layer_norm_forward(const cgan_norm_params&, const View&, const View&, const View&, const View&,
                            const View&, const View&) override {
        decline();
    }
    void layer_norm_backward(const cgan_norm_params&, const View&, const View&, const View&, const View&,
                             const View&, const View&, const View&, const View&) override {
        decline();
    }
    void random(const cgan_random_params&, const View&, const View&) override { decline(); }
    void optimizer_advance(const View&) override { decline(); }
    void adam(const cgan_adam_params&, const View&, Views, Views, Views, Views) override { decline(); }
    void sgd(const cgan_sgd_params&, const View&, Views, Views, Views) override { decline(); }
    void rmsprop(const cgan_rmsprop_params&, const View&, Views, Views, Views) override { decline(); }
    void ema(const cgan_ema_params&, Views, Views) override { decline(); }
    void ema_by(const View&, Views, Views) override { decline(); }
    void clamp(const cgan_clamp_params&, Views) override { decline(); }
    void global_norm(Views, const View&) override { decline(); }
    void clip_by_norm(const cgan_clip_params&, const View&, Views) override { decline(); }

  private:
    const std::string options_;
};

int device_count(std::string& reason) {
    reason = "the test plugin\tsees none";
    return TEST_PLUGIN_COUNT;
}

std::string describe_device(int index) { return "test device " + std::to_string(index); }

// Long, as where a library was looked for in many places.
std::string describe_libraries() { return "libtest.so\t-\t-\tnot wanted" + std::string(10000, '!'); }

Backend* open_device(int, const char* options, MemoryLedger&) {
    if (std::strcmp(options, "kernels=broken") == 0) throw Error(CGAN_E_CUDA, "the test plugin is broken");
    return new TestBackend(options);
}

} // namespace

extern "C" __attribute__((visibility("default"))) const BackendPlugin cgan_backend_plugin;
const BackendPlugin cgan_backend_plugin = {TEST_PLUGIN_ABI,    "cuda",     device_count, describe_device,
                                           describe_libraries, open_device};
