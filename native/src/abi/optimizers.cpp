// Optimisers of the C ABI: lists of tensors, one call for all.
#include <algorithm>
#include <cmath>

#include "abi/arguments.h"

using namespace cgan;

namespace {

// The lists of one call. Empty tensors are checked like others but not handed to the backend.
class Lists {
  public:
    Lists(Context& context, std::int32_t count) : context_(context), count_(count) {
        expect_range("count", count, 0, INT32_MAX);
    }

    // Reads `count` descriptors. The first list is the model of shape and type of those that follow.
    Views add(const char* name, const cgan_tensor* tensors, bool written) {
        if (count_ > 0) require(tensors, name);
        const std::size_t first = operands_.size();
        std::vector<View>& views = lists_.emplace_back();
        const char* at = reinterpret_cast<const char*>(tensors);
        for (std::int32_t i = 0; i < count_; i++) {
            const auto* tensor = reinterpret_cast<const cgan_tensor*>(at);
            Operand operand = check_tensor(context_, cat(name, "[", i, "]"), tensor);
            operand.name = name;
            operand.written = written;
            check_model(operand, first > 0 ? &operands_[static_cast<std::size_t>(i)] : nullptr, i);
            if (!operand.empty()) views.push_back(operand.view);
            operands_.push_back(operand);
            at += tensor_stride(tensor);
        }
        return views;
    }

    // A tensor beside the lists, e.g. hyper.
    const View& single(const char* name, const cgan_tensor* tensor, bool written, std::int64_t elems) {
        Operand operand = check_tensor(context_, name, tensor);
        operand.name = name;
        operand.written = written;
        if (operand.view.elems() != elems) {
            throw Error(CGAN_E_BAD_SHAPE, cat(name, " has ", operand.view.elems(), " elements, must have ",
                                              elems, " (", name, " ", shape_text(operand.view), ")"));
        }
        single_ = operand;
        return single_.view;
    }

    // All tensors have the floating type of `view`, the single tensor called `name`.
    void expect_one_type(const View& view, const char* name) const {
        if (view.dtype != DType::F32 && view.dtype != DType::F64) {
            throw Error(CGAN_E_BAD_TYPE, cat(name, " is ", dtype_name(view.dtype), ", must be F32 or F64"));
        }
        for (const Operand& operand : operands_) {
            if (operand.view.dtype == view.dtype) continue;
            throw Error(CGAN_E_BAD_TYPE, cat(operand.name, " is ", dtype_name(operand.view.dtype), ", but ",
                                             name, " is ", dtype_name(view.dtype)));
        }
    }

    // Throws CGAN_E_BAD_VALUE if a destination shares memory with another operand.
    void check_overlap() {
        if (single_.present()) operands_.push_back(single_);
        std::sort(operands_.begin(), operands_.end(), [](const Operand& a, const Operand& b) {
            return a.buffer != b.buffer ? a.buffer < b.buffer : a.begin < b.begin;
        });
        const Operand* widest = nullptr;         // of those before that reach furthest
        const Operand* widest_written = nullptr; // of those before that are written
        for (const Operand& operand : operands_) {
            if (operand.empty()) continue;
            if (widest && widest->buffer != operand.buffer) widest = widest_written = nullptr;
            expect_apart(operand.written ? widest : widest_written, operand);
            if (!widest || operand.end > widest->end) widest = &operand;
            if (operand.written && (!widest_written || operand.end > widest_written->end))
                widest_written = &operand;
        }
    }

  private:
    // Descriptors of a caller that knows a larger structure lie further apart.
    static std::size_t tensor_stride(const cgan_tensor* tensor) {
        std::uint32_t size = 0;
        std::memcpy(&size, tensor, sizeof size);
        return size;
    }

    static void expect_apart(const Operand* before, const Operand& operand) {
        if (!before || before->end <= operand.begin) return;
        throw Error(CGAN_E_BAD_VALUE,
                    cat(operand.name, " overlaps ", before->name, " in memory (bytes ", operand.begin, "..",
                        operand.end, " and ", before->begin, "..", before->end, " of one buffer)"));
    }

