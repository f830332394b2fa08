// What is said about wrong arguments, word for word. A call that fails changes nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/session.h"

namespace cgan::test {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class Arguments : public testing::Test {
  protected:
    Session s{"cpu"};

    cgan_tensor f32(const std::vector<std::int64_t>& dims) { return s.tensor(CGAN_F32, dims); }
    cgan_tensor of(std::int32_t dtype, const std::vector<std::int64_t>& dims) {
        return s.tensor(dtype, dims);
    }
};

// ---- descriptors
// ------------------------------------------------------------------------------------------------

TEST_F(Arguments, DescriptorFields) {
    const cgan_tensor good = f32({2, 3});
    cgan_tensor t = good;
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "fill: dst is NULL", cgan_fill(s, 0, nullptr));
    t.struct_size = 0;
    EXPECT_CGAN_FAILS(CGAN_E_STRUCT_SIZE, "fill: dst.struct_size is 0; set it to the size of the structure",
                      cgan_fill(s, 0, &t));
    t = good;
    t.dtype = 5;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "fill: dst.dtype is 5, which is no cgan_dtype", cgan_fill(s, 0, &t));
    t.dtype = -1;
    EXPECT_EQ(CGAN_E_BAD_TYPE, cgan_fill(s, 0, &t));
    t = good;
    t.rank = 9;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "fill: dst.rank is 9, must be in 0..8", cgan_fill(s, 0, &t));
    t.rank = -1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "fill: dst.rank is -1, must be in 0..8", cgan_fill(s, 0, &t));
    t = good;
    t.dims[1] = -3;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "fill: dst has a negative dimension (dst [2,-3])",
                      cgan_fill(s, 0, &t));
    t = good;
    t.buffer = nullptr;
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "fill: dst.buffer is NULL", cgan_fill(s, 0, &t));
}

TEST_F(Arguments, DescriptorBounds) {
    const cgan_tensor good = f32({2, 3});
    cgan_tensor t = good;
    t.dims[0] = 3;
    EXPECT_CGAN_FAILS(CGAN_E_OUT_OF_BOUNDS,
                      "fill: dst takes 36 bytes from offset 0 of a buffer of 24 (dst F32[3,3])",
                      cgan_fill(s, 0, &t));
    t = good;
    t.offset_bytes = 4;
    EXPECT_CGAN_FAILS(CGAN_E_OUT_OF_BOUNDS,
                      "fill: dst takes 24 bytes from offset 4 of a buffer of 24 (dst F32[2,3])",
                      cgan_fill(s, 0, &t));
    t.offset_bytes = -4;
    EXPECT_EQ(CGAN_E_OUT_OF_BOUNDS, cgan_fill(s, 0, &t));
    t.offset_bytes = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(CGAN_E_OUT_OF_BOUNDS, cgan_fill(s, 0, &t));
    t.offset_bytes = 2;
    t.dims[0] = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "fill: dst.offset_bytes is 2, must be a multiple of 4 for F32",
                      cgan_fill(s, 0, &t));
    t = good;
    t.dims[0] = t.dims[1] = std::int64_t{1} << 40;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "fill: dst has more than 2^63 - 1 bytes (dst [1099511627776,1099511627776])",
                      cgan_fill(s, 0, &t));
    t.dims[0] = std::int64_t{1} << 62;
    t.dims[1] = 0;
    EXPECT_EQ(CGAN_E_BAD_SHAPE, cgan_fill(s, 0, &t)); // empty, but its other dimensions overflow
    t.dims[0] = 1000;
    EXPECT_CGAN_OK(cgan_fill(s, 0, &t));
}

