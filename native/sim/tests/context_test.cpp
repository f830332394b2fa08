// Contexts of the simulated device through cgan.h: uploads beside the queue, graphs, devices that fail, several
// devices at once. The plugin that libcgan opens is the one that this program is linked with, so that tests
// can set up the simulator.
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include "../src/control.h"
#include "support/session.h"

namespace cgan::test {
namespace {

class SimContextTest : public testing::Test {
  protected:
    void SetUp() override {
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
    }
    void TearDown() override {
        unsetenv("CGAN_SYNC");
        cgan_sim::reset_errors();
        cgan_sim::options() = {};
        EXPECT_EQ(0, cgan_sim::live_allocations());
    }
};

cgan_status affine(cgan_context* ctx, double alpha, double beta, const cgan_tensor& src,
                   const cgan_tensor& dst) {
    auto p = sized<cgan_unary_params>();
    p.kind = CGAN_UNARY_AFFINE;
    p.alpha = alpha;
    p.beta = beta;
    return cgan_unary(ctx, &p, &src, &dst);
}

cgan_status upload(cgan_context* ctx, const cgan_tensor& t, const std::vector<float>& values) {
    return cgan_buffer_upload(ctx, t.buffer, 0, values.data(), std::int64_t(values.size() * sizeof(float)));
}

// ---- uploads ----

// The copy for the next step waits for the step before, which used the same buffer, and not for this one.
void train_with_uploads(const Session& s, std::vector<float>& sums) {
    const std::int64_t n = 1000;
    const cgan_tensor slot[2] = {s.tensor(CGAN_F32, {n}), s.tensor(CGAN_F32, {n})};
    const cgan_tensor sum = s.floats({n}, std::vector<float>(std::size_t(n)));
    auto add = sized<cgan_binary_params>();
    add.kind = CGAN_BINARY_ADD;
    ASSERT_CGAN_OK(upload(s, slot[0], std::vector<float>(std::size_t(n), 1)));
    for (int step = 0; step < 5; step++) {
        ASSERT_CGAN_OK(affine(s, 10, 0, sum, sum));
        ASSERT_CGAN_OK(cgan_binary(s, &add, &sum, &slot[step % 2], &sum));
        const std::vector<float> next(std::size_t(n), float(step + 2));
        ASSERT_CGAN_OK(upload(s, slot[(step + 1) % 2], next));
    }
    sums = s.read_floats(sum);
}

TEST_F(SimContextTest, UploadsKeepClearOfTheWorkThatUsesTheirBuffer) {
    for (const bool early : {false, true}) {
        cgan_sim::options().early_copies = early;
        const Session s("sim");
        std::vector<float> sums;
        train_with_uploads(s, sums);
        EXPECT_EQ(std::vector<float>(1000, 12345.0f), sums) << "early copies " << early;
    }
}

TEST_F(SimContextTest, UploadsRunBesideTheQueue) {
    cgan_sim::options().early_copies = true;
    const Session s("sim");
    const cgan_tensor a = s.floats({64}, std::vector<float>(64, 1)), b = s.tensor(CGAN_F32, {64});
    ASSERT_CGAN_OK(upload(s, b, std::vector<float>(64, 2))); // b's making is marked now
    ASSERT_CGAN_OK(cgan_context_synchronize(s));
    ASSERT_CGAN_OK(affine(s, 2, 0, a, a));
    const std::int64_t kernels = cgan_sim::kernels_run();
    ASSERT_CGAN_OK(upload(s, b, std::vector<float>(64, 3)));
    EXPECT_EQ(kernels, cgan_sim::kernels_run()) << "the upload made the host wait for a kernel";
    EXPECT_EQ(std::vector<float>(64, 3), s.read_floats(b));
    EXPECT_EQ(std::vector<float>(64, 2), s.read_floats(a));
}

TEST_F(SimContextTest, FreedAndNewMemoryWaitsForUploads) {
    cgan_sim::options().early_copies = true;
    const Session s("sim");
    for (int i = 0; i < 20; i++) {
        const cgan_tensor a = s.floats({512}, std::vector<float>(512, 1)), out = s.tensor(CGAN_F32, {512});
        ASSERT_CGAN_OK(affine(s, 1, float(i), a, out));
        ASSERT_CGAN_OK(cgan_buffer_destroy(s, a.buffer));
        const cgan_tensor b = s.tensor(CGAN_F32, {512});
        ASSERT_CGAN_OK(upload(s, b, std::vector<float>(512, 5)));
        if (i % 2) {
            ASSERT_CGAN_OK(cgan_buffer_destroy(s, b.buffer)); // while its upload may be on the way
        }
        EXPECT_EQ(std::vector<float>(512, 1 + float(i)), s.read_floats(out));
        ASSERT_CGAN_OK(cgan_buffer_destroy(s, out.buffer));
    }
}

TEST_F(SimContextTest, LargeUploadsTravelThroughStaging) {
    const Session s("sim");
    std::vector<float> values(3 << 20);
    for (std::size_t i = 0; i < values.size(); i++) values[i] = float(i);
    const cgan_tensor t = s.tensor(CGAN_F32, {3 << 20});
    ASSERT_CGAN_OK(upload(s, t, values));
    EXPECT_EQ(values, s.read_floats(t));
}

TEST_F(SimContextTest, UploadsAreChecked) {
    for (const char* device : {"cpu", "sim"}) {
        const Session s(device);
        const cgan_tensor t = s.tensor(CGAN_F32, {4});
        const float four[4] = {1, 2, 3, 4};
        EXPECT_CGAN_FAILS(CGAN_E_OUT_OF_BOUNDS,
                          "buffer_upload: 16 bytes from offset 4 are not inside the buffer of 16",
                          cgan_buffer_upload(s, t.buffer, 4, four, 16));
        EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "buffer_upload: src is NULL",
                          cgan_buffer_upload(s, t.buffer, 0, nullptr, 16));
        EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "buffer_upload: buffer is NULL",
                          cgan_buffer_upload(s, nullptr, 0, four, 16));
        EXPECT_CGAN_OK(cgan_buffer_upload(s, t.buffer, 0, nullptr, 0));
        EXPECT_CGAN_OK(cgan_buffer_upload(s, t.buffer, 0, four, 16));
        EXPECT_EQ((std::vector<float>{1, 2, 3, 4}), s.read_floats(t));
    }
}

