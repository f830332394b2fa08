/* cgan.h -- the C ABI of libcgan, and its only public header. Read by a C compiler, a C++ compiler and jextract.
 *
 * Header rules: fixed-width integers, opaque handles, no function-like macros in signatures, no bit-fields, no varargs,
 * nothing passed by value that is larger than 8 bytes. Every structure begins with its size as the caller knew it, 4 to
 * 4096 bytes; fields that the size does not reach count as zero.
 *
 * Layout: activations are NHWC, filters are KRSC (out channel, kernel row, kernel column, in channel), dense weights
 * are [out, in]. Tensors are dense, row-major. "bia" and other arguments marked (nullable) may be NULL.
 *
 * Aliasing: a destination may be the same tensor as a source only where the function says "in place".
 *
 * Types: all tensors of one call share one floating type, F32 or F64, unless the function says otherwise.
 * F64 runs everywhere on the CPU (plain loops, for gradient checks); other backends may answer CGAN_E_UNSUPPORTED.
 *
 * Empty tensors (a dimension of 0, such as an empty batch) are legal: the call checks its arguments, gives reductions
 * of nothing the value 0, and returns CGAN_OK.
 *
 * Threads: a context may be used from any thread, by one thread at a time; calls take a lock of the context.
 * Calls on `cpu` have finished when they return; on other devices they are queued in order, and
 * cgan_buffer_read and cgan_context_synchronize wait. A failure of queued work shows at a later call; with the
 * environment variable CGAN_SYNC=1 every operator waits for its own. After CGAN_E_DEVICE_LOST the context answers every
 * call but those that free with it.
 */
#ifndef CGAN_H
#define CGAN_H

#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(_WIN32)
#define CGAN_API
#else
#define CGAN_API __attribute__((visibility("default")))
#endif

/* The library serves a caller whose major number is equal and whose minor number is not greater. */
#define CGAN_ABI_MAJOR 1
#define CGAN_ABI_MINOR 1

#define CGAN_MAX_RANK 8

/* ---- status -------------------------------------------------------------------------------------------------- */

typedef int32_t cgan_status;

enum cgan_status_code {
    CGAN_OK = 0,
    /* 1-19: the caller can fix it */
    CGAN_E_NULL_ARG = 1,
    CGAN_E_BAD_SHAPE = 2,
    CGAN_E_BAD_VALUE = 3,
    CGAN_E_BAD_TYPE = 4,
    CGAN_E_STRUCT_SIZE = 5,
    CGAN_E_BAD_HANDLE = 6,
    CGAN_E_OUT_OF_BOUNDS = 7,
    CGAN_E_BAD_DEVICE = 8,
    /* 20-39: resources */
    CGAN_E_OUT_OF_HOST_MEMORY = 20,
    CGAN_E_OUT_OF_DEVICE_MEMORY = 21,
    /* 40-59: ask another backend */
    CGAN_E_UNSUPPORTED = 40,
    CGAN_E_NO_DEVICE = 41,
    CGAN_E_PLUGIN = 42,
    /* 60-79: the device */
    CGAN_E_CUDA = 60,
    CGAN_E_VENDOR = 61,
    CGAN_E_DEVICE_LOST = 62,
    CGAN_E_INJECTED = 70, /* the faulty device failed this call on request */
    /* 90: a bug of this library */
    CGAN_E_INTERNAL = 90
};

enum cgan_dtype { CGAN_F32 = 0, CGAN_F64 = 1, CGAN_I32 = 2, CGAN_I64 = 3, CGAN_U8 = 4 };

/* ---- handles and descriptors --------------------------------------------------------------------------------- */

/* Handles are numbers, not addresses, and are never used twice: a destroyed or foreign one is CGAN_E_BAD_HANDLE. */
typedef struct cgan_context cgan_context; /* a device in use: its memory, queue, random state, error text */
typedef struct cgan_buffer cgan_buffer;   /* a block of device memory, owned by the context that made it */
typedef struct cgan_graph cgan_graph;     /* recorded operator calls, owned by the context that made it */

/* A dense row-major view of a buffer. The library checks on every call that the view lies inside its buffer and that
 * offset_bytes is a multiple of the element size. */
typedef struct cgan_tensor {
    uint32_t struct_size;
    int32_t dtype; /* cgan_dtype */
    int32_t rank;  /* 0 (a scalar) .. CGAN_MAX_RANK */
    int32_t reserved;
    cgan_buffer* buffer;
    int64_t offset_bytes;
    int64_t dims[8];
} cgan_tensor;

/* ---- library ------------------------------------------------------------------------------------------------- */

/* CGAN_ABI_MAJOR << 16 | CGAN_ABI_MINOR of the library. */
CGAN_API int32_t cgan_abi_version(void);