TEST_F(Arguments, StructuresOfOlderAndNewerCallers) {
    const cgan_tensor src = s.floats({3}, {-1, 0, 2}), dst = f32({3});
    struct Newer {
        cgan_unary_params known;
        double unknown[4];
    } newer = {sized<cgan_unary_params>(), {kNaN, kNaN, kNaN, kNaN}};
    newer.known.struct_size = sizeof newer;
    newer.known.kind = CGAN_UNARY_AFFINE;
    newer.known.alpha = 2;
    newer.known.beta = 1;
    ASSERT_CGAN_OK(cgan_unary(s, &newer.known, &src, &dst));
    EXPECT_EQ((std::vector<float>{-1, 1, 5}), s.read_floats(dst));
    newer.known.struct_size = offsetof(cgan_unary_params, beta); // beta counts as zero
    ASSERT_CGAN_OK(cgan_unary(s, &newer.known, &src, &dst));
    EXPECT_EQ((std::vector<float>{-2, 0, 4}), s.read_floats(dst));
    newer.known.struct_size = 3;
    EXPECT_CGAN_FAILS(CGAN_E_STRUCT_SIZE,
                      "unary: params.struct_size is 3; set it to the size of the structure",
                      cgan_unary(s, &newer.known, &src, &dst));
    newer.known.struct_size = 4097;
    EXPECT_CGAN_FAILS(CGAN_E_STRUCT_SIZE,
                      "unary: params.struct_size is 4097; set it to the size of the structure",
                      cgan_unary(s, &newer.known, &src, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "unary: params is NULL", cgan_unary(s, nullptr, &src, &dst));
}

TEST_F(Arguments, Overlap) {
    const cgan_tensor all = f32({8});
    cgan_tensor low = all, high = all;
    low.dims[0] = high.dims[0] = 5;
    high.offset_bytes = 12;
    auto p = sized<cgan_unary_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "unary: dst overlaps src in memory (bytes 12..32 and 0..20 of one buffer)",
                      cgan_unary(s, &p, &low, &high));
    EXPECT_CGAN_OK(cgan_unary(s, &p, &low, &low));
    auto reduce = sized<cgan_reduce_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "reduce: dst overlaps src in memory (bytes 0..20 and 0..20 of one buffer)",
                      cgan_reduce(s, &reduce, &low, &low));
    low.dims[0] = 3;
    high.dims[0] = 3;
    EXPECT_CGAN_OK(cgan_unary(s, &p, &low, &high)); // side by side
}

TEST_F(Arguments, BufferCopies) {
    const cgan_tensor t = f32({4});
    char bytes[32] = {};
    EXPECT_CGAN_FAILS(CGAN_E_OUT_OF_BOUNDS,
                      "buffer_write: 8 bytes from offset 12 are not inside the buffer of 16",
                      cgan_buffer_write(s, t.buffer, 12, bytes, 8));
    EXPECT_CGAN_FAILS(CGAN_E_OUT_OF_BOUNDS,
                      "buffer_read: 17 bytes from offset 0 are not inside the buffer of 16",
                      cgan_buffer_read(s, t.buffer, 0, bytes, 17));
    EXPECT_EQ(CGAN_E_OUT_OF_BOUNDS, cgan_buffer_read(s, t.buffer, -1, bytes, 1));
    EXPECT_EQ(CGAN_E_OUT_OF_BOUNDS, cgan_buffer_read(s, t.buffer, 0, bytes, -1));
    EXPECT_EQ(CGAN_E_OUT_OF_BOUNDS, cgan_buffer_read(s, t.buffer, INT64_MAX, bytes, INT64_MAX));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "buffer_write: src is NULL",
                      cgan_buffer_write(s, t.buffer, 0, nullptr, 4));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "buffer_read: dst is NULL",
                      cgan_buffer_read(s, t.buffer, 0, nullptr, 4));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "buffer_read: buffer is NULL",
                      cgan_buffer_read(s, nullptr, 0, bytes, 4));
    EXPECT_CGAN_OK(cgan_buffer_write(s, t.buffer, 16, nullptr, 0));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "buffer_create: out is NULL", cgan_buffer_create(s, 4, nullptr));
}

// ---- element-wise
// -----------------------------------------------------------------------------------------------

TEST_F(Arguments, Unary) {
    const cgan_tensor x = f32({2, 3}), y = f32({3, 2}), d = of(CGAN_F64, {2, 3}), i = of(CGAN_I32, {2, 3});
    auto p = sized<cgan_unary_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "unary: dst is [3,2], must be [2,3] (src [2,3], dst [3,2])",
                      cgan_unary(s, &p, &x, &y));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "unary: dst is F64, but src is F32", cgan_unary(s, &p, &x, &d));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "unary: src is I32, must be F32 or F64", cgan_unary(s, &p, &i, &x));
    p.kind = 16;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "unary: params.kind is 16, must be in 0..15",
                      cgan_unary(s, &p, &x, &x));
    p.kind = CGAN_UNARY_CLAMP;
    p.alpha = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "unary: params.alpha 1 is not at most params.beta 0",
                      cgan_unary(s, &p, &x, &x));
}

