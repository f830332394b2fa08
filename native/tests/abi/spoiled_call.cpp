#include "abi/spoiled_call.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "support/session.h"

namespace cgan::test {
namespace {

constexpr std::size_t kListTail = 16384; // zeros, where the walk over a list of wrong strides ends

std::size_t pick(std::mt19937& random, std::size_t count) { return random() % count; }

template <class T> void put(Bytes& to, std::size_t at, T value) {
    std::memcpy(to.data() + at, &value, sizeof value);
}

double odd_real(std::mt19937& random) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double values[] = {0,
                             -0.0,
                             1,
                             -1,
                             0.5,
                             2,
                             1e-300,
                             1e300,
                             1e39,
                             -1e39,
                             infinity,
                             -infinity,
                             std::numeric_limits<double>::quiet_NaN(),
                             2147483648.0,
                             -2147483649.0,
                             1e19};
    return values[pick(random, std::size(values))];
}

Bytes content_of(const CallArgument& argument, std::int64_t elems, std::mt19937& random) {
    const std::int32_t dtype = argument.dtype();
    const auto size = static_cast<std::size_t>(element_size(dtype));
    Bytes bytes(static_cast<std::size_t>(elems) * size + 2 * kMargin, std::byte{0xa5});
    for (std::size_t i = 0; i < static_cast<std::size_t>(elems); i++) {
        const std::size_t at = kMargin + i * size;
        const float unit = static_cast<float>(random() >> 8) * 0x1p-24f;
        const int index =
            argument.limit > 0 ? static_cast<int>(pick(random, static_cast<std::size_t>(argument.limit))) : 0;
        if (dtype == CGAN_F64) put(bytes, at, i == 0 ? 0.01 : 3.0);
        if (dtype == CGAN_F32)
            put(bytes, at, argument.content == Content::Positive ? unit + 0.5f : 2 * unit - 1);
        if (dtype == CGAN_I32) put(bytes, at, index);
        if (dtype == CGAN_I64) put(bytes, at, std::int64_t{5});
        if (dtype == CGAN_U8) put(bytes, at, static_cast<std::uint8_t>(index));
    }
    return bytes;
}

// ---- what may be spoiled ----

struct Spoiling {
    SpoiledCall& call;
    const std::vector<Place>& places;
    const StrangeHandles& strange;
    std::mt19937& random;

    std::size_t pick(std::size_t count) const { return test::pick(random, count); }
    void say(const std::string& text) const { call.said += (call.said.empty() ? "" : "; ") + text; }

    std::size_t any_argument() const { return pick(call.tensors.size()); }
    cgan_tensor& any_tensor(std::string& name) const {
        const std::size_t i = any_argument(), item = pick(call.tensors[i].size());
        name =
            call.op->arguments[i].name + (call.op->arguments[i].list ? "[" + std::to_string(item) + "]" : "");
        return call.tensors[i][item];
    }

    void context() const {
        cgan_context* const others[] = {nullptr,
                                        strange.dead_context,
                                        strange.other_context,
                                        reinterpret_cast<cgan_context*>(1),
                                        reinterpret_cast<cgan_context*>(places[0].buffer),
                                        reinterpret_cast<cgan_context*>(UINTPTR_MAX)};
        const std::size_t i = pick(std::size(others));
        call.context = others[i];
        say("context " + std::to_string(i));
    }

    void pointer() const {
        const std::size_t i = pick(call.tensors.size() + 1);
        if (i < call.tensors.size()) {
            call.null[i] = true;
            say(call.op->arguments[i].name + " = NULL");
        } else if (!call.op->by_value && !call.params.empty()) {
            call.no_params = true;
            say("params = NULL");
        }
    }

    void handle() const {
        std::string name;
        cgan_tensor& t = any_tensor(name);
        cgan_buffer* const others[] = {nullptr,
                                       strange.dead_buffer,
                                       strange.other_buffer,
                                       reinterpret_cast<cgan_buffer*>(call.context),
                                       reinterpret_cast<cgan_buffer*>(7),
                                       places[pick(places.size())].buffer};
        const std::size_t i = pick(std::size(others));
        t.buffer = others[i];
        say(name + ".buffer " + std::to_string(i));
    }

