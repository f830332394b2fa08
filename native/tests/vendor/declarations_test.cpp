// Compiles only if our declarations of cuDNN and cuBLAS agree with NVIDIA's headers: enumerators, structures, and
// every function that is called.
#include <cublas_v2.h>
#include <cudnn.h>
#include <library_types.h>

#include <cstddef>
#include <type_traits>

#include "../../src/cuda/vendor/calls.h"

namespace declared {
#define CGAN_VENDOR_CALL
#include "../../src/cuda/vendor/declarations/cublas_v2.h"
#include "../../src/cuda/vendor/declarations/cudnn.h"
} // namespace declared

namespace {

// The two headers have types of their own; they agree if calls through either are the same: pointers to structures
// that neither shows, enumerations of one size, and all else equal.
// (A size is asked only of what is an enumeration: functions and void have none.)
template <class A, class B, bool = std::is_enum_v<A>&& std::is_enum_v<B>> struct Alike {
    static constexpr bool value = std::is_class_v<A> && std::is_class_v<B>;
};
template <class A, class B> struct Alike<A, B, true> {
    static constexpr bool value = sizeof(A) == sizeof(B);
};
template <class A, class B> struct Agree : std::bool_constant<std::is_same_v<A, B> || Alike<A, B>::value> {};

template <class A, class B> struct Agree<A*, B*> : Agree<A, B> {};
template <class A, class B> struct Agree<const A, const B> : Agree<A, B> {};

template <class R, class... A, class S, class... B>
requires(sizeof...(A) == sizeof...(B)) struct Agree<R(A...), S(B...)>
    : std::bool_constant<Agree<R, S>::value && (Agree<A, B>::value && ...)> {
};

#define AGREE_CALL(name)                                                                                     \
    static_assert(Agree<decltype(::name), decltype(declared::name)>::value, #name " is declared otherwise");
#define AGREE_VALUE(name) static_assert(int(::name) == int(declared::name), #name " has another value");
#define AGREE_FIELD(type, field)                                                                             \
    static_assert(offsetof(::type, field) == offsetof(declared::type, field) &&                              \
                      sizeof(::type::field) == sizeof(declared::type::field),                                \
                  #type "." #field " lies elsewhere");
#define AGREE_RESULTS(type)                                                                                  \
    static_assert(sizeof(::type) == sizeof(declared::type), #type " has another size");                      \
    AGREE_FIELD(type, algo)                                                                                  \
    AGREE_FIELD(type, status)                                                                                \
    AGREE_FIELD(type, time)                                                                                  \
    AGREE_FIELD(type, memory)                                                                                \
    AGREE_FIELD(type, determinism)                                                                           \
    AGREE_FIELD(type, mathType)

CGAN_CUBLAS_CALLS(AGREE_CALL)
CGAN_CUDNN_CALLS(AGREE_CALL)
#if CUDNN_MAJOR >= 9
AGREE_CALL(cudnnGetLastErrorString)
#endif

AGREE_VALUE(CUBLAS_STATUS_SUCCESS)
AGREE_VALUE(CUBLAS_OP_N)
AGREE_VALUE(CUBLAS_OP_T)
AGREE_VALUE(CUBLAS_DEFAULT_MATH)
AGREE_VALUE(CUBLAS_TF32_TENSOR_OP_MATH)

AGREE_VALUE(CUDNN_STATUS_SUCCESS)
AGREE_VALUE(CUDNN_DATA_FLOAT)
AGREE_VALUE(CUDNN_DEFAULT_MATH)
AGREE_VALUE(CUDNN_FMA_MATH)
AGREE_VALUE(CUDNN_PROPAGATE_NAN)
AGREE_VALUE(CUDNN_NON_DETERMINISTIC)
AGREE_VALUE(CUDNN_DETERMINISTIC)
AGREE_VALUE(CUDNN_TENSOR_NHWC)
AGREE_VALUE(CUDNN_CROSS_CORRELATION)
AGREE_VALUE(CUDNN_BATCHNORM_SPATIAL)
AGREE_VALUE(CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING)
AGREE_VALUE(CUDNN_POOLING_MAX_DETERMINISTIC)
AGREE_VALUE(CUDNN_ACTIVATION_SIGMOID)
AGREE_VALUE(CUDNN_ACTIVATION_RELU)
AGREE_VALUE(CUDNN_ACTIVATION_TANH)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_FFT)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED)
AGREE_VALUE(CUDNN_CONVOLUTION_FWD_ALGO_COUNT)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_0)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_1)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING)
AGREE_VALUE(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT)

AGREE_RESULTS(cudnnConvolutionFwdAlgoPerf_t)
AGREE_RESULTS(cudnnConvolutionBwdDataAlgoPerf_t)
AGREE_RESULTS(cudnnConvolutionBwdFilterAlgoPerf_t)

} // namespace