TEST_F(Arguments, ActivationBackward) {
    const cgan_tensor y = f32({2, 3}), dy = f32({2, 3}), dx = f32({2, 3}), other = f32({6});
    auto p = sized<cgan_unary_params>();
    p.kind = CGAN_UNARY_EXP;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "activation_backward: params.kind is 1, which is no cgan_activation",
                      cgan_activation_backward(s, &p, &y, &dy, &dx));
    p.kind = CGAN_ACT_LEAKY_RELU;
    p.alpha = -0.5;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "activation_backward: params.alpha, the slope of leaky relu, is -0.5, must be at least 0",
        cgan_activation_backward(s, &p, &y, &dy, &dx));
    p.kind = CGAN_ACT_TANH;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "activation_backward: d_dst is [6], must be [2,3] (dst [2,3], d_dst [6], d_src [2,3])",
                      cgan_activation_backward(s, &p, &y, &other, &dx));
    EXPECT_EQ(CGAN_E_BAD_VALUE, cgan_activation_backward(s, &p, &y, &dy, &y));
}

TEST_F(Arguments, BinaryAndConvert) {
    const cgan_tensor a = f32({4, 3}), b = f32({2}), dst = f32({4, 3}), row = f32({3}), narrow = f32({3});
    auto p = sized<cgan_binary_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "binary: a and b do not broadcast: axis 1 is 3 and 2 (a [4,3], b [2], dst [4,3])",
                      cgan_binary(s, &p, &a, &b, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "binary: dst is [3], must be [4,3] (a [4,3], b [3], dst [3])",
                      cgan_binary(s, &p, &a, &row, &narrow));
    p.kind = 7;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "binary: params.kind is 7, must be in 0..6",
                      cgan_binary(s, &p, &a, &row, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "convert: dst has 3 elements, src has 12 (src [4,3], dst [3])",
                      cgan_convert(s, 1, 0, &a, &row));
}

// ---- reductions and movement
// ------------------------------------------------------------------------------------

TEST_F(Arguments, Reduce) {
    const cgan_tensor x = f32({2, 3}), y = f32({2, 1}), empty = f32({0, 3}), row = f32({1, 3});
    auto p = sized<cgan_reduce_params>();
    p.axis_mask = 4;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "reduce: params.axis_mask 4 names an axis that src [2,3] lacks",
                      cgan_reduce(s, &p, &x, &y));
    p.axis_mask = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "reduce: dst is [2,1], must be [1,3] (src [2,3], dst [2,1])",
                      cgan_reduce(s, &p, &x, &y));
    p.kind = CGAN_REDUCE_MAX;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "reduce: src is empty and has no extremum (src [0,3], dst [1,3])",
                      cgan_reduce(s, &p, &empty, &row));
    p.kind = 4;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "reduce: params.kind is 4, must be in 0..3",
                      cgan_reduce(s, &p, &x, &row));
}

TEST_F(Arguments, ArgmaxAndSoftmax) {
    const cgan_tensor x = f32({2, 3}), y = of(CGAN_I32, {2}), scalar = f32({}), wide = of(CGAN_I64, {2});
    const cgan_tensor none = f32({2, 0});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "argmax: dst is I64, must be I32", cgan_argmax(s, &x, &wide));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "argmax: src is a scalar, must be [..., c] (src [], dst [2])",
                      cgan_argmax(s, &scalar, &y));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "argmax: the rows of src are empty and have no greatest element (src [2,0], dst [2])",
                      cgan_argmax(s, &none, &y));
    auto p = sized<cgan_softmax_params>();
    const cgan_tensor out = f32({}), result = f32({2, 3});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "softmax_forward: src is a scalar, must be [..., c] (src [], dst [])",
                      cgan_softmax_forward(s, &p, &scalar, &out));
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "softmax_backward: d_src overlaps d_dst in memory (bytes 0..24 and 0..24 of one buffer)",
        cgan_softmax_backward(s, &p, &result, &x, &x));
}

