// Every backward pass of the reference against central differences of its forward pass.
#include <stdexcept>

#include "reference/gradient_check.h"

namespace cgan::test {
namespace {

using Dims = std::vector<std::int64_t>;

// Float64 tensors on the reference. What a test allocates lives as long as its session.
class Gradients : public testing::Test {
  protected:
    const Session s{"cpu?kernels=reference"};
    std::mt19937_64 random{7};

    cgan_tensor in(const Dims& dims, const Vector& values) const { return s.doubles(dims, values); }
    cgan_tensor out(const Dims& dims) const { return s.tensor(CGAN_F64, dims); }
    Vector draw(const Dims& dims) { return random_vector(random, element_count(dims)); }
};

void check(cgan_status status) {
    if (status != CGAN_OK) throw std::runtime_error(last_error());
}

TEST_F(Gradients, Activations) {
    for (const std::int32_t kind : {CGAN_ACT_NONE, CGAN_ACT_TANH, CGAN_ACT_SIGMOID, CGAN_ACT_SOFTPLUS,
                                    CGAN_ACT_RELU, CGAN_ACT_LEAKY_RELU}) {
        SCOPED_TRACE(kind);
        auto p = sized<cgan_unary_params>();
        p.kind = kind;
        p.alpha = kind == CGAN_ACT_NONE ? 1 : 0.2; // kind 0 is AFFINE: alpha * x
        const Dims dims = {3, 7};
        const auto forward = [&](const Vectors& x) {
            const cgan_tensor src = in(dims, x[0]), y = out(dims);
            check(cgan_unary(s, &p, &src, &y));
            return s.read_doubles(y);
        };
        const auto backward = [&](const Vectors& x, const Vector& d) {
            const cgan_tensor y = in(dims, forward(x)), dy = in(dims, d), dx = out(dims);
            check(cgan_activation_backward(s, &p, &y, &dy, &dx));
            return Vectors{s.read_doubles(dx)};
        };
        check_gradients({forward, backward}, {draw(dims)}, 21);
    }
}

TEST_F(Gradients, Softmax) {
    for (const std::int32_t log : {0, 1}) {
        SCOPED_TRACE(log);
        auto p = sized<cgan_softmax_params>();
        p.log = log;
        const Dims dims = {3, 5};
        const auto forward = [&](const Vectors& x) {
            const cgan_tensor src = in(dims, x[0]), y = out(dims);
            check(cgan_softmax_forward(s, &p, &src, &y));
            return s.read_doubles(y);
        };
        const auto backward = [&](const Vectors& x, const Vector& d) {
            const cgan_tensor y = in(dims, forward(x)), dy = in(dims, d), dx = out(dims);
            check(cgan_softmax_backward(s, &p, &y, &dy, &dx));
            return Vectors{s.read_doubles(dx)};
        };
        check_gradients({forward, backward}, {draw(dims)}, 15);
    }
}

TEST_F(Gradients, Dense) {
    const Dims x_dims = {4, 3}, w_dims = {5, 3}, b_dims = {5}, y_dims = {4, 5};
    auto p = sized<cgan_dense_params>();
    p.activation = CGAN_ACT_TANH;
    const auto forward = [&](const Vectors& x) {
        const cgan_tensor src = in(x_dims, x[0]), wei = in(w_dims, x[1]), bia = in(b_dims, x[2]),
                          y = out(y_dims);
        check(cgan_dense_forward(s, &p, &src, &wei, &bia, &y));
        return s.read_doubles(y);
    };
    const auto backward = [&](const Vectors& x, const Vector& d) {
        const cgan_tensor src = in(x_dims, x[0]), wei = in(w_dims, x[1]), y = in(y_dims, forward(x));
        const cgan_tensor dy = in(y_dims, d), dx = out(x_dims), dw = out(w_dims), db = out({1, 5});
        auto act = sized<cgan_unary_params>();
        act.kind = CGAN_ACT_TANH;
        check(cgan_activation_backward(s, &act, &y, &dy, &dy));
        auto plain = sized<cgan_matmul_params>(), transposed = sized<cgan_matmul_params>();
        transposed.transpose_a = 1;
        check(cgan_matmul(s, &plain, &dy, &wei, &dx));
        check(cgan_matmul(s, &transposed, &dy, &src, &dw));
        auto sum = sized<cgan_reduce_params>();
        sum.axis_mask = 1;
        check(cgan_reduce(s, &sum, &dy, &db));
        return Vectors{s.read_doubles(dx), s.read_doubles(dw), s.read_doubles(db)};
    };
    check_gradients({forward, backward}, {draw(x_dims), draw(w_dims), draw(b_dims)}, 32);
}

// ---- convolution
// ------------------------------------------------------------------------------------------------

struct Layer {
    Dims src, wei, dst;
    cgan_conv2d_params p;
};

Layer layer(const Dims& src, const Dims& wei, std::int32_t stride_h, std::int32_t stride_w, const Dims& pad,
            std::int32_t upsample) {
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = stride_h;
    p.stride_w = stride_w;
    p.pad_top = static_cast<std::int32_t>(pad[0]);
    p.pad_left = static_cast<std::int32_t>(pad[1]);
    p.pad_bottom = static_cast<std::int32_t>(pad[2]);
    p.pad_right = static_cast<std::int32_t>(pad[3]);
    p.upsample = upsample;
    const std::int64_t oh = (src[1] * upsample + pad[0] + pad[2] - wei[1]) / stride_h + 1;
    const std::int64_t ow = (src[2] * upsample + pad[1] + pad[3] - wei[2]) / stride_w + 1;
    return {src, wei, {src[0], oh, ow, wei[0]}, p};
}

std::vector<Layer> layers() {
    return {layer({2, 4, 5, 2}, {3, 3, 3, 2}, 1, 1, {1, 1, 1, 1}, 1),
            layer({1, 6, 5, 1}, {2, 4, 2, 1}, 2, 3, {0, 1, 2, 0}, 1),
            layer({1, 5, 6, 2}, {1, 2, 2, 2}, 3, 3, {0, 0, 0, 0}, 1),
            layer({2, 3, 2, 2}, {2, 5, 5, 2}, 1, 1, {2, 2, 2, 2}, 2),
            layer({1, 3, 3, 1}, {2, 3, 4, 1}, 2, 1, {1, 0, 1, 2}, 2)};
}

TEST_F(Gradients, Convolution) {
    for (const Layer& l : layers()) {
        SCOPED_TRACE(testing::PrintToString(l.src));
        const auto forward = [&](const Vectors& x) {
            const cgan_tensor src = in(l.src, x[0]), wei = in(l.wei, x[1]), bia = in({l.wei[0]}, x[2]),
                              y = out(l.dst);
            check(cgan_conv2d_forward(s, &l.p, &src, &wei, &bia, &y));
            return s.read_doubles(y);
        };
        const auto backward = [&](const Vectors& x, const Vector& d) {
            const cgan_tensor src = in(l.src, x[0]), wei = in(l.wei, x[1]), dy = in(l.dst, d);
            const cgan_tensor dx = out(l.src), dw = out(l.wei), db = out({l.wei[0]});
            check(cgan_conv2d_backward_data(s, &l.p, &wei, &dy, nullptr, &dx));
            check(cgan_conv2d_backward_filter(s, &l.p, &src, &dy, &dw, &db));
            return Vectors{s.read_doubles(dx), s.read_doubles(dw), s.read_doubles(db)};
        };
        check_gradients({forward, backward}, {draw(l.src), draw(l.wei), draw({l.wei[0]})}, 30);
    }
}

// The transposed convolution as a layer: its gradients are the forward pass and, with roles exchanged, the
// filter's.
TEST_F(Gradients, TransposedConvolution) {
    for (const Layer& l : layers()) {
        if (l.p.upsample != 1) continue;
        SCOPED_TRACE(testing::PrintToString(l.src));
        auto tanh = l.p;
        tanh.activation = CGAN_ACT_TANH;
        const auto forward = [&](const Vectors& x) {
            const cgan_tensor d = in(l.dst, x[0]), wei = in(l.wei, x[1]), bia = in({l.wei[3]}, x[2]),
                              y = out(l.src);
            check(cgan_conv2d_backward_data(s, &tanh, &wei, &d, &bia, &y));
            return s.read_doubles(y);
        };
        const auto backward = [&](const Vectors& x, const Vector& d) {
            const cgan_tensor input = in(l.dst, x[0]), wei = in(l.wei, x[1]), y = in(l.src, forward(x));
            const cgan_tensor dy = in(l.src, d), dx = out(l.dst), dw = out(l.wei),
                              db = out({1, 1, 1, l.wei[3]});
            auto act = sized<cgan_unary_params>();
            act.kind = CGAN_ACT_TANH;
            check(cgan_activation_backward(s, &act, &y, &dy, &dy));
            check(cgan_conv2d_forward(s, &l.p, &dy, &wei, nullptr, &dx));
            check(cgan_conv2d_backward_filter(s, &l.p, &dy, &input, &dw, nullptr));
            auto sum = sized<cgan_reduce_params>();
            sum.axis_mask = 7;
            check(cgan_reduce(s, &sum, &dy, &db));
            return Vectors{s.read_doubles(dx), s.read_doubles(dw), s.read_doubles(db)};
        };
        check_gradients({forward, backward}, {draw(l.dst), draw(l.wei), draw({l.wei[3]})}, 10);
    }
}

TEST_F(Gradients, ConvolutionWithPooling) {
    for (const std::int32_t activation : {CGAN_ACT_NONE, CGAN_ACT_TANH, CGAN_ACT_SIGMOID, CGAN_ACT_SOFTPLUS,
                                          CGAN_ACT_RELU, CGAN_ACT_LEAKY_RELU}) {
        SCOPED_TRACE(activation);
        Layer l = layer({2, 5, 4, 2}, {3, 3, 3, 2}, 1, 1, {1, 1, 1, 1}, activation == CGAN_ACT_TANH ? 2 : 1);
        l.p.activation = activation;
        l.p.alpha = 0.2;
        const Dims pooled = {l.dst[0], l.dst[1] / 2, l.dst[2] / 2, l.dst[3]};
        const cgan_tensor arg = s.tensor(CGAN_U8, pooled);
        const auto forward = [&](const Vectors& x) {
            const cgan_tensor src = in(l.src, x[0]), wei = in(l.wei, x[1]), bia = in({3}, x[2]),
                              y = out(pooled);
            check(cgan_conv2d_pool_forward(s, &l.p, &src, &wei, &bia, &y, &arg));
            return s.read_doubles(y);
        };
        const auto backward = [&](const Vectors& x, const Vector& d) {
            const cgan_tensor src = in(l.src, x[0]), wei = in(l.wei, x[1]), y = in(pooled, forward(x)),
                              dy = in(pooled, d);
            const cgan_tensor dx = out(l.src), dw = out(l.wei), db = out({3});
            check(cgan_conv2d_pool_backward_data(s, &l.p, &wei, &y, &dy, &arg, &dx));
            check(cgan_conv2d_pool_backward_filter(s, &l.p, &src, &y, &dy, &arg, &dw, &db));
            return Vectors{s.read_doubles(dx), s.read_doubles(dw), s.read_doubles(db)};
        };
        check_gradients({forward, backward}, {draw(l.src), draw(l.wei), draw({3})}, 137);
    }
}

// ---- pooling and upsampling
// -------------------------------------------------------------------------------------

cgan_pool2d_params pooling(std::int32_t kind) {
    auto p = sized<cgan_pool2d_params>();
    p.kind = kind;
    p.window_h = 3;
    p.window_w = 2;
    p.stride_h = 2;
    p.stride_w = 1;
    p.pad_top = p.pad_bottom = p.pad_right = 1;
    return p;
}

TEST_F(Gradients, Pooling) {
    const Dims src_dims = {2, 5, 4, 3}, dst_dims = {2, 3, 4, 3};
    for (const std::int32_t kind : {CGAN_POOL_MAX, CGAN_POOL_AVERAGE}) {
        SCOPED_TRACE(kind);
        const auto p = pooling(kind);
        const cgan_tensor arg = s.tensor(CGAN_U8, dst_dims);
        const cgan_tensor* places = kind == CGAN_POOL_MAX ? &arg : nullptr;
        const auto forward = [&](const Vectors& x) {
            const cgan_tensor src = in(src_dims, x[0]), y = out(dst_dims);
            check(cgan_pool2d_forward(s, &p, &src, &y, places));
            return s.read_doubles(y);
        };
        const auto backward = [&](const Vectors& x, const Vector& d) {
            forward(x); // sets the places
            const cgan_tensor dy = in(dst_dims, d), dx = out(src_dims);
            check(cgan_pool2d_backward(s, &p, &dy, places, &dx));
            return Vectors{s.read_doubles(dx)};
        };
        check_gradients({forward, backward}, {draw(src_dims)}, 120);
    }
}

// The backward pass of max pooling is linear in the gradient; its own gradient is pool2d_gather.
TEST_F(Gradients, PoolingTwice) {
    const Dims src_dims = {2, 5, 4, 3}, dst_dims = {2, 3, 4, 3};
    const auto p = pooling(CGAN_POOL_MAX);
    const cgan_tensor x = in(src_dims, draw(src_dims)), y = out(dst_dims), arg = s.tensor(CGAN_U8, dst_dims);
    check(cgan_pool2d_forward(s, &p, &x, &y, &arg));
    const auto forward = [&](const Vectors& d) {
        const cgan_tensor dy = in(dst_dims, d[0]), dx = out(src_dims);
        check(cgan_pool2d_backward(s, &p, &dy, &arg, &dx));
        return s.read_doubles(dx);
    };
    const auto backward = [&](const Vectors&, const Vector& dd) {
        const cgan_tensor ddx = in(src_dims, dd), ddy = out(dst_dims);
        check(cgan_pool2d_gather(s, &p, &ddx, &arg, &ddy));
        return Vectors{s.read_doubles(ddy)};
    };
    check_gradients({forward, backward}, {draw(dst_dims)}, 72);
}

TEST_F(Gradients, Upsampling) {
    const Dims src_dims = {2, 3, 2, 3}, dst_dims = {2, 6, 6, 3};
    auto p = sized<cgan_upsample2d_params>();
    p.factor_h = 2;
    p.factor_w = 3;
    const auto forward = [&](const Vectors& x) {
        const cgan_tensor src = in(src_dims, x[0]), y = out(dst_dims);
        check(cgan_upsample2d_forward(s, &p, &src, &y));
        return s.read_doubles(y);
    };
    const auto backward = [&](const Vectors&, const Vector& d) {
        const cgan_tensor dy = in(dst_dims, d), dx = out(src_dims);
        check(cgan_upsample2d_backward(s, &p, &dy, &dx));
        return Vectors{s.read_doubles(dx)};
    };
    check_gradients({forward, backward}, {draw(src_dims)}, 36);
}

TEST_F(Gradients, RowsByIndex) {
    const Dims table = {4, 3}, rows = {6, 3};
    const cgan_tensor index = s.tensor<std::int32_t>(CGAN_I32, {6}, {2, 0, 2, 3, 2, 0});
    const auto forward = [&](const Vectors& x) {
        const cgan_tensor t = in(table, x[0]), y = out(rows);
        check(cgan_gather_rows(s, &t, &index, &y));
        return s.read_doubles(y);
    };
    const auto backward = [&](const Vectors&, const Vector& d) {
        const cgan_tensor dy = in(rows, d), dt = out(table);
        check(cgan_scatter_add_rows(s, &index, &dy, &dt));
        return Vectors{s.read_doubles(dt)};
    };
    check_gradients({forward, backward}, {draw(table)}, 12);
}

// ---- normalisation
// ----------------------------------------------------------------------------------------------

TEST_F(Gradients, BatchNorm) {
    const Dims dims = {2, 3, 2, 4}, channels = {4};
    auto p = sized<cgan_norm_params>();
    p.epsilon = 1e-3;
    const cgan_tensor mean = out(channels), rstd = out(channels);
    const auto forward = [&](const Vectors& x) {
        const cgan_tensor src = in(dims, x[0]), gamma = in(channels, x[1]), beta = in(channels, x[2]),
                          y = out(dims);
        check(cgan_batch_norm_training(s, &p, &src, &gamma, &beta, nullptr, nullptr, &y, &mean, &rstd));
        return s.read_doubles(y);
    };
    const auto backward = [&](const Vectors& x, const Vector& d) {
        forward(x); // sets mean and rstd
        const cgan_tensor src = in(dims, x[0]), gamma = in(channels, x[1]), dy = in(dims, d);
        const cgan_tensor dx = out(dims), dg = out(channels), db = out(channels);
        check(cgan_batch_norm_backward(s, &p, &src, &gamma, &mean, &rstd, &dy, &dx, &dg, &db));
        return Vectors{s.read_doubles(dx), s.read_doubles(dg), s.read_doubles(db)};
    };
    check_gradients({forward, backward}, {draw(dims), draw(channels), draw(channels)}, 56);
}

TEST_F(Gradients, LayerNorm) {
    const Dims dims = {5, 7}, features = {7}, rows = {5};
    auto p = sized<cgan_norm_params>();
    p.epsilon = 1e-3;
    const cgan_tensor mean = out(rows), rstd = out(rows);
    const auto forward = [&](const Vectors& x) {
        const cgan_tensor src = in(dims, x[0]), gamma = in(features, x[1]), beta = in(features, x[2]),
                          y = out(dims);
        check(cgan_layer_norm_forward(s, &p, &src, &gamma, &beta, &y, &mean, &rstd));
        return s.read_doubles(y);
    };
    const auto backward = [&](const Vectors& x, const Vector& d) {
        forward(x); // sets mean and rstd
        const cgan_tensor src = in(dims, x[0]), gamma = in(features, x[1]), dy = in(dims, d);
        const cgan_tensor dx = out(dims), dg = out(features), db = out(features);
        check(cgan_layer_norm_backward(s, &p, &src, &gamma, &mean, &rstd, &dy, &dx, &dg, &db));
        return Vectors{s.read_doubles(dx), s.read_doubles(dg), s.read_doubles(db)};
    };
    check_gradients({forward, backward}, {draw(dims), draw(features), draw(features)}, 49);
}

} // namespace
} // namespace cgan::test
