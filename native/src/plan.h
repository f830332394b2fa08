// Choices between candidates that were measured, and where they are kept.
//
// What was measured is shared by all contexts of the process, and kept in a file of the user's cache folder, one for each
// identity: all that a choice depends on. There it is of use to the build that measured it alone, since kernels change.
// A run that must repeat its bits names a file of its own (keep_in): what that
// holds is not measured again, and what is measured is in it before a result of it is used.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backend.h"

namespace cgan {

struct PlanEntry {
    std::string winner;
    std::vector<std::pair<std::string, double>> milliseconds; // of those that were timed

    // A candidate wins over those before it if it saves 5 %.
    void add(const std::string& candidate, double ms);
};
using PlanEntries = std::map<std::string, PlanEntry>;

class Plan {
  public:
    using IsCandidate = bool (*)(const std::string& name);

    enum class Cache { Used, Unused };

    // `identity`: one "name value" a line.
    Plan(const std::string& identity, IsCandidate is_candidate, Cache cache = Cache::Used);

    // Takes the choices of the file, if it exists, and keeps all choices in it from now on. Throws CGAN_E_BAD_VALUE for
    // a file that is none or of another identity, and for one that cannot be written.
    void keep_in(const std::string& path);
    bool kept() const { return !file_.empty(); }

    // The choice for an operation, or null if it has to be measured.
    const PlanEntry* find(const std::string& operation);

    // Makes a choice known to the process and to the user's cache. Throws CGAN_E_BAD_VALUE if it cannot be kept.
    const PlanEntry& adopt(const std::string& operation, const PlanEntry& entry);
    // The same for this context alone: a choice that rests on a failure.
    const PlanEntry& use(const std::string& operation, const PlanEntry& entry);

    // A choice that cannot be carried out: "the plan ... gives ... to ..., which REASON; delete it to measure anew".
    Error fault(cgan_status status, const std::string& operation, const std::string& reason) const;

    // Lines for cgan_context_describe.
    std::string describe() const;

  private:
    const std::string identity_, cache_identity_; // a cached time is of one build of the kernels
    const IsCandidate is_candidate_;
    const std::string cache_; // path; empty: none
    std::string file_;        // path; empty: none
    PlanEntries used_;
    std::string notice_; // why the cache is not used
};

} // namespace cgan
