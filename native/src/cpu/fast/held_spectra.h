// Spectra that one pass of a training step leaves for the next: of a source, from the forward pass to the filter's gradient,
// and of a gradient, from the source's gradient to the filter's.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>

#include "backend.h"
#include "cpu/fast/conv_plan.h"
#include "cpu/fast/kernels.h"

namespace cgan::fast {

// One block of memory for each role and shape, kLimit bytes in all, charged to the ledger. What is held is known by the
// addresses and contents of the operands that it was made from. A kind that is stored kStores times and never found again is
// not held any more. Not for two threads at once.
class HeldSpectra {
  public:
    enum class Role { Source, Gradient };

    explicit HeldSpectra(MemoryLedger& ledger) : ledger_(ledger) {}
    ~HeldSpectra();
    HeldSpectra(const HeldSpectra&) = delete;
    HeldSpectra& operator=(const HeldSpectra&) = delete;

    // The operands of the call in progress: spectra of anything else are not held.
    class Operands {
      public:
        Operands(HeldSpectra& held, std::initializer_list<const View*> views) : held_(held) {
            for (const View* view : views) held.contents_[view->data] = view->content;
        }
        ~Operands() { held_.contents_.clear(); }
        Operands(const Operands&) = delete;
        Operands& operator=(const Operands&) = delete;

      private:
        HeldSpectra& held_;
    };

  private:
    static constexpr std::int64_t kLimit = std::int64_t{32} << 20;
    static constexpr int kStores = 8;
    static constexpr int kMost = 3; // operands that spectra are made from

    struct Kind {
        Role role;
        std::int32_t act;
        float alpha;
        std::int64_t floats;
        ConvShape shape;
        auto operator<=>(const Kind&) const = default;
    };
    struct Origin {
        const void* data[kMost] = {};
        std::uint64_t content[kMost] = {};
        bool operator==(const Origin&) const = default;
    };
    struct Block {
        float* data = nullptr;
        std::int64_t bytes = 0;
        Origin origin;
        bool ready = false, refused = false;
        int stores = 0, finds = 0;
    };

  public:
    // Memory for the spectra of some operands.
    class Lease {
      public:
        Lease() = default; // of nothing
        float* data() const { return block_ ? block_->data : nullptr; } // null: they are not held
        bool ready() const { return block_ && block_->ready; }          // they are there already
        void filled() {
            if (block_) block_->ready = true;
        }

      private:
        friend class HeldSpectra;
        explicit Lease(Block* block) : block_(block) {}
        Block* block_ = nullptr;
    };

    // `floats` for the spectra of `operands`, of gradients those before the activation `act`.
    Lease lease(Role role, const ConvShape& shape, Activation act,
                std::initializer_list<const void*> operands, std::int64_t floats);

  private:
    bool find_origin(std::initializer_list<const void*> operands, Origin& origin) const;
    bool allocate(Block& block, std::int64_t bytes);
    void release(Block& block);

    MemoryLedger& ledger_;
    std::map<const void*, std::uint64_t> contents_;
    std::map<Kind, Block> blocks_;
    std::int64_t bytes_ = 0;
};

} // namespace cgan::fast
