// A context for tests, through cgan.h alone.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "cgan.h"

namespace cgan::test {

std::string last_error(const cgan_context* ctx = nullptr);

// The text of a function that copies text out, e.g. cgan_version.
template <class F> std::string text_of(F&& copy) {
    std::string text(static_cast<std::size_t>(copy(nullptr, 0)), '\0');
    copy(text.data(), static_cast<std::int64_t>(text.size()) + 1);
    return text;
}

std::int64_t element_size(std::int32_t dtype);
std::int64_t element_count(const std::vector<std::int64_t>& dims);

// A parameter structure with its size filled in.
template <class P> P sized() {
    P params{};
    params.struct_size = sizeof params;
    return params;
}

// Owns a context; throws std::runtime_error with the library's text if it cannot be opened.
class Session {
  public:
    explicit Session(const std::string& device);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    operator cgan_context*() const { return ctx_; }
    cgan_context* get() const { return ctx_; }

    // A tensor in a buffer of its own; the buffer lives as long as the session unless it is destroyed.
    cgan_tensor tensor(std::int32_t dtype, const std::vector<std::int64_t>& dims) const;
    template <class T> cgan_tensor tensor(std::int32_t dtype, const std::vector<std::int64_t>& dims,
                                          const std::vector<T>& values) const {
        const cgan_tensor t = tensor(dtype, dims);
        write(t, values.data(), static_cast<std::int64_t>(values.size() * sizeof(T)));
        return t;
    }
    cgan_tensor floats(const std::vector<std::int64_t>& dims, const std::vector<float>& values) const {
        return tensor(CGAN_F32, dims, values);
    }
    cgan_tensor doubles(const std::vector<std::int64_t>& dims, const std::vector<double>& values) const {
        return tensor(CGAN_F64, dims, values);
    }

    void write(const cgan_tensor& t, const void* src, std::int64_t bytes) const;
    template <class T> std::vector<T> read(const cgan_tensor& t) const {
        const std::vector<std::int64_t> dims(t.dims, t.dims + t.rank);
        std::vector<T> values(static_cast<std::size_t>(element_count(dims)));
        read(t, values.data(), static_cast<std::int64_t>(values.size() * sizeof(T)));
        return values;
    }
    std::vector<float> read_floats(const cgan_tensor& t) const { return read<float>(t); }
    std::vector<double> read_doubles(const cgan_tensor& t) const { return read<double>(t); }

    cgan_memory_stats memory() const;

  private:
    void read(const cgan_tensor& t, void* dst, std::int64_t bytes) const;

    cgan_context* ctx_ = nullptr;
};

// A descriptor with its size filled in.
cgan_tensor describe(std::int32_t dtype, const std::vector<std::int64_t>& dims, cgan_buffer* buffer,
                     std::int64_t offset_bytes = 0);

} // namespace cgan::test

// The call succeeds, or the failure shows the library's text.
#define ASSERT_CGAN_OK(call) ASSERT_EQ(CGAN_OK, (call)) << ::cgan::test::last_error()
#define EXPECT_CGAN_OK(call) EXPECT_EQ(CGAN_OK, (call)) << ::cgan::test::last_error()

// The call fails with this status and exactly this text.
#define EXPECT_CGAN_FAILS(status, message, call)                                                             \
    do {                                                                                                     \
        EXPECT_EQ((status), (call));                                                                         \
        EXPECT_EQ((message), ::cgan::test::last_error());                                                    \
    } while (false)
