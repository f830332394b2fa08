#include "scheduler.h"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cstring>
#include <exception>
#include <memory>
#include <numeric>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace cgan_sim {

Dim threadIdx, blockIdx, blockDim, gridDim;

namespace {

namespace bc = boost::context;

constexpr std::size_t kStackBytes = 256 * 1024;

// SplitMix64 (Steele, Lea and Flood 2014): enough to shuffle with.
std::uint64_t next_random(std::uint64_t& state) {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

template <class T> void shuffle(std::vector<T>& order, std::uint64_t& state) {
    for (std::size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[next_random(state) % i]);
}

std::string place(const std::source_location& where) {
    const char* file = where.file_name();
    const char* slash = std::strrchr(file, '/');
    return std::string(slash ? slash + 1 : file) + ":" + std::to_string(where.line());
}

std::string text(const Dim& d) {
    std::string out = "(";
    out += std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
    return out;
}

// Thrown into suspended fibers so that their stacks unwind after another thread of the block failed.
struct Unwind {};

// A stack, as AddressSanitizer has to be told before execution moves to it.
struct StackRange {
    const void* bottom = nullptr;
    std::size_t bytes = 0;
};

#if defined(__SANITIZE_ADDRESS__)
void leave_stack(void** kept, const StackRange& next) {
    __sanitizer_start_switch_fiber(kept, next.bottom, next.bytes);
}
void enter_stack(void* kept, StackRange* previous) {
    if (previous)
        __sanitizer_finish_switch_fiber(kept, &previous->bottom, &previous->bytes);
    else
        __sanitizer_finish_switch_fiber(kept, nullptr, nullptr);
}
#else
void leave_stack(void**, const StackRange&) {}
void enter_stack(void*, StackRange*) {}
#endif

// A fiber that runs one thread after another; its stack outlives blocks and launches.
struct Worker {
    bc::fiber fiber;  // the thread, while the scheduler runs
    bc::fiber caller; // the scheduler, while the thread runs
    StackRange stack, caller_stack;
    Thread* thread = nullptr;

    // In the fiber: to the scheduler and, when that resumes this fiber, back.
    void yield() {
        void* kept = nullptr;
        leave_stack(&kept, caller_stack);
        caller = std::move(caller).resume();
        enter_stack(kept, &caller_stack);
    }
};

// Notes where the stack lies that it hands out.
struct NotingStack : bc::fixedsize_stack {
    StackRange* range;
    explicit NotingStack(StackRange* range) : bc::fixedsize_stack(kStackBytes), range(range) {}
    bc::stack_context allocate() {
        const bc::stack_context stack = bc::fixedsize_stack::allocate();
        *range = {static_cast<char*>(stack.sp) - stack.size, stack.size};
        return stack;
    }
};

struct Block {
    const Launch* launch = nullptr;
    Dim index;
    std::uint64_t epoch = 0;
    std::size_t shared_bytes = 0;
    std::vector<Thread> threads;
    std::vector<unsigned char> dynamic;
    std::exception_ptr error;
    bool unwinding = false;
};

auto& workers =
    *new std::vector<std::unique_ptr<Worker>>; // never destroyed: a kernel may outlive static storage
Block* block = nullptr;
Worker* running = nullptr;
std::uint64_t epochs = 0;

void run_thread_body() {
    Thread& thread = *running->thread;
    try {
        if (!block->unwinding) block->launch->body();
    } catch (const Unwind&) {
    } catch (const Fault& f) {
        if (!block->error) {
            const std::string who = std::string(block->launch->name ? block->launch->name : "kernel") +
                                    ", block " + text(block->index) + ", thread " + text(thread.index) + ": ";
            block->error = std::make_exception_ptr(Fault(f.kind, who + f.what()));
        }
    } catch (...) {
        if (!block->error) block->error = std::current_exception();
    }
    thread.wait = Wait::Done;
}

std::unique_ptr<Worker> make_worker() {
    auto worker = std::make_unique<Worker>();
    Worker* w = worker.get();
    w->fiber = bc::fiber(std::allocator_arg, NotingStack(&w->stack), [w](bc::fiber&& caller) {
        w->caller = std::move(caller);
        enter_stack(nullptr, &w->caller_stack);
        for (;;) {
            run_thread_body();
            w->yield();
        }
        return bc::fiber();
    });
    return worker;
}

void resume(Worker& worker) {
    running = &worker;
    threadIdx = worker.thread->index;
    void* kept = nullptr;
    leave_stack(&kept, worker.stack);
    worker.fiber = std::move(worker.fiber).resume();
    enter_stack(kept, nullptr);
    running = nullptr;
}

// Called inside a fiber: back to the scheduler until something wakes this thread.
void suspend() {
    running->yield();
    if (block->unwinding) throw Unwind{};
}

bool release_barrier() {
    Thread* first = nullptr;
    for (Thread& t : block->threads) {
        if (t.wait == Wait::Done) continue;
        if (t.wait != Wait::Block) return false;
        if (!first) first = &t;
    }
    if (!first) return false;
    int all = 1, any = 0, count = 0;
    for (Thread& t : block->threads) {
        if (t.wait != Wait::Block) continue;
        if (t.where.line() != first->where.line() ||
            std::strcmp(t.where.file_name(), first->where.file_name()))
            fault(Fault::Kind::Barrier, "divergent __syncthreads: thread " + text(first->index) +
                                            " waits at " + place(first->where) + ", thread " + text(t.index) +
                                            " at " + place(t.where));
        all &= t.barrier_value != 0;
        any |= t.barrier_value != 0;
        count += t.barrier_value != 0;
    }
    for (Thread& t : block->threads) {
        if (t.wait != Wait::Block) continue;
        const int results[] = {0, all, any, count};
        t.barrier_value = results[t.warp.operation];
        t.wait = Wait::None;
    }
    return true;
}

std::string describe_waiting() {
    std::string out;
    int shown = 0;
    for (const Thread& t : block->threads) {
        if (t.wait == Wait::Done || shown == 4) continue;
        out += std::string(shown++ ? ", " : "") + "thread " + text(t.index) + " waits in " +
               (t.wait == Wait::Block ? "__syncthreads" : "a warp operation") + " at " + place(t.where);
    }
    const auto exited = std::count_if(block->threads.begin(), block->threads.end(),
                                      [](const Thread& t) { return t.wait == Wait::Done; });
    return out + "; " + std::to_string(exited) + " threads have exited";
}

void unwind_block() {
    block->unwinding = true;
    for (std::size_t i = 0; i < block->threads.size(); i++)
        while (block->threads[i].wait != Wait::Done) resume(*workers[i]);
}

void run_block(std::uint64_t& random) {
    std::vector<int> order(block->threads.size());
    std::iota(order.begin(), order.end(), 0);
    shuffle(order, random);
    std::size_t done = 0;
    while (done < order.size() && !block->error) {
        bool progress = false;
        done = 0;
        for (int i : order) {
            Thread& t = block->threads[i];
            if (t.wait == Wait::None) {
                resume(*workers[i]);
                progress = true;
            }
            done += t.wait == Wait::Done;
            if (block->error) break;
        }
        if (block->error || done == order.size()) break;
        try {
            if (release_barrier()) progress = true;
            if (!progress) fault(Fault::Kind::Barrier, "deadlock: " + describe_waiting());
        } catch (const Fault& f) {
            const std::string who = block->launch->name ? block->launch->name : "kernel";
            block->error = std::make_exception_ptr(
                Fault(f.kind, who + ", block " + text(block->index) + ": " + f.what()));
        }
    }
    if (block->error) {
        unwind_block();
        std::rethrow_exception(block->error);
    }
}

void prepare(Block& b, const Launch& launch, std::uint64_t linear) {
    b.index = {unsigned(linear % launch.grid.x), unsigned(linear / launch.grid.x % launch.grid.y),
               unsigned(linear / launch.grid.x / launch.grid.y)};
    blockIdx = b.index;
    b.epoch = ++epochs;
    b.shared_bytes = launch.dynamic_shared_bytes;
    std::fill(b.dynamic.begin(), b.dynamic.end(), 0xff);
    for (std::size_t i = 0; i < b.threads.size(); i++) {
        Thread& t = b.threads[i];
        t.index = {unsigned(i % launch.block.x), unsigned(i / launch.block.x % launch.block.y),
                   unsigned(i / launch.block.x / launch.block.y)};
        t.rank = int(i);
        t.wait = Wait::None;
        t.copies.clear();
        t.copies.emplace_back();
    }
}

unsigned alive_mask(int warp) {
    unsigned mask = 0;
    for (int lane = 0; lane < 32; lane++) {
        const std::size_t i = std::size_t(warp) * 32 + lane;
        if (i < block->threads.size() && block->threads[i].wait != Wait::Done) mask |= 1u << lane;
    }
    return mask;
}

std::uint64_t lane_result(const Thread* warp, int lane, unsigned mask) {
    const WarpRequest& r = warp[lane].warp;
    int source = lane;
    switch (r.operation) {
    case kShuffle:
        source = r.argument & 31;
        break;
    case kShuffleXor:
        source = lane ^ r.argument;
        break;
    case kShuffleUp:
        source = lane - r.argument < 0 ? lane : lane - r.argument;
        break;
    case kShuffleDown:
        source = lane + r.argument > 31 ? lane : lane + r.argument;
        break;
    case kBallot: {
        std::uint64_t bits = 0;
        for (int i = 0; i < 32; i++)
            if (mask >> i & 1 && warp[i].warp.value) bits |= 1ull << i;
        return bits;
    }
    default:
        return 0;
    }
    if (!(mask >> source & 1))
        fault(Fault::Kind::Warp, "lane " + std::to_string(lane) + " reads lane " + std::to_string(source) +
                                     ", which is not in the mask of its shuffle");
    return warp[source].warp.value;
}

// Blocks until all lanes of the mask have come to the same operation; the last one to arrive serves them all.
void meet(unsigned mask, int operation, std::source_location where) {
    Thread& me = self();
    const int lane = me.rank & 31, first = me.rank - lane;
    if (!(mask >> lane & 1)) fault(Fault::Kind::Warp, "the mask of a warp operation leaves out its caller");
    if (mask & ~alive_mask(first / 32))
        fault(Fault::Kind::Warp, "the mask of a warp operation names lanes that exited or do not exist");
    me.warp.mask = mask;
    me.warp.operation = operation;
    me.where = where;
    me.wait = Wait::Warp;
    Thread* warp = &block->threads[first];
    for (int i = 0; i < 32; i++) {
        if (!(mask >> i & 1)) continue;
        const Thread& t = warp[i];
        if (t.wait != Wait::Warp || t.warp.mask != mask || t.warp.operation != operation ||
            t.where.line() != where.line()) {
            suspend();
            return;
        }
    }
    for (int i = 0; i < 32; i++) {
        if (!(mask >> i & 1)) continue;
        if (operation == kPublish)
            for (int j = 0; j < 32; j++) warp[i].warp.peers[j] = reinterpret_cast<void*>(warp[j].warp.value);
        else
            warp[i].warp.result = lane_result(warp, i, mask);
    }
    for (int i = 0; i < 32; i++)
        if (mask >> i & 1) warp[i].wait = Wait::None;
}

} // namespace

void run_grid(const Launch& launch) {
    Block b;
    b.launch = &launch;
    b.threads.resize(launch.block.count());
    b.dynamic.resize(launch.dynamic_shared_bytes);
    while (workers.size() < b.threads.size()) workers.push_back(make_worker());
    for (std::size_t i = 0; i < b.threads.size(); i++) workers[i]->thread = &b.threads[i];

    gridDim = launch.grid;
    blockDim = launch.block;
    std::uint64_t random = launch.seed;
    std::vector<std::uint64_t> blocks(launch.grid.count());
    std::iota(blocks.begin(), blocks.end(), std::uint64_t(0));
    shuffle(blocks, random);
    block = &b;
    try {
        for (std::uint64_t linear : blocks) {
            prepare(b, launch, linear);
            run_block(random);
        }
    } catch (...) {
        block = nullptr;
        throw;
    }
    block = nullptr;
}

Thread& self() { return *running->thread; }
std::uint64_t block_epoch() { return block->epoch; }
void* dynamic_shared() { return block->dynamic.data(); }

void charge_shared(std::size_t bytes) {
    block->shared_bytes += bytes;
    if (block->shared_bytes > block->launch->shared_limit)
        fault(Fault::Kind::Limit, "shared memory of the block, " + std::to_string(block->shared_bytes) +
                                      " bytes, exceeds the limit of " +
                                      std::to_string(block->launch->shared_limit));
}

void SharedCheck::first_touch(void* data, std::size_t bytes) {
    epoch = block_epoch();
    charge_shared(bytes);
    std::memset(data, 0xff, bytes);
}

void SharedCheck::out_of_bounds(long long index, long long count, long long elems) {
    fault(Fault::Kind::SharedBounds, "access to elements " + std::to_string(index) + " to " +
                                         std::to_string(index + count - 1) + " of a shared array of " +
                                         std::to_string(elems));
}

int block_barrier(int value, int combine, std::source_location where) {
    Thread& me = self();
    me.where = where;
    me.barrier_value = value;
    me.warp.operation = combine;
    me.wait = Wait::Block;
    suspend();
    return me.barrier_value;
}

void warp_barrier(unsigned mask, std::source_location where) { meet(mask, kBarrier, where); }

std::uint64_t warp_collect(WarpOperation operation, unsigned mask, std::uint64_t value, int argument,
                           std::source_location where) {
    Thread& me = self();
    me.warp.value = value;
    me.warp.argument = argument;
    meet(mask, operation, where);
    return me.warp.result;
}

void* const* warp_publish(void* mine, std::source_location where) {
    Thread& me = self();
    me.warp.value = reinterpret_cast<std::uint64_t>(mine);
    meet(0xffffffffu, kPublish, where);
    return me.warp.peers;
}

void async_copy(void* dst, const void* src, std::size_t bytes, std::size_t zero_fill) {
    if (bytes != 4 && bytes != 8 && bytes != 16)
        fault(Fault::Kind::Misaligned,
              "asynchronous copy of " + std::to_string(bytes) + " bytes: only 4, 8 and 16");
    check_aligned(dst, bytes);
    check_aligned(src, bytes);
    std::memset(dst, 0xff, bytes);
    self().copies.back().push_back({dst, src, bytes, zero_fill});
}

void async_commit() { self().copies.emplace_back(); }

void async_wait(std::size_t newest_allowed) {
    auto& copies = self().copies;
    const std::size_t committed = copies.size() - 1;
    if (committed <= newest_allowed) return;
    const std::size_t ready = committed - newest_allowed;
    for (std::size_t b = 0; b < ready; b++)
        for (const PendingCopy& c : copies[b]) {
            std::memcpy(c.dst, c.src, c.bytes - c.zero_fill);
            std::memset(static_cast<char*>(c.dst) + (c.bytes - c.zero_fill), 0, c.zero_fill);
        }
    copies.erase(copies.begin(), copies.begin() + std::ptrdiff_t(ready));
}

void fault(Fault::Kind kind, const std::string& text) { throw Fault(kind, text); }

} // namespace cgan_sim
