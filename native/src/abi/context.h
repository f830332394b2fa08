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

#include "abi/device_name.h"
#include "abi/error.h"
#include "backend.h"

namespace cgan {

struct Buffer {
    void* data = nullptr; // null if bytes is 0
    std::int64_t bytes = 0;
};

// An open device: the backend, its buffers, the memory account and the failures that a test asked for. All
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

    // Counts an operator call. Throws CGAN_E_INJECTED if this is the one that shall fail.
    void count_call();

    cgan_buffer* create_buffer(std::int64_t bytes);
    void destroy_buffer(const cgan_buffer* handle);
    // `what` names the argument in the message of CGAN_E_BAD_HANDLE, e.g. "src.buffer".
    const Buffer& buffer(const cgan_buffer* handle, const std::string& what) const;

    void charge_workspace(std::int64_t bytes) override;
    void release_workspace(std::int64_t bytes) noexcept override;

  private:
    void charge_allocation(std::int64_t bytes);
    void note_peak();
    [[noreturn]] void reject_buffer(std::uint64_t number, const std::string& what) const;

    const std::uint64_t serial_;
    const DeviceName name_;
    std::string declined_; // lines: why `auto` passed over other devices
    std::uint64_t buffers_made_ = 0;
    std::unordered_map<std::uint64_t, Buffer> buffers_;
    cgan_memory_stats stats_{};
    bool timing_ = false;
    std::unique_ptr<Backend> backend_; // last: its destructor may still release workspace
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
    std::shared_ptr<Context> context;
    try {
        context = find_context(handle);
        const std::lock_guard lock(context->mutex);
        body(*context);
        return CGAN_OK;
    } catch (...) {
        return report_exception(context ? &context->error : nullptr, function);
    }
}

} // namespace cgan
