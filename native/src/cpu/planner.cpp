#include "cpu/planner.h"

#include <algorithm>
#include <chrono>

#include "backend.h"

namespace cgan {
namespace {

constexpr int kRuns = 5;       // at most, after one that warms up
constexpr double kBudget = 40; // milliseconds for them

std::optional<Candidate> candidate_named(const std::string& name) {
    for (const Candidate c : {Candidate::Handwritten, Candidate::Direct, Candidate::Vendor})
        if (name == name_of(c)) return c;
    return std::nullopt;
}

bool is_candidate(const std::string& name) { return candidate_named(name).has_value(); }

} // namespace

const char* name_of(Candidate candidate) {
    switch (candidate) {
    case Candidate::Handwritten:
        return "handwritten";
    case Candidate::Direct:
        return "direct";
    case Candidate::Vendor:
        return "vendor";
    }
    return "";
}

Planner::Planner(const std::string& identity) : plan_(identity, is_candidate) {}

std::optional<Candidate> Planner::serve(const std::string& operation,
                                        const std::vector<Candidate>& candidates, const Run& run) {
    const PlanEntry* entry = plan_.find(operation);
    if (!entry) {
        const PlanEntry measured = measure(candidates, run);
        if (measured.milliseconds.empty()) return std::nullopt;
        entry = &plan_.adopt(operation, measured);
    }
    const auto winner = candidate_named(entry->winner);
    if (!run(*winner)) throw plan_.fault(CGAN_E_BAD_VALUE, operation, "does not serve it");
    return winner;
}

PlanEntry Planner::measure(const std::vector<Candidate>& candidates, const Run& run) const {
    using Clock = std::chrono::steady_clock;
    PlanEntry entry;
    for (const Candidate candidate : candidates) {
        double least = -1, spent = 0;
        try {
            if (!run(candidate)) continue;
            for (int i = 0; i < kRuns && spent < kBudget; i++) {
                const auto begin = Clock::now();
                run(candidate);
                const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
                least = least < 0 ? ms : std::min(least, ms);
                spent += ms;
            }
        } catch (const Error& e) {
            if (e.status != CGAN_E_OUT_OF_DEVICE_MEMORY) throw;
            continue; // another one may need less
        }
        entry.add(name_of(candidate), least);
    }
    return entry;
}

} // namespace cgan