    void check_model(const Operand& operand, const Operand* model, std::int32_t i) const {
        const DType dtype = operand.view.dtype;
        if (!model) {
            if (dtype == DType::F32 || dtype == DType::F64) return;
            throw Error(CGAN_E_BAD_TYPE,
                        cat(operand.name, "[", i, "] is ", dtype_name(dtype), ", must be F32 or F64"));
        }
        if (dtype != model->view.dtype) {
            throw Error(CGAN_E_BAD_TYPE, cat(operand.name, "[", i, "] is ", dtype_name(dtype), ", but ",
                                             model->name, "[", i, "] is ", dtype_name(model->view.dtype)));
        }
        const View &a = operand.view, &b = model->view;
        if (a.rank != b.rank || !std::equal(a.dims, a.dims + a.rank, b.dims)) {
            throw Error(CGAN_E_BAD_SHAPE, cat(operand.name, "[", i, "] is ", shape_text(a), ", but ",
                                              model->name, "[", i, "] is ", shape_text(b)));
        }
    }

    Context& context_;
    const std::int32_t count_;
    std::vector<Operand> operands_;
    std::vector<std::vector<View>> lists_; // the views of a list stay where they are when `lists_` grows
    Operand single_;
};

// Runs `body(Context&, Lists&)` as an operator call on lists of `count` tensors.
template <class Body>
cgan_status list_call(cgan_context* ctx, const char* function, std::int32_t count, Body&& body) noexcept {
    return guard(ctx, function, [&](Context& context) {
        context.count_call();
        Lists lists(context, count);
        body(context, lists);
    });
}

const View& hyper_view(Lists& lists, const cgan_tensor* hyper, bool written) {
    const View& view = lists.single("hyper", hyper, written, 2);
    if (view.dtype != DType::F64) {
        throw Error(CGAN_E_BAD_TYPE, cat("hyper is ", dtype_name(view.dtype), ", must be F64"));
    }
    return view;
}

void expect_fraction(const char* what, double value) {
    if (!(value >= 0 && value < 1))
        throw Error(CGAN_E_BAD_VALUE, cat(what, " is ", value, ", must be in [0, 1)"));
}

void expect_not_negative(const char* what, double value) {
    if (!(value >= 0) || !std::isfinite(value)) {
        throw Error(CGAN_E_BAD_VALUE, cat(what, " is ", value, ", must be at least 0"));
    }
}

} // namespace

cgan_status cgan_optimizer_advance(cgan_context* ctx, const cgan_tensor* hyper) {
    return list_call(ctx, "optimizer_advance", 0, [&](Context& context, Lists& lists) {
        context.backend().optimizer_advance(hyper_view(lists, hyper, true));
    });
}

cgan_status cgan_adam(cgan_context* ctx, const cgan_adam_params* params, const cgan_tensor* hyper,
                      std::int32_t count, const cgan_tensor* param, const cgan_tensor* grad,
                      const cgan_tensor* m, const cgan_tensor* v) {
    return list_call(ctx, "adam", count, [&](Context& context, Lists& lists) {
        const auto p = read_struct(params, "params");
        expect_range("params.form", p.form, CGAN_ADAM_EPSILON_HAT, CGAN_ADAM_CORRECTED);
        expect_fraction("params.beta1", p.beta1);
        expect_fraction("params.beta2", p.beta2);
        expect_not_negative("params.epsilon", p.epsilon);
        expect_not_negative("params.weight_decay", p.weight_decay);
        const View& rate = hyper_view(lists, hyper, false);
        const Views w = lists.add("param", param, true), g = lists.add("grad", grad, false);
        const Views first = lists.add("m", m, true), second = lists.add("v", v, true);
        lists.check_overlap();
        if (!w.empty()) context.backend().adam(p, rate, w, g, first, second);
    });
}

cgan_status cgan_sgd(cgan_context* ctx, const cgan_sgd_params* params, const cgan_tensor* hyper,
                     std::int32_t count, const cgan_tensor* param, const cgan_tensor* grad,
                     const cgan_tensor* velocity) {
    return list_call(ctx, "sgd", count, [&](Context& context, Lists& lists) {
        const auto p = read_struct(params, "params");
        expect_fraction("params.momentum", p.momentum);
        expect_not_negative("params.weight_decay", p.weight_decay);
        const View& rate = hyper_view(lists, hyper, false);
        const Views w = lists.add("param", param, true), g = lists.add("grad", grad, false);
        if (p.momentum == 0 && velocity) {
            throw Error(CGAN_E_BAD_VALUE, "velocity must be NULL when params.momentum is 0");
        }
        const Views speed = p.momentum == 0 ? Views{} : lists.add("velocity", velocity, true);
        lists.check_overlap();
        if (!w.empty()) context.backend().sgd(p, rate, w, g, speed);
    });
}

