#include "cpu/fast/operators.h"

#include <algorithm>

namespace cgan::fast {

Operators::Operators(int threads, const Kernels& kernels, bool transforms, MemoryLedger& ledger)
    : pool_(threads), scratch_(ledger), held_(ledger),
      machine_{pool_, kernels, scratch_, store_trials_, held_, transforms} {}

// Innermost axis of the result and its source stride; runs in parallel.
bool Operators::permute(const cgan_permute_params& p, const View& src, const View& dst) {
    if (!all_f32(src, dst) || dst.rank == 0) return false;
    std::int64_t source[CGAN_MAX_RANK] = {}, stride[CGAN_MAX_RANK] = {}, step = 1;
    for (int i = src.rank - 1; i >= 0; i--) {
        source[i] = step;
        step *= src.dims[i];
    }
    for (int i = 0; i < dst.rank; i++) stride[i] = source[p.axes[i]];
    const int last = dst.rank - 1;
    const std::int64_t n = dst.dims[last], inner = stride[last], runs = dst.elems() / n;
    pool_.ranges(runs, std::max<std::int64_t>(kGrain / n, 1), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t run = begin; run < end; run++) {
            const float* from = src.as<float>();
            std::int64_t rest = run;
            for (int i = last - 1; i >= 0; i--) {
                from += rest % dst.dims[i] * stride[i];
                rest /= dst.dims[i];
            }
            float* to = dst.as<float>() + run * n;
            for (std::int64_t i = 0; i < n; i++) to[i] = from[i * inner];
        }
    });
    return true;
}

} // namespace cgan::fast
