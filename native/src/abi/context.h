// What stands behind a cgan_context, and the frame of every exported function that takes one.
//
// Handles are numbers, never addresses: a context's serial number in the upper bits, a buffer's in the lower
// ones. No number is used twice, so a handle that was destroyed, that belongs to another context or that is
// no handle at all is recognised without reading memory through it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "abi/device_name.h"
#include "abi/error.h"
#include "backend.h"

namespace cgan {

struct Buffer {
    void* data = nullptr; // null if bytes is 0
    std::int64_t bytes = 0;
    std::int64_t used =
        0; // the number of the last call that queued work on it, or that came after its making
    std::int64_t upload = 0; // the number of the last upload to it
    std::uint64_t content = 0; // never the same again after a write, in any buffer of the context
};

enum class Access { Read, Write };

// An open device: the backend, its buffers and graphs, the memory account and the failures that a test asked for. All
// members but `error` and `mutex` are used by the thread that holds `mutex`.
class Context final : public MemoryLedger {
  public:
    Context(std::uint64_t serial, const DeviceName& name);
    ~Context() override;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    std::mutex mutex;
    ErrorText error;

    cgan_context* handle() const;
    Backend& backend() { return *backend_; }
    std::string describe() const;
    cgan_memory_stats memory() const;

    void start_timer();
    double stop_timer(); // waits; throws CGAN_E_BAD_VALUE unless it runs

    // Begins what one exported function does.
    void begin() { in_call_ = false; }
    // Counts an operator call. Throws CGAN_E_INJECTED if this is the one that shall fail, CGAN_E_DEVICE_LOST if the
    // device was lost before.
    void count_call();
    // Throws CGAN_E_DEVICE_LOST if it was.
    void require_device() const;
    // Throws CGAN_E_UNSUPPORTED while operators are recorded.
    void refuse_recording() const;
    // What a failure means for later calls. The text of `error` is that of the failure.
    void note_failure(cgan_status status) noexcept;

    cgan_buffer* create_buffer(std::int64_t bytes);
    void destroy_buffer(const cgan_buffer* handle);
    // The buffer, for the call in progress to queue work on. `what` names the argument in the message of
    // CGAN_E_BAD_HANDLE, e.g. "src.buffer". What is not said to be read counts as written.
    const Buffer& use_buffer(const cgan_buffer* handle, const std::string& what,
                             Access access = Access::Write);
    // Neither marks it as used nor waits for uploads.
    const Buffer& buffer(const cgan_buffer* handle) { return find_buffer(handle, "buffer"); }
    // Copies to dst, inside the buffer, beside the queue; see Backend::upload.
    void upload(const cgan_buffer* handle, char* dst, const void* src, std::int64_t bytes);

    void begin_graph();
    // The graph's handle; null if `keep` is false, and the recording is forgotten.
    cgan_graph* end_graph(bool keep);
    void launch_graph(const cgan_graph* handle);
    void destroy_graph(const cgan_graph* handle);

    void charge_workspace(std::int64_t bytes) override;
    void release_workspace(std::int64_t bytes) noexcept override;

  private:
    using Numbers = std::vector<std::uint64_t>; // of buffers

    struct Graph {
        std::unique_ptr<Recording> work;
        Numbers buffers;
    };

    // What is being recorded.
    struct Open {
        Numbers buffers;
        cgan_status failure = CGAN_OK; // of the first call that failed
        std::string reason;
    };

    Buffer& find_buffer(const cgan_buffer* handle, const std::string& what);
    void await_upload(const Buffer& buffer);
    void require_buffers(const Numbers& numbers) const;
    std::unordered_map<std::uint64_t, Graph>::iterator find_graph(const cgan_graph* handle);
    void charge_allocation(std::int64_t bytes);
    void note_peak();
    std::uint64_t new_number();
    void release(const Buffer& buffer) noexcept;
    [[noreturn]] void reject(std::uint64_t number, const std::string& what, bool other,
                             const char* kind) const;

    const std::uint64_t serial_;
    const DeviceName name_;
    std::string declined_;   // lines: why `auto` passed over other devices
    std::string lost_;       // what was said when the device was lost
    std::uint64_t made_ = 0; // buffers and graphs
    std::int64_t uploads_ = 0, awaited_uploads_ = 0;
    std::uint64_t contents_ = 0; // the last that was given to a buffer
    bool in_call_ = false; // the call in progress is an operator
    std::unordered_map<std::uint64_t, Buffer> buffers_;
    cgan_memory_stats stats_{};
    bool timing_ = false;
    std::unique_ptr<Backend> backend_; // after all that its destructor uses: it may still release workspace
    std::unique_ptr<Open> recording_;  // null: calls run
    std::unordered_map<std::uint64_t, Graph> graphs_;
};

// Opens `name` and makes its handle known.
cgan_context* open_context(const DeviceName& name);

// Makes the handle unknown and returns what stood behind it; null if it is no live context.
std::shared_ptr<Context> forget_context(const cgan_context* handle) noexcept;

// Throws CGAN_E_NULL_ARG or CGAN_E_BAD_HANDLE.
std::shared_ptr<Context> find_context(const cgan_context* handle);

// Throws CGAN_E_NULL_ARG if the pointer is null.
void require(const void* pointer, const char* what);

// Runs `body(Context&)` for an exported function: finds and locks the context, turns exceptions into a status
// and text.
template <class Body>
cgan_status guard(const cgan_context* handle, const char* function, Body&& body) noexcept {
    try {
        const std::shared_ptr<Context> context = find_context(handle);
        const std::lock_guard lock(context->mutex);
        context->begin();
        try {
            body(*context);
            return CGAN_OK;
        } catch (...) {
            const cgan_status status = report_exception(&context->error, function);
            context->note_failure(status);
            return status;
        }
    } catch (...) {
        return report_exception(nullptr, function);
    }
}

} // namespace cgan
