// Checking the arguments of an operator call: descriptors become views, shapes and types are compared,
// overlaps found.
#pragma once

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "abi/context.h"
#include "abi/text.h"
#include "backend.h"

namespace cgan {

// A checked operand of a call. Converts to the view that a backend takes.
struct Operand {
    const char* name = "";
    View view;
    const cgan_buffer* buffer = nullptr;
    std::int64_t begin = 0, end = 0; // bytes in the buffer
    bool written = false;

    operator const View&() const { return view; }
    bool present() const { return view.present(); }
    bool empty() const { return present() && view.elems() == 0; }
    int rank() const { return view.rank; }
    std::int64_t dim(int axis) const { return view.dims[axis]; }
};

// No structure of any version is larger. A size beyond is one that was never set, by which a walk over a list would leave
// the caller's memory.
constexpr std::uint32_t kMaxStructSize = 4096;

// Copies the part of a structure that its struct_size covers; the rest is zero.
// Throws CGAN_E_NULL_ARG, CGAN_E_STRUCT_SIZE.
template <class Params> Params read_struct(const Params* given, const char* what) {
    require(given, what);
    std::uint32_t size = 0;
    std::memcpy(&size, given, sizeof size); // `given` need not be aligned
    if (size < sizeof size || size > kMaxStructSize) {
        throw Error(CGAN_E_STRUCT_SIZE,
                    cat(what, ".struct_size is ", size, "; set it to the size of the structure"));
    }
    Params params{};
    std::memcpy(&params, given, size < sizeof params ? size : sizeof params);
    params.struct_size = sizeof params;
    return params;
}

// An operator call in progress. Operands stay where they are for the life of the call.
class Call {
  public:
    explicit Call(Context& context);

    Backend& backend() { return context_.backend(); }

    const Operand& in(const char* name, const cgan_tensor* tensor);
    const Operand& optional_in(const char* name, const cgan_tensor* tensor);
    // A destination; it may be the same tensor as an operand of `in_place`, else overlap no other operand.
    const Operand& out(const char* name, const cgan_tensor* tensor,
                       std::initializer_list<const Operand*> in_place = {});
    const Operand& optional_out(const char* name, const cgan_tensor* tensor);

    // The failures of shape, with all operands of the call so far behind the message.
    [[noreturn]] void bad_shape(const std::string& message) const;

    void expect_rank(const Operand& operand, int rank, const char* axes) const;
    void expect_shape(const Operand& operand, std::initializer_list<std::int64_t> dims) const;
    void expect_shape(const Operand& operand, const std::int64_t* dims, int rank) const;
    void expect_same_shape(const Operand& operand, const Operand& model) const;
    void expect_positive(const Operand& operand, int axis, const char* what) const;

    // Every present operand of the list has the floating type of the first.
    void expect_floats(std::initializer_list<const Operand*> operands) const;
    void expect_type(const Operand& operand, DType dtype) const;
    void expect_same_type(const Operand& operand, const Operand& model) const;

    bool nothing_to_write() const;
    // Fills all destinations with 0, the result of reductions of nothing.
    void zero_destinations();

  private:
    Operand& add(const char* name, const cgan_tensor* tensor, Access access);
    void check_overlap(const Operand& destination, std::initializer_list<const Operand*> in_place) const;

    static constexpr int kMaxOperands = 10;
    Context& context_;
    Operand operands_[kMaxOperands];
    int count_ = 0;
};

// A descriptor of a live buffer, inside it, aligned. Throws what cgan.h says. What is not said to be read counts as written.
Operand check_tensor(Context& context, const std::string& name, const cgan_tensor* tensor,
                     Access access = Access::Write);

// `value` must be in low..high. Throws CGAN_E_BAD_VALUE.
void expect_range(const char* what, std::int64_t value, std::int64_t low, std::int64_t high);
void expect_finite(const char* what, double value);
// Throws CGAN_E_BAD_VALUE unless `kind` is a cgan_activation with a usable slope.
void expect_activation(const char* what, std::int32_t kind, double alpha);

// Runs `body(Call&)` as an operator call: counted, and failed on request by a faulty device.
template <class Body>
cgan_status operator_call(cgan_context* ctx, const char* function, Body&& body) noexcept {
    return guard(ctx, function, [&](Context& context) {
        context.count_call();
        Call call(context);
        body(call);
    });
}

} // namespace cgan
