// Matrix products.
#include "cpu/reference/activation.h"
#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {

void matmul(const cgan_matmul_params& p, const View& a, const View& b, const View& dst) {
    const std::int64_t m = dst.dims[0], n = dst.dims[1], k = p.transpose_a ? a.dims[0] : a.dims[1];
    const std::int64_t a_row = p.transpose_a ? 1 : k, a_column = p.transpose_a ? m : 1;
    const std::int64_t b_row = p.transpose_b ? 1 : n, b_column = p.transpose_b ? k : 1;
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < m; i++) {
            for (std::int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (std::int64_t l = 0; l < k; l++) {
                    sum += static_cast<double>(a.as<T>()[i * a_row + l * a_column]) *
                           b.as<T>()[l * b_row + j * b_column];
                }
                dst.as<T>()[i * n + j] = static_cast<T>(sum);
            }
        }
    });
}

void dense_forward(const cgan_dense_params& p, const View& src, const View& wei, const View& bia,
                   const View& dst) {
    const std::int64_t n = dst.dims[0], o = dst.dims[1], features = src.dims[1];
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < n; i++) {
            for (std::int64_t j = 0; j < o; j++) {
                const T *x = src.as<T>() + i * features, *w = wei.as<T>() + j * features;
                double sum = bia.present() ? bia.as<T>()[j] : 0;
                for (std::int64_t l = 0; l < features; l++) sum += static_cast<double>(x[l]) * w[l];
                dst.as<T>()[i * o + j] = static_cast<T>(activate(p.activation, p.alpha, sum));
            }
        }
    });
}

} // namespace cgan::reference
