#include "cpu/vendor/onednn.h"

#include <algorithm>
#include <new>
#include <string_view>

#include "abi/text.h"

namespace cgan::onednn {
namespace {

constexpr std::size_t kMostComputations = 1024; // of a context; a program with more shapes starts afresh

Owned<MemoryDesc> describe_memory(const Calls& calls, const Layout& layout, bool free) {
    Dims dims = {}, strides = {};
    std::copy(layout.dims.begin(), layout.dims.end(), dims);
    std::copy(layout.strides.begin(), layout.strides.end(), strides);
    const int rank = static_cast<int>(layout.dims.size());
    MemoryDesc* desc = nullptr;
    if (free)
        check(calls, calls.memory_desc_create_with_tag(&desc, rank, dims, kFloat32, kTagAny), "memory_desc");
    else
        check(calls, calls.memory_desc_create_with_strides(&desc, rank, dims, kFloat32, strides),
              "memory_desc");
    return {desc, calls.memory_desc_destroy};
}

// Without data: that is set for each run.
Owned<Memory> create_memory(Machine& machine, const MemoryDesc* desc) {
    Memory* memory = nullptr;
    check(machine.calls(), machine.calls().memory_create(&memory, desc, machine.engine(), nullptr),
          "memory_create");
    return {memory, machine.calls().memory_destroy};
}

Owned<Primitive> create_primitive(const Calls& calls, const PrimitiveDesc* desc) {
    Primitive* primitive = nullptr;
    check(calls, calls.primitive_create(&primitive, desc), "primitive_create");
    return {primitive, calls.primitive_destroy};
}

Owned<PostOps> create_post_ops(const Calls& calls, ActivationSpec activation) {
    PostOps* post_ops = nullptr;
    check(calls, calls.post_ops_create(&post_ops), "post_ops_create");
    Owned<PostOps> owned(post_ops, calls.post_ops_destroy);
    const auto append = [&](int algorithm, float alpha) {
        check(calls, calls.post_ops_append_eltwise(post_ops, algorithm, alpha, 0), "post_ops_append_eltwise");
    };
    switch (activation.kind) {
    case CGAN_ACT_TANH:
        append(kTanh, 0);
        break;
    case CGAN_ACT_SIGMOID:
        append(kSigmoid, 0);
        break;
    case CGAN_ACT_SOFTPLUS:
        append(kSoftplus, 1);
        break;
    case CGAN_ACT_LEAKY_RELU:
        append(kRelu, activation.alpha);
        break;
    default: // relu is applied afterwards (Operators::finish)
        break;
    }
    return owned;
}

// Float32 arithmetic whatever the environment says, fixed order of sums, scratch memory from us.
Owned<Attributes> create_attributes(const Calls& calls, ActivationSpec activation) {
    Attributes* attributes = nullptr;
    check(calls, calls.primitive_attr_create(&attributes), "primitive_attr_create");
    Owned<Attributes> owned(attributes, calls.primitive_attr_destroy);
    check(calls, calls.primitive_attr_set_fpmath_mode(attributes, kMathStrict), "set_fpmath_mode");
    check(calls, calls.primitive_attr_set_deterministic(attributes, 1), "set_deterministic");
    check(calls, calls.primitive_attr_set_scratchpad_mode(attributes, kScratchpadUser),
          "set_scratchpad_mode");
    if (activation.kind != CGAN_ACT_NONE) {
        const auto post_ops = create_post_ops(calls, activation);
        check(calls, calls.primitive_attr_set_post_ops(attributes, post_ops.get()), "set_post_ops");
    }
    return owned;
}

// Reference loops of the library serve nobody: they are hundreds of times slower.
bool optimised(const Calls& calls, const PrimitiveDesc* desc) {
    const char* name = "";
    check(calls, calls.primitive_desc_query(desc, kQueryImplementation, 0, &name), "primitive_desc_query");
    return !std::string_view(name).starts_with("ref");
}

std::int64_t floats_of(const Calls& calls, const MemoryDesc* desc) {
    return static_cast<std::int64_t>((calls.memory_desc_get_size(desc) + sizeof(float) - 1) / sizeof(float));
}

Owned<Primitive> create_copy(Machine& machine, const MemoryDesc* from, const MemoryDesc* to) {
    const Calls& calls = machine.calls();
    PrimitiveDesc* desc = nullptr;
    check(calls,
          calls.reorder_primitive_desc_create(&desc, from, machine.engine(), to, machine.engine(), nullptr),
          "reorder_primitive_desc_create");
    const Owned<PrimitiveDesc> owned(desc, calls.primitive_desc_destroy);
    return create_primitive(calls, desc);
}

void execute(Machine& machine, const Primitive* primitive, std::initializer_list<ExecArg> arguments) {
    check(machine.calls(),
          machine.calls().primitive_execute(primitive, machine.stream(), static_cast<int>(arguments.size()),
                                            arguments.begin()),
          "primitive_execute");
}

} // namespace

void check(const Calls& calls, int status, const char* call) {
    if (status == kSuccess) return;
    if (status == kOutOfMemory) throw std::bad_alloc();
    throw Error(CGAN_E_VENDOR, cat("oneDNN: ", call, ": ", calls.status2str(status)));
}

// ---- Computation ----

std::unique_ptr<Computation> Computation::make(Machine& machine, const std::vector<OperandSpec>& operands,
                                               ActivationSpec activation, const Describe& describe) {
    const Calls& calls = machine.calls();
    std::vector<Owned<MemoryDesc>> owned;
    std::vector<const MemoryDesc*> wanted;
    for (const OperandSpec& spec : operands) {
        owned.push_back(describe_memory(calls, spec.layout, spec.free));
        wanted.push_back(owned.back().get());
    }
    const auto attributes = create_attributes(calls, activation);
    PrimitiveDesc* made = nullptr;
    const int status = describe(&made, machine.engine(), wanted, attributes.get());
    if (status == kUnimplemented) return nullptr;
    check(calls, status, "primitive_desc_create");
    const Owned<PrimitiveDesc> desc(made, calls.primitive_desc_destroy);
    if (!optimised(calls, made)) return nullptr;

    auto computation = std::make_unique<Computation>();
    for (const OperandSpec& spec : operands) {
        const auto given = describe_memory(calls, spec.layout, false);
        computation->add_operand(machine, spec, given.get(), made);
    }
    const MemoryDesc* scratchpad = calls.primitive_desc_query_md(made, kQueryScratchpad, 0);
    computation->scratchpad_floats_ = floats_of(calls, scratchpad);
    computation->scratchpad_ = create_memory(machine, scratchpad);
    computation->primitive_ = create_primitive(calls, made);
    return computation;
}

void Computation::add_operand(Machine& machine, const OperandSpec& spec, const MemoryDesc* given,
                              const PrimitiveDesc* desc) {
    const Calls& calls = machine.calls();
    Operand operand{spec.arg, spec.result, create_memory(machine, given), {}, {}, 0};
    const MemoryDesc* used = spec.free ? calls.primitive_desc_query_md(desc, spec.query, 0) : given;
    if (!calls.memory_desc_equal(given, used)) {
        operand.used = create_memory(machine, used);
        operand.copy = spec.result ? create_copy(machine, used, given) : create_copy(machine, given, used);
        operand.scratch_floats = floats_of(calls, used);
    }
    operands_.push_back(std::move(operand));
}

void Computation::run_copies(Machine& machine, bool of_results) const {
    for (const Operand& o : operands_) {
        if (!o.copy || o.result != of_results) continue;
        Memory *from = o.result ? o.used.get() : o.given.get(), *to = o.result ? o.given.get() : o.used.get();
        execute(machine, o.copy.get(), {{kArgSrc, from}, {kArgDst, to}});
    }
}

void Computation::run(Machine& machine, std::initializer_list<const void*> data) const {
    const Calls& calls = machine.calls();
    fast::Scratch::Frame frame(machine.scratch());
    std::vector<ExecArg> arguments;
    const auto place = [&](const Owned<Memory>& memory, const void* at) {
        check(calls, calls.memory_set_data_handle(memory.get(), const_cast<void*>(at)),
              "memory_set_data_handle");
    };
    auto operand = operands_.begin();
    for (const void* elements : data) {
        if (!elements) continue;
        place(operand->given, elements);
        if (operand->used) place(operand->used, machine.scratch().take<float>(operand->scratch_floats));
        arguments.push_back({operand->arg, operand->memory()});
        ++operand;
    }
    if (scratchpad_floats_ > 0) place(scratchpad_, machine.scratch().take<float>(scratchpad_floats_));
    arguments.push_back({kArgScratchpad, scratchpad_.get()});
    run_copies(machine, false);
    check(calls,
          calls.primitive_execute(primitive_.get(), machine.stream(), static_cast<int>(arguments.size()),
                                  arguments.data()),
          "primitive_execute");
    run_copies(machine, true);
    check(calls, calls.stream_wait(machine.stream()), "stream_wait");
}

// ---- Machine ----

Machine::Machine(const Library& library, int threads, MemoryLedger& ledger)
    : library_(library), threads_(threads), scratch_(ledger) {
    Engine* engine = nullptr;
    check(calls(), calls().engine_create(&engine, kEngineCpu, 0), "engine_create");
    engine_ = {engine, calls().engine_destroy};
    Stream* stream = nullptr;
    check(calls(), calls().stream_create(&stream, engine, kStreamDefault), "stream_create");
    stream_ = {stream, calls().stream_destroy};
}

Machine::Threads::Threads(const Machine& machine)
    : calls_(machine.calls()), before_(machine.calls().max_threads()) {
    if (before_ != machine.threads_) calls_.set_threads(machine.threads_);
}

Machine::Threads::~Threads() { calls_.set_threads(before_); }

const Computation* Machine::find(const Key& key, const std::function<std::unique_ptr<Computation>()>& make) {
    if (const auto known = computations_.find(key); known != computations_.end()) return known->second.get();
    if (computations_.size() >= kMostComputations) computations_.clear();
    return computations_.emplace(key, make()).first->second.get();
}

} // namespace cgan::onednn
