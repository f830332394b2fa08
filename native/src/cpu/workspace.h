// Scratch memory of an operator call, charged to the context for as long as it lives.
#pragma once

#include <cstdlib>
#include <new>

#include "backend.h"

namespace cgan {

// `elems` elements of T, uninitialised, aligned to 256 bytes.
template <class T> class Workspace {
  public:
    Workspace(MemoryLedger& ledger, std::int64_t elems)
        : ledger_(ledger), bytes_((elems * static_cast<std::int64_t>(sizeof(T)) + 255) / 256 * 256) {
        ledger_.charge_workspace(bytes_);
        data_ = static_cast<T*>(std::aligned_alloc(256, static_cast<std::size_t>(bytes_ > 0 ? bytes_ : 256)));
        if (data_) return;
        ledger_.release_workspace(bytes_);
        throw std::bad_alloc();
    }
    ~Workspace() {
        std::free(data_);
        ledger_.release_workspace(bytes_);
    }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    T* data() { return data_; }
    T& operator[](std::int64_t i) { return data_[i]; }

  private:
    MemoryLedger& ledger_;
    const std::int64_t bytes_;
    T* data_ = nullptr;
};

} // namespace cgan