// ---- graphs ----

// A small training step: a draw that depends on the step, a norm that needs workspace, Adam.
struct Step {
    explicit Step(const Session& s)
        : w(s.floats({600}, std::vector<float>(600, 1))), m(s.floats({600}, std::vector<float>(600))),
          v(s.floats({600}, std::vector<float>(600))), grad(s.tensor(CGAN_F32, {600})),
          norm(s.tensor(CGAN_F32, {1})), hyper(s.doubles({2}, {0.01, 0})),
          step(s.tensor<std::int64_t>(CGAN_I64, {1}, {1})) {}

    cgan_status run(cgan_context* ctx) const {
        auto draw = sized<cgan_random_params>();
        draw.kind = CGAN_RANDOM_NORMAL;
        draw.seed = 7;
        draw.b = 1;
        auto clip = sized<cgan_clip_params>();
        clip.max_norm = 3;
        auto adam = sized<cgan_adam_params>();
        adam.beta1 = 0.5;
        adam.beta2 = 0.9;
        adam.epsilon = 1e-7;
        for (const cgan_status status :
             {cgan_random(ctx, &draw, &step, &grad), cgan_global_norm(ctx, 1, &grad, &norm),
              cgan_clip_by_norm(ctx, &clip, &norm, 1, &grad), cgan_optimizer_advance(ctx, &hyper),
              cgan_adam(ctx, &adam, &hyper, 1, &w, &grad, &m, &v)}) {
            if (status != CGAN_OK) return status;
        }
        return CGAN_OK;
    }

    void set(const Session& s, std::int64_t number, double rate) const {
        s.write(step, &number, sizeof number);
        ASSERT_CGAN_OK(cgan_buffer_write(s, hyper.buffer, 0, &rate, sizeof rate));
    }

    cgan_tensor w, m, v, grad, norm, hyper, step;
};

