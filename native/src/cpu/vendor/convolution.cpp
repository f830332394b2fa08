// convolution.cpp -- convolutions. Images stay NHWC; filters are copied into the layout that oneDNN chooses, since for
// KRSC ones it has reference loops only. Blocked images were slower than the copies are worth (ADR 11).
#include "cpu/vendor/operands.h"
#include "cpu/vendor/vendor.h"

namespace cgan::vendor {

using namespace onednn;

namespace {

struct Convolution {
    const cgan_conv2d_params& p;
    std::int64_t n, h, w, c, k, r, s, oh, ow; // h and w after any enlargement

    Convolution(const cgan_conv2d_params& p, const View& src, const View& wei, const View& dst)
        : p(p), n(src.dims[0]), h(src.dims[1] * p.upsample), w(src.dims[2] * p.upsample), c(src.dims[3]),
          k(wei.dims[0]), r(wei.dims[1]), s(wei.dims[2]), oh(dst.dims[1]), ow(dst.dims[2]) {}

    Layout src() const { return image(n, h, w, c); }
    Layout dst() const { return image(n, oh, ow, k); }
    Layout wei() const { return {{k, c, r, s}, {r * s * c, 1, s * c, c}}; }
    // With the channels in the roles that they have in a transposed convolution.
    Layout transposed_wei() const { return {{c, k, r, s}, {1, r * s * c, s * c, c}}; }

