// Which kernels serve an operator: ours, or a vendor's library's. The device option `kernels` pins one; with
// kernels=auto the first use of an operator with its shapes times both, and the faster is planned (plan.h).
#pragma once

#include <array>
#include <compare>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "../plan.h"
#include "vendor/operators.h"

namespace cgan::cuda {

// An operator with all numbers that its speed depends on.
class OperatorKey {
  public:
    OperatorKey(std::string_view op, std::initializer_list<const View*> operands,
                std::initializer_list<std::int64_t> parameters);

    std::string_view op() const { return op_; }
    std::string text() const; // "matmul [33,65] [65,31] 0 1"
    auto operator<=>(const OperatorKey& other) const = default;

  private:
    std::string_view op_;                       // of a literal
    std::array<std::int64_t, 24> numbers_ = {}; // rank and dimensions of each operand, then the parameters
    int count_ = 0, operands_ = 0;
    void push(std::int64_t number);
};

// Two moments on the device's stream.
class StopWatch {
  public:
    StopWatch() = default;
    ~StopWatch();
    StopWatch(const StopWatch&) = delete;

    void start(const Device& device);
    float stop(const Device& device); // waits; milliseconds since start

  private:
    cudaEvent_t started_ = nullptr, stopped_ = nullptr;
};

class Candidates {
  public:
    // Throws CGAN_E_NO_DEVICE if a vendor's library is pinned and one of them cannot be used.
    explicit Candidates(const Device& device);
    Candidates(const Candidates&) = delete;

    // Runs vendor(vendor::Operators&), which returns false, having done nothing, if it does not serve the operator,
    // or own(). Both may run several times on the same operands. While a graph is captured nothing is timed: an
    // operator met for the first time then is CGAN_E_UNSUPPORTED, so run a step before capturing it.
    template <class Vendor, class Own> void serve(const OperatorKey& key, Vendor vendor, Own own) {
        serve(key, vendor, own, vendor, own);
    }

    // For operators that change what they read: the last two do the same work without that, and are timed instead.
    template <class Vendor, class Own, class RehearseVendor, class RehearseOwn>
    void serve(const OperatorKey& key, Vendor vendor, Own own, RehearseVendor rehearse_vendor,
               RehearseOwn rehearse_own) {
        if (!vendor_) return run_own(key, own);
        if (kernels_ == Kernels::Auto) {
            if (choose(key, rehearse_vendor, rehearse_own) == Kernels::Handwritten) return run_own(key, own);
            try {
                if (vendor(*vendor_)) return count(key, Kernels::Vendor);
                throw plan_->fault(CGAN_E_BAD_VALUE, key.text(), "does not serve it");
            } catch (const Error& e) {
                note_failure(key, e);
            }
            return run_own(key, own);
        }
        if (vendor(*vendor_)) return count(key, Kernels::Vendor);
        run_own(key, own);
    }

    // Whether the next `serve` will time the candidates.
    bool undecided(const OperatorKey& key) {
        Kernels winner;
        return vendor_ && kernels_ == Kernels::Auto && !known(key, winner);
    }

    // Takes the choices of a run's file and keeps them there, cuDNN's of its algorithms among them.
    void keep_plan(const std::string& path) {
        if (plan_) plan_->keep_in(path);
    }

    std::string describe() const; // what is pinned, or that it is measured: "vendor kernels (cuBLAS 13.1.0)"
    std::string report() const;   // lines: what served how often, what was measured, what failed

  private:
    struct Served {
        std::int64_t vendor = 0, handwritten = 0;
    };
    template <class Own> void run_own(const OperatorKey& key, Own& own) {
        own();
        count(key, Kernels::Handwritten);
    }
    template <class Vendor, class Own> Kernels choose(const OperatorKey& key, Vendor& vendor, Own& own) {
        Kernels winner;
        if (known(key, winner)) return winner;
        require_no_capture(key);
        PlanEntry entry; // each runs once to warm up: a library loads its kernels, a finder runs
        own();
        entry.add(kHandwritten, time([&] { own(); }));
        try {
            if (vendor(*vendor_)) entry.add(kVendor, time([&] { vendor(*vendor_); }));
        } catch (const Error& e) {
            note_failure(key, e);
        }
        return remember(key, entry);
    }
    template <class Body> float time(Body&& body) {
        watch_.start(device_);
        for (int i = 0; i < kRepeats; i++) body();
        return watch_.stop(device_) / kRepeats;
    }

    bool known(const OperatorKey& key, Kernels& winner);
    void require_no_capture(const OperatorKey& key) const;
    Kernels remember(const OperatorKey& key, const PlanEntry& measured);
    // Throws it unless our kernels may serve instead: if the device is lost, or if a run's plan rests on the vendor.
    void note_failure(const OperatorKey& key, const Error& error);
    void count(const OperatorKey& key, Kernels kernels);

    static constexpr int kRepeats = 3;
    static constexpr const char *kHandwritten = "handwritten", *kVendor = "vendor";

    const Device& device_;
    const Kernels kernels_;
    std::unique_ptr<vendor::Operators> vendor_; // null with kernels=handwritten, and if there is no library
    std::string missing_;                       // what of it cannot be used, and why
    std::unique_ptr<Plan> plan_;                // null with kernels=handwritten
    StopWatch watch_;
    std::map<std::string_view, Served> served_;
    std::map<OperatorKey, Kernels> chosen_;
    std::map<OperatorKey, std::string> failed_;
};

} // namespace cgan::cuda
