#include "abi/context.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "abi/plugins.h"
#include "abi/text.h"
#include "cpu/cpu_backend.h"

namespace cgan {
namespace {

constexpr int kSerialShift = 40; // a context makes at most 2^40 - 1 handles, a process 2^24 - 1 contexts
constexpr std::uint64_t kMaxHandles = (std::uint64_t{1} << kSerialShift) - 1;
constexpr std::uint64_t kMaxContexts = (std::uint64_t{1} << (64 - kSerialShift)) - 1;

std::uint64_t number_of(const void* handle) { return reinterpret_cast<std::uintptr_t>(handle); }

struct Registry {
    std::mutex mutex;
    std::uint64_t made = 0;
    std::unordered_map<std::uint64_t, std::shared_ptr<Context>> live; // by serial number
};

// Never destroyed: threads of the host may still call when static objects die.
Registry& registry() {
    static auto* instance = new Registry;
    return *instance;
}

std::string join_options(const std::string& a, const std::string& b) {
    return a.empty() || b.empty() ? a + b : a + "&" + b;
}

// Whether a driver shows an NVIDIA GPU to this process: natively, under WSL, on a Jetson.
bool shows_nvidia_gpu() {
    for (const char* trace : {"/dev/nvidiactl", "/dev/dxg", "/dev/nvmap"}) {
        if (access(trace, F_OK) == 0) return true;
    }
    return false;
}

// The loader's words about a plugin that was never built say nothing to someone who has no GPU.
std::string why_no_gpu(const Error& e) {
    const bool built = !load_plugin("cuda").path.empty();
    if (built || shows_nvidia_gpu()) return cat("auto: cuda:0 declined: ", e.what());
    return "auto: cuda:0 declined: this machine shows no NVIDIA GPU";
}

std::unique_ptr<Backend> open_auto(const DeviceName& name, MemoryLedger& ledger, std::string& declined) {
    try {
        return open_plugin_device("cuda", 0, name.options, ledger);
    } catch (const Error& e) {
        declined = why_no_gpu(e);
    }
    try {
        return open_cpu(join_options(name.options, name.cpu_options), ledger);
    } catch (const Error& e) { // both reasons: the remedy may lie with either
        throw Error(e.status, cat(e.what(), " (", declined, ")"));
    }
}

std::unique_ptr<Backend> open_backend(const DeviceName& name, MemoryLedger& ledger, std::string& declined) {
    if (name.kind == "auto") return open_auto(name, ledger, declined);
    if (name.kind == "cpu") return open_cpu(name.options, ledger);
    return open_plugin_device(name.kind, name.index, name.options, ledger);
}

} // namespace

Context::Context(std::uint64_t serial, const DeviceName& name) : serial_(serial), name_(name) {
    stats_.struct_size = sizeof stats_;
    backend_ = open_backend(name, *this, declined_);
}

Context::~Context() {
    if (recording_) backend_->discard_recording();
    graphs_.clear();
    for (const auto& [number, buffer] : buffers_) release(buffer);
}

cgan_context* Context::handle() const {
    return reinterpret_cast<cgan_context*>(static_cast<std::uintptr_t>(serial_ << kSerialShift));
}

std::string Context::describe() const {
    std::string text = (name_.faulty ? "faulty: " : "") + backend_->describe();
    if (!declined_.empty()) text += "\n" + declined_;
    return text;
}

cgan_memory_stats Context::memory() const { return stats_; }

void Context::start_timer() {
    require_device();
    refuse_recording();
    backend_->timer_start();
    timing_ = true;
}

double Context::stop_timer() {
    if (!timing_) throw Error(CGAN_E_BAD_VALUE, "the timer does not run; call cgan_timer_start first");
    require_device();
    refuse_recording();
    timing_ = false;
    return backend_->timer_stop();
}

void Context::require_device() const {
    if (!lost_.empty()) throw Error(CGAN_E_DEVICE_LOST, "the device was lost before: " + lost_);
}

void Context::refuse_recording() const {
    if (recording_)
        throw Error(CGAN_E_UNSUPPORTED,
                    "this cannot be recorded; end the recording with cgan_graph_end first");
}

void Context::note_failure(cgan_status status) noexcept {
    try {
        if (status == CGAN_E_DEVICE_LOST && lost_.empty()) lost_ = error.text();
        if (in_call_ && recording_ && recording_->failure == CGAN_OK) {
            recording_->failure = status;
            recording_->reason = error.text();
        }
    } catch (const std::bad_alloc&) {
        // without the words
    }
}

void Context::count_call() {
    in_call_ = true;
    require_device();
    if (++stats_.calls == name_.fail_call) {
        throw Error(CGAN_E_INJECTED,
                    cat("call ", stats_.calls, " failed on request (device ", name_.text, ")"));
    }
}

void Context::charge_allocation(std::int64_t bytes) {
    if (++stats_.allocations == name_.fail_allocation) {
        throw Error(CGAN_E_INJECTED,
                    cat("allocation ", stats_.allocations, " failed on request (device ", name_.text, ")"));
    }
    const std::int64_t used = stats_.live_bytes + stats_.workspace_bytes;
    if (bytes > name_.memory_limit - used) {
        throw Error(CGAN_E_OUT_OF_DEVICE_MEMORY,
                    cat(bytes, " bytes exceed the limit memory=", name_.memory_limit, ": ", stats_.live_bytes,
                        " bytes are in buffers, ", stats_.workspace_bytes, " in workspace"));
    }
}

void Context::note_peak() {
    stats_.peak_bytes = std::max(stats_.peak_bytes, stats_.live_bytes + stats_.workspace_bytes);
}

void Context::charge_workspace(std::int64_t bytes) {
    charge_allocation(bytes);
    stats_.workspace_bytes += bytes;
    note_peak();
}

void Context::release_workspace(std::int64_t bytes) noexcept { stats_.workspace_bytes -= bytes; }

cgan_buffer* Context::create_buffer(std::int64_t bytes) {
    if (bytes < 0) throw Error(CGAN_E_BAD_VALUE, cat("bytes is ", bytes, ", must be at least 0"));
    require_device();
    charge_allocation(bytes);
    const std::uint64_t number = new_number();
    const auto entry = buffers_.try_emplace(number).first;
    try {
        if (bytes > 0) entry->second = {backend_->allocate(bytes), bytes, stats_.calls + 1, 0, ++contents_};
    } catch (...) {
        buffers_.erase(entry);
        throw;
    }
    stats_.live_buffers++;
    stats_.live_bytes += bytes;
    note_peak();
    return reinterpret_cast<cgan_buffer*>(static_cast<std::uintptr_t>(number));
}

void Context::destroy_buffer(const cgan_buffer* handle) {
    const Buffer buffer = find_buffer(handle, "buffer");
    release(buffer);
    buffers_.erase(number_of(handle));
    stats_.live_buffers--;
    stats_.live_bytes -= buffer.bytes;
}

// Memory goes back in the queue's order, so an upload to it has to come first.
void Context::release(const Buffer& buffer) noexcept {
    if (!buffer.data) return;
    try {
        await_upload(buffer);
    } catch (...) {
        // a device that cannot wait runs nothing any more
    }
    backend_->release(buffer.data, buffer.bytes);
}

std::uint64_t Context::new_number() {
    if (made_ == kMaxHandles) throw Error(CGAN_E_INTERNAL, "this context has no handles left");
    return serial_ << kSerialShift | ++made_;
}

Buffer& Context::find_buffer(const cgan_buffer* handle, const std::string& what) {
    require(handle, what.c_str());
    const auto entry = buffers_.find(number_of(handle));
    if (entry == buffers_.end()) reject(number_of(handle), what, graphs_.count(number_of(handle)), "buffer");
    return entry->second;
}

const Buffer& Context::use_buffer(const cgan_buffer* handle, const std::string& what, Access access) {
    Buffer& buffer = find_buffer(handle, what);
    await_upload(buffer);
    buffer.used = stats_.calls;
    if (access == Access::Write) buffer.content = ++contents_;
    if (recording_) recording_->buffers.push_back(number_of(handle));
    return buffer;
}

void Context::reject(std::uint64_t number, const std::string& what, bool other, const char* kind) const {
    const std::uint64_t owner = number >> kSerialShift, made = number & kMaxHandles;
    std::string fault = cat(" is not a ", kind);
    if (owner == serial_ && made >= 1 && made <= made_ && !other) {
        fault = " was destroyed before";
    } else if (owner != serial_ && made >= 1) {
        const std::lock_guard lock(registry().mutex);
        if (owner >= 1 && owner <= registry().made) fault = " belongs to another context";
    }
    throw Error(CGAN_E_BAD_HANDLE, what + fault);
}

// ---- uploads and graphs ----

void Context::await_upload(const Buffer& buffer) {
    if (buffer.upload <= awaited_uploads_) return;
    backend_->await_uploads();
    awaited_uploads_ = uploads_;
}

void Context::upload(const cgan_buffer* handle, char* dst, const void* src, std::int64_t bytes) {
    Buffer& buffer = find_buffer(handle, "buffer");
    buffer.upload = ++uploads_;
    buffer.content = ++contents_;
    backend_->upload(dst, src, bytes, buffer.used, stats_.calls);
}

void Context::begin_graph() {
    require_device();
    if (recording_)
        throw Error(CGAN_E_BAD_VALUE, "a recording is going on; end it with cgan_graph_end first");
    if (uploads_ > awaited_uploads_)
        backend_->await_uploads(); // a recorded call must not wait for what is not recorded
    awaited_uploads_ = uploads_;
    auto recording = std::make_unique<Open>();
    backend_->begin_recording();
    recording_ = std::move(recording);
}

cgan_graph* Context::end_graph(bool keep) {
    if (!recording_) throw Error(CGAN_E_BAD_VALUE, "nothing is being recorded; begin with cgan_graph_begin");
    const std::unique_ptr<Open> recorded = std::move(recording_);
    if (!keep || recorded->failure != CGAN_OK) {
        backend_->discard_recording();
        if (!keep) return nullptr;
        throw Error(recorded->failure, "a call of the recording failed: " + recorded->reason);
    }
    Graph graph{backend_->end_recording(), std::move(recorded->buffers)};
    std::sort(graph.buffers.begin(), graph.buffers.end());
    graph.buffers.erase(std::unique(graph.buffers.begin(), graph.buffers.end()), graph.buffers.end());
    require_buffers(graph.buffers);
    const std::uint64_t number = new_number();
    graphs_.emplace(number, std::move(graph));
    return reinterpret_cast<cgan_graph*>(static_cast<std::uintptr_t>(number));
}

void Context::require_buffers(const Numbers& numbers) const {
    for (const std::uint64_t number : numbers) {
        if (!buffers_.count(number))
            throw Error(CGAN_E_BAD_HANDLE, cat("buffer ", number & kMaxHandles,
                                               " of this context, which the graph uses, was destroyed"));
    }
}

std::unordered_map<std::uint64_t, Context::Graph>::iterator Context::find_graph(const cgan_graph* handle) {
    require(handle, "graph");
    const auto entry = graphs_.find(number_of(handle));
    if (entry == graphs_.end())
        reject(number_of(handle), "graph", buffers_.count(number_of(handle)), "graph");
    return entry;
}

void Context::launch_graph(const cgan_graph* handle) {
    refuse_recording();
    Graph& graph = find_graph(handle)->second;
    require_buffers(graph.buffers);
    for (const std::uint64_t number : graph.buffers) {
        Buffer& buffer = buffers_.at(number);
        await_upload(buffer);
        buffer.used = stats_.calls;
        buffer.content = ++contents_;
    }
    backend_->replay(*graph.work);
}

void Context::destroy_graph(const cgan_graph* handle) { graphs_.erase(find_graph(handle)); }

cgan_context* open_context(const DeviceName& name) {
    std::uint64_t serial = 0;
    {
        const std::lock_guard lock(registry().mutex);
        if (registry().made == kMaxContexts)
            throw Error(CGAN_E_INTERNAL, "this process has no context numbers left");
        serial = ++registry().made;
    }
    auto context = std::make_shared<Context>(serial, name);
    const std::lock_guard lock(registry().mutex);
    registry().live.emplace(serial, context);
    return context->handle();
}

std::shared_ptr<Context> forget_context(const cgan_context* handle) noexcept {
    if (number_of(handle) & kMaxHandles) return nullptr;
    const std::lock_guard lock(registry().mutex);
    const auto entry = registry().live.find(number_of(handle) >> kSerialShift);
    if (entry == registry().live.end()) return nullptr;
    std::shared_ptr<Context> context = std::move(entry->second);
    registry().live.erase(entry);
    return context;
}

std::shared_ptr<Context> find_context(const cgan_context* handle) {
    require(handle, "ctx");
    const std::uint64_t serial = number_of(handle) >> kSerialShift;
    const std::lock_guard lock(registry().mutex);
    const auto entry = registry().live.find(serial);
    if (entry != registry().live.end() && (number_of(handle) & kMaxHandles) == 0) return entry->second;
    const bool was_one = serial >= 1 && serial <= registry().made && (number_of(handle) & kMaxHandles) == 0;
    throw Error(CGAN_E_BAD_HANDLE, was_one ? "ctx was destroyed before" : "ctx is not a context");
}

void require(const void* pointer, const char* what) {
    if (!pointer) throw Error(CGAN_E_NULL_ARG, cat(what, " is NULL"));
}

} // namespace cgan