    void dimension() const {
        std::string name;
        cgan_tensor& t = any_tensor(name);
        const std::size_t axis = pick(8);
        t.dims[axis] =
            pick(2) ? odd_integer(random) : t.dims[axis] + 1 - 2 * static_cast<std::int64_t>(pick(2));
        say(name + ".dims[" + std::to_string(axis) + "] = " + std::to_string(t.dims[axis]));
    }

    // The same size in all tensors, so that the call may still be right.
    void size() const {
        std::string name;
        const cgan_tensor& model = any_tensor(name);
        if (model.rank < 1 || model.rank > CGAN_MAX_RANK) return;
        const std::int64_t from = model.dims[pick(static_cast<std::size_t>(model.rank))];
        const std::int64_t sizes[] = {0, 1, 2, from - 1, from + 1, 2 * from, std::int64_t{1} << 33};
        const std::int64_t to = sizes[pick(std::size(sizes))];
        for (auto& list : call.tensors)
            for (cgan_tensor& t : list)
                std::replace(t.dims, t.dims + std::clamp(t.rank, 0, CGAN_MAX_RANK), from, to);
        say("size " + std::to_string(from) + " is " + std::to_string(to) + " everywhere");
    }

    void field() const {
        std::string name;
        cgan_tensor& t = any_tensor(name);
        const std::int64_t value = odd_integer(random);
        const std::size_t which = pick(5);
        if (which == 0) t.rank = static_cast<std::int32_t>(value);
        if (which == 1) t.rank += pick(2) ? 1 : -1;
        if (which == 2)
            t.dtype = static_cast<std::int32_t>(pick(2) ? value : static_cast<std::int64_t>(pick(6)));
        if (which == 3)
            t.offset_bytes = pick(2) ? value : t.offset_bytes + 4 * static_cast<std::int64_t>(pick(40)) - 80;
        if (which == 4) t.struct_size = static_cast<std::uint32_t>(value);
        say(name + ": rank " + std::to_string(t.rank) + ", dtype " + std::to_string(t.dtype) + ", offset " +
            std::to_string(t.offset_bytes) + ", struct_size " + std::to_string(t.struct_size));
    }

    void parameter() const {
        if (call.params.empty()) return;
        const bool real = pick(3) == 0 && call.params.size() >= 8;
        const std::size_t width = real ? 8 : 4, at = pick(call.params.size() / width) * width;
        if (real) {
            const double value = odd_real(random);
            put(call.params, at, value);
            say("params + " + std::to_string(at) + " = " + std::to_string(value));
        } else {
            const auto value = static_cast<std::int32_t>(odd_integer(random));
            put(call.params, at, value);
            say("params + " + std::to_string(at) + " = " + std::to_string(value));
        }
    }

    void count() const {
        call.count = static_cast<std::int32_t>(odd_integer(random));
        say("count = " + std::to_string(call.count));
    }

    void exchange() const {
        const std::size_t a = any_argument(), b = any_argument();
        const bool both = pick(2);
        if (both) {
            std::swap(call.tensors[a], call.tensors[b]);
        } else {
            call.tensors[a] = call.tensors[b];
        }
        say(call.op->arguments[a].name + (both ? " <-> " : " = ") + call.op->arguments[b].name);
    }

    void content() const {
        const std::size_t i = pick(places.size());
        const std::size_t kind = pick(4);
        for (std::int64_t at = 0; at < places[i].bytes; at++) {
            const std::byte values[] = {std::byte{0xff}, std::byte{0}, static_cast<std::byte>(random()),
                                        static_cast<std::byte>(random() % 12)};
            call.contents[i][static_cast<std::size_t>(kMargin + at)] = values[kind];
        }
        say("content " + std::to_string(kind) + " of " + call.op->arguments[places[i].argument].name);
    }
};

} // namespace

