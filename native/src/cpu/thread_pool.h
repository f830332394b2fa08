// A fixed set of threads that share the chunks of one loop at a time.
//
// The caller works too, so a pool of 1 starts no thread. Each thread begins with its own share of the chunks,
// the same part of every loop, so that it finds in its cache what it wrote in the loop before; whoever has
// done its share takes chunks of the others', so a thread that loses its core delays only the chunk it holds.
// What a chunk computes must depend on its number alone, never on the thread that runs it; then results are
// the same, run after run. A worker that has not woken up when the last chunk is taken is not waited for. In
// a process forked from the owner, where the workers do not exist, loops run on the caller alone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace cgan {

class ThreadPool {
  public:
    // threads >= 1, the caller included.
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int threads() const { return threads_; }

    // Calls body(chunk, worker) once for each chunk of [0, count); worker of [0, threads()) is not shared by
    // two calls that run at the same time, so it may index scratch memory. Returns when all are done;
    // rethrows the exception of one failed chunk (chunks not yet started are then skipped). A loop inside a
    // loop runs on its caller, as that caller's worker.
    template <class Body> void parallel(std::int64_t count, Body&& body) {
        using Callable = std::remove_reference_t<Body>; // a body that has a name comes as a reference
        run(
            count,
            [](void* b, std::int64_t chunk, int worker) { (*static_cast<Callable*>(b))(chunk, worker); },
            const_cast<void*>(static_cast<const void*>(&body)));
    }

    // Splits [0, n) into pieces of at most `grain` and calls body(begin, end).
    template <class Body> void ranges(std::int64_t n, std::int64_t grain, Body&& body) {
        const std::int64_t count = (n + grain - 1) / grain;
        parallel(count, [&](std::int64_t chunk, int) {
            const std::int64_t begin = chunk * grain;
            body(begin, begin + grain < n ? begin + grain : n);
        });
    }

  private:
    using Call = void (*)(void* body, std::int64_t chunk, int worker);

    void run(std::int64_t count, Call call, void* body);
    void serial(std::int64_t count, Call call, void* body);
    void take_chunks(int worker);
    void take_share(int share, int worker);
    void worker_loop(int worker);
    void open_job();
    void close_job();
    bool join_job(std::uint64_t& seen);
    bool wait_for_job(std::uint64_t& seen);
    void leave_job();

    const int threads_;
    const std::int64_t owner_pid_;
    std::vector<std::thread> workers_;

    // The current job: its number, whether workers may still join, and how many are inside. One word, so that nobody
    // joins a job that has closed, and that threads which are awake need no lock.
    std::atomic<std::uint64_t> state_{0};
    std::atomic<std::int64_t> asleep_{0}; // workers that need to be woken
    std::atomic<bool> caller_asleep_{false};

    std::mutex mutex_; // of those who sleep
    std::condition_variable wake_, done_;
    std::atomic<bool> stop_{false};
    std::exception_ptr failure_; // guarded by mutex_

    Call call_ = nullptr;
    void* body_ = nullptr;
    std::int64_t count_ = 0;
    struct alignas(64) Share {
        std::atomic<std::int64_t> next{0}; // chunk that nobody has taken yet
        std::int64_t end = 0;
    };
    std::vector<Share> shares_; // of each thread
};

} // namespace cgan
