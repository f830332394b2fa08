// Data movement: permutation, slices, rows by index.
#include <cstring>
#include <string>
#include <vector>

#include "abi/text.h"
#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"

namespace cgan::reference {
namespace {

void expect_indices(const View& index, std::int64_t rows) {
    for (std::int64_t i = 0, n = index.elems(); i < n; i++) {
        const std::int32_t row = index.as<std::int32_t>()[i];
        if (row >= 0 && row < rows) continue;
        throw Error(CGAN_E_BAD_VALUE, cat("index[", i, "] is ", row, ", must be in 0..", rows - 1));
    }
}

} // namespace

void permute(const cgan_permute_params& p, const View& src, const View& dst) {
    std::int64_t src_strides[CGAN_MAX_RANK] = {}, strides[CGAN_MAX_RANK] = {}, at[CGAN_MAX_RANK] = {};
    std::int64_t stride = 1;
    for (int i = src.rank - 1; i >= 0; i--) {
        src_strides[i] = stride;
        stride *= src.dims[i];
    }
    for (int i = 0; i < dst.rank; i++) strides[i] = src_strides[p.axes[i]];
    for_any(src.dtype, [&]<class T>(T) {
        std::int64_t from = 0;
        for (std::int64_t i = 0, n = dst.elems(); i < n; i++) {
            dst.as<T>()[i] = src.as<T>()[from];
            for (int axis = dst.rank - 1; axis >= 0; axis--) {
                from += strides[axis];
                if (++at[axis] < dst.dims[axis]) break;
                from -= strides[axis] * dst.dims[axis];
                at[axis] = 0;
            }
        }
    });
}

void slice_copy(const cgan_slice_params& p, const View& src, const View& dst) {
    std::int64_t outer = 1, inner = dtype_size(src.dtype); // bytes of one step along the axis
    for (int i = 0; i < p.axis; i++) outer *= src.dims[i];
    for (int i = p.axis + 1; i < src.rank; i++) inner *= src.dims[i];
    for (std::int64_t i = 0; i < outer; i++) {
        std::memcpy(dst.as<char>() + (i * dst.dims[p.axis] + p.dst_start) * inner,
                    src.as<char>() + (i * src.dims[p.axis] + p.src_start) * inner,
                    static_cast<std::size_t>(p.count * inner));
    }
}

void gather_rows(const View& table, const View& index, const View& dst) {
    expect_indices(index, table.dims[0]);
    const std::int64_t bytes = table.dims[1] * dtype_size(table.dtype);
    for (std::int64_t i = 0, n = index.elems(); i < n; i++) {
        std::memcpy(dst.as<char>() + i * bytes, table.as<char>() + index.as<std::int32_t>()[i] * bytes,
                    static_cast<std::size_t>(bytes));
    }
}

void scatter_add_rows(const View& index, const View& d_dst, const View& d_table) {
    expect_indices(index, d_table.dims[0]);
    const std::int64_t rows = d_table.dims[0], width = d_table.dims[1];
    std::vector<std::vector<std::int64_t>> sources(static_cast<std::size_t>(rows)); // in the order of i
    for (std::int64_t i = 0, n = index.elems(); i < n; i++) {
        sources[static_cast<std::size_t>(index.as<std::int32_t>()[i])].push_back(i);
    }
    for_float(d_table.dtype, [&]<class T>(T) {
        for (std::int64_t row = 0; row < rows; row++) {
            for (std::int64_t e = 0; e < width; e++) {
                double sum = 0;
                for (const std::int64_t i : sources[static_cast<std::size_t>(row)])
                    sum += d_dst.as<T>()[i * width + e];
                d_table.as<T>()[row * width + e] = static_cast<T>(sum);
            }
        }
    });
}

} // namespace cgan::reference