std::int64_t odd_integer(std::mt19937& random) {
    const std::int64_t values[] = {INT64_MIN,
                                   -(std::int64_t{1} << 32),
                                   INT32_MIN,
                                   -65536,
                                   -2,
                                   -1,
                                   0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   5,
                                   6,
                                   7,
                                   8,
                                   9,
                                   12,
                                   16,
                                   31,
                                   64,
                                   255,
                                   256,
                                   257,
                                   4096,
                                   65536,
                                   INT32_MAX - 1,
                                   INT32_MAX,
                                   std::int64_t{1} << 31,
                                   std::int64_t{1} << 32,
                                   std::int64_t{1} << 40,
                                   std::int64_t{1} << 61,
                                   std::int64_t{1} << 62,
                                   INT64_MAX};
    return values[pick(random, std::size(values))];
}

SpoiledCall valid_call(const OperatorCall& op, cgan_context* context, const std::vector<Place>& places) {
    SpoiledCall call;
    call.op = &op;
    call.context = context;
    call.params = op.params;
    call.count = 3;
    call.null.assign(op.arguments.size(), false);
    call.tensors.resize(op.arguments.size());
    std::mt19937 random(1);
    for (const Place& place : places) {
        const CallArgument& argument = op.arguments[place.argument];
        const std::int32_t dtype = argument.dtype();
        call.tensors[place.argument].push_back(
            describe(dtype, argument.dims[place.item], place.buffer, kMargin));
        call.contents.push_back(content_of(argument, place.bytes / element_size(dtype), random));
    }
    return call;
}

void spoil(SpoiledCall& call, const std::vector<Place>& places, const StrangeHandles& strange,
           std::mt19937& random) {
    const Spoiling s{call, places, strange, random};
    using Step = void (Spoiling::*)() const;
    const Step steps[] = {
        &Spoiling::context,   &Spoiling::pointer,   &Spoiling::handle,    &Spoiling::dimension,
        &Spoiling::dimension, &Spoiling::size,      &Spoiling::size,      &Spoiling::field,
        &Spoiling::field,     &Spoiling::parameter, &Spoiling::parameter, &Spoiling::parameter,
        &Spoiling::count,     &Spoiling::exchange,  &Spoiling::content,   &Spoiling::content};
    (s.*steps[pick(random, std::size(steps))])();
}

// As much memory as the structures say that they have, so that a sanitizer sees what reads beyond.
Bytes SpoiledCall::memory_of(std::size_t argument) const {
    const std::vector<cgan_tensor>& from = tensors[argument];
    const std::size_t bytes = from.size() * sizeof(cgan_tensor);
    const bool one = !op->arguments[argument].list && from.size() == 1;
    Bytes memory(one ? std::clamp<std::size_t>(from[0].struct_size, 4, bytes) : bytes + kListTail);
    std::memcpy(memory.data(), from.data(), std::min(bytes, memory.size()));
    return memory;
}

cgan_status SpoiledCall::run() const {
    std::vector<Bytes> memory;
    std::vector<const cgan_tensor*> pointers;
    for (std::size_t i = 0; i < tensors.size(); i++) memory.push_back(memory_of(i));
    for (std::size_t i = 0; i < tensors.size(); i++)
        pointers.push_back(null[i] ? nullptr : reinterpret_cast<const cgan_tensor*>(memory[i].data()));
    Bytes p = params;
    std::uint32_t size = 0;
    if (!p.empty() && !op->by_value) {
        std::memcpy(&size, p.data(), sizeof size);
        p.resize(std::clamp<std::size_t>(size, sizeof size, p.size()));
        p.shrink_to_fit();
    }
    return op->run(context, no_params ? nullptr : p.data(), pointers.data(), count);
}

std::vector<cgan_tensor> SpoiledCall::written() const {
    std::vector<cgan_tensor> found;
    for (std::size_t i = 0; i < tensors.size(); i++) {
        if (!op->arguments[i].written || null[i]) continue;
        const Bytes memory = memory_of(i);
        std::size_t at = 0;
        for (std::int32_t item = 0; item < (op->arguments[i].list ? count : 1); item++) {
            cgan_tensor t{};
            std::memcpy(&t, memory.data() + at, std::min(sizeof t, memory.size() - at));
            at += t.struct_size;
            if (t.struct_size < sizeof t)
                std::memset(reinterpret_cast<char*>(&t) + t.struct_size, 0, sizeof t - t.struct_size);
            found.push_back(t);
        }
    }
    return found;
}

} // namespace cgan::test