TEST_F(SimContextTest, ReplayedStepsEqualEagerOnesBitForBit) {
    const Session eager("sim"), replayed("sim");
    const Step a(eager), b(replayed);
    cgan_graph* graph = nullptr;
    for (std::int64_t number = 1; number <= 5; number++) {
        const double rate = 0.01 / double(number);
        a.set(eager, number, rate);
        ASSERT_CGAN_OK(a.run(eager));
        b.set(replayed, number, rate);
        if (number == 1) {
            ASSERT_CGAN_OK(b.run(replayed));
        } else if (number == 2) {
            ASSERT_CGAN_OK(cgan_context_synchronize(replayed));
            const std::int64_t kernels = cgan_sim::kernels_run();
            ASSERT_CGAN_OK(cgan_graph_begin(replayed));
            ASSERT_CGAN_OK(b.run(replayed));
            ASSERT_CGAN_OK(cgan_graph_end(replayed, &graph));
            ASSERT_CGAN_OK(cgan_context_synchronize(replayed));
            EXPECT_EQ(kernels, cgan_sim::kernels_run()) << "recording ran something";
        }
        if (number > 1) {
            const std::int64_t calls = replayed.memory().calls;
            ASSERT_CGAN_OK(cgan_graph_launch(replayed, graph));
            EXPECT_EQ(calls + 1, replayed.memory().calls);
        }
        ASSERT_EQ(eager.read_floats(a.w), replayed.read_floats(b.w)) << "step " << number;
        ASSERT_EQ(eager.read_floats(a.norm), replayed.read_floats(b.norm)) << "step " << number;
    }
    EXPECT_EQ(5, replayed.read_doubles(b.hyper)[1]);
    EXPECT_GT(replayed.memory().workspace_bytes, 0) << "the graph keeps the workspace of the norm";
    ASSERT_CGAN_OK(cgan_graph_destroy(replayed, graph));
    EXPECT_EQ(0, replayed.memory().workspace_bytes);
}

TEST_F(SimContextTest, QueuedLaunchesOutliveTheirGraph) {
    const Session s("sim");
    const cgan_tensor x = s.floats({8}, std::vector<float>(8, 1));
    cgan_graph* graph = nullptr;
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    ASSERT_CGAN_OK(affine(s, 2, 0, x, x));
    ASSERT_CGAN_OK(cgan_graph_end(s, &graph));
    for (int i = 0; i < 3; i++) ASSERT_CGAN_OK(cgan_graph_launch(s, graph));
    ASSERT_CGAN_OK(cgan_graph_destroy(s, graph));
    EXPECT_EQ(std::vector<float>(8, 8), s.read_floats(x));
}

TEST_F(SimContextTest, LaunchesSeeUploadsAndUploadsWaitForLaunches) {
    cgan_sim::options().early_copies = true;
    const Session s("sim");
    const cgan_tensor in = s.floats({256}, std::vector<float>(256)), out = s.tensor(CGAN_F32, {256});
    cgan_graph* graph = nullptr;
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    ASSERT_CGAN_OK(affine(s, 2, 1, in, out));
    ASSERT_CGAN_OK(cgan_graph_end(s, &graph));
    for (int i = 1; i <= 4; i++) {
        ASSERT_CGAN_OK(upload(s, in, std::vector<float>(256, float(i))));
        ASSERT_CGAN_OK(cgan_graph_launch(s, graph));
        ASSERT_CGAN_OK(upload(s, in, std::vector<float>(256, -1)));
        EXPECT_EQ(std::vector<float>(256, float(2 * i + 1)), s.read_floats(out));
    }
}