cgan_status cgan_rmsprop(cgan_context* ctx, const cgan_rmsprop_params* params, const cgan_tensor* hyper,
                         std::int32_t count, const cgan_tensor* param, const cgan_tensor* grad,
                         const cgan_tensor* v) {
    return list_call(ctx, "rmsprop", count, [&](Context& context, Lists& lists) {
        const auto p = read_struct(params, "params");
        expect_fraction("params.rho", p.rho);
        expect_not_negative("params.epsilon", p.epsilon);
        const View& rate = hyper_view(lists, hyper, false);
        const Views w = lists.add("param", param, true), g = lists.add("grad", grad, false);
        const Views square = lists.add("v", v, true);
        lists.check_overlap();
        if (!w.empty()) context.backend().rmsprop(p, rate, w, g, square);
    });
}

cgan_status cgan_ema(cgan_context* ctx, const cgan_ema_params* params, std::int32_t count,
                     const cgan_tensor* src, const cgan_tensor* dst) {
    return list_call(ctx, "ema", count, [&](Context& context, Lists& lists) {
        const auto p = read_struct(params, "params");
        if (!(p.decay >= 0 && p.decay <= 1)) {
            throw Error(CGAN_E_BAD_VALUE, cat("params.decay is ", p.decay, ", must be in [0, 1]"));
        }
        const Views x = lists.add("src", src, false), y = lists.add("dst", dst, true);
        lists.check_overlap();
        if (!x.empty()) context.backend().ema(p, x, y);
    });
}

cgan_status cgan_ema_by(cgan_context* ctx, const cgan_tensor* decay, std::int32_t count,
                        const cgan_tensor* src, const cgan_tensor* dst) {
    return list_call(ctx, "ema_by", count, [&](Context& context, Lists& lists) {
        const View& rate = lists.single("decay", decay, false, 1);
        if (rate.dtype != DType::F64) {
            throw Error(CGAN_E_BAD_TYPE, cat("decay is ", dtype_name(rate.dtype), ", must be F64"));
        }
        const Views x = lists.add("src", src, false), y = lists.add("dst", dst, true);
        lists.check_overlap();
        if (!x.empty()) context.backend().ema_by(rate, x, y);
    });
}

cgan_status cgan_clamp(cgan_context* ctx, const cgan_clamp_params* params, std::int32_t count,
                       const cgan_tensor* tensors) {
    return list_call(ctx, "clamp", count, [&](Context& context, Lists& lists) {
        const auto p = read_struct(params, "params");
        if (!(p.low <= p.high)) {
            throw Error(CGAN_E_BAD_VALUE, cat("params.low ", p.low, " is not at most params.high ", p.high));
        }
        const Views x = lists.add("tensors", tensors, true);
        lists.check_overlap();
        if (!x.empty()) context.backend().clamp(p, x);
    });
}

cgan_status cgan_global_norm(cgan_context* ctx, std::int32_t count, const cgan_tensor* tensors,
                             const cgan_tensor* dst) {
    return list_call(ctx, "global_norm", count, [&](Context& context, Lists& lists) {
        const Views x = lists.add("tensors", tensors, false);
        const View& norm = lists.single("dst", dst, true, 1);
        lists.expect_one_type(norm, "dst");
        lists.check_overlap();
        if (x.empty()) return context.backend().fill(0, norm);
        context.backend().global_norm(x, norm);
    });
}

cgan_status cgan_clip_by_norm(cgan_context* ctx, const cgan_clip_params* params, const cgan_tensor* norm,
                              std::int32_t count, const cgan_tensor* tensors) {
    return list_call(ctx, "clip_by_norm", count, [&](Context& context, Lists& lists) {
        const auto p = read_struct(params, "params");
        if (!(p.max_norm >= 0)) {
            throw Error(CGAN_E_BAD_VALUE, cat("params.max_norm is ", p.max_norm, ", must be at least 0"));
        }
        const View& n = lists.single("norm", norm, false, 1);
        const Views x = lists.add("tensors", tensors, true);
        lists.expect_one_type(n, "norm");
        lists.check_overlap();
        if (!x.empty()) context.backend().clip_by_norm(p, n, x);
    });
}
