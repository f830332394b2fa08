#include "abi/arguments.h"

#include <algorithm>
#include <cmath>

namespace cgan {
namespace {

// The bytes of a tensor. Throws CGAN_E_BAD_SHAPE for negative dimensions and sizes beyond int64; an empty
// tensor's other dimensions count, too, so that no product of dimensions overflows anywhere.
std::int64_t checked_bytes(const std::string& name, const View& view) {
    std::int64_t bytes = dtype_size(view.dtype);
    bool overflow = false, empty = false;
    for (int i = 0; i < view.rank; i++) {
        if (view.dims[i] < 0) {
            throw Error(CGAN_E_BAD_SHAPE,
                        cat(name, " has a negative dimension (", name, " ", shape_text(view), ")"));
        }
        empty = empty || view.dims[i] == 0;
        if (!overflow)
            overflow = __builtin_mul_overflow(bytes, std::max<std::int64_t>(view.dims[i], 1), &bytes);
    }
    if (overflow) {
        throw Error(CGAN_E_BAD_SHAPE,
                    cat(name, " has more than 2^63 - 1 bytes (", name, " ", shape_text(view), ")"));
    }
    return empty ? 0 : bytes;
}

View checked_view(const std::string& name, const cgan_tensor& tensor) {
    View view;
    view.dtype = static_cast<DType>(tensor.dtype);
    if (dtype_size(view.dtype) == 0) {
        throw Error(CGAN_E_BAD_TYPE, cat(name, ".dtype is ", tensor.dtype, ", which is no cgan_dtype"));
    }
    if (tensor.rank < 0 || tensor.rank > CGAN_MAX_RANK) {
        throw Error(CGAN_E_BAD_SHAPE, cat(name, ".rank is ", tensor.rank, ", must be in 0..", CGAN_MAX_RANK));
    }
    view.rank = tensor.rank;
    for (int i = 0; i < tensor.rank; i++) view.dims[i] = tensor.dims[i];
    return view;
}

} // namespace

Operand check_tensor(Context& context, const std::string& name, const cgan_tensor* given, Access access) {
    const cgan_tensor tensor = read_struct(given, name.c_str());
    Operand operand;
    operand.view = checked_view(name, tensor);
    operand.buffer = tensor.buffer;
    const std::int64_t bytes = checked_bytes(name, operand.view);
    const Buffer& buffer = context.use_buffer(tensor.buffer, name + ".buffer", access);
    const std::int64_t size = dtype_size(operand.view.dtype), offset = tensor.offset_bytes;
    if (offset < 0 || offset > buffer.bytes || bytes > buffer.bytes - offset) {
        throw Error(CGAN_E_OUT_OF_BOUNDS, cat(name, " takes ", bytes, " bytes from offset ", offset,
                                              " of a buffer of ", buffer.bytes, " (", name, " ",
                                              dtype_name(operand.view.dtype), shape_text(operand.view), ")"));
    }
    if (offset % size != 0) {
        throw Error(CGAN_E_BAD_VALUE, cat(name, ".offset_bytes is ", offset, ", must be a multiple of ", size,
                                          " for ", dtype_name(operand.view.dtype)));
    }
    operand.view.data = buffer.data ? static_cast<char*>(buffer.data) + offset : nullptr;
    operand.view.content = buffer.content;
    operand.begin = offset;
    operand.end = offset + bytes;
    return operand;
}

Call::Call(Context& context) : context_(context) {}

Operand& Call::add(const char* name, const cgan_tensor* tensor, Access access) {
    if (count_ == kMaxOperands) throw Error(CGAN_E_INTERNAL, "a call has too many operands");
    Operand& operand = operands_[count_];
    operand = check_tensor(context_, name, tensor, access);
    operand.name = name;
    count_++;
    return operand;
}

const Operand& Call::in(const char* name, const cgan_tensor* tensor) {
    return add(name, tensor, Access::Read);
}

const Operand& Call::optional_in(const char* name, const cgan_tensor* tensor) {
    static const Operand absent;
    return tensor ? in(name, tensor) : absent;
}

const Operand& Call::out(const char* name, const cgan_tensor* tensor,
                         std::initializer_list<const Operand*> in_place) {
    Operand& operand = add(name, tensor, Access::Write);
    operand.written = true;
    check_overlap(operand, in_place);
    return operand;
}

const Operand& Call::optional_out(const char* name, const cgan_tensor* tensor) {
    static const Operand absent;
    return tensor ? out(name, tensor) : absent;
}

void Call::check_overlap(const Operand& destination, std::initializer_list<const Operand*> in_place) const {
    for (int i = 0; i < count_ - 1; i++) {
        const Operand& other = operands_[i];
        if (other.buffer != destination.buffer || other.begin >= destination.end ||
            destination.begin >= other.end) {
            continue;
        }
        bool allowed = false;
        for (const Operand* operand : in_place) allowed = allowed || operand == &other;
        const bool same = other.begin == destination.begin && other.end == destination.end;
        if (allowed && same) continue;
        throw Error(CGAN_E_BAD_VALUE,
                    cat(destination.name, " overlaps ", other.name, " in memory (bytes ", destination.begin,
                        "..", destination.end, " and ", other.begin, "..", other.end, " of one buffer)"));
    }
}

void Call::bad_shape(const std::string& message) const {
    std::string text = message;
    for (int i = 0; i < count_; i++) {
        text += cat(i ? ", " : " (", operands_[i].name, " ", shape_text(operands_[i].view));
    }
    throw Error(CGAN_E_BAD_SHAPE, text + (count_ ? ")" : ""));
}

void Call::expect_rank(const Operand& operand, int rank, const char* axes) const {
    if (operand.rank() == rank) return;
    bad_shape(cat(operand.name, " has rank ", operand.rank(), ", must be ", axes));
}

void Call::expect_shape(const Operand& operand, const std::int64_t* dims, int rank) const {
    if (!operand.present()) return;
    bool same = operand.rank() == rank;
    for (int i = 0; same && i < rank; i++) same = operand.dim(i) == dims[i];
    if (same) return;
    bad_shape(cat(operand.name, " is ", shape_text(operand.view), ", must be ", shape_text(dims, rank)));
}

void Call::expect_shape(const Operand& operand, std::initializer_list<std::int64_t> dims) const {
    expect_shape(operand, dims.begin(), static_cast<int>(dims.size()));
}

void Call::expect_same_shape(const Operand& operand, const Operand& model) const {
    expect_shape(operand, model.view.dims, model.rank());
}

void Call::expect_positive(const Operand& operand, int axis, const char* what) const {
    if (operand.dim(axis) == 0) bad_shape(cat(operand.name, " has no ", what));
}

void Call::expect_floats(std::initializer_list<const Operand*> operands) const {
    const Operand* first = *operands.begin();
    if (first->view.dtype != DType::F32 && first->view.dtype != DType::F64) {
        throw Error(CGAN_E_BAD_TYPE,
                    cat(first->name, " is ", dtype_name(first->view.dtype), ", must be F32 or F64"));
    }
    for (const Operand* operand : operands) {
        if (operand->present()) expect_same_type(*operand, *first);
    }
}

void Call::expect_type(const Operand& operand, DType dtype) const {
    if (operand.view.dtype == dtype) return;
    throw Error(CGAN_E_BAD_TYPE,
                cat(operand.name, " is ", dtype_name(operand.view.dtype), ", must be ", dtype_name(dtype)));
}

void Call::expect_same_type(const Operand& operand, const Operand& model) const {
    if (operand.view.dtype == model.view.dtype) return;
    throw Error(CGAN_E_BAD_TYPE, cat(operand.name, " is ", dtype_name(operand.view.dtype), ", but ",
                                     model.name, " is ", dtype_name(model.view.dtype)));
}

bool Call::nothing_to_write() const {
    for (int i = 0; i < count_; i++) {
        if (operands_[i].written && !operands_[i].empty()) return false;
    }
    return true;
}

void Call::zero_destinations() {
    for (int i = 0; i < count_; i++) {
        if (operands_[i].written && !operands_[i].empty()) backend().fill(0, operands_[i]);
    }
}

void expect_range(const char* what, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value < low || value > high) {
        throw Error(CGAN_E_BAD_VALUE, high == INT32_MAX
                                          ? cat(what, " is ", value, ", must be at least ", low)
                                          : cat(what, " is ", value, ", must be in ", low, "..", high));
    }
}

void expect_finite(const char* what, double value) {
    if (!std::isfinite(value)) throw Error(CGAN_E_BAD_VALUE, cat(what, " is ", value, ", must be finite"));
}

void expect_activation(const char* what, std::int32_t kind, double alpha) {
    switch (kind) {
    case CGAN_ACT_NONE:
    case CGAN_ACT_TANH:
    case CGAN_ACT_SIGMOID:
    case CGAN_ACT_SOFTPLUS:
    case CGAN_ACT_RELU:
        return;
    case CGAN_ACT_LEAKY_RELU:
        if (alpha >= 0 && std::isfinite(alpha)) return;
        throw Error(CGAN_E_BAD_VALUE,
                    cat("params.alpha, the slope of leaky relu, is ", alpha, ", must be at least 0"));
    default:
        throw Error(CGAN_E_BAD_VALUE, cat(what, " is ", kind, ", which is no cgan_activation"));
    }
}

} // namespace cgan
