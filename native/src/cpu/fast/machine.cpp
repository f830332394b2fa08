#include "cpu/fast/machine.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace cgan::fast {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;

} // namespace

Scratch::~Scratch() { free_blocks(); }

Scratch::Frame::Frame(Scratch& scratch) : scratch_(scratch), block_(scratch.current_), used_(scratch.used_) {
    scratch_.depth_++;
}

Scratch::Frame::~Frame() {
    scratch_.current_ = block_;
    scratch_.used_ = used_;
    if (--scratch_.depth_ == 0 && scratch_.blocks_.size() > 1) scratch_.free_blocks();
}

void* Scratch::take_bytes(std::int64_t bytes) {
    bytes = round_up(std::max<std::int64_t>(bytes, 1), kAlignment);
    while (current_ < blocks_.size() && used_ + bytes > blocks_[current_].bytes) {
        current_++;
        used_ = 0;
    }
    if (current_ == blocks_.size()) add_block(std::max(bytes, blocks_.empty() ? wanted_ : 0));
    void* p = blocks_[current_].data + used_;
    used_ += bytes;
    return p;
}

void Scratch::add_block(std::int64_t bytes) {
    const bool huge = bytes >= kHugePage;
    bytes = round_up(bytes, huge ? kHugePage : kAlignment);
    ledger_.charge_workspace(bytes);
    void* data = std::aligned_alloc(static_cast<std::size_t>(huge ? kHugePage : kAlignment),
                                    static_cast<std::size_t>(bytes));
    if (!data) {
        ledger_.release_workspace(bytes);
        throw std::bad_alloc();
    }
#if defined(__linux__)
    if (huge)
        madvise(data, static_cast<std::size_t>(bytes), MADV_HUGEPAGE); // fewer TLB misses; no harm if refused
#endif
    blocks_.push_back({static_cast<char*>(data), bytes});
    used_ = 0;
}

void Scratch::free_blocks() {
    std::int64_t total = 0;
    for (const Block& b : blocks_) {
        std::free(b.data);
        ledger_.release_workspace(b.bytes);
        total += b.bytes;
    }
    wanted_ = std::max(wanted_, total);
    blocks_.clear();
    current_ = 0;
    used_ = 0;
}

} // namespace cgan::fast