    Key key(Kind kind, bool biased) const {
        return {kind,
                n,
                h,
                w,
                c,
                k,
                r,
                s,
                p.stride_h,
                p.stride_w,
                p.pad_top,
                p.pad_left,
                p.pad_bottom,
                p.pad_right,
                biased,
                p.activation,
                key_of(p.alpha)};
    }
    ActivationSpec activation() const { return {p.activation, static_cast<float>(p.alpha)}; }
};

// The geometry as the library's calls want it.
struct Window {
    Dims strides = {}, dilates = {}, before = {}, after = {};
    explicit Window(const cgan_conv2d_params& p) {
        strides[0] = p.stride_h, strides[1] = p.stride_w;
        before[0] = p.pad_top, before[1] = p.pad_left;
        after[0] = p.pad_bottom, after[1] = p.pad_right;
    }
};

OperandSpec filter(int arg, int query, const Layout& layout, bool result = false) {
    return {arg, query, layout, result, true};
}

std::unique_ptr<Computation> make_forward(Machine& machine, const Convolution& g, bool biased) {
    std::vector<OperandSpec> operands = {
        {kArgSrc, 0, g.src()}, filter(kArgWei, kQueryWei, g.wei()), {kArgDst, 0, g.dst(), true}};
    if (biased) operands.push_back({kArgBias, 0, vector(g.k)});
    const Window window(g.p);
    return Computation::make(
        machine, operands, g.activation(),
        [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
            return machine.calls().convolution_forward_primitive_desc_create(
                desc, engine, kForwardInference, kConvolutionDirect, of[0], of[1], biased ? of[3] : nullptr,
                of[2], window.strides, window.dilates, window.before, window.after, attributes);
        });
}

std::unique_ptr<Computation> make_transposed(Machine& machine, const Convolution& g, bool biased) {
    std::vector<OperandSpec> operands = {
        {kArgSrc, 0, g.dst()}, filter(kArgWei, kQueryWei, g.transposed_wei()), {kArgDst, 0, g.src(), true}};
    if (biased) operands.push_back({kArgBias, 0, vector(g.c)});
    const Window window(g.p);
    return Computation::make(
        machine, operands, g.activation(),
        [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
            return machine.calls().deconvolution_forward_primitive_desc_create(
                desc, engine, kForwardInference, kDeconvolutionDirect, of[0], of[1], biased ? of[3] : nullptr,
                of[2], window.strides, window.dilates, window.before, window.after, attributes);
        });
}

// A backward pass is described after a forward pass of the same operands.
template <class Backward> int describe_backward(const Machine& machine, Engine* engine, const Window& window,
                                                const MemoryDesc* src, const MemoryDesc* wei,
                                                const MemoryDesc* bia, const MemoryDesc* dst,
                                                Backward backward) {
    PrimitiveDesc* forward = nullptr;
    const int status = machine.calls().convolution_forward_primitive_desc_create(
        &forward, engine, kForwardTraining, kConvolutionDirect, src, wei, bia, dst, window.strides,
        window.dilates, window.before, window.after, nullptr);
    if (status != kSuccess) return status;
    const Owned<PrimitiveDesc> owned(forward, machine.calls().primitive_desc_destroy);
    return backward(forward);
}

std::unique_ptr<Computation> make_backward_data(Machine& machine, const Convolution& g) {
    const Window window(g.p);
    return Computation::make(
        machine,
        {{kArgDiffSrc, 0, g.src(), true}, filter(kArgWei, kQueryWei, g.wei()), {kArgDiffDst, 0, g.dst()}}, {},
        [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
            return describe_backward(
                machine, engine, window, of[0], of[1], nullptr, of[2], [&](const PrimitiveDesc* forward) {
                    return machine.calls().convolution_backward_data_primitive_desc_create(
                        desc, engine, kConvolutionDirect, of[0], of[1], of[2], window.strides, window.dilates,
                        window.before, window.after, forward, attributes);
                });
        });
}

std::unique_ptr<Computation> make_backward_filter(Machine& machine, const Convolution& g, bool biased) {
    std::vector<OperandSpec> operands = {
        {kArgSrc, 0, g.src()}, filter(kArgDiffWei, kQueryDiffWei, g.wei(), true), {kArgDiffDst, 0, g.dst()}};
    if (biased) operands.push_back({kArgDiffBias, 0, vector(g.k), true});
    const Window window(g.p);
    return Computation::make(
        machine, operands, {},
        [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
            const MemoryDesc* bia = biased ? of[3] : nullptr;
            return describe_backward(
                machine, engine, window, of[0], of[1], bia, of[2], [&](const PrimitiveDesc* forward) {
                    return machine.calls().convolution_backward_weights_primitive_desc_create(
                        desc, engine, kConvolutionDirect, of[0], of[1], bia, of[2], window.strides,
                        window.dilates, window.before, window.after, forward, attributes);
                });
        });
}

// Nearest-neighbour enlargement by 2, and its transpose.
const Computation* find_resampling(Machine& machine, const View& small, bool backward) {
    const std::int64_t n = small.dims[0], h = small.dims[1], w = small.dims[2], c = small.dims[3];
    const Layout from = image(n, h, w, c), to = image(n, 2 * h, 2 * w, c);
    return machine.find({backward ? kReduce2x : kEnlarge, n, h, w, c}, [&] {
        const auto forward = [&](PrimitiveDesc** desc, Engine* engine, const auto& of,
                                 const Attributes* attributes) {
            return machine.calls().resampling_forward_primitive_desc_create(
                desc, engine, kForwardTraining, kResamplingNearest, nullptr, of[0], of[1], attributes);
        };
        if (!backward)
            return Computation::make(machine, {{kArgSrc, 0, from}, {kArgDst, 0, to, true}}, {}, forward);
        return Computation::make(
            machine, {{kArgDiffSrc, 0, from, true}, {kArgDiffDst, 0, to}}, {},
            [&](PrimitiveDesc** desc, Engine* engine, const auto& of, const Attributes* attributes) {
                PrimitiveDesc* hint = nullptr;
                const int status = forward(&hint, engine, of, nullptr);
                if (status != kSuccess) return status;
                const Owned<PrimitiveDesc> owned(hint, machine.calls().primitive_desc_destroy);
                return machine.calls().resampling_backward_primitive_desc_create(
                    desc, engine, kResamplingNearest, nullptr, of[0], of[1], hint, attributes);
            });
    });
}

// The source of a convolution, enlarged if it wants that.
class Enlarged {
  public:
    // `small` as it is if nothing is to be enlarged.
    Enlarged(Machine& machine, const cgan_conv2d_params& p, const View& small, bool backward)
        : machine_(machine), frame_(machine.scratch()), small_(small.data), large_(small.data) {
        if (p.upsample == 1) return;
        resampling_ = find_resampling(machine, small, backward);
        served_ = resampling_ != nullptr;
        if (served_) large_ = machine.scratch().take<float>(4 * small.elems());
    }
    bool served() const { return served_; }
    void* data() const { return large_; }
    void fill() const {
        if (resampling_) resampling_->run(machine_, {small_, large_});
    }
    void reduce() const { fill(); } // the operands of the transpose stand in the same order

