// What a fast operator runs on: threads, kernels, scratch memory, and what it may do.
#pragma once

#include <cstdint>
#include <vector>

#include "backend.h"
#include "cpu/fast/held_spectra.h"
#include "cpu/fast/kernels.h"
#include "cpu/fast/store_trial.h"
#include "cpu/thread_pool.h"

namespace cgan::fast {

// Scratch memory that is taken within a Frame and given back with it, like a stack. The blocks stay with the
// context, so the memory is flat once each operator has run: what several blocks served is one block the next
// time. Charged to the context's ledger; after failure of an allocation nothing is held that was not held
// before.
class Scratch {
  public:
    explicit Scratch(MemoryLedger& ledger) : ledger_(ledger) {}
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    class Frame {
      public:
        explicit Frame(Scratch& scratch);
        ~Frame();
        Frame(const Frame&) = delete;
        Frame& operator=(const Frame&) = delete;

      private:
        Scratch& scratch_;
        const std::size_t block_;
        const std::int64_t used_;
    };

    // n elements of T, uninitialised, 64-byte aligned, until the innermost frame ends. Not for use by two
    // threads at once.
    template <class T> T* take(std::int64_t n) {
        return static_cast<T*>(take_bytes(n * static_cast<std::int64_t>(sizeof(T))));
    }

  private:
    struct Block {
        char* data;
        std::int64_t bytes;
    };

    void* take_bytes(std::int64_t bytes);
    void add_block(std::int64_t bytes);
    void free_blocks();

    MemoryLedger& ledger_;
    std::vector<Block> blocks_;
    std::size_t current_ = 0; // block that serves the next request
    std::int64_t used_ = 0;   // bytes taken of it
    std::int64_t wanted_ = 0; // what all blocks together came to
    int depth_ = 0;
};

struct Machine {
    ThreadPool& pool;
    const Kernels& kernels;
    Scratch& scratch;
    StoreTrials& store_trials;
    HeldSpectra& held;
    bool transforms;            // convolutions may work on transformed data
    const char* algorithm = ""; // that served the last convolution
};

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
inline std::int64_t round_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }

} // namespace cgan::fast
