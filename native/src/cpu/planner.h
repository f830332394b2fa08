// kernels=auto: an operator's candidates are timed at its first use, and the fastest serves that shape from then on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "plan.h"

namespace cgan {

enum class Candidate {
    Handwritten, // our kernels, by their cost model
    Direct,      // our kernels, without transforms
    Vendor
};

const char* name_of(Candidate candidate); // as plans name it

class Planner {
  public:
    // What a plan depends on, as Plan takes it.
    explicit Planner(const std::string& identity);

    // Computes by a candidate; false if it does not serve these operands.
    using Run = std::function<bool(Candidate)>;

    // Computes by the planned candidate, or times all of them and plans the fastest. `operation` names the operator and
    // its shapes. Nothing, and nothing computed, if no candidate serves it. Throws CGAN_E_BAD_VALUE if a plan file
    // names a candidate that does not serve.
    std::optional<Candidate> serve(const std::string& operation, const std::vector<Candidate>& candidates,
                                   const Run& run);

    void keep_in(const std::string& path) { plan_.keep_in(path); }
    std::string describe() const { return plan_.describe(); }

  private:
    PlanEntry measure(const std::vector<Candidate>& candidates, const Run& run) const;

    Plan plan_;
};

} // namespace cgan