enum cgan_struct_kind {
    CGAN_STRUCT_TENSOR = 0,
    CGAN_STRUCT_MEMORY_STATS = 1,
    CGAN_STRUCT_UNARY = 2,
    CGAN_STRUCT_BINARY = 3,
    CGAN_STRUCT_REDUCE = 4,
    CGAN_STRUCT_PERMUTE = 5,
    CGAN_STRUCT_SLICE = 6,
    CGAN_STRUCT_SOFTMAX = 7,
    CGAN_STRUCT_MATMUL = 8,
    CGAN_STRUCT_DENSE = 9,
    CGAN_STRUCT_CONV2D = 10,
    CGAN_STRUCT_POOL2D = 11,
    CGAN_STRUCT_UPSAMPLE2D = 12,
    CGAN_STRUCT_NORM = 13,
    CGAN_STRUCT_RANDOM = 14,
    CGAN_STRUCT_ADAM = 15,
    CGAN_STRUCT_SGD = 16,
    CGAN_STRUCT_RMSPROP = 17,
    CGAN_STRUCT_EMA = 18,
    CGAN_STRUCT_CLAMP = 19,
    CGAN_STRUCT_CLIP = 20
};

/* sizeof the structure as the library was compiled, or -1 for an unknown kind. */
CGAN_API int64_t cgan_sizeof(int32_t struct_kind);

/* The text of the last failure: of the context, or of the calling thread if ctx is NULL. Copies at most cap - 1 bytes
 * and a final zero into dst (nullable if cap is 0); returns the full length. */
CGAN_API int64_t cgan_last_error(const cgan_context* ctx, char* dst, int64_t cap);

/* The version of the library, e.g. "0.1.0"; copied as by cgan_last_error. */
CGAN_API int64_t cgan_version(char* dst, int64_t cap);

/* One line for each device that the library knows of: name TAB "ok" or "unavailable" TAB description or reason. */
CGAN_API int64_t cgan_describe_devices(char* dst, int64_t cap);

/* One line for each optional native library (plugins, vendor libraries): name TAB path or "-" TAB version or "-" TAB
 * "ok" or the raw reason why it cannot be used. */
CGAN_API int64_t cgan_describe_libraries(char* dst, int64_t cap);

/* ---- context ------------------------------------------------------------------------------------------------- */

/* Opens a device by name:
 *   auto            the first of cuda:0, cpu that works; cgan_context_describe tells why others were declined
 *   cpu             this machine's processor
 *   cuda:N          the N-th NVIDIA GPU (plugin libcgan_cuda.so)
 *   sim, sim:N      the SIMT simulator (plugin libcgan_sim.so); CGAN_SIM_DEVICES says how many devices it has
 *   faulty:DEVICE   DEVICE, failing on request (for tests)
 * Options follow as a query, e.g. "cpu?threads=2&isa=baseline":
 *   threads=N                      worker threads, 1..256; default: the processors that this process may use
 *   isa=auto|baseline|avx2|avx512  instruction set of the CPU kernels; auto = the last of these that the processor has
 *   kernels=auto|handwritten|vendor|reference    which candidates may serve an operator; default handwritten.
 *                                  vendor = cuDNN and cuBLAS, on cpu oneDNN (libdnnl.so.3: the file that the
 *                                  environment variable CGAN_DNNL_LIBRARY names, else one beside libcgan.so, else
 *                                  the loader's); what it does not serve falls to handwritten, and is counted so
 *                                  by cgan_context_describe. On GPUs a call of theirs that fails is CGAN_E_VENDOR,
 *                                  and auto times both at the first use of an operator with its shapes.
 *                                  reference = plain loops that accumulate in float64
 *   precision=fp32|tf32            (cuda, sim) tf32: products on tensor cores, operands rounded to 10 bits of mantissa
 *   transforms=on|off              off: no algorithm that works on transformed data (FFT, Winograd), so that whole
 *                                  numbers give exact results; default on
 *   memory=BYTES                   refuse to allocate more device memory than this
 *   fail=N, failAlloc=N            (faulty only) the N-th operator call / the N-th allocation fails, counted from 1
 * Errors: CGAN_E_BAD_DEVICE (unknown name or option, with the list of those known), CGAN_E_NO_DEVICE, CGAN_E_PLUGIN. */
CGAN_API cgan_status cgan_context_create(const char* device, cgan_context** out);

/* Releases the context and every buffer of it that is still alive. NULL is fine; cannot fail. */
CGAN_API void cgan_context_destroy(cgan_context* ctx);

/* What was opened, in words: "cpu: AMD EPYC, 2 threads, avx2+fma, handwritten kernels". Lines that follow say why
 * `auto` declined other devices and which candidate serves which operator. Empty if ctx is not a context. */
CGAN_API int64_t cgan_context_describe(cgan_context* ctx, char* dst, int64_t cap);

