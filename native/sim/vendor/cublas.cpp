// Stands in for libcublas.so on the simulator: the calls that this project makes, after the cuBLAS documentation
// (cuBLAS 13). The product is computed by plain loops on the handle's stream.
#include <cublas_v2.h>

#include <vector>

#include "checks.h"

using namespace cgan_sim::vendor;

// Status codes of cuBLAS.
enum { kNotInitialized = 1, kInvalidValue = 7, kInternalError = 14 };

struct cublasContext : Marked<0x626c6173> {
    cudaStream_t stream = nullptr;
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
    void* workspace = nullptr;
    std::size_t workspace_bytes = 0;
};

namespace {

template <class Body> cublasStatus_t guarded(const char* call, Body&& body) {
    return guard<cublasStatus_t>(call, kInternalError, body);
}

void require_handle(cublasHandle_t handle) { require_alive(handle, kNotInitialized, "handle"); }

struct Matrix {
    const float* data;
    int rows, columns, ld; // as stored, column-major
    bool transposed;

    std::int64_t elems() const { return std::int64_t(ld) * (columns - 1) + rows; }
    float at(int row, int column) const {
        return transposed ? data[std::int64_t(row) * ld + column] : data[std::int64_t(column) * ld + row];
    }
};

void multiply(const Matrix& a, const Matrix& b, int k, float alpha, float beta, float* c, int m, int n,
              int ldc, bool tf32) {
    std::vector<float> row(std::size_t(k) * std::size_t(n));
    for (int j = 0; j < n; j++)
        for (int x = 0; x < k; x++)
            row[std::size_t(j) * std::size_t(k) + std::size_t(x)] = tf32 ? to_tf32(b.at(x, j)) : b.at(x, j);
    std::vector<float> left(static_cast<std::size_t>(k));
    for (int i = 0; i < m; i++) {
        for (int x = 0; x < k; x++) left[std::size_t(x)] = tf32 ? to_tf32(a.at(i, x)) : a.at(i, x);
        for (int j = 0; j < n; j++) {
            const float* right = row.data() + std::size_t(j) * std::size_t(k);
            double sum = 0;
            for (int x = 0; x < k; x++) sum += double(left[std::size_t(x)]) * double(right[x]);
            float& to = c[std::int64_t(j) * ldc + i];
            to = float(alpha * sum + (beta == 0 ? 0 : double(beta) * to)); // beta 0: c is not read
        }
    }
}

Matrix checked_matrix(const char* name, const char* ld_name, const float* data, cublasOperation_t op,
                      int rows, int columns, int ld) {
    const bool transposed = op == CUBLAS_OP_T;
    const Matrix m{data, transposed ? columns : rows, transposed ? rows : columns, ld, transposed};
    require(ld >= m.rows, kInvalidValue, ld_name,
            "is " + std::to_string(ld) + ", less than the " + std::to_string(m.rows) + " rows of " + name);
    require_floats(data, m.elems(), kInvalidValue, name);
    return m;
}

} // namespace

cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value) {
    return guarded(__func__, [&] {
        require_pointer(value, kInvalidValue, "value");
        require(type >= MAJOR_VERSION && type <= PATCH_LEVEL, kInvalidValue, "type", "is unknown");
        *value = type == MAJOR_VERSION ? 13 : 0;
    });
}

const char* cublasGetStatusString(cublasStatus_t status) {
    switch (int(status)) {
    case CUBLAS_STATUS_SUCCESS:
        return "success";
    case kNotInitialized:
        return "the library was not initialized";
    case kInvalidValue:
        return "an invalid value was passed";
    default:
        return "an internal error";
    }
}

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    return guarded(__func__, [&] {
        require_pointer(handle, kInvalidValue, "handle");
        *handle = new cublasContext;
    });
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
    const auto destroy = [&] {
        require_handle(handle);
        delete handle;
    };
    return guard<cublasStatus_t>(__func__, kInternalError, destroy, Effect::Releases);
}

// "unconditionally resets the cuBLAS library workspace back to the default workspace pool"
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
    return guarded(__func__, [&] {
        require_handle(handle);
        require(cgan_sim::is_stream(stream), kInvalidValue, "streamId", "is not a stream of this device");
        handle->stream = stream;
        handle->workspace = nullptr;
        handle->workspace_bytes = 0;
    });
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes) {
    return guarded(__func__, [&] {
        require_handle(handle);
        require(reinterpret_cast<std::uintptr_t>(workspace) % 256 == 0, kInvalidValue, "workspace",
                "must be aligned to 256 bytes");
        require(cgan_sim::inside_device(workspace, bytes), kInvalidValue, "workspace",
                "is not device memory of " + std::to_string(bytes) + " bytes");
        handle->workspace = workspace;
        handle->workspace_bytes = bytes;
    });
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    return guarded(__func__, [&] {
        require_handle(handle);
        require(mode == CUBLAS_DEFAULT_MATH || mode == CUBLAS_TF32_TENSOR_OP_MATH, kInvalidValue, "mode",
                "is " + std::to_string(int(mode)));
        handle->math = mode;
    });
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b, int m,
                              int n, int k, const float* alpha, const float* a, int lda, const float* b,
                              int ldb, const float* beta, float* c, int ldc) {
    return guarded(__func__, [&] {
        require_handle(handle);
        require(handle->stream != nullptr, kInvalidValue, "handle",
                "has no stream: the work would not follow what wrote its operands");
        require(m >= 0 && n >= 0 && k >= 0, kInvalidValue, "m, n, k", "must not be negative");
        require(op_a == CUBLAS_OP_N || op_a == CUBLAS_OP_T, kInvalidValue, "transa", "is unknown");
        require(op_b == CUBLAS_OP_N || op_b == CUBLAS_OP_T, kInvalidValue, "transb", "is unknown");
        require_pointer(alpha, kInvalidValue, "alpha");
        require_pointer(beta, kInvalidValue, "beta");
        require(!cgan_sim::inside_device(alpha, 4) && !cgan_sim::inside_device(beta, 4), kInvalidValue,
                "alpha, beta", "are device memory, but the pointer mode is host");
        if (m == 0 || n == 0) return;
        const Matrix left = checked_matrix("A", "lda", a, op_a, m, k, lda);
        const Matrix right = checked_matrix("B", "ldb", b, op_b, k, n, ldb);
        require(ldc >= m, kInvalidValue, "ldc",
                "is " + std::to_string(ldc) + ", less than the " + std::to_string(m) + " rows of C");
        const std::int64_t c_elems = std::int64_t(ldc) * (n - 1) + m;
        require_floats(c, c_elems, kInvalidValue, "C");
        for (const Matrix* x : {&left, &right})
            require(!overlap(c, 4 * c_elems, x->data, 4 * x->elems()), kInvalidValue, "C",
                    "overlaps an operand");
        const bool tf32 = handle->math == CUBLAS_TF32_TENSOR_OP_MATH;
        cgan_sim::enqueue_vendor_work(handle->stream, [=, scale = *alpha, keep = *beta] {
            multiply(left, right, k, scale, keep, c, m, n, ldc, tf32);
        });
    });
}