TEST_F(Arguments, PermuteAndSlice) {
    const cgan_tensor x = f32({2, 3}), y = f32({2, 3});
    auto p = sized<cgan_permute_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "permute: params.axes is no permutation of 0..1: axes[1] is 0",
                      cgan_permute(s, &p, &x, &y));
    p.axes[0] = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "permute: dst is [2,3], must be [3,2] (src [2,3], dst [2,3])",
                      cgan_permute(s, &p, &x, &y));
    p.axes[0] = 2;
    EXPECT_EQ(CGAN_E_BAD_VALUE, cgan_permute(s, &p, &x, &y));
    auto q = sized<cgan_slice_params>();
    q.axis = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "slice_copy: params.axis is 2, must be in 0..1",
                      cgan_slice_copy(s, &q, &x, &y));
    q.axis = 1;
    q.count = 2;
    q.src_start = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "slice_copy: params.src_start 2 and count 2 leave axis 1 of src [2,3]",
                      cgan_slice_copy(s, &q, &x, &y));
    q.src_start = 0;
    q.dst_start = -1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "slice_copy: params.dst_start -1 and count 2 leave axis 1 of dst [2,3]",
                      cgan_slice_copy(s, &q, &x, &y));
    q.count = -1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "slice_copy: params.count is -1, must be at least 0",
                      cgan_slice_copy(s, &q, &x, &y));
    const cgan_tensor tall = f32({5, 3});
    q.count = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "slice_copy: axis 0 of dst is 5, of src 2 (src [2,3], dst [5,3])",
                      cgan_slice_copy(s, &q, &x, &tall));
}

TEST_F(Arguments, RowsByIndex) {
    const cgan_tensor table = f32({4, 2}), dst = s.floats({3, 2}, {9, 9, 9, 9, 9, 9});
    const cgan_tensor index = s.tensor<std::int32_t>(CGAN_I32, {3}, {0, 4, 1});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "gather_rows: index[1] is 4, must be in 0..3",
                      cgan_gather_rows(s, &table, &index, &dst));
    EXPECT_EQ((std::vector<float>{9, 9, 9, 9, 9, 9}), s.read_floats(dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "scatter_add_rows: index[1] is 4, must be in 0..3",
                      cgan_scatter_add_rows(s, &index, &dst, &table));
    const cgan_tensor floats = f32({3}), narrow = f32({3, 1});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "gather_rows: index is F32, must be I32",
                      cgan_gather_rows(s, &table, &floats, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "gather_rows: dst is [3,1], must be [3,2] (table [4,2], index [3], dst [3,1])",
                      cgan_gather_rows(s, &table, &index, &narrow));
    const cgan_tensor nothing = f32({0, 2});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "gather_rows: table has no rows (table [0,2], index [3], dst [3,2])",
                      cgan_gather_rows(s, &nothing, &index, &dst));
}

// ---- products
// ---------------------------------------------------------------------------------------------------

TEST_F(Arguments, Products) {
    const cgan_tensor a = f32({2, 3}), b = f32({4, 5}), dst = f32({2, 5}), flat = f32({6}), bias = f32({3});
    auto p = sized<cgan_matmul_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "matmul: a has 3 columns, b has 4 rows (a [2,3], b [4,5], dst [2,5])",
                      cgan_matmul(s, &p, &a, &b, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "matmul: a has rank 1, must be [m, k] (a [6], b [4,5], dst [2,5])",
                      cgan_matmul(s, &p, &flat, &b, &dst));
    p.transpose_b = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "matmul: a has 3 columns, b transposed has 5 rows (a [2,3], b [4,5], dst [2,5])",
                      cgan_matmul(s, &p, &a, &b, &dst));
    auto q = sized<cgan_dense_params>();
    const cgan_tensor wei = f32({4, 3}), out = f32({2, 4});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "dense_forward: wei has 5 input features, src has 3 (src [2,3], wei [4,5], dst [2,4])",
                      cgan_dense_forward(s, &q, &a, &b, nullptr, &out));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "dense_forward: bia is [3], must be [4] (src [2,3], wei [4,3], bia [3], dst [2,4])",
                      cgan_dense_forward(s, &q, &a, &wei, &bias, &out));
    q.activation = 99;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "dense_forward: params.activation is 99, which is no cgan_activation",
                      cgan_dense_forward(s, &q, &a, &wei, nullptr, &out));
}

// ---- convolution
// ------------------------------------------------------------------------------------------------

cgan_conv2d_params conv_params(std::int32_t pad) {
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = 1;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = pad;
    return p;
}