/* For runs that shall repeat bit for bit with kernels=auto, which otherwise may choose differently every time it
 * measures: takes the choices of the file at path, if it exists, and keeps every choice there, on disk before a result of
 * it is used. Call it before the first operator. No effect on a device whose choices follow from the shapes alone.
 * Without it, what was measured is kept in the user's cache folder ($XDG_CACHE_HOME/cgan, else ~/.cache/cgan).
 * Errors: CGAN_E_BAD_VALUE names a file that is no plan, or that of another processor, thread count or version, or that
 * cannot be written. */
CGAN_API cgan_status cgan_context_keep_plan(cgan_context *ctx, const char *path);

/* Waits until all queued work is done; reports failures of that work. */
CGAN_API cgan_status cgan_context_synchronize(cgan_context* ctx);

/* A stopwatch on the device's own clock, for benchmarks: the seconds between two points of its queue, by events on a
 * GPU, by the host's clock on the CPU. Starting again forgets the first start. Stopping waits for the queued work;
 * CGAN_E_BAD_VALUE if the stopwatch does not run. */
CGAN_API cgan_status cgan_timer_start(cgan_context* ctx);
CGAN_API cgan_status cgan_timer_stop(cgan_context* ctx, double* out_seconds);

typedef struct cgan_memory_stats {
    uint32_t struct_size;
    int32_t reserved;
    int64_t live_bytes; /* in buffers that exist */
    int64_t peak_bytes; /* highest live_bytes + workspace_bytes so far */
    int64_t live_buffers;
    int64_t workspace_bytes; /* scratch that the backend holds */
    int64_t allocations;     /* allocations attempted so far */
    int64_t calls;           /* operator calls attempted so far */
} cgan_memory_stats;

CGAN_API cgan_status cgan_context_memory(cgan_context* ctx, cgan_memory_stats* out);

/* ---- buffers ------------------------------------------------------------------------------------------------- */

/* Allocates device memory, aligned to 256 bytes, contents undefined. bytes may be 0. */
CGAN_API cgan_status cgan_buffer_create(cgan_context* ctx, int64_t bytes, cgan_buffer** out);

/* Frees it. NULL is fine. A handle destroyed before is recognised and reported as CGAN_E_BAD_HANDLE. */
CGAN_API cgan_status cgan_buffer_destroy(cgan_context* ctx, cgan_buffer* buffer);

/* Copies from host memory into the buffer; src may be reused when the call returns. */
CGAN_API cgan_status cgan_buffer_write(cgan_context* ctx, cgan_buffer* buffer, int64_t offset_bytes,
                                       const void* src, int64_t bytes);

/* Copies from the buffer to host memory, after all queued work. */
CGAN_API cgan_status cgan_buffer_read(cgan_context* ctx, cgan_buffer* buffer, int64_t offset_bytes, void* dst,
                                      int64_t bytes);

/* Copies from host memory into the buffer as cgan_buffer_write does, but beside the queue: it waits for no call but the
 * last one queued before that uses this buffer, or that made it. So the data of the next step travels while this one
 * runs. Calls that are queued later and use the buffer see the copy. `cpu` copies at once. src may be reused when the
 * call returns. */
CGAN_API cgan_status cgan_buffer_upload(cgan_context* ctx, cgan_buffer* buffer, int64_t offset_bytes,
                                        const void* src, int64_t bytes);

/* ---- graphs: operator calls that are recorded once and replayed ---------------------------------------------- */
/* A step of many small launches costs the host more time than the device; a graph is launched as one. What a call is
 * given by value (parameters, shapes, which buffers) is recorded; what it reads from device memory (hyper, the step of
 * cgan_random, every tensor) is read at each launch. */

/* From now on operator calls are checked and recorded, not run, until cgan_graph_end. Buffers may be created and
 * destroyed meanwhile; cgan_buffer_write, cgan_buffer_read, cgan_buffer_upload and cgan_context_synchronize are
 * CGAN_E_UNSUPPORTED, and so are operators that cannot be recorded (with CGAN_SYNC=1 none can).
 * Errors: CGAN_E_UNSUPPORTED where calls run at once (`cpu`), CGAN_E_BAD_VALUE if a recording is going on. */
CGAN_API cgan_status cgan_graph_begin(cgan_context* ctx);

/* Ends the recording; nothing has run. If out is NULL, or a call of the recording failed, or a buffer that it used was
 * destroyed, the recording is forgotten (the latter two are errors). The graph owns the workspace of its operators. */
CGAN_API cgan_status cgan_graph_end(cgan_context* ctx, cgan_graph** out);

/* Queues the recorded calls. Errors: CGAN_E_BAD_HANDLE if a buffer that they use was destroyed. */
CGAN_API cgan_status cgan_graph_launch(cgan_context* ctx, cgan_graph* graph);

/* Frees it; launches that are queued still run. NULL is fine. */
CGAN_API cgan_status cgan_graph_destroy(cgan_context* ctx, cgan_graph* graph);