  private:
    Machine& machine_;
    const fast::Scratch::Frame frame_;
    const Computation* resampling_ = nullptr;
    bool served_ = true;
    void *small_, *large_;
};

// The whole result of a convolution that is pooled, or its gradient, in scratch memory of the caller's frame.
View take_whole(Machine& machine, const cgan_conv2d_params& p, const View& image, const View& wei) {
    View whole;
    whole.rank = 4;
    whole.dims[0] = image.dims[0], whole.dims[3] = wei.dims[0];
    whole.dims[1] = (image.dims[1] * p.upsample + p.pad_top + p.pad_bottom - wei.dims[1]) / p.stride_h + 1;
    whole.dims[2] = (image.dims[2] * p.upsample + p.pad_left + p.pad_right - wei.dims[2]) / p.stride_w + 1;
    whole.data = machine.scratch().take<float>(whole.elems());
    return whole;
}

cgan_conv2d_params without_activation(cgan_conv2d_params p) {
    p.activation = CGAN_ACT_NONE;
    return p;
}

} // namespace

bool Operators::conv2d_forward(const cgan_conv2d_params& p, const View& src, const View& wei, const View& bia,
                               const View& dst) {
    if (!all_f32(src, wei, bia, dst)) return false;
    const Convolution g(p, src, wei, dst);
    const Machine::Threads threads(*machine_);
    const Computation* convolution = machine_->find(
        g.key(kConvolution, bia.present()), [&] { return make_forward(*machine_, g, bia.present()); });
    if (!convolution) return false;
    const Enlarged large(*machine_, p, src, false);
    if (!large.served()) return false;
    large.fill();
    convolution->run(*machine_, {large.data(), wei.data, dst.data, bia.data});
    finish(p.activation, dst);
    return true;
}

bool Operators::conv2d_backward_data(const cgan_conv2d_params& p, const View& wei, const View& d_dst,
                                     const View& bia, const View& d_src) {
    if (!all_f32(wei, d_dst, bia, d_src)) return false;
    const Convolution g(p, d_src, wei, d_dst);
    const Machine::Threads threads(*machine_);
    const bool layer = bia.present() || p.activation != CGAN_ACT_NONE;
    const Computation* convolution =
        machine_->find(g.key(layer ? kTransposedConvolution : kConvolutionData, bia.present()), [&] {
            return layer ? make_transposed(*machine_, g, bia.present()) : make_backward_data(*machine_, g);
        });
    if (!convolution) return false;
    const Enlarged large(*machine_, p, d_src, true);
    if (!large.served()) return false;
    if (layer)
        convolution->run(*machine_, {d_dst.data, wei.data, large.data(), bia.data});
    else
        convolution->run(*machine_, {large.data(), wei.data, d_dst.data});
    large.reduce();
    finish(p.activation, d_src);
    return true;
}

bool Operators::conv2d_backward_filter(const cgan_conv2d_params& p, const View& src, const View& d_dst,
                                       const View& d_wei, const View& d_bia) {
    if (!all_f32(src, d_dst, d_wei, d_bia)) return false;
    const Convolution g(p, src, d_wei, d_dst);
    const Machine::Threads threads(*machine_);
    const Computation* convolution = machine_->find(g.key(kConvolutionFilter, d_bia.present()), [&] {
        return make_backward_filter(*machine_, g, d_bia.present());
    });
    if (!convolution) return false;
    const Enlarged large(*machine_, p, src, false);
    if (!large.served()) return false;
    large.fill();
    convolution->run(*machine_, {large.data(), d_wei.data, d_dst.data, d_bia.data});
    return true;
}

bool Operators::conv2d_pool_forward(const cgan_conv2d_params& p, const View& src, const View& wei,
                                    const View& bia, const View& dst, const View& arg) {
    if (!all_f32(src, wei, bia, dst)) return false;
    const fast::Scratch::Frame frame(machine_->scratch());
    const View whole = take_whole(*machine_, p, src, wei);
    if (!conv2d_forward(without_activation(p), src, wei, View{}, whole)) return false;
    own_.pool_whole(p, whole, bia, dst, arg);
    return true;
}

bool Operators::conv2d_pool_backward_data(const cgan_conv2d_params& p, const View& wei, const View& dst,
                                          const View& d_dst, const View& arg, const View& d_src) {
    if (!all_f32(wei, dst, d_dst, d_src)) return false;
    const fast::Scratch::Frame frame(machine_->scratch());
    const View whole = take_whole(*machine_, p, d_src, wei);
    own_.unpool_whole(p, dst, d_dst, arg, whole);
    return conv2d_backward_data(without_activation(p), wei, whole, View{}, d_src);
}

bool Operators::conv2d_pool_backward_filter(const cgan_conv2d_params& p, const View& src, const View& dst,
                                            const View& d_dst, const View& arg, const View& d_wei,
                                            const View& d_bia) {
    if (!all_f32(src, dst, d_dst, d_wei, d_bia)) return false;
    const fast::Scratch::Frame frame(machine_->scratch());
    const View whole = take_whole(*machine_, p, src, d_wei);
    own_.unpool_whole(p, dst, d_dst, arg, whole);
    return conv2d_backward_filter(without_activation(p), src, whole, d_wei, d_bia);
}

} // namespace cgan::vendor
