// The part of oneDNN's C API (version 3) that the vendor candidate calls, in our own declarations: building
// needs no header of it. onednn_header_test.cpp holds them to the real header where one is there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cgan::onednn {

inline constexpr int kMaxDims = 12;
using Dims = std::int64_t[kMaxDims];

// Opaque objects of the library.
struct Engine;
struct Stream;
struct MemoryDesc;
struct Memory;
struct PrimitiveDesc;
struct Primitive;
struct Attributes;
struct PostOps;

struct ExecArg {
    int arg;
    Memory* memory;
};

struct Version {
    int major, minor, patch;
    const char* hash;
    unsigned cpu_runtime, gpu_runtime;
};

enum : int { kSuccess = 0, kOutOfMemory = 1, kUnimplemented = 3 };             // status
enum : unsigned { kRuntimeOpenMp = 2 };                                        // Version::cpu_runtime
enum : int { kEngineCpu = 1 };                                                 // engine kind
enum : unsigned { kStreamDefault = 1 };                                        // stream flags
enum : int { kFloat32 = 3 };                                                   // data type
enum : int { kTagAny = 1 };                                                    // format tag
enum : int { kForwardTraining = 64, kForwardInference = 96 };                  // propagation kind
enum : int { kScratchpadUser = 1 };                                            // scratchpad mode
enum : int { kMathStrict = 0 };                                                // fpmath mode
enum : unsigned { kNormGlobalStatistics = 1, kNormScale = 2, kNormShift = 4 }; // normalisation flags
enum : int { kConvolutionDirect = 1, kDeconvolutionDirect = 10 };              // algorithms
enum : int { kRelu = 32, kTanh = 33, kSoftplus = 39, kSigmoid = 41 };          // element-wise ones
enum : int { kPoolingAverageWithPadding = 767, kResamplingNearest = 196592 };  // and others
enum : int { kQueryImplementation = 8 };                                       // queries: a name
enum : int { kQuerySrc = 129, kQueryDiffSrc = 130, kQueryWei = 131, kQueryDiffWei = 132 }; // memory descs
enum : int { kQueryDst = 133, kQueryDiffDst = 134, kQueryScratchpad = 136 };
enum : int { kArgSrc = 1, kArgDst = 17, kArgWei = 33, kArgBias = 41, kArgScratchpad = 80 }; // arguments
enum : int { kArgMean = 49, kArgVariance = 50, kArgScale = 51, kArgShift = 52 };
enum : int { kArgDiffSrc = 129, kArgDiffDst = 145, kArgDiffWei = 161, kArgDiffBias = 169 };