/* ---- element-wise -------------------------------------------------------------------------------------------- */

/* dst[i] = value, converted to dst's type (any type). */
CGAN_API cgan_status cgan_fill(cgan_context* ctx, double value, const cgan_tensor* dst);

/* dst[i] = scale * src[i] + shift, converted between any two types; computed in float32 when dst is F32, else in
 * float64; integers round towards zero and saturate. Same number of elements, any shapes. */
CGAN_API cgan_status cgan_convert(cgan_context* ctx, double scale, double shift, const cgan_tensor* src,
                                  const cgan_tensor* dst);

enum cgan_unary_kind {
    CGAN_UNARY_AFFINE = 0, /* alpha * x + beta */
    CGAN_UNARY_EXP = 1,
    CGAN_UNARY_LOG = 2,
    CGAN_UNARY_SQRT = 3,
    CGAN_UNARY_RSQRT = 4,
    CGAN_UNARY_SQUARE = 5,
    CGAN_UNARY_ABS = 6,
    CGAN_UNARY_RECIPROCAL = 7,
    CGAN_UNARY_SIGN = 8, /* -1, 0, 1; NaN of NaN */
    CGAN_UNARY_STEP =
        9, /* x > 0 ? 1 : alpha; the derivative of relu and leaky relu (kink takes the slope branch) */
    CGAN_UNARY_CLAMP = 10, /* min(max(x, alpha), beta); NaN stays NaN */
    CGAN_UNARY_TANH = 11,
    CGAN_UNARY_SIGMOID = 12,
    CGAN_UNARY_SOFTPLUS = 13,  /* log(1 + exp(x)), never overflows */
    CGAN_UNARY_RELU = 14,      /* x <= 0 ? 0 : x; NaN stays NaN */
    CGAN_UNARY_LEAKY_RELU = 15 /* x > 0 ? x : alpha * x */
};

typedef struct cgan_unary_params {
    uint32_t struct_size;
    int32_t kind; /* cgan_unary_kind */
    double alpha, beta;
} cgan_unary_params;

/* dst[i] = f(src[i]). In place allowed. */
CGAN_API cgan_status cgan_unary(cgan_context* ctx, const cgan_unary_params* params, const cgan_tensor* src,
                                const cgan_tensor* dst);

/* Activations that can be fused into an operator: those whose derivative follows from their result. The slope alpha of
 * a leaky relu must not be negative here. */
enum cgan_activation {
    CGAN_ACT_NONE = 0,
    CGAN_ACT_TANH = 11,
    CGAN_ACT_SIGMOID = 12,
    CGAN_ACT_SOFTPLUS = 13,
    CGAN_ACT_RELU = 14,
    CGAN_ACT_LEAKY_RELU = 15
};

/* d_src[i] = d_dst[i] * f'(x) with f'(x) computed from dst = f(x); params->kind is a cgan_activation. In place allowed
 * (d_src = d_dst). */
CGAN_API cgan_status cgan_activation_backward(cgan_context* ctx, const cgan_unary_params* params,
                                              const cgan_tensor* dst, const cgan_tensor* d_dst,
                                              const cgan_tensor* d_src);

enum cgan_binary_kind {
    CGAN_BINARY_ADD = 0,
    CGAN_BINARY_SUB = 1,
    CGAN_BINARY_MUL = 2,
    CGAN_BINARY_DIV = 3,
    CGAN_BINARY_MAX = 4, /* NaN if an operand is NaN; so MIN */
    CGAN_BINARY_MIN = 5,
    CGAN_BINARY_GREATER = 6 /* a > b ? 1 : 0 */
};

typedef struct cgan_binary_params {
    uint32_t struct_size;
    int32_t kind; /* cgan_binary_kind */
} cgan_binary_params;

/* dst = a op b, broadcast as NumPy does: shapes are aligned at their last dimension, a missing or 1-sized dimension is
 * repeated. dst has the broadcast shape. In place allowed for an operand of dst's shape. */
CGAN_API cgan_status cgan_binary(cgan_context* ctx, const cgan_binary_params* params, const cgan_tensor* a,
                                 const cgan_tensor* b, const cgan_tensor* dst);

/* ---- reductions and data movement ---------------------------------------------------------------------------- */

enum cgan_reduce_kind { CGAN_REDUCE_SUM = 0, CGAN_REDUCE_MEAN = 1, CGAN_REDUCE_MAX = 2, CGAN_REDUCE_MIN = 3 };

typedef struct cgan_reduce_params {
    uint32_t struct_size;
    int32_t kind;       /* cgan_reduce_kind */
    uint32_t axis_mask; /* bit i set: axis i of src is reduced */
    int32_t reserved;
} cgan_reduce_params;

/* dst has src's shape with the reduced axes of size 1. The order of summation is fixed for a shape and thread count;
 * the error is that of pairwise or wider-type summation. MAX and MIN of nothing is an error; of a NaN among others
 * they are NaN. */
