// Data movement: results are identical on every device.
#include <algorithm>
#include <tuple>

#include "operators/case_text.h"
#include "operators/contract.h"
#include "support/session.h"

namespace cgan::test {
namespace {

OperatorCase permute_case(const std::vector<std::int64_t>& dims, const std::vector<std::int32_t>& axes,
                          std::int32_t dtype) {
    OperatorCase c;
    c.op = "permute";
    c.text = name(dims_text(dims), "_axes");
    auto p = sized<cgan_permute_params>();
    std::vector<std::int64_t> result;
    for (std::size_t i = 0; i < axes.size(); i++) {
        c.text += std::to_string(axes[i]);
        p.axes[i] = axes[i];
        result.push_back(dims[static_cast<std::size_t>(axes[i])]);
    }
    c.text += name("_dtype", dtype);
    const Values values = dtype == CGAN_U8 ? Values::Position : Values::Distinct;
    c.operands = {{"src", Role::Source, dims, values, 256, dtype},
                  {"dst", Role::Destination, result, Values::Signed, 0, dtype}};
    c.identical = true;
    c.doubles = false;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_permute(ctx, &p, &t[0], &t[1]); };
    return c;
}

struct Slice {
    std::vector<std::int64_t> src, dst;
    std::int32_t axis;
    std::int64_t src_start, dst_start, count;
};

OperatorCase slice_case(const Slice& slice, std::int32_t dtype) {
    OperatorCase c;
    c.op = "slice_copy";
    c.text = name(dims_text(slice.src), "_to_", dims_text(slice.dst), "_axis", slice.axis, "_from",
                  slice.src_start, "_to", slice.dst_start, "_count", slice.count, "_dtype", dtype);
    const Values values = dtype == CGAN_U8 ? Values::Position : Values::Distinct;
    c.operands = {{"src", Role::Source, slice.src, values, 256, dtype},
                  {"dst", Role::Updated, slice.dst, Values::Signed, 0, dtype}};
    c.operands[1].values = values; // what the copy does not reach stays
    c.operands[1].limit = 256;
    c.identical = true;
    c.doubles = false;
    auto p = sized<cgan_slice_params>();
    p.axis = slice.axis;
    p.src_start = slice.src_start;
    p.dst_start = slice.dst_start;
    p.count = slice.count;
    c.call = [p](cgan_context* ctx, Tensors t) { return cgan_slice_copy(ctx, &p, &t[0], &t[1]); };
    return c;
}

OperatorCase gather_case(std::int64_t rows, std::int64_t width, std::int64_t n) {
    OperatorCase c;
    c.op = "gather_rows";
    c.text = name("table", rows, "x", width, "_n", n);
    c.operands = {{"table", Role::Source, {rows, width}, Values::Distinct},
                  {"index", Role::Source, {n}, Values::Index, rows, CGAN_I32},
                  {"dst", Role::Destination, {n, width}}};
    c.identical = true;
    c.call = [](cgan_context* ctx, Tensors t) { return cgan_gather_rows(ctx, &t[0], &t[1], &t[2]); };
    return c;
}

OperatorCase scatter_case(std::int64_t rows, std::int64_t width, std::int64_t n) {
    OperatorCase c;
    c.op = "scatter_add_rows";
    c.text = name("table", rows, "x", width, "_n", n);
    c.operands = {{"index", Role::Source, {n}, Values::Index, rows, CGAN_I32},
                  {"d_dst", Role::Source, {n, width}},
                  {"d_table", Role::Destination, {rows, width}}};
    c.reduction = static_cast<double>(std::max<std::int64_t>(n, 1));
    c.least_nonzero = n < rows ? 0 : 0.3;
    c.call = [](cgan_context* ctx, Tensors t) { return cgan_scatter_add_rows(ctx, &t[0], &t[1], &t[2]); };
    return c;
}

} // namespace

std::vector<OperatorCase> movement_cases() {
    std::vector<OperatorCase> cases;
    for (const std::int32_t dtype : {CGAN_F32, CGAN_F64, CGAN_I32, CGAN_U8}) {
        cases.push_back(permute_case({}, {}, dtype));
        cases.push_back(permute_case({7}, {0}, dtype));
        cases.push_back(permute_case({1, 1}, {1, 0}, dtype));
        cases.push_back(permute_case({31, 33}, {1, 0}, dtype));
        cases.push_back(permute_case({257, 255}, {1, 0}, dtype));
        cases.push_back(permute_case({0, 3}, {1, 0}, dtype));
        cases.push_back(permute_case({2, 5, 7, 13}, {0, 3, 1, 2}, dtype)); // NHWC to NCHW
        cases.push_back(permute_case({2, 13, 5, 7}, {0, 2, 3, 1}, dtype)); // and back
        cases.push_back(permute_case({2, 5, 7, 13}, {0, 1, 2, 3}, dtype));
        cases.push_back(permute_case({2, 5, 7, 13}, {3, 2, 1, 0}, dtype));
        cases.push_back(permute_case({2, 3, 1, 2, 3, 1, 2, 3}, {7, 0, 6, 1, 5, 2, 4, 3}, dtype));
    }
    for (const std::int32_t dtype : {CGAN_F32, CGAN_F64, CGAN_U8}) {
        cases.push_back(slice_case({{7}, {5}, 0, 2, 1, 3}, dtype));
        cases.push_back(slice_case({{31, 33}, {31, 40}, 1, 0, 7, 33}, dtype));
        cases.push_back(slice_case({{64, 3}, {128, 3}, 0, 0, 64, 64}, dtype));
        cases.push_back(slice_case({{2, 28, 28, 1}, {2, 28, 28, 11}, 3, 0, 10, 1}, dtype));
        cases.push_back(slice_case({{2, 5, 7, 13}, {2, 9, 7, 13}, 1, 1, 3, 4}, dtype));
        cases.push_back(slice_case({{2, 5}, {2, 5}, 1, 5, 0, 0}, dtype));
        cases.push_back(slice_case({{0, 5}, {0, 5}, 1, 0, 0, 5}, dtype));
    }
    for (const auto& [rows, width, n] :
         {std::tuple{1, 1, 1}, {10, 50, 64}, {7, 31, 13}, {257, 33, 255}, {10, 50, 0}, {10, 1, 128}}) {
        cases.push_back(gather_case(rows, width, n));
        cases.push_back(scatter_case(rows, width, n));
    }
    return cases;
}

} // namespace cgan::test
