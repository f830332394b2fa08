// What this project calls of cuBLAS 12 and 13, declared by itself: it stands in for NVIDIA's header of the same
// name where that is not installed, and is what the simulator's stand-in library implements.
// native/tests/vendor/declarations_test.cpp holds it to NVIDIA's header where there is one; for that it is included
// inside a namespace, without linkage and includes.
#if !defined(CGAN_CUBLAS_DECLARATIONS)
#define CGAN_CUBLAS_DECLARATIONS

#if !defined(CGAN_VENDOR_CALL)
#include <cuda_runtime.h>
#define CGAN_VENDOR_CALL extern "C"
#endif

typedef struct cublasContext* cublasHandle_t;

typedef enum : int { CUBLAS_STATUS_SUCCESS = 0 } cublasStatus_t;
typedef enum : int { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 } cublasOperation_t;
typedef enum : int { CUBLAS_DEFAULT_MATH = 0, CUBLAS_TF32_TENSOR_OP_MATH = 3 } cublasMath_t;

#if !defined(__LIBRARY_TYPES_H__) // of the CUDA toolkit
typedef enum libraryPropertyType_t : int { MAJOR_VERSION, MINOR_VERSION, PATCH_LEVEL } libraryPropertyType;
#endif

CGAN_VENDOR_CALL cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value);
CGAN_VENDOR_CALL const char* cublasGetStatusString(cublasStatus_t status);
CGAN_VENDOR_CALL cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
CGAN_VENDOR_CALL cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
CGAN_VENDOR_CALL cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream);
CGAN_VENDOR_CALL cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes);
CGAN_VENDOR_CALL cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);

// Matrices are column-major; alpha and beta lie in host memory.
CGAN_VENDOR_CALL cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t op_a,
                                               cublasOperation_t op_b, int m, int n, int k,
                                               const float* alpha, const float* a, int lda, const float* b,
                                               int ldb, const float* beta, float* c, int ldc);

#endif // CGAN_CUBLAS_DECLARATIONS
