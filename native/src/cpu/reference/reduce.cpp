// Reductions along axes, and softmax along the last one.
#include <cmath>

#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {
namespace {

// The axes of a tensor that are reduced, or those that are kept, as an odometer over element offsets.
class Axes {
  public:
    Axes(const View& src, std::uint32_t mask) {
        std::int64_t stride = 1;
        for (int i = src.rank - 1; i >= 0; i--) {
            if (mask >> i & 1) {
                dims_[rank_] = src.dims[i];
                strides_[rank_] = stride;
                count_ *= src.dims[i];
                rank_++;
            }
            stride *= src.dims[i];
        }
    }

    std::int64_t count() const { return count_; }

    // The offset of element i, the last axis running fastest.
    std::int64_t offset(std::int64_t i) const {
        std::int64_t offset = 0;
        for (int axis = 0; axis < rank_; axis++) {
            offset += i % dims_[axis] * strides_[axis];
            i /= dims_[axis];
        }
        return offset;
    }

  private:
    int rank_ = 0;
    std::int64_t count_ = 1;
    std::int64_t dims_[CGAN_MAX_RANK] = {}, strides_[CGAN_MAX_RANK] = {};
};

template <class T> double reduce_value(int kind, const T* src, const Axes& axes) {
    double result = kind == CGAN_REDUCE_MAX || kind == CGAN_REDUCE_MIN ? src[0] : 0;
    for (std::int64_t i = 0; i < axes.count(); i++) {
        const double x = src[axes.offset(i)];
        if (kind == CGAN_REDUCE_MAX) {
            if (x > result || x != x) result = x; // NaN wins, and no x is greater than NaN
        } else if (kind == CGAN_REDUCE_MIN) {
            if (x < result || x != x) result = x;
        } else {
            result += x;
        }
    }
    return kind == CGAN_REDUCE_MEAN ? result / static_cast<double>(axes.count()) : result;
}

} // namespace

void reduce(const cgan_reduce_params& p, const View& src, const View& dst) {
    const Axes reduced(src, p.axis_mask), kept(src, ~p.axis_mask);
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t i = 0; i < kept.count(); i++) {
            dst.as<T>()[i] = static_cast<T>(reduce_value(p.kind, src.as<T>() + kept.offset(i), reduced));
        }
    });
}

void argmax(const View& src, const View& dst) {
    const std::int64_t rows = src.rows(), c = src.last();
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t row = 0; row < rows; row++) {
            const T* x = src.as<T>() + row * c;
            std::int64_t best = 0;
            for (std::int64_t i = 1; i < c && x[best] == x[best]; i++) {
                if (x[i] > x[best] || x[i] != x[i]) best = i; // the first NaN is the greatest
            }
            dst.as<std::int32_t>()[row] = static_cast<std::int32_t>(best);
        }
    });
}

void softmax_forward(const cgan_softmax_params& p, const View& src, const View& dst) {
    const std::int64_t rows = src.rows(), c = src.last();
    for_float(src.dtype, [&]<class T>(T) {
        for (std::int64_t row = 0; row < rows; row++) {
            const T* x = src.as<T>() + row * c;
            T* y = dst.as<T>() + row * c;
            double top = x[0], sum = 0;
            for (std::int64_t i = 1; i < c; i++) top = x[i] > top ? x[i] : top;
            for (std::int64_t i = 0; i < c; i++) sum += std::exp(x[i] - top);
            for (std::int64_t i = 0; i < c; i++) {
                y[i] = static_cast<T>(p.log ? x[i] - top - std::log(sum) : std::exp(x[i] - top) / sum);
            }
        }
    });
}

void softmax_backward(const cgan_softmax_params& p, const View& dst, const View& d_dst, const View& d_src) {
    const std::int64_t rows = dst.rows(), c = dst.last();
    for_float(dst.dtype, [&]<class T>(T) {
        for (std::int64_t row = 0; row < rows; row++) {
            const T *y = dst.as<T>() + row * c, *dy = d_dst.as<T>() + row * c;
            T* dx = d_src.as<T>() + row * c;
            double sum = 0;
            for (std::int64_t i = 0; i < c; i++) sum += p.log ? dy[i] : static_cast<double>(y[i]) * dy[i];
            for (std::int64_t i = 0; i < c; i++) {
                dx[i] = static_cast<T>(p.log ? dy[i] - std::exp(static_cast<double>(y[i])) * sum
                                             : y[i] * (dy[i] - sum));
            }
        }
    });
}

} // namespace cgan::reference
