// Runs one grid of a simulated kernel: every thread of a block is a fiber, blocks run one after another, and
// both orders are shuffled by a seed. Fibers switch only where a kernel synchronises, so a result that
// depends on the order of threads changes with the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

namespace cgan_sim {

struct Dim {
    unsigned x = 1, y = 1, z = 1;
    std::uint64_t count() const { return std::uint64_t(x) * y * z; }
};

// A kernel did something that the hardware does not define, or traps on. Thrown inside the kernel's fiber.
class Fault : public std::runtime_error {
  public:
    enum class Kind { Barrier, SharedBounds, Misaligned, GlobalBounds, Warp, Limit, Race };
    Fault(Kind kind, const std::string& text) : std::runtime_error(text), kind(kind) {}
    const Kind kind;
};

struct PendingCopy {
    void* dst;
    const void* src;
    std::size_t bytes, zero_fill;
};

// How a thread waits, and what it brought to the meeting.
enum class Wait { None, Block, Warp, Done };

struct WarpRequest {
    unsigned mask = 0;
    std::uint64_t value = 0;
    int argument = 0;
    int operation = 0;
    std::uint64_t result = 0;
    void* peers[32] = {}; // what each lane published
};

struct Thread {
    Dim index;
    int rank = 0; // within the block
    Wait wait = Wait::None;
    std::source_location where;
    int barrier_value = 0; // for __syncthreads_or and its kin
    WarpRequest warp;
    std::vector<std::vector<PendingCopy>> copies; // committed batches, then the open one
};

struct Launch {
    const char* name = nullptr; // nullable: shown in reports
    Dim grid, block;
    std::size_t dynamic_shared_bytes = 0;
    std::size_t shared_limit = 48 * 1024;
    std::uint64_t seed = 0;
    std::function<void()> body;
};

// Runs the grid to its end; throws Fault, with the kernel, block and thread in its text.
void run_grid(const Launch& launch);

// ---- what the device functions of the stand-in headers call ----

extern Dim threadIdx, blockIdx, blockDim,
    gridDim; // of the thread that runs; set whenever its fiber is resumed
Thread& self();
std::uint64_t block_epoch(); // a number that no other block of this process has
void* dynamic_shared();

// Charges static shared memory to the running block; first touch in each block.
void charge_shared(std::size_t bytes);

int block_barrier(int value, int combine,
                  std::source_location where); // combine: 0 none, 1 and, 2 or, 3 count
void warp_barrier(unsigned mask, std::source_location where);

enum WarpOperation { kShuffle, kShuffleXor, kShuffleUp, kShuffleDown, kBallot, kBarrier, kPublish };
std::uint64_t warp_collect(WarpOperation operation, unsigned mask, std::uint64_t value, int argument,
                           std::source_location where);

// All 32 lanes publish a pointer and receive everybody's, valid until the next warp operation.
void* const* warp_publish(void* mine, std::source_location where);

void async_copy(void* dst, const void* src, std::size_t bytes, std::size_t zero_fill);
void async_commit();
void async_wait(std::size_t newest_allowed);

[[noreturn]] void fault(Fault::Kind kind, const std::string& text);

// Traps as the hardware does when an access of `bytes` is not aligned to its size.
inline void check_aligned(const void* p, std::size_t bytes) {
    if (reinterpret_cast<std::uintptr_t>(p) & (bytes - 1))
        fault(Fault::Kind::Misaligned,
              "access of " + std::to_string(bytes) + " bytes is not aligned to its size");
}

// The state behind one __shared__ array: gives each block fresh, poisoned contents, counts the array against
// the block's limit and refuses indices outside it. Zero-initialised, for it lives in static storage.
struct SharedCheck {
    std::uint64_t epoch;
    void first_touch(void* data, std::size_t bytes);
    [[noreturn]] void out_of_bounds(long long index, long long count, long long elems);
    void access(void* data, std::size_t bytes, long long index, long long count, long long elems) {
        if (epoch != block_epoch()) first_touch(data, bytes);
        if (index < 0 || index + count > elems) out_of_bounds(index, count, elems);
    }
};

} // namespace cgan_sim