CGAN_API cgan_status cgan_reduce(cgan_context* ctx, const cgan_reduce_params* params, const cgan_tensor* src,
                                 const cgan_tensor* dst);

/* dst[i] (I32) = index of the greatest element in row i of src [..., c]; the first of equals. NaN
 * counts as greatest. */
CGAN_API cgan_status cgan_argmax(cgan_context* ctx, const cgan_tensor* src, const cgan_tensor* dst);

typedef struct cgan_permute_params {
    uint32_t struct_size;
    int32_t axes[8]; /* axis i of dst is axis axes[i] of src */
    int32_t reserved;
} cgan_permute_params;

/* dst = src with its axes reordered (any type). */
CGAN_API cgan_status cgan_permute(cgan_context* ctx, const cgan_permute_params* params,
                                  const cgan_tensor* src, const cgan_tensor* dst);

typedef struct cgan_slice_params {
    uint32_t struct_size;
    int32_t axis;
    int64_t src_start, dst_start, count;
} cgan_slice_params;

/* Copies src[.., src_start : src_start + count, ..] to dst[.., dst_start : dst_start + count, ..] along one axis (any
 * type); the other axes agree, the rest of dst is left as it is. Serves slice, concat and pad. */
CGAN_API cgan_status cgan_slice_copy(cgan_context* ctx, const cgan_slice_params* params,
                                     const cgan_tensor* src, const cgan_tensor* dst);

/* dst[i, :] = table[index[i], :]. table [v, e], index [n] I32, dst [n, e]; table and dst of any one type.
 * Errors: CGAN_E_BAD_VALUE names an index outside 0..v-1 (on the CPU; other devices clamp and report at the next
 * synchronisation). */
CGAN_API cgan_status cgan_gather_rows(cgan_context* ctx, const cgan_tensor* table, const cgan_tensor* index,
                                      const cgan_tensor* dst);

/* d_table[r, :] = sum over i with index[i] = r of d_dst[i, :]; rows that no index names become 0. Deterministic: rows
 * are added in the order of i. */
CGAN_API cgan_status cgan_scatter_add_rows(cgan_context* ctx, const cgan_tensor* index,
                                           const cgan_tensor* d_dst, const cgan_tensor* d_table);

/* ---- softmax ------------------------------------------------------------------------------------------------- */

typedef struct cgan_softmax_params {
    uint32_t struct_size;
    int32_t log; /* 0: softmax, 1: its logarithm */
} cgan_softmax_params;

/* Over the last axis, stable for any finite input. */
CGAN_API cgan_status cgan_softmax_forward(cgan_context* ctx, const cgan_softmax_params* params,
                                          const cgan_tensor* src, const cgan_tensor* dst);

/* d_src from the result dst of the forward pass. */
CGAN_API cgan_status cgan_softmax_backward(cgan_context* ctx, const cgan_softmax_params* params,
                                           const cgan_tensor* dst, const cgan_tensor* d_dst,
                                           const cgan_tensor* d_src);

/* ---- matrix products ----------------------------------------------------------------------------------------- */

typedef struct cgan_matmul_params {
    uint32_t struct_size;
    int32_t transpose_a, transpose_b;
    int32_t reserved;
} cgan_matmul_params;

/* dst [m, n] = op(a) op(b), op(a) [m, k], op(b) [k, n]; op transposes its operand if the flag is not 0. */
CGAN_API cgan_status cgan_matmul(cgan_context* ctx, const cgan_matmul_params* params, const cgan_tensor* a,
                                 const cgan_tensor* b, const cgan_tensor* dst);

typedef struct cgan_dense_params {
    uint32_t struct_size;
    int32_t activation; /* cgan_activation */
    double alpha;       /* slope of leaky relu */
} cgan_dense_params;

/* dst [n, o] = act(src [n, i] * wei[o, i]^T + bia[o] (nullable)). Its backward passes are cgan_activation_backward,
 * cgan_matmul and cgan_reduce. */
CGAN_API cgan_status cgan_dense_forward(cgan_context* ctx, const cgan_dense_params* params,
                                        const cgan_tensor* src, const cgan_tensor* wei,
                                        const cgan_tensor* bia, const cgan_tensor* dst);

/* ---- convolution --------------------------------------------------------------------------------------------- */
/* Only the batch may be empty; channels, kernels and images must not be (so, too, the input features of dense). */

typedef struct cgan_conv2d_params {
    uint32_t struct_size;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t upsample; /* 1, or 2: src is first enlarged 2x by nearest neighbour (0 counts as 1) */
    int32_t
        activation; /* cgan_activation, applied to the result of a forward pass or of a transposed convolution */
    int32_t reserved;
    double alpha; /* slope of leaky relu */
} cgan_conv2d_params;

