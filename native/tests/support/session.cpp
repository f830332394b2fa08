#include "support/session.h"

#include <algorithm>
#include <stdexcept>

namespace cgan::test {

std::string last_error(const cgan_context* ctx) {
    return text_of([&](char* dst, std::int64_t cap) { return cgan_last_error(ctx, dst, cap); });
}

std::int64_t element_size(std::int32_t dtype) {
    switch (dtype) {
    case CGAN_F32:
    case CGAN_I32:
        return 4;
    case CGAN_F64:
    case CGAN_I64:
        return 8;
    default:
        return 1;
    }
}

std::int64_t element_count(const std::vector<std::int64_t>& dims) {
    std::int64_t n = 1;
    for (const std::int64_t dim : dims) n *= dim;
    return n;
}

cgan_tensor describe(std::int32_t dtype, const std::vector<std::int64_t>& dims, cgan_buffer* buffer,
                     std::int64_t offset_bytes) {
    auto t = sized<cgan_tensor>();
    t.dtype = dtype;
    t.rank = static_cast<std::int32_t>(dims.size());
    t.buffer = buffer;
    t.offset_bytes = offset_bytes;
    std::copy(dims.begin(), dims.end(), t.dims);
    return t;
}

namespace {

void check(cgan_status status) {
    if (status != CGAN_OK) throw std::runtime_error(last_error());
}

} // namespace

Session::Session(const std::string& device) { check(cgan_context_create(device.c_str(), &ctx_)); }

Session::~Session() { cgan_context_destroy(ctx_); }

cgan_tensor Session::tensor(std::int32_t dtype, const std::vector<std::int64_t>& dims) const {
    cgan_buffer* buffer = nullptr;
    check(cgan_buffer_create(ctx_, element_count(dims) * element_size(dtype), &buffer));
    return describe(dtype, dims, buffer);
}

void Session::write(const cgan_tensor& t, const void* src, std::int64_t bytes) const {
    check(cgan_buffer_write(ctx_, t.buffer, t.offset_bytes, src, bytes));
}

void Session::read(const cgan_tensor& t, void* dst, std::int64_t bytes) const {
    check(cgan_buffer_read(ctx_, t.buffer, t.offset_bytes, dst, bytes));
}

cgan_memory_stats Session::memory() const {
    auto stats = sized<cgan_memory_stats>();
    check(cgan_context_memory(ctx_, &stats));
    return stats;
}

} // namespace cgan::test
