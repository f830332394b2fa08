// Times our kernels against oneDNN's: every pass of every shape of shapes.h, through cgan.h, taking turns.
//   CGAN_DNNL_LIBRARY=.../libdnnl.so.3 operator_bench [--threads N] [--turns N] [--only TEXT] [--errors]
// --errors compares both with float64 plain loops instead of timing them (batches are cut to 2).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/shapes.h"

namespace {

using cgan::bench::Shape;
using Clock = std::chrono::steady_clock;

constexpr double kSlowest = 0.7; // of oneDNN's speed: what no shape may fall below
// A turn begins with as long a time unmeasured: after a pause a system may wake two threads on one processor, and part them
// at a later tick of its clock.
constexpr auto kWarm = std::chrono::milliseconds(12);
constexpr auto kTurn = std::chrono::milliseconds(8);
// OpenMP's threads spin for a few milliseconds after their work: whose turn is next shall not suffer from that.
constexpr auto kPause = std::chrono::milliseconds(8);

void check(cgan_status status) {
    if (status == CGAN_OK) return;
    char text[1024];
    cgan_last_error(nullptr, text, sizeof text);
    throw std::runtime_error(text);
}

// A context whose buffers live as long as it does.
class Session {
  public:
    explicit Session(const std::string& device) { check(cgan_context_create(device.c_str(), &context_)); }
    ~Session() { cgan_context_destroy(context_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    operator cgan_context*() const { return context_; }

    cgan_tensor tensor(std::int32_t dtype, std::initializer_list<std::int64_t> dims) const {
        cgan_tensor t{};
        t.struct_size = sizeof t;
        t.dtype = dtype;
        std::int64_t n = 1;
        for (const std::int64_t dim : dims) t.dims[t.rank++] = dim, n *= dim;
        check(cgan_buffer_create(context_, n * (dtype == CGAN_F64 ? 8 : 4), &t.buffer));
        return t;
    }
    // Reals in [-1, 1), the same for the same seed.
    cgan_tensor filled(std::int32_t dtype, std::initializer_list<std::int64_t> dims,
                       std::uint32_t seed) const {
        const cgan_tensor t = tensor(dtype, dims);
        const std::int64_t n = count(t);
        std::vector<float> values(static_cast<std::size_t>(n));
        for (float& x : values) {
            seed = seed * 1664525 + 1013904223;
            x = static_cast<float>(static_cast<std::int32_t>(seed) >> 8) * 0x1p-23f;
        }
        if (dtype == CGAN_F32) {
            check(cgan_buffer_write(context_, t.buffer, 0, values.data(), n * 4));
        } else {
            const std::vector<double> wide(values.begin(), values.end());
            check(cgan_buffer_write(context_, t.buffer, 0, wide.data(), n * 8));
        }
        return t;
    }
    std::vector<double> read(const cgan_tensor& t) const {
        const std::int64_t n = count(t);
        std::vector<double> wide(static_cast<std::size_t>(n));
        if (t.dtype == CGAN_F64) {
            check(cgan_buffer_read(context_, t.buffer, 0, wide.data(), n * 8));
        } else {
            std::vector<float> values(wide.size());
            check(cgan_buffer_read(context_, t.buffer, 0, values.data(), n * 4));
            std::copy(values.begin(), values.end(), wide.begin());
        }
        return wide;
    }
    std::string describe() const {
        char text[4096] = {};
        cgan_context_describe(context_, text, sizeof text);
        return text;
    }

  private:
    static std::int64_t count(const cgan_tensor& t) {
        std::int64_t n = 1;
        for (int i = 0; i < t.rank; i++) n *= t.dims[i];
        return n;
    }

    cgan_context* context_ = nullptr;
};

// One pass of a layer: a call that can be repeated, and where its result is.
struct Pass {
    const char* name;
    std::function<cgan_status()> call;
    cgan_tensor result;
};

std::vector<Pass> convolution_passes(const Session& s, const Shape& shape, std::int32_t dtype) {
    const std::int64_t n = shape.n, h = shape.h, w = shape.w, c = shape.c, k = shape.k;
    const auto p = shape.params();
    const cgan_tensor src = s.filled(dtype, {n, h, w, c}, 1),
                      wei = s.filled(dtype, {k, shape.r, shape.s, c}, 2),
                      d_dst = s.filled(dtype, {n, shape.oh(), shape.ow(), k}, 3),
                      bia = s.filled(dtype, {k}, 4), d_bia = s.filled(dtype, {c}, 5);
    const cgan_tensor dst = s.tensor(dtype, {n, shape.oh(), shape.ow(), k}),
                      d_src = s.tensor(dtype, {n, h, w, c}),
                      d_wei = s.tensor(dtype, {k, shape.r, shape.s, c});
    auto layer = p;
    layer.activation = CGAN_ACT_TANH;
    return {{"forward", [=, &s] { return cgan_conv2d_forward(s, &p, &src, &wei, &bia, &dst); }, dst},
            {shape.transposed ? "transposed" : "backward data",
             [=, &s] {
                 return shape.transposed ? cgan_conv2d_backward_data(s, &layer, &wei, &d_dst, &d_bia, &d_src)
                                         : cgan_conv2d_backward_data(s, &p, &wei, &d_dst, nullptr, &d_src);
             },
             d_src},
            {"backward filter",
             [=, &s] { return cgan_conv2d_backward_filter(s, &p, &src, &d_dst, &d_wei, nullptr); }, d_wei}};
}

std::vector<Pass> dense_passes(const Session& s, const Shape& shape, std::int32_t dtype) {
    const cgan_tensor src = s.filled(dtype, {shape.n, shape.c}, 1),
                      wei = s.filled(dtype, {shape.k, shape.c}, 2),
                      d_dst = s.filled(dtype, {shape.n, shape.k}, 3), bia = s.filled(dtype, {shape.k}, 4);
    const cgan_tensor dst = s.tensor(dtype, {shape.n, shape.k}), d_src = s.tensor(dtype, {shape.n, shape.c}),
                      d_wei = s.tensor(dtype, {shape.k, shape.c});
    cgan_dense_params dense{};
    dense.struct_size = sizeof dense;
    cgan_matmul_params plain{};
    plain.struct_size = sizeof plain;
    auto transposed = plain;
    transposed.transpose_a = 1;
    return {
        {"forward", [=, &s] { return cgan_dense_forward(s, &dense, &src, &wei, &bia, &dst); }, dst},
        {"backward data", [=, &s] { return cgan_matmul(s, &plain, &d_dst, &wei, &d_src); }, d_src},
        {"backward filter", [=, &s] { return cgan_matmul(s, &transposed, &d_dst, &src, &d_wei); }, d_wei}};
}

std::vector<Pass> passes(const Session& s, const Shape& shape, std::int32_t dtype = CGAN_F32) {
    return shape.dense() ? dense_passes(s, shape, dtype) : convolution_passes(s, shape, dtype);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// Milliseconds of one call, the median of a turn.
double take_turn(const Pass& pass) {
    std::this_thread::sleep_for(kPause);
    for (const auto begin = Clock::now(); Clock::now() - begin < kWarm;) check(pass.call());
    std::vector<double> times;
    for (auto begin = Clock::now(), now = begin; now - begin < kTurn || times.empty();) {
        const auto last = now;
        check(pass.call());
        now = Clock::now();
        times.push_back(std::chrono::duration<double, std::milli>(now - last).count());
    }
    return median(times);
}

struct Options {
    int threads = 2, turns = 3;
    const char* only = "";
    bool errors = false;
    std::string device(const char* kernels) const {
        return std::string("cpu?threads=") + std::to_string(threads) + "&kernels=" + kernels;
    }
};

// Prints one line for each pass; returns the worst ratio.
double time_shape(const Options& options, const Shape& shape, int& slow) {
    const Session ours(options.device("handwritten")), theirs(options.device("vendor"));
    const auto mine = passes(ours, shape), rival = passes(theirs, shape);
    double worst = INFINITY;
    for (std::size_t i = 0; i < mine.size(); i++) {
        check(mine[i].call());
        check(rival[i].call());
        std::vector<double> a, b;
        for (int turn = 0; turn < options.turns; turn++) {
            a.push_back(take_turn(mine[i]));
            b.push_back(take_turn(rival[i]));
        }
        const double own = median(a), other = median(b), ratio = other / own;
        std::printf("%-22s %-38s %-16s %9.3f %7.0f %9.3f %7.0f %7.2f%s\n", shape.name, shape.text().c_str(),
                    mine[i].name, own, shape.flops() / own * 1e-6, other, shape.flops() / other * 1e-6, ratio,
                    ratio < kSlowest ? " *" : "");
        worst = std::min(worst, ratio);
        slow += ratio < kSlowest;
    }
    const std::string served = theirs.describe();
    if (served.find("handwritten ") != std::string::npos)
        std::printf("  (not all of this by oneDNN: %s)\n", served.substr(served.find('\n') + 1).c_str());
    std::fflush(stdout);
    return worst;
}

// Root of the mean square error, relative to that of the exact result.
double error_of(const std::vector<double>& got, const std::vector<double>& exact) {
    double off = 0, norm = 0;
    for (std::size_t i = 0; i < exact.size(); i++) {
        off += (got[i] - exact[i]) * (got[i] - exact[i]);
        norm += exact[i] * exact[i];
    }
    return std::sqrt(off / norm);
}

double compare_errors(const Options& options, Shape shape, int& worse) {
    shape.n = std::min<std::int64_t>(shape.n, 2);
    if (shape.flops() > 1e9) return 0; // plain loops would take minutes
    const Session ours(options.device("handwritten")), theirs(options.device("vendor")),
        exact("cpu?kernels=reference");
    const auto mine = passes(ours, shape), rival = passes(theirs, shape),
               wanted = passes(exact, shape, CGAN_F64);
    double worst = 0;
    for (std::size_t i = 0; i < mine.size(); i++) {
        for (const Pass* pass : {&mine[i], &rival[i], &wanted[i]}) check(pass->call());
        const auto want = exact.read(wanted[i].result);
        const double own = error_of(ours.read(mine[i].result), want),
                     other = error_of(theirs.read(rival[i].result), want);
        std::printf("%-22s %-38s %-16s %9.1e %9.1e %7.2f%s\n", shape.name, shape.text().c_str(), mine[i].name,
                    own, other, own / other, own > 2 * other ? " *" : "");
        worst = std::max(worst, own / other);
        worse += own > 2 * other;
    }
    std::fflush(stdout);
    return worst;
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i++) {
        const std::string name = argv[i];
        if (name == "--errors") {
            options.errors = true;
            continue;
        }
        if (i + 1 == argc) throw std::runtime_error(name + " is unknown or lacks its value");
        const char* value = argv[++i];
        if (name == "--threads")
            options.threads = std::atoi(value);
        else if (name == "--turns")
            options.turns = std::max(1, std::atoi(value));
        else if (name == "--only")
            options.only = value;
        else
            throw std::runtime_error(name + " is unknown; known are --threads, --turns, --only, --errors");
    }
    return options;
}

void run(const Options& options) {
    std::printf("%s\n%s\n\n", Session(options.device("handwritten")).describe().c_str(),
                Session(options.device("vendor")).describe().c_str());
    if (options.errors)
        std::printf("%-22s %-38s %-16s %9s %9s %7s\n", "layer", "shape", "pass", "ours", "oneDNN", "ratio");
    else
        std::printf("%-22s %-38s %-16s %9s %7s %9s %7s %7s\n", "layer", "shape", "pass", "ours ms", "GFLOP/s",
                    "oneDNN ms", "GFLOP/s", "ratio");
    int shapes = 0, marked = 0;
    double worst = options.errors ? 0 : INFINITY;
    for (const auto list : {cgan::bench::model_shapes(), cgan::bench::corner_shapes()}) {
        for (const Shape& shape : list) {
            if ((std::string(shape.name) + " " + shape.text()).find(options.only) == std::string::npos)
                continue;
            shapes++;
            worst = options.errors ? std::max(worst, compare_errors(options, shape, marked))
                                   : std::min(worst, time_shape(options, shape, marked));
        }
    }
    if (options.errors)
        std::printf("\n%d shapes; our error is at most %.2f times oneDNN's; %d passes above 2 (*)\n", shapes,
                    worst, marked);
    else
        std::printf("\n%d shapes; slowest pass %.2f times as fast as oneDNN; %d passes below %.1f (*)\n",
                    shapes, worst, marked, kSlowest);
}

} // namespace

int main(int argc, char** argv) {
    try {
        run(read_options(argc, argv));
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "operator_bench: %s\n", e.what());
        return 1;
    }
}