TEST_F(Arguments, ConvolutionShapes) {
    const cgan_tensor src = f32({1, 8, 8, 4}), wei = f32({2, 3, 3, 3}), dst = f32({1, 8, 8, 2});
    auto p = conv_params(1);
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_forward: wei has 3 input channels, src has 4 (src [1,8,8,4], wei [2,3,3,3], dst [1,8,8,2])",
        cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst));
    const cgan_tensor fit = f32({2, 3, 3, 4});
    p.stride_h = 2;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_forward: dst is [1,8,8,2], must be [1,4,8,2] (src [1,8,8,4], wei [2,3,3,4], dst [1,8,8,2])",
        cgan_conv2d_forward(s, &p, &src, &fit, nullptr, &dst));
    const cgan_tensor large = f32({2, 11, 3, 4});
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_forward: the kernel is 11 high, the padded input only 10 (src [1,8,8,4], wei [2,11,3,4], "
        "dst [1,8,8,2])",
        cgan_conv2d_forward(s, &p, &src, &large, nullptr, &dst));
    const cgan_tensor flat = f32({1, 8, 8}), hollow = f32({2, 0, 3, 4});
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_forward: src has rank 3, must be [n, h, w, c] (src [1,8,8], wei [2,3,3,4], dst [1,8,8,2])",
        cgan_conv2d_forward(s, &p, &flat, &fit, nullptr, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "conv2d_forward: wei is empty (src [1,8,8,4], wei [2,0,3,4], dst [1,8,8,2])",
                      cgan_conv2d_forward(s, &p, &src, &hollow, nullptr, &dst));
    const cgan_tensor bias = f32({4}), none = f32({1, 0, 8, 4});
    p.stride_h = 1;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_forward: bia is [4], must be [2] (src [1,8,8,4], wei [2,3,3,4], bia [4], dst [1,8,8,2])",
        cgan_conv2d_forward(s, &p, &src, &fit, &bias, &dst));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE,
                      "conv2d_forward: src has no rows (src [1,0,8,4], wei [2,3,3,4], dst [1,8,8,2])",
                      cgan_conv2d_forward(s, &p, &none, &fit, nullptr, &dst));
}

TEST_F(Arguments, ConvolutionValues) {
    const cgan_tensor src = f32({1, 4, 4, 2}), wei = f32({3, 3, 3, 2}), dst = f32({1, 4, 4, 3}),
                      bias = f32({2});
    auto p = conv_params(1);
    p.stride_w = 0;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "conv2d_forward: params.stride_w is 0, must be at least 1",
                      cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst));
    p = conv_params(-1);
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "conv2d_backward_data: params.pad_top is -1, must be at least 0",
                      cgan_conv2d_backward_data(s, &p, &wei, &dst, nullptr, &src));
    p = conv_params(1);
    p.upsample = 3;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "conv2d_forward: params.upsample is 3, must be in 0..2",
                      cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst));
    p.upsample = 2;
    const cgan_tensor large = f32({1, 8, 8, 3});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "conv2d_backward_data: bia must be NULL when params.upsample is 2",
                      cgan_conv2d_backward_data(s, &p, &wei, &large, &bias, &src));
    p = conv_params(1);
    p.activation = CGAN_ACT_TANH;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "conv2d_backward_filter: params.activation is 11, must be CGAN_ACT_NONE",
                      cgan_conv2d_backward_filter(s, &p, &src, &dst, &wei, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "conv2d_forward: dst overlaps wei in memory (bytes 0..216 and 0..216 of one buffer)",
                      cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &wei));
}

