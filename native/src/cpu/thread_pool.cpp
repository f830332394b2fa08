#include "cpu/thread_pool.h"

#include <cstdio>
#include <pthread.h>
#include <unistd.h>

namespace cgan {
namespace {

// How often an idle thread looks before it sleeps: about ten microseconds, the gap between two operators of a
// step. More would steal time from whoever shares the core.
constexpr int kSpins = 300;

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// The worker number of the loop that this thread is in, or -1 outside loops.
thread_local int current_worker = -1;

} // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads), owner_pid_(getpid()) {
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
        generation_++;
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
    {
        std::lock_guard lock(mutex_);
        call_ = call;
        body_ = body;
        count_ = count;
        failure_ = nullptr;
        next_.store(0, std::memory_order_relaxed);
        open_ = true;
        generation_++;
    }
    wake_.notify_all();
    current_worker = 0;
    take_chunks(0);
    current_worker = -1;

    std::unique_lock lock(mutex_);
    open_ = false; // from here on no worker joins
    lock.unlock();
    for (int i = 0; i < kSpins && inside_.load(std::memory_order_acquire) != 0; i++) pause_briefly();
    lock.lock();
    done_.wait(lock, [this] { return inside_.load(std::memory_order_acquire) == 0; });
    if (failure_) std::rethrow_exception(failure_);
}

void ThreadPool::take_chunks(int worker) {
    for (;;) {
        const std::int64_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= count_) return;
        try {
            call_(body_, chunk, worker);
        } catch (...) {
            std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            next_.store(count_, std::memory_order_relaxed);
        }
    }
}

bool ThreadPool::wait_for_job(std::uint64_t seen) {
    for (int i = 0; i < kSpins; i++) {
        if (generation_.load(std::memory_order_acquire) != seen) break;
        pause_briefly();
    }
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stop_ || (open_ && generation_.load() != seen); });
    if (stop_) return false;
    inside_++;
    return true;
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
        seen = generation_.load();
        take_chunks(worker);
        std::lock_guard lock(mutex_);
        if (--inside_ == 0) done_.notify_one();
    }
}

} // namespace cgan
