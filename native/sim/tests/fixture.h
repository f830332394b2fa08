// The CUDA backend on the simulator, for tests that need more than cgan.h shows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../src/control.h"
#include "backend.h"

extern "C" const cgan::BackendPlugin cgan_backend_plugin;

namespace cgan::sim_test {

struct Ledger : MemoryLedger {
    std::int64_t bytes = 0;
    void charge_workspace(std::int64_t n) override { bytes += n; }
    void release_workspace(std::int64_t n) noexcept override { bytes -= n; }
};

// A device block that frees itself.
class Block {
  public:
    Block(Backend& backend, std::vector<std::int64_t> dims, DType dtype = DType::F32) : backend_(backend) {
        view.dtype = dtype;
        view.rank = std::int32_t(dims.size());
        for (std::size_t i = 0; i < dims.size(); i++) view.dims[i] = dims[i];
        bytes_ = view.elems() * (dtype == DType::F64 || dtype == DType::I64 ? 8 : 4);
        view.data = backend.allocate(bytes_);
    }
    Block(Backend& backend, std::vector<std::int64_t> dims, const std::vector<float>& values)
        : Block(backend, std::move(dims)) {
        backend.write(view.data, values.data(), bytes_);
    }
    ~Block() { backend_.release(view.data, bytes_); }
    Block(const Block&) = delete;

    std::vector<float> read() const {
        std::vector<float> values(std::size_t(view.elems()));
        backend_.read(values.data(), view.data, bytes_);
        return values;
    }

    View view;

  private:
    Backend& backend_;
    std::int64_t bytes_;
};

inline std::vector<float> draw(std::size_t n, unsigned seed, bool whole = false) {
    std::mt19937 random(seed);
    std::vector<float> values(n);
    for (float& v : values)
        v = whole ? float(int(random() % 9) - 4) : float(random()) / float(random.max()) * 2 - 1;
    return values;
}

class BackendTest : public testing::Test {
  protected:
    void SetUp() override {
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
    }
    void TearDown() override {
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
        EXPECT_EQ(cgan_sim::live_allocations(), 0);
        EXPECT_EQ(cgan_sim::live_vendor_objects(), 0);
        EXPECT_EQ(ledger.bytes, 0);
    }
    std::unique_ptr<Backend> open(const char* options = "") {
        return std::unique_ptr<Backend>(cgan_backend_plugin.open(0, options, ledger));
    }

    Ledger ledger;
};

template <class Body> std::string error_of(cgan_status status, Body&& body) {
    try {
        body();
    } catch (const Error& e) {
        EXPECT_EQ(e.status, status) << e.what();
        return e.what();
    }
    ADD_FAILURE() << "no error";
    return "";
}

} // namespace cgan::sim_test