TEST_F(SimContextTest, WhatCannotBeRecordedIsRefusedAndSpoilsTheRecording) {
    const Session s("sim");
    const Step step(s);
    float number = 0;
    const std::string what = ": this cannot be recorded; end the recording with cgan_graph_end first";
    const std::vector<std::pair<std::string, std::function<cgan_status()>>> calls = {
        {"buffer_read", [&] { return cgan_buffer_read(s, step.norm.buffer, 0, &number, 4); }},
        {"buffer_write", [&] { return cgan_buffer_write(s, step.norm.buffer, 0, &number, 4); }},
        {"buffer_upload", [&] { return cgan_buffer_upload(s, step.norm.buffer, 0, &number, 4); }}};
    for (const auto& [name, call] : calls) {
        auto* graph = reinterpret_cast<cgan_graph*>(1);
        ASSERT_CGAN_OK(cgan_graph_begin(s));
        ASSERT_CGAN_OK(step.run(s));
        EXPECT_CGAN_FAILS(CGAN_E_UNSUPPORTED, name + what, call());
        EXPECT_CGAN_FAILS(CGAN_E_UNSUPPORTED, "graph_end: a call of the recording failed: " + name + what,
                          cgan_graph_end(s, &graph));
        EXPECT_EQ(nullptr, graph);
        EXPECT_EQ(0, s.memory().workspace_bytes);
    }
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    EXPECT_CGAN_FAILS(CGAN_E_UNSUPPORTED, "context_synchronize" + what, cgan_context_synchronize(s));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                      "graph_begin: a recording is going on; end it with cgan_graph_end first",
                      cgan_graph_begin(s));
    EXPECT_CGAN_OK(cgan_graph_end(s, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "graph_end: nothing is being recorded; begin with cgan_graph_begin",
                      cgan_graph_end(s, nullptr));
    EXPECT_EQ(std::vector<float>(600, 1), s.read_floats(step.w)) << "nothing that was recorded has run";
    EXPECT_CGAN_OK(step.run(s));
}

TEST_F(SimContextTest, BuffersMayBeMadeAndFreedMeanwhile) {
    const Session s("sim");
    const cgan_tensor x = s.floats({64}, std::vector<float>(64, 3)), old = s.tensor(CGAN_F32, {64});
    cgan_graph* graph = nullptr;
    ASSERT_CGAN_OK(affine(s, 1, 0, x, old));
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    const cgan_tensor kept = s.tensor(CGAN_F32, {64});
    ASSERT_CGAN_OK(affine(s, 2, 0, x, kept));
    ASSERT_CGAN_OK(cgan_buffer_destroy(s, old.buffer));
    ASSERT_CGAN_OK(cgan_graph_end(s, &graph));
    ASSERT_CGAN_OK(cgan_graph_launch(s, graph));
    EXPECT_EQ(std::vector<float>(64, 6), s.read_floats(kept));

    ASSERT_CGAN_OK(cgan_buffer_destroy(s, kept.buffer));
    EXPECT_EQ(CGAN_E_BAD_HANDLE, cgan_graph_launch(s, graph));
    EXPECT_TRUE(last_error().ends_with("which the graph uses, was destroyed")) << last_error();

    ASSERT_CGAN_OK(cgan_graph_begin(s));
    const cgan_tensor gone = s.tensor(CGAN_F32, {64});
    ASSERT_CGAN_OK(affine(s, 2, 0, x, gone));
    ASSERT_CGAN_OK(cgan_buffer_destroy(s, gone.buffer));
    EXPECT_EQ(CGAN_E_BAD_HANDLE, cgan_graph_end(s, &graph));
    EXPECT_EQ(1, s.memory().live_buffers);
}

TEST_F(SimContextTest, GraphHandlesAreChecked) {
    const Session s("sim"), other("sim");
    const cgan_tensor x = s.tensor(CGAN_F32, {4});
    cgan_graph* graph = nullptr;
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    ASSERT_CGAN_OK(cgan_fill(s, 1, &x));
    ASSERT_CGAN_OK(cgan_graph_end(s, &graph));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "graph_launch: graph is NULL", cgan_graph_launch(s, nullptr));
    EXPECT_CGAN_OK(cgan_graph_destroy(s, nullptr));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "graph_launch: graph belongs to another context",
                      cgan_graph_launch(other, graph));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "graph_launch: graph is not a graph",
                      cgan_graph_launch(s, reinterpret_cast<cgan_graph*>(x.buffer)));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "buffer_destroy: buffer is not a buffer",
                      cgan_buffer_destroy(s, reinterpret_cast<cgan_buffer*>(graph)));
    EXPECT_CGAN_OK(cgan_graph_destroy(s, graph));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "graph_launch: graph was destroyed before",
                      cgan_graph_launch(s, graph));
    EXPECT_CGAN_FAILS(CGAN_E_BAD_HANDLE, "graph_destroy: graph was destroyed before",
                      cgan_graph_destroy(s, graph));
    EXPECT_CGAN_FAILS(CGAN_E_NULL_ARG, "graph_begin: ctx is NULL", cgan_graph_begin(nullptr));

    const Session cpu("cpu");
    EXPECT_CGAN_FAILS(CGAN_E_UNSUPPORTED,
                      "graph_begin: this device runs each call at once and records none; use cuda or sim",
                      cgan_graph_begin(cpu));
    EXPECT_EQ(CGAN_E_BAD_VALUE, cgan_graph_end(cpu, &graph));
}