TEST_F(Arguments, ConvolutionWithPooling) {
    const cgan_tensor src = f32({1, 5, 4, 2}), wei = f32({3, 3, 3, 2}), dst = f32({1, 2, 2, 3});
    const cgan_tensor arg = of(CGAN_U8, {1, 2, 2, 3}), bytes = of(CGAN_I32, {1, 2, 2, 3}),
                      thin = f32({1, 1, 4, 2});
    const auto p = conv_params(1);
    EXPECT_CGAN_OK(cgan_conv2d_pool_forward(s, &p, &src, &wei, nullptr, &dst, &arg));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "conv2d_pool_forward: arg is I32, must be U8",
                      cgan_conv2d_pool_forward(s, &p, &src, &wei, nullptr, &dst, &bytes));
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_pool_forward: a result of 1x4 is too small for 2x2 pooling (src [1,1,4,2], wei [3,3,3,2], "
        "dst [1,2,2,3], arg [1,2,2,3])",
        cgan_conv2d_pool_forward(s, &p, &thin, &wei, nullptr, &dst, &arg));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "conv2d_pool_forward: arg is NULL",
                      cgan_conv2d_pool_forward(s, &p, &src, &wei, nullptr, &dst, nullptr));
    const cgan_tensor grad = f32({1, 2, 1, 3}), d_src = f32({1, 5, 4, 2}), d_wei = f32({3, 3, 3, 2});
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "conv2d_pool_backward_data: d_dst is [1,2,1,3], must be [1,2,2,3] (wei [3,3,3,2], dst [1,2,2,3], "
        "d_dst [1,2,1,3], arg [1,2,2,3], d_src [1,5,4,2])",
        cgan_conv2d_pool_backward_data(s, &p, &wei, &dst, &grad, &arg, &d_src));
    EXPECT_EQ(CGAN_E_BAD_SHAPE,
              cgan_conv2d_pool_backward_filter(s, &p, &src, &dst, &grad, &arg, &d_wei, nullptr));
}

// ---- pooling
// ----------------------------------------------------------------------------------------------------

TEST_F(Arguments, Pooling) {
    const cgan_tensor src = f32({1, 4, 4, 2}), dst = f32({1, 2, 2, 2}), arg = of(CGAN_U8, {1, 2, 2, 2});
    auto p = sized<cgan_pool2d_params>();
    p.window_h = p.window_w = p.stride_h = p.stride_w = 2;
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "pool2d_forward: arg is NULL",
                      cgan_pool2d_forward(s, &p, &src, &dst, nullptr));
    p.pad_left = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "pool2d_forward: params.pad_left is 2, must be at least 0 and less than the window 2",
                      cgan_pool2d_forward(s, &p, &src, &dst, &arg));
    p.pad_left = 0;
    p.window_h = 0;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "pool2d_forward: params.window_h is 0, must be in 1..256",
                      cgan_pool2d_forward(s, &p, &src, &dst, &arg));
    p.window_h = 16;
    p.window_w = 17;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "pool2d_forward: params.window_w is 17, must be in 1..16",
                      cgan_pool2d_forward(s, &p, &src, &dst, &arg));
    p.window_h = 5;
    p.window_w = 2;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "pool2d_forward: the window is 5 high, the padded input only 4 (src [1,4,4,2], dst [1,2,2,2], arg "
        "[1,2,2,2])",
        cgan_pool2d_forward(s, &p, &src, &dst, &arg));
    p.window_h = 2;
    p.kind = CGAN_POOL_AVERAGE;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "pool2d_forward: arg must be NULL for average pooling",
                      cgan_pool2d_forward(s, &p, &src, &dst, &arg));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "pool2d_gather: params.kind must be CGAN_POOL_MAX",
                      cgan_pool2d_gather(s, &p, &src, &arg, &dst));
    p.kind = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "pool2d_backward: params.kind is 2, must be in 0..1",
                      cgan_pool2d_backward(s, &p, &dst, &arg, &src));
}

TEST_F(Arguments, Upsampling) {
    const cgan_tensor src = f32({1, 2, 3, 4}), dst = f32({1, 4, 6, 4});
    auto p = sized<cgan_upsample2d_params>();
    p.factor_h = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "upsample2d_forward: params.factor_w is 0, must be at least 1",
                      cgan_upsample2d_forward(s, &p, &src, &dst));
    p.factor_w = 3;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "upsample2d_backward: d_dst is [1,4,6,4], must be [1,4,9,4] (d_dst [1,4,6,4], d_src [1,2,3,4])",
        cgan_upsample2d_backward(s, &p, &dst, &src));
}

// ---- normalisation
// ----------------------------------------------------------------------------------------------