/* dst [n, oh, ow, k] = act(conv(up(src [n, h, w, c]), wei [k, r, s, c]) + bia [k] (nullable)), cross-correlation,
 * oh = (upsample * h + pad_top + pad_bottom - r) / stride_h + 1, rounded down. */
CGAN_API cgan_status cgan_conv2d_forward(cgan_context* ctx, const cgan_conv2d_params* params,
                                         const cgan_tensor* src, const cgan_tensor* wei,
                                         const cgan_tensor* bia, const cgan_tensor* dst);

/* d_src [n, h, w, c] = act(transposed convolution of d_dst [n, oh, ow, k] + bia [c] (nullable)). The gradient of the
 * forward pass with bia = NULL and activation NONE; with them, the transposed convolution layer. With upsample 2, bia
 * must be NULL and activation NONE. */
CGAN_API cgan_status cgan_conv2d_backward_data(cgan_context* ctx, const cgan_conv2d_params* params,
                                               const cgan_tensor* wei, const cgan_tensor* d_dst,
                                               const cgan_tensor* bia, const cgan_tensor* d_src);

/* d_wei [k, r, s, c] and, if not NULL, d_bia [k], from src and the gradient d_dst before the activation;
 * params->activation must be NONE. */
CGAN_API cgan_status cgan_conv2d_backward_filter(cgan_context* ctx, const cgan_conv2d_params* params,
                                                 const cgan_tensor* src, const cgan_tensor* d_dst,
                                                 const cgan_tensor* d_wei, const cgan_tensor* d_bia);

/* Convolution, 2x2 max pooling with stride 2 (odd last rows and columns dropped) and activation in one:
 * dst [n, oh/2, ow/2, k] = act(maxpool(conv(src, wei) + bia (nullable))), arg [n, oh/2, ow/2, k] U8 = position 0..3
 * (row-major in its window, the first of equals) of each maximum. Monotone activations only: any cgan_activation. */
CGAN_API cgan_status cgan_conv2d_pool_forward(cgan_context* ctx, const cgan_conv2d_params* params,
                                              const cgan_tensor* src, const cgan_tensor* wei,
                                              const cgan_tensor* bia, const cgan_tensor* dst,
                                              const cgan_tensor* arg);

/* Its gradients, from the pooled, activated dst, its gradient d_dst and arg. conv_h and conv_w of the unpooled result
 * follow from src's or d_src's shape and params. Where arg is not in 0..3, d_dst adds nothing to any of them. */
CGAN_API cgan_status cgan_conv2d_pool_backward_data(cgan_context* ctx, const cgan_conv2d_params* params,
                                                    const cgan_tensor* wei, const cgan_tensor* dst,
                                                    const cgan_tensor* d_dst, const cgan_tensor* arg,
                                                    const cgan_tensor* d_src);
CGAN_API cgan_status cgan_conv2d_pool_backward_filter(cgan_context* ctx, const cgan_conv2d_params* params,
                                                      const cgan_tensor* src, const cgan_tensor* dst,
                                                      const cgan_tensor* d_dst, const cgan_tensor* arg,
                                                      const cgan_tensor* d_wei, const cgan_tensor* d_bia);

/* ---- pooling and upsampling ---------------------------------------------------------------------------------- */

enum cgan_pool_kind {
    CGAN_POOL_MAX = 0,
    CGAN_POOL_AVERAGE = 1 /* divides by the whole window, padding included */
};

typedef struct cgan_pool2d_params {
    uint32_t struct_size;
    int32_t kind;               /* cgan_pool_kind */
    int32_t window_h, window_w; /* window_h * window_w <= 256 */
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left, pad_bottom, pad_right; /* less than the window; padding never wins a maximum */
} cgan_pool2d_params;

/* dst [n, oh, ow, c] from src [n, h, w, c]; for MAX, arg (U8, dst's shape) receives the position of the maximum in its
 * window, row-major, the first of equals; for AVERAGE arg must be NULL. NaN wins a maximum. */
CGAN_API cgan_status cgan_pool2d_forward(cgan_context* ctx, const cgan_pool2d_params* params,
                                         const cgan_tensor* src, const cgan_tensor* dst,
                                         const cgan_tensor* arg);

/* d_src from d_dst (and arg for MAX; windows that overlap add up; where arg is no position of the window, or one in the
 * padding, d_dst adds nothing). */
CGAN_API cgan_status cgan_pool2d_backward(cgan_context* ctx, const cgan_pool2d_params* params,
                                          const cgan_tensor* d_dst, const cgan_tensor* arg,
                                          const cgan_tensor* d_src);

/* dst[...] = the element of src that arg names, or 0 if it names none: the transpose of cgan_pool2d_backward for MAX, and
 * so its derivative. */
CGAN_API cgan_status cgan_pool2d_gather(cgan_context* ctx, const cgan_pool2d_params* params,
                                        const cgan_tensor* src, const cgan_tensor* arg,
                                        const cgan_tensor* dst);

