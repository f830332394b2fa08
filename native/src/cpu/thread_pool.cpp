#include "cpu/thread_pool.h"

#include <chrono>
#include <cstdio>
#include <pthread.h>
#include <unistd.h>

namespace cgan {
namespace {

// An idle thread looks for work this long before it sleeps: longer than most gaps between two operators of a step, since
// waking up takes some ten microseconds, on a virtual machine fifty. Every few looks it offers its core to others, and
// where one takes it, it sleeps at once: waiting steals no time from whoever shares the core.
constexpr std::chrono::microseconds kPatience(200);
constexpr std::chrono::microseconds kTaken(5); // an offer that nobody takes returns in less
constexpr int kLooks = 40;                     // about a microsecond

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Looks until done() or for as long as patience lasts.
template <class Done> void look(Done done) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + kPatience;
    for (auto offered = Clock::now(); offered < end; offered = Clock::now()) {
        for (int i = 0; i < kLooks; i++) {
            if (done()) return;
            pause_briefly();
        }
        const auto before = Clock::now();
        std::this_thread::yield();
        if (Clock::now() - before > kTaken) return;
    }
}

// ThreadPool::state_: workers inside, then whether more may join, then the job's number.
constexpr std::uint64_t kInside = (1 << 10) - 1, kOpen = 1 << 10, kJob = 1 << 11;

// The worker number of the loop that this thread is in, or -1 outside loops.
thread_local int current_worker = -1;

} // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads), owner_pid_(getpid()), shares_(threads) {
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
        for (int w = 1; w < threads; w++) workers_.emplace_back([this, w] { worker_loop(w); });
    } catch (...) {
        {
            std::lock_guard lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (auto& t : workers_) t.join();
        throw;
    }
}

ThreadPool::~ThreadPool() {
    if (getpid() != owner_pid_) { // forked: the threads are the parent's, nothing to join
        for (auto& t : workers_) t.detach();
        return;
    }
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    for (auto& t : workers_) t.join();
}

void ThreadPool::serial(std::int64_t count, Call call, void* body) {
    const int worker = current_worker < 0 ? 0 : current_worker;
    for (std::int64_t i = 0; i < count; i++) call(body, i, worker);
}

void ThreadPool::run(std::int64_t count, Call call, void* body) {
    if (count <= 0) return;
    if (count == 1 || threads_ == 1 || current_worker >= 0 || getpid() != owner_pid_)
        return serial(count, call, body);
    call_ = call;
    body_ = body;
    count_ = count;
    failure_ = nullptr;
    for (int t = 0; t < threads_; t++) {
        shares_[t].next.store(count * t / threads_, std::memory_order_relaxed);
        shares_[t].end = count * (t + 1) / threads_;
    }
    open_job();
    current_worker = 0;
    take_chunks(0);
    current_worker = -1;
    close_job();
    if (failure_) std::rethrow_exception(failure_);
}

void ThreadPool::open_job() {
    state_ = (state_.load() | kOpen) + kJob;
    if (asleep_.load() == 0) return;
    { const std::lock_guard lock(mutex_); } // whoever has not seen the job yet waits by now
    wake_.notify_all();
}

// From here on no worker joins; returns when those inside have left.
void ThreadPool::close_job() {
    state_ &= ~kOpen;
    const auto left = [this] { return (state_.load() & kInside) == 0; };
    look(left);
    if (left()) return;
    std::unique_lock lock(mutex_);
    caller_asleep_ = true;
    done_.wait(lock, left);
    caller_asleep_ = false;
}

bool ThreadPool::join_job(std::uint64_t& seen) {
    std::uint64_t state = state_.load();
    while ((state & kOpen) && state / kJob != seen) {
        if (!state_.compare_exchange_weak(state, state + 1)) continue;
        seen = state / kJob;
        return true;
    }
    return false;
}

void ThreadPool::leave_job() {
    if (((state_.fetch_sub(1) - 1) & kInside) != 0 || !caller_asleep_.load()) return;
    { const std::lock_guard lock(mutex_); }
    done_.notify_one();
}

void ThreadPool::take_chunks(int worker) {
    for (int i = 0; i < threads_; i++) take_share((worker + i) % threads_, worker);
}

void ThreadPool::take_share(int share, int worker) {
    Share& from = shares_[share];
    for (;;) {
        const std::int64_t chunk = from.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= from.end) return;
        try {
            call_(body_, chunk, worker);
        } catch (...) {
            std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            for (Share& s : shares_) s.next.store(s.end, std::memory_order_relaxed);
        }
    }
}

// True inside a job that this worker has not seen; false when the pool ends.
bool ThreadPool::wait_for_job(std::uint64_t& seen) {
    bool joined = false;
    const auto ready = [&] { return stop_.load() || (joined = join_job(seen)); };
    look(ready);
    if (!joined && !stop_) {
        std::unique_lock lock(mutex_);
        asleep_++;
        wake_.wait(lock, ready);
        asleep_--;
    }
    return joined;
}

void ThreadPool::worker_loop(int worker) {
    char name[16];
    std::snprintf(name, sizeof name, "cgan-cpu-%d", worker);
#if defined(__linux__)
    pthread_setname_np(pthread_self(), name);
#endif
    current_worker = worker;
    std::uint64_t seen = 0;
    while (wait_for_job(seen)) {
        take_chunks(worker);
        leave_job();
    }
}

} // namespace cgan
