// Sizes and offsets of the structures, which callers have compiled in. A change here is a change of the ABI:
// raise CGAN_ABI_MAJOR, or append a field and raise CGAN_ABI_MINOR.
#include <gtest/gtest.h>

#include <cstddef>

#include "cgan.h"

static_assert(sizeof(cgan_tensor) == 96 && offsetof(cgan_tensor, dtype) == 4 &&
              offsetof(cgan_tensor, rank) == 8 && offsetof(cgan_tensor, buffer) == 16 &&
              offsetof(cgan_tensor, offset_bytes) == 24 && offsetof(cgan_tensor, dims) == 32);
static_assert(sizeof(cgan_memory_stats) == 56 && offsetof(cgan_memory_stats, live_bytes) == 8 &&
              offsetof(cgan_memory_stats, peak_bytes) == 16 &&
              offsetof(cgan_memory_stats, live_buffers) == 24 &&
              offsetof(cgan_memory_stats, workspace_bytes) == 32 &&
              offsetof(cgan_memory_stats, allocations) == 40 && offsetof(cgan_memory_stats, calls) == 48);
static_assert(sizeof(cgan_unary_params) == 24 && offsetof(cgan_unary_params, kind) == 4 &&
              offsetof(cgan_unary_params, alpha) == 8 && offsetof(cgan_unary_params, beta) == 16);
static_assert(sizeof(cgan_binary_params) == 8 && offsetof(cgan_binary_params, kind) == 4);
static_assert(sizeof(cgan_reduce_params) == 16 && offsetof(cgan_reduce_params, kind) == 4 &&
              offsetof(cgan_reduce_params, axis_mask) == 8);
static_assert(sizeof(cgan_permute_params) == 40 && offsetof(cgan_permute_params, axes) == 4);
static_assert(sizeof(cgan_slice_params) == 32 && offsetof(cgan_slice_params, axis) == 4 &&
              offsetof(cgan_slice_params, src_start) == 8 && offsetof(cgan_slice_params, dst_start) == 16 &&
              offsetof(cgan_slice_params, count) == 24);
static_assert(sizeof(cgan_softmax_params) == 8 && offsetof(cgan_softmax_params, log) == 4);
static_assert(sizeof(cgan_matmul_params) == 16 && offsetof(cgan_matmul_params, transpose_a) == 4 &&
              offsetof(cgan_matmul_params, transpose_b) == 8);
static_assert(sizeof(cgan_dense_params) == 16 && offsetof(cgan_dense_params, activation) == 4 &&
              offsetof(cgan_dense_params, alpha) == 8);
static_assert(sizeof(cgan_conv2d_params) == 48 && offsetof(cgan_conv2d_params, stride_h) == 4 &&
              offsetof(cgan_conv2d_params, stride_w) == 8 && offsetof(cgan_conv2d_params, pad_top) == 12 &&
              offsetof(cgan_conv2d_params, pad_left) == 16 &&
              offsetof(cgan_conv2d_params, pad_bottom) == 20 &&
              offsetof(cgan_conv2d_params, pad_right) == 24 && offsetof(cgan_conv2d_params, upsample) == 28 &&
              offsetof(cgan_conv2d_params, activation) == 32 && offsetof(cgan_conv2d_params, alpha) == 40);
static_assert(sizeof(cgan_pool2d_params) == 40 && offsetof(cgan_pool2d_params, kind) == 4 &&
              offsetof(cgan_pool2d_params, window_h) == 8 && offsetof(cgan_pool2d_params, stride_h) == 16 &&
              offsetof(cgan_pool2d_params, pad_top) == 24 && offsetof(cgan_pool2d_params, pad_right) == 36);
static_assert(sizeof(cgan_upsample2d_params) == 16 && offsetof(cgan_upsample2d_params, factor_h) == 4 &&
              offsetof(cgan_upsample2d_params, factor_w) == 8);
static_assert(sizeof(cgan_norm_params) == 24 && offsetof(cgan_norm_params, epsilon) == 8 &&
              offsetof(cgan_norm_params, momentum) == 16);
static_assert(sizeof(cgan_random_params) == 40 && offsetof(cgan_random_params, kind) == 4 &&
              offsetof(cgan_random_params, seed) == 8 && offsetof(cgan_random_params, stream) == 16 &&
              offsetof(cgan_random_params, a) == 24 && offsetof(cgan_random_params, b) == 32);
static_assert(sizeof(cgan_adam_params) == 40 && offsetof(cgan_adam_params, form) == 4 &&
              offsetof(cgan_adam_params, beta1) == 8 && offsetof(cgan_adam_params, epsilon) == 24 &&
              offsetof(cgan_adam_params, weight_decay) == 32);
static_assert(sizeof(cgan_sgd_params) == 24 && offsetof(cgan_sgd_params, nesterov) == 4 &&
              offsetof(cgan_sgd_params, momentum) == 8 && offsetof(cgan_sgd_params, weight_decay) == 16);
static_assert(sizeof(cgan_rmsprop_params) == 24 && offsetof(cgan_rmsprop_params, rho) == 8 &&
              offsetof(cgan_rmsprop_params, epsilon) == 16);
static_assert(sizeof(cgan_ema_params) == 16 && offsetof(cgan_ema_params, decay) == 8);
static_assert(sizeof(cgan_clamp_params) == 24 && offsetof(cgan_clamp_params, low) == 8 &&
              offsetof(cgan_clamp_params, high) == 16);
static_assert(sizeof(cgan_clip_params) == 16 && offsetof(cgan_clip_params, max_norm) == 8);

TEST(Layout, LibraryAndHeaderAgreeOnSizes) {
    const std::int64_t sizes[] = {sizeof(cgan_tensor),
                                  sizeof(cgan_memory_stats),
                                  sizeof(cgan_unary_params),
                                  sizeof(cgan_binary_params),
                                  sizeof(cgan_reduce_params),
                                  sizeof(cgan_permute_params),
                                  sizeof(cgan_slice_params),
                                  sizeof(cgan_softmax_params),
                                  sizeof(cgan_matmul_params),
                                  sizeof(cgan_dense_params),
                                  sizeof(cgan_conv2d_params),
                                  sizeof(cgan_pool2d_params),
                                  sizeof(cgan_upsample2d_params),
                                  sizeof(cgan_norm_params),
                                  sizeof(cgan_random_params),
                                  sizeof(cgan_adam_params),
                                  sizeof(cgan_sgd_params),
                                  sizeof(cgan_rmsprop_params),
                                  sizeof(cgan_ema_params),
                                  sizeof(cgan_clamp_params),
                                  sizeof(cgan_clip_params)};
    std::int32_t kind = 0;
    for (const std::int64_t size : sizes) EXPECT_EQ(size, cgan_sizeof(kind++));
    EXPECT_EQ(CGAN_STRUCT_CLIP + 1, kind);
    EXPECT_EQ(-1, cgan_sizeof(kind));
    EXPECT_EQ(-1, cgan_sizeof(-1));
}

TEST(Layout, VersionIsThatOfTheHeader) {
    EXPECT_EQ(CGAN_ABI_MAJOR << 16 | CGAN_ABI_MINOR, cgan_abi_version());
}
