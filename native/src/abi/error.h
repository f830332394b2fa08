// The exception firewall of the ABI and the text of the last failure, per thread and per context.
#pragma once

#include <cstddef>
#include <mutex>

#include "backend.h"

namespace cgan {

// A line of text that can be written without allocating. Longer messages are cut.
class ErrorText {
  public:
    void set(const char* function, const char* message) noexcept;
    std::string text() const;
    std::int64_t copy(char* dst, std::int64_t cap) const noexcept;

  private:
    mutable std::mutex mutex_; // a context's text is read while another thread is inside a call
    char text_[2048] = {};
};

ErrorText& thread_error() noexcept;

// Turns the exception in flight into a status and records its text for this thread and, if not null, in
// `context`.
cgan_status report_exception(ErrorText* context, const char* function) noexcept;

} // namespace cgan