TEST_F(Arguments, Normalization) {
    const cgan_tensor x = f32({4, 3}), y = f32({4, 3}), c = f32({3}), mean = f32({3}), rstd = f32({3}),
                      wrong = f32({4});
    auto p = sized<cgan_norm_params>();
    p.epsilon = -1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "batch_norm_inference: params.epsilon is -1, must be at least 0",
                      cgan_batch_norm_inference(s, &p, &x, nullptr, nullptr, &c, &c, &y));
    p.epsilon = 1e-3;
    p.momentum = 1.5;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE, "batch_norm_training: params.momentum is 1.5, must be in [0, 1]",
        cgan_batch_norm_training(s, &p, &x, nullptr, nullptr, nullptr, nullptr, &y, &mean, &rstd));
    p.momentum = 0.5;
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG,
                      "batch_norm_training: running_mean and running_var must be given, or be NULL, together",
                      cgan_batch_norm_training(s, &p, &x, nullptr, nullptr, &c, nullptr, &y, &mean, &rstd));
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "batch_norm_training: gamma is [4], must be [3] (src [4,3], gamma [4], dst [4,3], mean [3], rstd "
        "[3])",
        cgan_batch_norm_training(s, &p, &x, &wrong, nullptr, nullptr, nullptr, &y, &mean, &rstd));
    const cgan_tensor flat = f32({12}), rows = f32({4}), rows2 = f32({4});
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_SHAPE,
        "layer_norm_forward: src has rank 1, must be [n, f] (src [12], dst [4,3], mean [4], rstd [4])",
        cgan_layer_norm_forward(s, &p, &flat, nullptr, nullptr, &y, &rows, &rows2));
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "batch_norm_backward: d_src overlaps d_dst in memory (bytes 0..48 and 0..48 of one buffer)",
        cgan_batch_norm_backward(s, &p, &x, nullptr, &mean, &rstd, &y, &y, nullptr, nullptr));
}

// ---- random numbers
// ---------------------------------------------------------------------------------------------

TEST_F(Arguments, Random) {
    const cgan_tensor step = s.tensor<std::int64_t>(CGAN_I64, {}, {1}), y = f32({4}),
                      wrong = of(CGAN_I32, {});
    auto p = sized<cgan_random_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "random: uniform numbers need a < b; params.a is 0, params.b is 0",
                      cgan_random(s, &p, &step, &y));
    p.b = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "random: step is I32, must be I64", cgan_random(s, &p, &wrong, &y));
    p.a = kNaN;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "random: params.a is nan, must be finite",
                      cgan_random(s, &p, &step, &y));
    p.a = 0.5;
    p.kind = CGAN_RANDOM_INTEGER;
    const std::string range = "; params.a is 0.5, params.b is 1";
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "random: integer numbers need whole a < b inside the range of I32, fewer than 2^32 values" + range,
        cgan_random(s, &p, &step, &y));
    p.kind = CGAN_RANDOM_BERNOULLI;
    p.a = 1.5;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "random: Bernoulli numbers need a probability a in [0, 1]; params.a is 1.5, params.b is 1",
        cgan_random(s, &p, &step, &y));
    p.kind = CGAN_RANDOM_NORMAL;
    p.b = -1;
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "random: normal numbers need a standard deviation b of at least 0; params.a is 1.5, params.b is -1",
        cgan_random(s, &p, &step, &y));
    const cgan_tensor two = of(CGAN_I64, {2});
    p.b = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "random: step must have one element (step [2], dst [4])",
                      cgan_random(s, &p, &two, &y));
}

// ---- optimisers
// -------------------------------------------------------------------------------------------------

