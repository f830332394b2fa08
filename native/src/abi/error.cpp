#include "abi/error.h"

#include <cstdio>
#include <new>

#include "abi/text.h"

namespace cgan {

void ErrorText::set(const char* function, const char* message) noexcept {
    const std::lock_guard lock(mutex_);
    std::snprintf(text_, sizeof text_, "%s: %s", function, message);
}

std::int64_t ErrorText::copy(char* dst, std::int64_t cap) const noexcept {
    const std::lock_guard lock(mutex_);
    return copy_text(text_, dst, cap);
}

std::string ErrorText::text() const {
    const std::lock_guard lock(mutex_);
    return text_;
}

ErrorText& thread_error() noexcept {
    thread_local ErrorText text;
    return text;
}

namespace {

cgan_status fail(ErrorText* context, const char* function, cgan_status status, const char* message) noexcept {
    thread_error().set(function, message);
    if (context) context->set(function, message);
    return status;
}

} // namespace

cgan_status report_exception(ErrorText* context, const char* function) noexcept {
    try {
        throw;
    } catch (const Error& e) {
        return fail(context, function, e.status, e.what());
    } catch (const std::bad_alloc&) {
        return fail(context, function, CGAN_E_OUT_OF_HOST_MEMORY, "host memory is exhausted");
    } catch (const std::exception& e) {
        return fail(context, function, CGAN_E_INTERNAL, e.what());
    } catch (...) {
        return fail(context, function, CGAN_E_INTERNAL, "unknown C++ exception");
    }
}

} // namespace cgan
