// cuDNN and cuBLAS as this process found them: opened once, at first need, and every call that is used by name.
#pragma once

#include <cublas_v2.h>
#include <cudnn.h>

#include <string>

#include "calls.h"

namespace cgan::cuda::vendor {

#define CGAN_DECLARE_CALL(name) decltype(&::name) name = nullptr;
struct CublasCalls {
    CGAN_CUBLAS_CALLS(CGAN_DECLARE_CALL)
};
struct CudnnCalls {
    CGAN_CUDNN_CALLS(CGAN_DECLARE_CALL)
    void (*cudnnGetLastErrorString)(char*, size_t) = nullptr; // null before cuDNN 9
};
#undef CGAN_DECLARE_CALL

template <class Calls> struct Loaded {
    Calls calls;
    bool usable = false;
    std::string path, version; // "9.24.0"; empty unless usable
    std::string reason;        // unless usable: every place that was tried, and the loader's words
};

const Loaded<CublasCalls>& cublas();
const Loaded<CudnnCalls>& cudnn();

// Lines as in cgan_describe_libraries.
std::string describe_libraries();

} // namespace cgan::cuda::vendor