TEST_F(Arguments, OptimizerLists) {
    const cgan_tensor hyper = s.doubles({2}, {0.1, 1}), float_hyper = f32({2}),
                      long_hyper = of(CGAN_F64, {3});
    const cgan_tensor w[] = {f32({2}), f32({3})}, g[] = {f32({2}), f32({4})}, good[] = {f32({2}), f32({3})};
    const cgan_tensor typed[] = {f32({2}), of(CGAN_F64, {3})};
    auto p = sized<cgan_sgd_params>();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "sgd: count is -1, must be at least 0",
                      cgan_sgd(s, &p, &hyper, -1, w, good, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "sgd: hyper is F32, must be F64",
                      cgan_sgd(s, &p, &float_hyper, 2, w, good, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "sgd: hyper has 3 elements, must have 2 (hyper [3])",
                      cgan_sgd(s, &p, &long_hyper, 2, w, good, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "sgd: param is NULL",
                      cgan_sgd(s, &p, &hyper, 2, nullptr, good, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "sgd: grad[1] is [4], but param[1] is [3]",
                      cgan_sgd(s, &p, &hyper, 2, w, g, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "sgd: grad[1] is F64, but param[1] is F32",
                      cgan_sgd(s, &p, &hyper, 2, w, typed, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "sgd: velocity must be NULL when params.momentum is 0",
                      cgan_sgd(s, &p, &hyper, 2, w, good, g));
    p.momentum = 0.5;
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "sgd: velocity is NULL", cgan_sgd(s, &p, &hyper, 2, w, good, nullptr));
    p.momentum = 0;
    const cgan_tensor twice[] = {w[0], w[0]}, pair[] = {good[0], good[0]};
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "sgd: param overlaps param in memory (bytes 0..8 and 0..8 of one buffer)",
                      cgan_sgd(s, &p, &hyper, 2, twice, pair, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "sgd: grad overlaps param in memory (bytes 0..8 and 0..8 of one buffer)",
                      cgan_sgd(s, &p, &hyper, 1, w, w, nullptr));
    EXPECT_CGAN_OK(cgan_sgd(s, &p, &hyper, 0, nullptr, nullptr, nullptr));
    const cgan_tensor distinct[] = {f32({2}), f32({2})};
    EXPECT_CGAN_OK(cgan_sgd(s, &p, &hyper, 2, distinct, pair, nullptr)); // one source may serve twice
}

TEST_F(Arguments, OptimizerValues) {
    const cgan_tensor hyper = s.doubles({2}, {0.1, 1}), w = f32({2}), g = f32({2}), m = f32({2}),
                      v = f32({2});
    auto adam = sized<cgan_adam_params>();
    adam.beta1 = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "adam: params.beta1 is 1, must be in [0, 1)",
                      cgan_adam(s, &adam, &hyper, 1, &w, &g, &m, &v));
    adam.beta1 = 0.5;
    adam.form = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "adam: params.form is 2, must be in 0..1",
                      cgan_adam(s, &adam, &hyper, 1, &w, &g, &m, &v));
    adam.form = 0;
    adam.epsilon = kNaN;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "adam: params.epsilon is nan, must be at least 0",
                      cgan_adam(s, &adam, &hyper, 1, &w, &g, &m, &v));
    auto rms = sized<cgan_rmsprop_params>();
    rms.rho = -0.1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "rmsprop: params.rho is -0.1, must be in [0, 1)",
                      cgan_rmsprop(s, &rms, &hyper, 1, &w, &g, &v));
    auto ema = sized<cgan_ema_params>();
    ema.decay = 2;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "ema: params.decay is 2, must be in [0, 1]",
                      cgan_ema(s, &ema, 1, &w, &g));
    auto clamp = sized<cgan_clamp_params>();
    clamp.low = 1;
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "clamp: params.low 1 is not at most params.high 0",
                      cgan_clamp(s, &clamp, 1, &w));
    auto clip = sized<cgan_clip_params>();
    clip.max_norm = kNaN;
    const cgan_tensor norm = f32({1}), wide = f32({2}), typed = of(CGAN_F64, {1});
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "clip_by_norm: params.max_norm is nan, must be at least 0",
                      cgan_clip_by_norm(s, &clip, &norm, 1, &w));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "global_norm: dst has 2 elements, must have 1 (dst [2])",
                      cgan_global_norm(s, 1, &w, &wide));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "global_norm: tensors is F32, but dst is F64",
                      cgan_global_norm(s, 1, &w, &typed));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "optimizer_advance: hyper is F32, must be F64",
                      cgan_optimizer_advance(s, &w));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_TYPE, "ema_by: decay is F32, must be F64", cgan_ema_by(s, &norm, 1, &w, &g));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_SHAPE, "ema_by: decay has 2 elements, must have 1 (decay [2])",
                      cgan_ema_by(s, &hyper, 1, &w, &g));
}

TEST_F(Arguments, DescriptorsOfALargerStructureLieFurtherApart) {
    struct Newer {
        cgan_tensor known;
        std::int64_t unknown;
    };
    Newer tensors[] = {{s.floats({2}, {1, 2}), -1}, {s.floats({2}, {3, 4}), -1}};
    for (Newer& t : tensors) t.known.struct_size = sizeof t;
    const cgan_tensor norm = f32({1});
    ASSERT_CGAN_OK(cgan_global_norm(s, 2, &tensors[0].known, &norm));
    EXPECT_FLOAT_EQ(std::sqrt(30.0f), s.read_floats(norm)[0]);
}

} // namespace
} // namespace cgan::test
