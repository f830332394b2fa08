// Whether large intermediate results are stored past the caches, found out by the clock.
//
// A store past the caches spares reading the line first, and costs a read from memory later. Which is faster depends on
// the memory and on who else uses the last cache. The results are the same bits either way, so a choice by time does not
// harm repeatability.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>

#include "cpu/fast/conv_plan.h"

namespace cgan::fast {

// The first call of a kind is not timed, the next six take turns; then the way of the shortest call stays.
class StoreTrial {
  public:
    bool past() const { return calls_ <= kTimed ? calls_ % 2 == 1 : shortest_[1] < shortest_[0]; }

    void record(std::chrono::nanoseconds time) {
        if (calls_ > kTimed) return;
        std::chrono::nanoseconds& shortest = shortest_[past()];
        if (calls_ > 0 && time < shortest) shortest = time;
        calls_++;
    }

  private:
    static constexpr int kTimed = 6;
    int calls_ = 0;
    std::chrono::nanoseconds shortest_[2] = {std::chrono::nanoseconds::max(),
                                             std::chrono::nanoseconds::max()};
};

// The trials of a context, one for each kind of call: a pass and its shape. Not for two threads at once.
class StoreTrials {
    using Clock = std::chrono::steady_clock;

  public:
    // A call of one kind, timed from here to its end. Small results stay in the caches, without a trial.
    class Call {
      public:
        Call(StoreTrials& trials, Pass pass, const ConvShape& shape, std::int64_t bytes)
            : trial_(bytes < kSmall ? nullptr : &trials.trials_[{pass, shape}]),
              past_(trial_ != nullptr && trial_->past()), begin_(Clock::now()) {}
        ~Call() {
            if (trial_ != nullptr) trial_->record(Clock::now() - begin_);
        }
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;

        bool past() const { return past_; }

      private:
        StoreTrial* trial_;
        const bool past_;
        const Clock::time_point begin_;
    };

  private:
    static constexpr std::int64_t kSmall = std::int64_t{1} << 20; // bytes that a second-level cache holds

    struct Kind {
        Pass pass;
        ConvShape shape;
        auto operator<=>(const Kind&) const = default;
    };
    std::map<Kind, StoreTrial> trials_;
};

} // namespace cgan::fast