using namespace cgan;

cgan_status cgan_context_create(const char* device, cgan_context** out) {
    try {
        require(device, "device");
        require(out, "out");
        *out = nullptr;
        *out = open_context(parse_device_name(device));
        return CGAN_OK;
    } catch (...) {
        return report_exception(nullptr, "context_create");
    }
}

void cgan_context_destroy(cgan_context* ctx) {
    const std::shared_ptr<Context> context = forget_context(ctx);
    if (!context) return;
    const std::lock_guard lock(context->mutex); // waits for a call that is still running
}

std::int64_t cgan_context_describe(cgan_context* ctx, char* dst, std::int64_t cap) {
    std::int64_t length = copy_text("", dst, cap);
    guard(ctx, "context_describe",
          [&](Context& context) { length = copy_text(context.describe().c_str(), dst, cap); });
    return length;
}

cgan_status cgan_context_synchronize(cgan_context* ctx) {
    return guard(ctx, "context_synchronize", [](Context& context) {
        context.require_device();
        context.refuse_recording();
        context.backend().synchronize();
    });
}

cgan_status cgan_context_keep_plan(cgan_context* ctx, const char* path) {
    return guard(ctx, "context_keep_plan", [&](Context& context) {
        require(path, "path");
        if (!*path) throw Error(CGAN_E_BAD_VALUE, "path is empty");
        context.backend().keep_plan(path);
    });
}