typedef struct cgan_upsample2d_params {
    uint32_t struct_size;
    int32_t factor_h, factor_w;
    int32_t reserved;
} cgan_upsample2d_params;

/* dst [n, h * factor_h, w * factor_w, c]: each pixel of src repeated (nearest neighbour). */
CGAN_API cgan_status cgan_upsample2d_forward(cgan_context* ctx, const cgan_upsample2d_params* params,
                                             const cgan_tensor* src, const cgan_tensor* dst);

/* d_src = sums of d_dst over each block. */
CGAN_API cgan_status cgan_upsample2d_backward(cgan_context* ctx, const cgan_upsample2d_params* params,
                                              const cgan_tensor* d_dst, const cgan_tensor* d_src);

/* ---- normalisation ------------------------------------------------------------------------------------------- */

typedef struct cgan_norm_params {
    uint32_t struct_size;
    int32_t reserved;
    double epsilon; /* added to the variance */
    double
        momentum; /* running = momentum * running + (1 - momentum) * batch; 0.99 keeps most (Keras's meaning) */
} cgan_norm_params;

/* Of an empty batch, mean is 0, the variance 0, and running statistics stay as they are. */

/* Batch normalisation over all axes but the last (Ioffe and Szegedy 2015). src, dst [..., c]; gamma, beta,
 * running_mean, running_var, mean, rstd [c]; gamma, beta nullable (1 and 0); running_* nullable together, else updated
 * with the batch mean and the biased batch variance. mean and rstd = 1 / sqrt(var + epsilon) are kept for the backward
 * pass. */
CGAN_API cgan_status cgan_batch_norm_training(cgan_context* ctx, const cgan_norm_params* params,
                                              const cgan_tensor* src, const cgan_tensor* gamma,
                                              const cgan_tensor* beta, const cgan_tensor* running_mean,
                                              const cgan_tensor* running_var, const cgan_tensor* dst,
                                              const cgan_tensor* mean, const cgan_tensor* rstd);

/* dst = gamma * (src - running_mean) / sqrt(running_var + epsilon) + beta. */
CGAN_API cgan_status cgan_batch_norm_inference(cgan_context* ctx, const cgan_norm_params* params,
                                               const cgan_tensor* src, const cgan_tensor* gamma,
                                               const cgan_tensor* beta, const cgan_tensor* running_mean,
                                               const cgan_tensor* running_var, const cgan_tensor* dst);

/* Gradients of the training form. d_gamma and d_beta nullable. */
CGAN_API cgan_status cgan_batch_norm_backward(cgan_context* ctx, const cgan_norm_params* params,
                                              const cgan_tensor* src, const cgan_tensor* gamma,
                                              const cgan_tensor* mean, const cgan_tensor* rstd,
                                              const cgan_tensor* d_dst, const cgan_tensor* d_src,
                                              const cgan_tensor* d_gamma, const cgan_tensor* d_beta);

/* Layer normalisation of each row (Ba, Kiros and Hinton 2016). src, dst [n, f]; gamma, beta [f] nullable; mean, rstd
 * [n]. */
CGAN_API cgan_status cgan_layer_norm_forward(cgan_context* ctx, const cgan_norm_params* params,
                                             const cgan_tensor* src, const cgan_tensor* gamma,
                                             const cgan_tensor* beta, const cgan_tensor* dst,
                                             const cgan_tensor* mean, const cgan_tensor* rstd);
CGAN_API cgan_status cgan_layer_norm_backward(cgan_context* ctx, const cgan_norm_params* params,
                                              const cgan_tensor* src, const cgan_tensor* gamma,
                                              const cgan_tensor* mean, const cgan_tensor* rstd,
                                              const cgan_tensor* d_dst, const cgan_tensor* d_src,
                                              const cgan_tensor* d_gamma, const cgan_tensor* d_beta);

/* ---- random numbers ------------------------------------------------------------------------------------------ */

enum cgan_random_kind {
    CGAN_RANDOM_UNIFORM = 0,   /* [a, b) */
    CGAN_RANDOM_NORMAL = 1,    /* mean a, standard deviation b */
    CGAN_RANDOM_BERNOULLI = 2, /* b with probability a, else 0 */
    CGAN_RANDOM_INTEGER = 3    /* a .. b - 1; dst is I32 */
};

typedef struct cgan_random_params {
    uint32_t struct_size;
    int32_t kind; /* cgan_random_kind */
    uint64_t seed;
    uint32_t stream; /* what the numbers are for */
    int32_t reserved;
    double a, b;
} cgan_random_params;

