#include "cpu/fast/held_spectra.h"

#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace cgan::fast {
namespace {

constexpr std::int64_t kHugePage = std::int64_t{2} << 20;

} // namespace

HeldSpectra::~HeldSpectra() {
    for (auto& [kind, block] : blocks_) release(block);
}

HeldSpectra::Lease HeldSpectra::lease(Role role, const ConvShape& shape, Activation act,
                                      std::initializer_list<const void*> operands, std::int64_t floats) {
    Origin origin;
    if (!find_origin(operands, origin)) return Lease();
    Block& block = blocks_[{role, act.kind, act.alpha, floats, shape}];
    if (block.refused) return Lease();
    if (block.ready && block.origin == origin) {
        block.finds++;
        return Lease(&block);
    }
    if (block.stores >= kStores && block.finds == 0) {
        release(block);
        block.refused = true;
        return Lease();
    }
    if (!block.data && !allocate(block, floats * static_cast<std::int64_t>(sizeof(float)))) {
        block.refused = true;
        return Lease();
    }
    block.stores++;
    block.origin = origin;
    block.ready = false;
    return Lease(&block);
}

bool HeldSpectra::find_origin(std::initializer_list<const void*> operands, Origin& origin) const {
    int i = 0;
    for (const void* operand : operands) {
        const auto found = contents_.find(operand);
        if (found == contents_.end() || found->second == 0) return false;
        origin.data[i] = operand;
        origin.content[i++] = found->second;
    }
    return true;
}

// False if there is no such memory, within our limit or the context's.
bool HeldSpectra::allocate(Block& block, std::int64_t bytes) {
    bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    if (bytes_ + bytes > kLimit) return false;
    try {
        ledger_.charge_workspace(bytes);
    } catch (const Error& error) {
        if (error.status != CGAN_E_OUT_OF_DEVICE_MEMORY) throw;
        return false;
    }
    block.data = static_cast<float*>(
        std::aligned_alloc(static_cast<std::size_t>(kHugePage), static_cast<std::size_t>(bytes)));
    if (!block.data) {
        ledger_.release_workspace(bytes);
        return false;
    }
#if defined(__linux__)
    madvise(block.data, static_cast<std::size_t>(bytes), MADV_HUGEPAGE); // no harm if refused
#endif
    block.bytes = bytes;
    bytes_ += bytes;
    return true;
}

void HeldSpectra::release(Block& block) {
    if (!block.data) return;
    std::free(block.data);
    ledger_.release_workspace(block.bytes);
    bytes_ -= block.bytes;
    block.data = nullptr;
    block.ready = false;
}

} // namespace cgan::fast
