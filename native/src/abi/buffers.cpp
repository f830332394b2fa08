// Buffers: making, freeing, and copies between them and the host.
#include "abi/arguments.h"

using namespace cgan;

namespace {

// The address of `bytes` bytes from `offset`. Throws CGAN_E_OUT_OF_BOUNDS.
char* checked_range(const Buffer& buffer, std::int64_t offset, std::int64_t bytes) {
    if (offset < 0 || bytes < 0 || offset > buffer.bytes || bytes > buffer.bytes - offset) {
        throw Error(CGAN_E_OUT_OF_BOUNDS, cat(bytes, " bytes from offset ", offset,
                                              " are not inside the buffer of ", buffer.bytes));
    }
    return static_cast<char*>(buffer.data) + offset;
}

} // namespace

cgan_status cgan_buffer_create(cgan_context* ctx, std::int64_t bytes, cgan_buffer** out) {
    return guard(ctx, "buffer_create", [&](Context& context) {
        require(out, "out");
        *out = nullptr;
        *out = context.create_buffer(bytes);
    });
}

cgan_status cgan_buffer_destroy(cgan_context* ctx, cgan_buffer* buffer) {
    return guard(ctx, "buffer_destroy", [&](Context& context) {
        if (buffer) context.destroy_buffer(buffer);
    });
}

cgan_status cgan_buffer_write(cgan_context* ctx, cgan_buffer* buffer, std::int64_t offset_bytes,
                              const void* src, std::int64_t bytes) {
    return guard(ctx, "buffer_write", [&](Context& context) {
        context.count_call();
        context.refuse_recording();
        const Buffer& target = context.use_buffer(buffer, "buffer");
        char* dst = checked_range(target, offset_bytes, bytes);
        if (bytes == 0) return;
        require(src, "src");
        context.backend().write(dst, src, bytes);
    });
}

cgan_status cgan_buffer_read(cgan_context* ctx, cgan_buffer* buffer, std::int64_t offset_bytes, void* dst,
                             std::int64_t bytes) {
    return guard(ctx, "buffer_read", [&](Context& context) {
        context.count_call();
        context.refuse_recording();
        const Buffer& source = context.use_buffer(buffer, "buffer", Access::Read);
        const char* src = checked_range(source, offset_bytes, bytes);
        if (bytes == 0) return;
        require(dst, "dst");
        context.backend().read(dst, src, bytes);
    });
}

cgan_status cgan_buffer_upload(cgan_context* ctx, cgan_buffer* buffer, std::int64_t offset_bytes,
                               const void* src, std::int64_t bytes) {
    return guard(ctx, "buffer_upload", [&](Context& context) {
        context.count_call();
        context.refuse_recording();
        char* dst = checked_range(context.buffer(buffer), offset_bytes, bytes);
        if (bytes == 0) return;
        require(src, "src");
        context.upload(buffer, dst, src, bytes);
    });
}