// call(name without "dnnl_", result, parameters)
#define CGAN_ONEDNN_CALLS(call)                                                                              \
    call(version, const Version*, ());                                                                       \
    call(status2str, const char*, (int status));                                                             \
    call(engine_create, int, (Engine * *engine, int kind, std::size_t index));                               \
    call(engine_destroy, int, (Engine * engine));                                                            \
    call(stream_create, int, (Stream * *stream, Engine * engine, unsigned flags));                           \
    call(stream_destroy, int, (Stream * stream));                                                            \
    call(stream_wait, int, (Stream * stream));                                                               \
    call(memory_desc_create_with_strides, int,                                                               \
         (MemoryDesc * *desc, int rank, const Dims dims, int type, const Dims strides));                     \
    call(memory_desc_create_with_tag, int,                                                                   \
         (MemoryDesc * *desc, int rank, const Dims dims, int type, int tag));                                \
    call(memory_desc_destroy, int, (MemoryDesc * desc));                                                     \
    call(memory_desc_get_size, std::size_t, (const MemoryDesc* desc));                                       \
    call(memory_desc_equal, int, (const MemoryDesc* a, const MemoryDesc* b));                                \
    call(memory_create, int, (Memory * *memory, const MemoryDesc* desc, Engine* engine, void* data));        \
    call(memory_destroy, int, (Memory * memory));                                                            \
    call(memory_set_data_handle, int, (Memory * memory, void* data));                                        \
    call(primitive_attr_create, int, (Attributes * *attributes));                                            \
    call(primitive_attr_destroy, int, (Attributes * attributes));                                            \
    call(primitive_attr_set_fpmath_mode, int, (Attributes * attributes, int mode));                          \
    call(primitive_attr_set_deterministic, int, (Attributes * attributes, int value));                       \
    call(primitive_attr_set_scratchpad_mode, int, (Attributes * attributes, int mode));                      \
    call(primitive_attr_set_post_ops, int, (Attributes * attributes, const PostOps* post_ops));              \
    call(post_ops_create, int, (PostOps * *post_ops));                                                       \
    call(post_ops_destroy, int, (PostOps * post_ops));                                                       \
    call(post_ops_append_eltwise, int, (PostOps * post_ops, int algorithm, float alpha, float beta));        \
    call(convolution_forward_primitive_desc_create, int,                                                     \
         (PrimitiveDesc * *desc, Engine * engine, int propagation, int algorithm, const MemoryDesc* src,     \
          const MemoryDesc* wei, const MemoryDesc* bia, const MemoryDesc* dst, const Dims strides,           \
          const Dims dilates, const Dims padding_l, const Dims padding_r, const Attributes* attributes));    \
    call(convolution_backward_data_primitive_desc_create, int,                                               \
         (PrimitiveDesc * *desc, Engine * engine, int algorithm, const MemoryDesc* d_src,                    \
          const MemoryDesc* wei, const MemoryDesc* d_dst, const Dims strides, const Dims dilates,            \
          const Dims padding_l, const Dims padding_r, const PrimitiveDesc* forward,                          \
          const Attributes* attributes));                                                                    \
    call(convolution_backward_weights_primitive_desc_create, int,                                            \
         (PrimitiveDesc * *desc, Engine * engine, int algorithm, const MemoryDesc* src,                      \
          const MemoryDesc* d_wei, const MemoryDesc* d_bia, const MemoryDesc* d_dst, const Dims strides,     \
          const Dims dilates, const Dims padding_l, const Dims padding_r, const PrimitiveDesc* forward,      \
          const Attributes* attributes));                                                                    \
    call(deconvolution_forward_primitive_desc_create, int,                                                   \
         (PrimitiveDesc * *desc, Engine * engine, int propagation, int algorithm, const MemoryDesc* src,     \
          const MemoryDesc* wei, const MemoryDesc* bia, const MemoryDesc* dst, const Dims strides,           \
          const Dims dilates, const Dims padding_l, const Dims padding_r, const Attributes* attributes));    \
    call(matmul_primitive_desc_create, int,                                                                  \
         (PrimitiveDesc * *desc, Engine * engine, const MemoryDesc* src, const MemoryDesc* wei,              \
          const MemoryDesc* bia, const MemoryDesc* dst, const Attributes* attributes));                      \
    call(pooling_forward_primitive_desc_create, int,                                                         \
         (PrimitiveDesc * *desc, Engine * engine, int propagation, int algorithm, const MemoryDesc* src,     \
          const MemoryDesc* dst, const Dims strides, const Dims kernel, const Dims dilation,                 \
          const Dims padding_l, const Dims padding_r, const Attributes* attributes));                        \
    call(pooling_backward_primitive_desc_create, int,                                                        \
         (PrimitiveDesc * *desc, Engine * engine, int algorithm, const MemoryDesc* d_src,                    \
          const MemoryDesc* d_dst, const Dims strides, const Dims kernel, const Dims dilation,               \
          const Dims padding_l, const Dims padding_r, const PrimitiveDesc* forward,                          \
          const Attributes* attributes));                                                                    \
    call(batch_normalization_forward_primitive_desc_create, int,                                             \
         (PrimitiveDesc * *desc, Engine * engine, int propagation, const MemoryDesc* src,                    \
          const MemoryDesc* dst, float epsilon, unsigned flags, const Attributes* attributes));              \
    call(resampling_forward_primitive_desc_create, int,                                                      \
         (PrimitiveDesc * *desc, Engine * engine, int propagation, int algorithm, const float* factors,      \
          const MemoryDesc* src, const MemoryDesc* dst, const Attributes* attributes));                      \
    call(resampling_backward_primitive_desc_create, int,                                                     \
         (PrimitiveDesc * *desc, Engine * engine, int algorithm, const float* factors,                       \
          const MemoryDesc* d_src, const MemoryDesc* d_dst, const PrimitiveDesc* forward,                    \
          const Attributes* attributes));                                                                    \
    call(reorder_primitive_desc_create, int,                                                                 \
         (PrimitiveDesc * *desc, const MemoryDesc* src, Engine* src_engine, const MemoryDesc* dst,           \
          Engine* dst_engine, const Attributes* attributes));                                                \
    call(primitive_desc_query, int, (const PrimitiveDesc* desc, int what, int index, void* result));         \
    call(primitive_desc_query_md, const MemoryDesc*, (const PrimitiveDesc* desc, int what, int index));      \
    call(primitive_desc_destroy, int, (PrimitiveDesc * desc));                                               \
    call(primitive_create, int, (Primitive * *primitive, const PrimitiveDesc* desc));                        \
    call(primitive_destroy, int, (Primitive * primitive));                                                   \
    call(primitive_execute, int,                                                                             \
         (const Primitive* primitive, Stream* stream, int count, const ExecArg* arguments))

struct Calls {
#define CGAN_ONEDNN_POINTER(name, result, parameters) result(*name) parameters = nullptr
    CGAN_ONEDNN_CALLS(CGAN_ONEDNN_POINTER);
#undef CGAN_ONEDNN_POINTER
    // Of the OpenMP runtime that the library was linked with.
    void (*set_threads)(int) = nullptr;
    int (*max_threads)() = nullptr;
};

} // namespace cgan::onednn
