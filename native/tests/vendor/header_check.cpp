// Our declarations of oneDNN's C API, held to the real header: numbers, structures, and every function's parameters.
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include <type_traits>

#include "cpu/vendor/onednn_api.h"

namespace cgan::onednn {
namespace {

// Both are pointers, or both floating-point, or both whole numbers (enumerations count as such), of one size.
template <class Ours, class Theirs> constexpr bool
    kPassedAlike = sizeof(Ours) == sizeof(Theirs) &&
                   std::is_pointer_v<Ours> == std::is_pointer_v<Theirs>&& std::is_floating_point_v<Ours> ==
                       std::is_floating_point_v<Theirs>;

template <class Ours, class Theirs> constexpr bool kSameCall = false;
template <class R, class... P, class S, class... Q> constexpr bool kSameCall<R (*)(P...), S (*)(Q...)> = [] {
    if constexpr (sizeof...(P) != sizeof...(Q))
        return false;
    else
        return kPassedAlike<R, S> && (kPassedAlike<P, Q> && ...);
}();

#define CHECK_CALL(name, result, parameters)                                                                 \
    static_assert(kSameCall<decltype(Calls::name), decltype(&dnnl_##name)>, "dnnl_" #name)
CGAN_ONEDNN_CALLS(CHECK_CALL);

#define CHECK_NUMBER(ours, theirs)                                                                           \
    static_assert(static_cast<long>(ours) == static_cast<long>(theirs), #theirs)
CHECK_NUMBER(kMaxDims, DNNL_MAX_NDIMS);
CHECK_NUMBER(kSuccess, dnnl_success);
CHECK_NUMBER(kOutOfMemory, dnnl_out_of_memory);
CHECK_NUMBER(kUnimplemented, dnnl_unimplemented);
CHECK_NUMBER(kRuntimeOpenMp, DNNL_RUNTIME_OMP);
CHECK_NUMBER(kEngineCpu, dnnl_cpu);
CHECK_NUMBER(kStreamDefault, dnnl_stream_default_flags);
CHECK_NUMBER(kFloat32, dnnl_f32);
CHECK_NUMBER(kTagAny, dnnl_format_tag_any);
CHECK_NUMBER(kForwardTraining, dnnl_forward_training);
CHECK_NUMBER(kForwardInference, dnnl_forward_inference);
CHECK_NUMBER(kScratchpadUser, dnnl_scratchpad_mode_user);
CHECK_NUMBER(kMathStrict, dnnl_fpmath_mode_strict);
CHECK_NUMBER(kNormGlobalStatistics, dnnl_use_global_stats);
CHECK_NUMBER(kNormScale, dnnl_use_scale);
CHECK_NUMBER(kNormShift, dnnl_use_shift);
CHECK_NUMBER(kConvolutionDirect, dnnl_convolution_direct);
CHECK_NUMBER(kDeconvolutionDirect, dnnl_deconvolution_direct);
CHECK_NUMBER(kRelu, dnnl_eltwise_relu);
CHECK_NUMBER(kTanh, dnnl_eltwise_tanh);
CHECK_NUMBER(kSoftplus, dnnl_eltwise_soft_relu);
CHECK_NUMBER(kSigmoid, dnnl_eltwise_logistic);
CHECK_NUMBER(kPoolingAverageWithPadding, dnnl_pooling_avg_include_padding);
CHECK_NUMBER(kResamplingNearest, dnnl_resampling_nearest);
CHECK_NUMBER(kQueryImplementation, dnnl_query_impl_info_str);
CHECK_NUMBER(kQuerySrc, dnnl_query_src_md);
CHECK_NUMBER(kQueryDiffSrc, dnnl_query_diff_src_md);
CHECK_NUMBER(kQueryWei, dnnl_query_weights_md);
CHECK_NUMBER(kQueryDiffWei, dnnl_query_diff_weights_md);
CHECK_NUMBER(kQueryDst, dnnl_query_dst_md);
CHECK_NUMBER(kQueryDiffDst, dnnl_query_diff_dst_md);
CHECK_NUMBER(kQueryScratchpad, dnnl_query_scratchpad_md);
CHECK_NUMBER(kArgSrc, DNNL_ARG_SRC);
CHECK_NUMBER(kArgDst, DNNL_ARG_DST);
CHECK_NUMBER(kArgWei, DNNL_ARG_WEIGHTS);
CHECK_NUMBER(kArgBias, DNNL_ARG_BIAS);
CHECK_NUMBER(kArgScratchpad, DNNL_ARG_SCRATCHPAD);
CHECK_NUMBER(kArgMean, DNNL_ARG_MEAN);
CHECK_NUMBER(kArgVariance, DNNL_ARG_VARIANCE);
CHECK_NUMBER(kArgScale, DNNL_ARG_SCALE);
CHECK_NUMBER(kArgShift, DNNL_ARG_SHIFT);
CHECK_NUMBER(kArgDiffSrc, DNNL_ARG_DIFF_SRC);
CHECK_NUMBER(kArgDiffDst, DNNL_ARG_DIFF_DST);
CHECK_NUMBER(kArgDiffWei, DNNL_ARG_DIFF_WEIGHTS);
CHECK_NUMBER(kArgDiffBias, DNNL_ARG_DIFF_BIAS);

static_assert(sizeof(ExecArg) == sizeof(dnnl_exec_arg_t));
static_assert(offsetof(ExecArg, memory) == offsetof(dnnl_exec_arg_t, memory));
static_assert(sizeof(Version) == sizeof(dnnl_version_t));
static_assert(offsetof(Version, patch) == offsetof(dnnl_version_t, patch));
static_assert(offsetof(Version, cpu_runtime) == offsetof(dnnl_version_t, cpu_runtime));
static_assert(sizeof(Dims) == sizeof(dnnl_dims_t));

} // namespace
} // namespace cgan::onednn