cgan_status cgan_timer_start(cgan_context* ctx) {
    return guard(ctx, "timer_start", [](Context& context) { context.start_timer(); });
}

cgan_status cgan_timer_stop(cgan_context* ctx, double* out_seconds) {
    return guard(ctx, "timer_stop", [&](Context& context) {
        require(out_seconds, "out_seconds");
        *out_seconds = context.stop_timer();
    });
}

cgan_status cgan_context_memory(cgan_context* ctx, cgan_memory_stats* out) {
    return guard(ctx, "context_memory", [&](Context& context) {
        require(out, "out");
        std::uint32_t size = 0;
        std::memcpy(&size, out, sizeof size);
        if (size < sizeof size) {
            throw Error(CGAN_E_STRUCT_SIZE,
                        cat("out.struct_size is ", size, "; set it to sizeof(cgan_memory_stats)"));
        }
        cgan_memory_stats stats = context.memory();
        stats.struct_size = size;
        std::memcpy(out, &stats, std::min<std::size_t>(size, sizeof stats));
    });
}

std::int64_t cgan_last_error(const cgan_context* ctx, char* dst, std::int64_t cap) {
    try {
        if (ctx) return find_context(ctx)->error.copy(dst, cap);
    } catch (...) {
        // not a live context: the thread's text holds what was said to this thread
    }
    return thread_error().copy(dst, cap);
}