TEST_F(SimContextTest, ContextsMayCloseInTheMiddleOfARecording) {
    const Session s("sim");
    const Step step(s);
    cgan_graph* graph = nullptr;
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    ASSERT_CGAN_OK(step.run(s));
    ASSERT_CGAN_OK(cgan_graph_end(s, &graph));
    ASSERT_CGAN_OK(cgan_graph_launch(s, graph));
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    ASSERT_CGAN_OK(step.run(s));
}

// Each call and each allocation of a recording and its launch fails: nothing stays behind, the context lives on.
TEST_F(SimContextTest, RecordingsSurviveAFaultyDevice) {
    for (const std::string kind : {"fail", "failAlloc"}) {
        int failures = 0;
        for (int n = 1; n < 100; n++) {
            const Session s("faulty:sim?" + kind + "=" + std::to_string(n));
            try {
                const Step step(s);
                cgan_graph* graph = nullptr;
                ASSERT_CGAN_OK(cgan_graph_begin(s));
                const cgan_status recorded = step.run(s), ended = cgan_graph_end(s, &graph);
                EXPECT_EQ(recorded, ended);
                const cgan_status launched = ended == CGAN_OK ? cgan_graph_launch(s, graph) : ended;
                if (launched == CGAN_OK) break;
                EXPECT_EQ(CGAN_E_INJECTED, launched) << last_error();
                failures++;
                EXPECT_EQ(CGAN_OK, step.run(s)) << "the context is of no use any more: " << last_error();
            } catch (const std::runtime_error& e) { // while the step's tensors were made
                EXPECT_NE(std::string::npos, std::string(e.what()).find("on request")) << e.what();
            }
        }
        EXPECT_GE(failures, kind == "fail" ? 5 : 1) << kind;
    }
}

TEST_F(SimContextTest, EveryRuntimeCallOfARecordingMayFail) {
    int failures = 0;
    for (int n = 1; n < 1000; n++) {
        cgan_sim::reset_errors();
        cgan_sim::options().fail_call = n;
        try {
            const Session s("sim");
            const Step step(s);
            cgan_graph* graph = nullptr;
            bool good = cgan_graph_begin(s) == CGAN_OK;
            good = good && step.run(s) == CGAN_OK;
            good = good && cgan_graph_end(s, &graph) == CGAN_OK && cgan_graph_launch(s, graph) == CGAN_OK;
            good = good && upload(s, step.grad, {1, 2, 3}) == CGAN_OK && step.run(s) == CGAN_OK;
            good = good && cgan_graph_launch(s, graph) == CGAN_OK && cgan_context_synchronize(s) == CGAN_OK;
            failures += !good;
        } catch (const std::runtime_error&) { // it could not even be opened
        }
        ASSERT_EQ(0, cgan_sim::live_allocations()) << "after failing call " << n;
        if (cgan_sim::runtime_calls() < n) break;
    }
    EXPECT_GT(failures, 30);
}

// ---- devices that fail ----

TEST_F(SimContextTest, ALostDeviceStaysLost) {
    const Session s("sim");
    const cgan_tensor x = s.floats({64}, std::vector<float>(64, 1));
    ASSERT_CGAN_OK(cgan_context_synchronize(s));
    cgan_sim::options().fault_kernel = cgan_sim::kernels_run() + 2;
    EXPECT_CGAN_OK(affine(s, 2, 0, x, x));
    EXPECT_CGAN_OK(affine(s, 3, 0, x, x)) << "the failure shows later";
    EXPECT_EQ(CGAN_E_DEVICE_LOST, cgan_context_synchronize(s));
    const std::string first = last_error();
    EXPECT_NE(std::string::npos, first.find("faulted on request")) << first;
    EXPECT_NE(std::string::npos, first.find("CGAN_SYNC=1")) << first;

    cgan_sim::reset_errors(); // the context is poisoned even where the driver is not
    cgan_sim::options() = {};
    float value = 0;
    cgan_buffer* buffer = nullptr;
    for (const cgan_status status :
         {affine(s, 2, 0, x, x), cgan_buffer_read(s, x.buffer, 0, &value, 4),
          cgan_buffer_create(s, 4, &buffer), cgan_graph_begin(s), cgan_context_synchronize(s)}) {
        EXPECT_EQ(CGAN_E_DEVICE_LOST, status);
        EXPECT_NE(std::string::npos, last_error().find("the device was lost before: " + first))
            << last_error();
    }
    EXPECT_EQ(1, s.memory().live_buffers);
    EXPECT_CGAN_OK(cgan_buffer_destroy(s, x.buffer));
}

