// optimizers.cpp -- one pass over all parameters of a network
//
// threads : the tensors of a list are one long run of elements, cut into equal chunks
// bound   : memory
// repeat  : updates are element-wise; norms add fixed pieces in order
// reference: cpu/reference/optimizers.cpp
#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/fast/operators.h"

namespace cgan::fast {
namespace {

constexpr std::int64_t kChunk = 32768;

struct Piece {
    std::size_t tensor;
    std::int64_t begin, count;
};

std::vector<Piece> pieces_of(Views tensors) {
    std::vector<Piece> pieces;
    for (std::size_t t = 0; t < tensors.size(); t++)
        for (std::int64_t begin = 0, n = tensors[t].elems(); begin < n; begin += kChunk)
            pieces.push_back({t, begin, std::min(kChunk, n - begin)});
    return pieces;
}

template <class F> void for_pieces(ThreadPool& pool, Views tensors, F f) {
    const std::vector<Piece> pieces = pieces_of(tensors);
    pool.parallel(static_cast<std::int64_t>(pieces.size()),
                  [&](std::int64_t i, int) { f(pieces[static_cast<std::size_t>(i)], i); });
}

float* at(Views list, const Piece& p) { return list[p.tensor].as<float>() + p.begin; }

double rate_of(const View& hyper) { return hyper.as<double>()[0]; }

AdamStep adam_step(const cgan_adam_params& p, const View& hyper) {
    const double rate = rate_of(hyper), t = hyper.as<double>()[1];
    const double first = 1 - std::pow(p.beta1, t), second = 1 - std::pow(p.beta2, t);
    const bool corrected = p.form == CGAN_ADAM_CORRECTED;
    AdamStep s{};
    s.keep1 = static_cast<float>(p.beta1);
    s.take1 = static_cast<float>(1 - p.beta1);
    s.keep2 = static_cast<float>(p.beta2);
    s.take2 = static_cast<float>(1 - p.beta2);
    s.step = static_cast<float>(corrected ? rate / first : rate * std::sqrt(second) / first);
    s.root = static_cast<float>(corrected ? 1 / std::sqrt(second) : 1);
    s.epsilon = static_cast<float>(p.epsilon);
    s.decay = static_cast<float>(1 - rate * p.weight_decay);
    return s;
}

} // namespace

bool Operators::adam(const cgan_adam_params& p, const View& hyper, Views param, Views grad, Views m,
                     Views v) {
    if (!all_f32(param)) return false;
    const AdamStep step = adam_step(p, hyper);
    for_pieces(pool_, param, [&](const Piece& i, std::int64_t) {
        machine_.kernels.adam(step, at(param, i), at(grad, i), at(m, i), at(v, i), i.count);
    });
    return true;
}

bool Operators::sgd(const cgan_sgd_params& p, const View& hyper, Views param, Views grad, Views velocity) {
    if (!all_f32(param)) return false;
    const float rate = static_cast<float>(rate_of(hyper));
    const float momentum = velocity.empty() ? 0.0f : static_cast<float>(p.momentum);
    for_pieces(pool_, param, [&](const Piece& i, std::int64_t) {
        machine_.kernels.sgd(rate, momentum, static_cast<float>(p.weight_decay),
                             p.nesterov && !velocity.empty(), at(param, i), at(grad, i),
                             velocity.empty() ? nullptr : at(velocity, i), i.count);
    });
    return true;
}

bool Operators::rmsprop(const cgan_rmsprop_params& p, const View& hyper, Views param, Views grad, Views v) {
    if (!all_f32(param)) return false;
    const float rate = static_cast<float>(rate_of(hyper));
    for_pieces(pool_, param, [&](const Piece& i, std::int64_t) {
        machine_.kernels.rmsprop(rate, static_cast<float>(p.rho), static_cast<float>(1 - p.rho),
                                 static_cast<float>(p.epsilon), at(param, i), at(grad, i), at(v, i), i.count);
    });
    return true;
}

bool Operators::ema(const cgan_ema_params& p, Views src, Views dst) {
    if (!all_f32(src)) return false;
    for_pieces(pool_, src, [&](const Piece& i, std::int64_t) {
        machine_.kernels.ema(static_cast<float>(p.decay), static_cast<float>(1 - p.decay), at(src, i),
                             at(dst, i), i.count);
    });
    return true;
}

bool Operators::clamp(const cgan_clamp_params& p, Views tensors) {
    if (!all_f32(tensors)) return false;
    for_pieces(pool_, tensors, [&](const Piece& i, std::int64_t) {
        machine_.kernels.unary(CGAN_UNARY_CLAMP, static_cast<float>(p.low), static_cast<float>(p.high),
                               at(tensors, i), at(tensors, i), i.count);
    });
    return true;
}

bool Operators::global_norm(Views tensors, const View& dst) {
    if (!all_f32(tensors) || !all_f32(dst)) return false;
    std::vector<double> partial(pieces_of(tensors).size());
    for_pieces(pool_, tensors, [&](const Piece& i, std::int64_t number) {
        partial[static_cast<std::size_t>(number)] = machine_.kernels.sum_squares(at(tensors, i), i.count);
    });
    double total = 0;
    for (const double x : partial) total += x;
    *dst.as<float>() = static_cast<float>(std::sqrt(total));
    return true;
}

bool Operators::clip_by_norm(const cgan_clip_params& p, const View& norm, Views tensors) {
    if (!all_f32(tensors) || !all_f32(norm)) return false;
    const double ratio = p.max_norm / static_cast<double>(*norm.as<float>());
    if (ratio >= 1) return true;
    for_pieces(pool_, tensors, [&](const Piece& i, std::int64_t) {
        machine_.kernels.unary(CGAN_UNARY_AFFINE, static_cast<float>(ratio), 0, at(tensors, i),
                               at(tensors, i), i.count);
    });
    return true;
}

} // namespace cgan::fast
