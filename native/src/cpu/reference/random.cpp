// Random numbers: philox.h applied to each element.
#include <algorithm>

#include "cpu/reference/dispatch.h"
#include "cpu/reference/reference.h"
#include "philox.h"

namespace cgan::reference {
namespace {

// The numbers of four words, T float or double.
template <class T> void four_floats(const cgan_random_params& p, const philox::Words& words, T* out) {
    const T a = static_cast<T>(p.a), b = static_cast<T>(p.b);
    if (p.kind == CGAN_RANDOM_NORMAL) {
        for (int i = 0; i < 4; i += 2) {
            const philox::Pair pair = philox::normal_pair(words.w[i], words.w[i + 1]);
            out[i] = philox::add(a, philox::multiply(b, static_cast<T>(pair.first)));
            out[i + 1] = philox::add(a, philox::multiply(b, static_cast<T>(pair.second)));
        }
        return;
    }
    const std::uint32_t threshold = philox::bernoulli_threshold(p.a);
    for (int i = 0; i < 4; i++) {
        out[i] = p.kind == CGAN_RANDOM_UNIFORM ? philox::uniform(words.w[i], a, b)
                                               : (words.w[i] >> 8 < threshold ? b : T{0});
    }
}

// Calls make(words, T* four results) for each four elements of dst.
template <class T, class F>
void for_blocks(const cgan_random_params& p, const View& step, const View& dst, F&& make) {
    const auto at = static_cast<std::uint64_t>(*step.as<std::int64_t>());
    const std::int64_t n = dst.elems();
    for (std::int64_t i = 0; i < n; i += 4) {
        T four[4];
        make(philox::words(p.seed, p.stream, at, static_cast<std::uint32_t>(i / 4)), four);
        std::copy_n(four, std::min<std::int64_t>(4, n - i), dst.as<T>() + i);
    }
}

} // namespace

void random(const cgan_random_params& p, const View& step, const View& dst) {
    if (p.kind == CGAN_RANDOM_INTEGER) {
        const auto low = static_cast<std::int32_t>(p.a);
        const auto range = static_cast<std::uint32_t>(p.b - p.a);
        for_blocks<std::int32_t>(p, step, dst, [&](const philox::Words& words, std::int32_t* out) {
            for (int i = 0; i < 4; i++) out[i] = philox::integer(words.w[i], low, range);
        });
        return;
    }
    for_float(dst.dtype, [&]<class T>(T) {
        for_blocks<T>(p, step, dst,
                      [&](const philox::Words& words, T* out) { four_floats<T>(p, words, out); });
    });
}

} // namespace cgan::reference