TEST_F(SimContextTest, SynchronousLaunchesChargeFailuresToTheirAuthor) {
    setenv("CGAN_SYNC", "1", 1);
    const Session s("sim");
    const cgan_tensor x = s.floats({64}, std::vector<float>(64, 1));
    cgan_sim::options().fault_kernel = cgan_sim::kernels_run() + 2;
    EXPECT_CGAN_OK(cgan_fill(s, 2, &x));
    EXPECT_EQ(CGAN_E_DEVICE_LOST, affine(s, 3, 0, x, x));
    EXPECT_TRUE(last_error().starts_with("unary: ")) << last_error();
    EXPECT_NE(std::string::npos, last_error().find("faulted on request")) << last_error();
}

TEST_F(SimContextTest, SynchronousLaunchesAreNotRecorded) {
    setenv("CGAN_SYNC", "1", 1);
    const Session s("sim");
    const cgan_tensor x = s.floats({64}, std::vector<float>(64, 1));
    cgan_graph* graph = nullptr;
    ASSERT_CGAN_OK(cgan_graph_begin(s));
    EXPECT_CGAN_FAILS(CGAN_E_UNSUPPORTED,
                      "unary: CGAN_SYNC=1 waits for every kernel, and so nothing can be recorded",
                      affine(s, 2, 0, x, x));
    EXPECT_EQ(CGAN_E_UNSUPPORTED, cgan_graph_end(s, &graph));
    EXPECT_CGAN_OK(affine(s, 2, 0, x, x));
    EXPECT_EQ(std::vector<float>(64, 2), s.read_floats(x));
}

// ---- several devices ----

TEST_F(SimContextTest, SeveralDevicesAreListedAndOpened) {
    cgan_sim::options().devices = 2;
    const std::string devices = text_of(cgan_describe_devices);
    EXPECT_NE(std::string::npos, devices.find("\nsim\tok\tsimulated GPU")) << devices;
    EXPECT_NE(std::string::npos, devices.find("\nsim:1\tok\tsimulated GPU")) << devices;
    cgan_context* ctx = nullptr;
    EXPECT_CGAN_FAILS(CGAN_E_NO_DEVICE, "context_create: device sim:2 does not exist; there are 2",
                      cgan_context_create("sim:2", &ctx));
    const Session a("sim:0"), b("sim:1"), c("sim");
    const Step first(a), second(b), third(c);
    for (std::int64_t number = 1; number <= 3; number++) {
        first.set(a, number, 0.01);
        second.set(b, number, 0.01);
        third.set(c, number, 0.01);
        ASSERT_CGAN_OK(first.run(a));
        ASSERT_CGAN_OK(second.run(b));
        ASSERT_CGAN_OK(third.run(c));
    }
    EXPECT_EQ(a.read_floats(first.w), b.read_floats(second.w));
    EXPECT_EQ(a.read_floats(first.w), c.read_floats(third.w));
}

TEST_F(SimContextTest, EachDeviceHasItsOwnMemory) {
    cgan_sim::options().devices = 2;
    cgan_sim::options().memory = 1 << 20;
    const Session a("sim:0"), b("sim:1");
    const cgan_tensor x = a.tensor(CGAN_F32, {200000}), y = b.tensor(CGAN_F32, {200000});
    cgan_buffer* more = nullptr;
    EXPECT_EQ(CGAN_E_OUT_OF_DEVICE_MEMORY, cgan_buffer_create(a, 800000, &more));
    EXPECT_CGAN_OK(cgan_fill(a, 1, &x));
    EXPECT_CGAN_OK(cgan_fill(b, 1, &y));
}

} // namespace
} // namespace cgan::test
