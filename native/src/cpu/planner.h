// kernels=auto: an operator's candidates are timed at its first use, and the fastest serves that shape from then on.
//
// Choices are kept in the process, and in a file of the user's cache folder for each processor, instruction set, thread
// count and version. A run that must repeat its bits names a plan file of its own (keep_in): what that holds is not
// measured again, and what is measured is in it before a result of it is used.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cgan {

enum class Candidate {
    Handwritten, // our kernels, by their cost model
    Direct,      // our kernels, without transforms
    Vendor
};

struct PlanEntry {
    Candidate winner = Candidate::Handwritten;
    std::vector<std::pair<Candidate, double>> milliseconds; // of those that were timed
};
using PlanEntries = std::map<std::string, PlanEntry>;

class Planner {
  public:
    // What a plan depends on, one "name value" a line.
    explicit Planner(const std::string& identity);

    // Computes by a candidate; false if it does not serve these operands.
    using Run = std::function<bool(Candidate)>;

    // Computes by the planned candidate, or times all of them and plans the fastest. `operation` names the operator and
    // its shapes. Nothing, and nothing computed, if no candidate serves it. Throws CGAN_E_BAD_VALUE if a plan file
    // names a candidate that does not serve.
    std::optional<Candidate> serve(const std::string& operation, const std::vector<Candidate>& candidates,
                                   const Run& run);

    // Takes the choices of the file, if it exists, and keeps all choices in it from now on. Throws CGAN_E_BAD_VALUE for
    // a file that is none or of another machine or version, and for one that cannot be written.
    void keep_in(const std::string& path);

    // Lines for cgan_context_describe.
    std::string describe() const;

  private:
    std::optional<PlanEntry> measure(const std::vector<Candidate>& candidates, const Run& run) const;
    void adopt(const std::string& operation, const PlanEntry& entry, bool measured);

    const std::string identity_;
    std::string cache_, file_; // paths; empty: none
    PlanEntries known_;        // from the cache, not all in use
    PlanEntries plan_;         // in use
    std::string notice_;       // why the cache is not used
};

} // namespace cgan