/* Philox4x32-10 (Salmon et al. 2011): key = seed (low word first), counter = (i / 4, stream, step low, step high), and
 * element i takes word i % 4. The same arguments give the same bits on every device and for every thread count. Floats
 * of [0, 1) are (word >> 8) * 2^-24; uniforms that rounding would take to b become a; normals are Box-Muller of the
 * words (0, 1) and (2, 3) in arithmetic that all devices share; integers are a + (word * (b - a) >> 32). F64 receives
 * the same 24 bits. dst has at most 2^34 elements. step is one I64 in device memory, so that a recorded launch can be
 * replayed. */
CGAN_API cgan_status cgan_random(cgan_context* ctx, const cgan_random_params* params, const cgan_tensor* step,
                                 const cgan_tensor* dst);

/* ---- optimisers: one call for all parameters of a network ---------------------------------------------------- */
/* Lists are arrays of count descriptors, each struct_size bytes after the one before; element i of each list has the
 * same shape and type; tensors that are written overlap no other. `hyper` is F64 [2] in device memory: learning rate,
 * and the number t of the step being made (from 1). */

/* hyper[1] += 1. */
CGAN_API cgan_status cgan_optimizer_advance(cgan_context* ctx, const cgan_tensor* hyper);

enum cgan_adam_form {
    CGAN_ADAM_EPSILON_HAT =
        0, /* lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps): Keras, and section 2 of the paper */
    CGAN_ADAM_CORRECTED =
        1 /* lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps): algorithm 1 of the paper, PyTorch */
};

typedef struct cgan_adam_params {
    uint32_t struct_size;
    int32_t form; /* cgan_adam_form */
    double beta1, beta2, epsilon;
    double weight_decay; /* decoupled (AdamW): param -= lr * weight_decay * param first */
} cgan_adam_params;

/* Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019). Updates param, m and v. */
CGAN_API cgan_status cgan_adam(cgan_context* ctx, const cgan_adam_params* params, const cgan_tensor* hyper,
                               int32_t count, const cgan_tensor* param, const cgan_tensor* grad,
                               const cgan_tensor* m, const cgan_tensor* v);

typedef struct cgan_sgd_params {
    uint32_t struct_size;
    int32_t nesterov;
    double momentum;     /* velocity = momentum * velocity + grad; param -= lr * velocity */
    double weight_decay; /* added to the gradient */
} cgan_sgd_params;

/* velocity is NULL when momentum is 0. */
CGAN_API cgan_status cgan_sgd(cgan_context* ctx, const cgan_sgd_params* params, const cgan_tensor* hyper,
                              int32_t count, const cgan_tensor* param, const cgan_tensor* grad,
                              const cgan_tensor* velocity);

typedef struct cgan_rmsprop_params {
    uint32_t struct_size;
    int32_t reserved;
    double rho, epsilon; /* v = rho v + (1 - rho) g^2; param -= lr * g / (sqrt(v) + epsilon) */
} cgan_rmsprop_params;

CGAN_API cgan_status cgan_rmsprop(cgan_context* ctx, const cgan_rmsprop_params* params,
                                  const cgan_tensor* hyper, int32_t count, const cgan_tensor* param,
                                  const cgan_tensor* grad, const cgan_tensor* v);

typedef struct cgan_ema_params {
    uint32_t struct_size;
    int32_t reserved;
    double decay; /* dst = decay * dst + (1 - decay) * src */
} cgan_ema_params;

CGAN_API cgan_status cgan_ema(cgan_context* ctx, const cgan_ema_params* params, int32_t count,
                              const cgan_tensor* src, const cgan_tensor* dst);

/* The same with the decay, F64 [1], in device memory and in [0, 1], so that a recorded launch can follow a schedule. */
CGAN_API cgan_status cgan_ema_by(cgan_context* ctx, const cgan_tensor* decay, int32_t count,
                                 const cgan_tensor* src, const cgan_tensor* dst);

typedef struct cgan_clamp_params {
    uint32_t struct_size;
    int32_t reserved;
    double low, high;
} cgan_clamp_params;

/* Every element of every tensor into [low, high], in place (weight clipping of WGAN). */
CGAN_API cgan_status cgan_clamp(cgan_context* ctx, const cgan_clamp_params* params, int32_t count,
                                const cgan_tensor* tensors);

/* dst (one element) = sqrt(sum of the squares of all elements of all tensors). */
CGAN_API cgan_status cgan_global_norm(cgan_context* ctx, int32_t count, const cgan_tensor* tensors,
                                      const cgan_tensor* dst);

typedef struct cgan_clip_params {
    uint32_t struct_size;
    int32_t reserved;
    double max_norm;
} cgan_clip_params;

/* Scales all tensors by min(1, max_norm / norm), in place (Pascanu, Mikolov and Bengio 2013). */
CGAN_API cgan_status cgan_clip_by_norm(cgan_context* ctx, const cgan_clip_params* params,
                                       const cgan_tensor* norm, int32_t count, const cgan_tensor* tensors);

#if defined(__cplusplus)
}
#endif

#endif /* CGAN_H */
