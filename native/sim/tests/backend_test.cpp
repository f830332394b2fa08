// The CUDA backend on the simulator, where tests can do what a device does not allow: fail any call of the
// runtime, run out of memory, look at the last fault. What every operator computes is the operator contract's
// business.
#include <gtest/gtest.h>

#include <cmath>

#include "cuda_runtime.h"
#include "fixture.h"

namespace {

using namespace cgan;
using namespace cgan::sim_test;

class CudaBackendTest : public BackendTest {};

constexpr cgan_conv2d_params kConv = {sizeof(cgan_conv2d_params), 1, 1, 1, 1, 1, 1, 1, CGAN_ACT_TANH, 0, 0.0};

// One forward and backward pass of a small network, with an update and a draw: every family of operators.
std::vector<float> train_step(Backend& b, unsigned seed) {
    Block src(b, {2, 8, 8, 4}, draw(512, seed)), wei(b, {8, 3, 3, 4}, draw(288, seed + 1)),
        bia(b, {8}, draw(8, 3));
    Block dst(b, {2, 4, 4, 8}), arg(b, {2, 4, 4, 8}), d_dst(b, {2, 4, 4, 8}, draw(256, seed + 2));
    arg.view.dtype = DType::U8;
    Block d_wei(b, {8, 3, 3, 4}), d_bia(b, {8}), d_src(b, {2, 8, 8, 4}), hyper(b, {2}, DType::F64);
    Block m(b, {8, 3, 3, 4}, std::vector<float>(288)), v(b, {8, 3, 3, 4}, std::vector<float>(288));
    const double start[2] = {1e-3, 0};
    b.write(hyper.view.data, start, sizeof start);
    b.conv2d_pool_forward(kConv, src.view, wei.view, bia.view, dst.view, arg.view);
    b.conv2d_pool_backward_filter(kConv, src.view, dst.view, d_dst.view, arg.view, d_wei.view, d_bia.view);
    b.conv2d_pool_backward_data(kConv, wei.view, dst.view, d_dst.view, arg.view, d_src.view);
    b.optimizer_advance(hyper.view);
    const cgan_adam_params adam = {sizeof adam, CGAN_ADAM_CORRECTED, 0.5, 0.999, 1e-8, 0.0};
    b.adam(adam, hyper.view, {&wei.view, 1}, {&d_wei.view, 1}, {&m.view, 1}, {&v.view, 1});
    b.synchronize();
    return wei.read();
}

TEST_F(CudaBackendTest, Tf32IsExactForSmallIntegersAndCloseForOthers) {
    const auto backend = open("precision=tf32");
    EXPECT_NE(backend->describe().find("tf32"), std::string::npos);
    const std::int64_t m = 70, n = 132, k = 200;
    for (const bool whole : {true, false})
        for (int form = 0; form < 4; form++) {
            const std::vector<float> a = draw(std::size_t(m * k), 5, whole),
                                     b = draw(std::size_t(k * n), 6, whole);
            const bool ta = form & 1, tb = form & 2;
            // As stored: m and n are multiples of 4 in the transposed forms only if the vector path is to be
            // taken.
            const std::int64_t rows = ta ? 72 : m;
            std::vector<float> stored_a(std::size_t(rows * k)), stored_b(std::size_t(k * n));
            for (std::int64_t i = 0; i < m; i++)
                for (std::int64_t x = 0; x < k; x++)
                    stored_a[std::size_t(ta ? x * rows + i : i * k + x)] = a[std::size_t(i * k + x)];
            for (std::int64_t j = 0; j < n; j++)
                for (std::int64_t x = 0; x < k; x++)
                    stored_b[std::size_t(tb ? j * k + x : x * n + j)] = b[std::size_t(x * n + j)];
            Block da(*backend, ta ? std::vector{k, rows} : std::vector{rows, k}, stored_a);
            Block db(*backend, tb ? std::vector{n, k} : std::vector{k, n}, stored_b),
                dst(*backend, {rows, n});
            backend->matmul({sizeof(cgan_matmul_params), ta, tb, 0}, da.view, db.view, dst.view);
            const std::vector<float> got = dst.read();
            // Each operand is rounded by at most 2^-11 of itself.
            const double limit = whole ? 0 : 8 * 0x1p-11 * std::sqrt(double(k));
            double worst = 0;
            for (std::int64_t i = 0; i < m; i++)
                for (std::int64_t j = 0; j < n; j++) {
                    double want = 0;
                    for (std::int64_t x = 0; x < k; x++)
                        want += double(a[std::size_t(i * k + x)]) * double(b[std::size_t(x * n + j)]);
                    const double off = std::abs(got[std::size_t(i * n + j)] - want);
                    ASSERT_TRUE(off <= limit)
                        << "form " << form << " at " << i << "," << j << ": off by " << off;
                    worst = std::max(worst, off);
                }
            if (!whole) {
                EXPECT_GT(worst, 1e-5) << "as exact as float32: were tensor cores used?";
            }
        }
}

TEST_F(CudaBackendTest, Tf32PoolingConvolutionAgreesWithFp32OnIntegers) {
    const cgan_conv2d_params p = {sizeof p, 1, 1, 2, 2, 2, 2, 1, CGAN_ACT_NONE, 0, 0.0};
    std::vector<std::vector<float>> results;
    for (const char* options : {"precision=fp32", "precision=tf32"}) {
        const auto b = open(options);
        Block src(*b, {3, 7, 9, 8}, draw(3 * 7 * 9 * 8, 1, true)),
            wei(*b, {12, 5, 5, 8}, draw(2400, 2, true));
        Block dst(*b, {3, 3, 4, 12}), arg(*b, {3, 3, 4, 12});
        b->conv2d_pool_forward(p, src.view, wei.view, View{}, dst.view, arg.view);
        results.push_back(dst.read());
    }
    EXPECT_EQ(results[0], results[1]);
}

TEST_F(CudaBackendTest, AnyOrderOfThreadsGivesTheSameBits) {
    std::vector<float> first;
    for (std::uint64_t seed = 1; seed <= 3; seed++) {
        cgan_sim::options().seed = seed;
        cgan_sim::options().check_races = true;
        const auto backend = open();
        const std::vector<float> weights = train_step(*backend, 11);
        if (seed == 1) first = weights;
        EXPECT_EQ(first, weights) << "seed " << seed;
    }
}

TEST_F(CudaBackendTest, EveryCallOfTheRuntimeMayFail) {
    std::int64_t failed = 0;
    for (std::int64_t n = 1;; n++) {
        cgan_sim::reset_errors();
        cgan_sim::options().fail_call = n;
        try {
            const auto backend = open();
            train_step(*backend, 7);
        } catch (const Error& e) {
            EXPECT_NE(std::string(e.what()).find("failed on request"), std::string::npos) << e.what();
            failed++;
        }
        EXPECT_EQ(cgan_sim::live_allocations(), 0) << "after failing call " << n;
        EXPECT_EQ(ledger.bytes, 0) << "after failing call " << n;
        if (cgan_sim::runtime_calls() < n) break;
        ASSERT_LT(n, 2000);
    }
    EXPECT_GT(failed, 60);
}

TEST_F(CudaBackendTest, OutOfMemoryIsReportedAndRecoverable) {
    cgan_sim::options().memory = 1 << 20;
    const auto backend = open();
    const std::string text = error_of(CGAN_E_OUT_OF_DEVICE_MEMORY, [&] { backend->allocate(2 << 20); });
    EXPECT_NE(text.find("2097152 bytes"), std::string::npos) << text;
    void* small = backend->allocate(1 << 10);
    backend->release(small, 1 << 10);
    backend->synchronize();
}

// Waiting for the device keeps its scratch memory; memory that is kept in pieces is found when it is needed whole.
TEST_F(CudaBackendTest, FreeMemoryStaysWithTheContext) {
    cgan_sim::options().memory = 1 << 20;
    const std::int64_t before = cgan_sim::returned_bytes();
    {
        const auto backend = open();
        std::vector<void*> pieces;
        for (int i = 0; i < 10; i++) pieces.push_back(backend->allocate(80 << 10));
        for (void* piece : pieces) backend->release(piece, 80 << 10);
        backend->synchronize();
        EXPECT_EQ(cgan_sim::returned_bytes(), before);
        pieces = {backend->allocate(80 << 10)};
        backend->release(pieces[0], 80 << 10);
        void* whole = backend->allocate(900 << 10);
        EXPECT_GT(cgan_sim::returned_bytes(), before);
        backend->release(whole, 900 << 10);
    }
    EXPECT_GT(cgan_sim::returned_bytes(), before + (900 << 10));
}

// Others in the process who use the device's default pool find it as CUDA made it.
TEST_F(CudaBackendTest, TheDefaultPoolIsLeftAlone) {
    const auto backend = open();
    cudaStream_t stream = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    void* theirs = nullptr;
    ASSERT_EQ(cudaMallocAsync(&theirs, 4096, stream), cudaSuccess);
    cudaFreeAsync(theirs, stream);
    backend->release(backend->allocate(1 << 10), 1 << 10);
    const std::int64_t before = cgan_sim::returned_bytes();
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(cgan_sim::returned_bytes(), before + 4096);
    cudaStreamDestroy(stream);
}

TEST_F(CudaBackendTest, IndicesOutsideTheTableAreNamedAtTheNextSynchronisation) {
    const auto backend = open();
    Block table(*backend, {3, 2}, {1, 2, 3, 4, 5, 6}), dst(*backend, {4, 2}),
        index(*backend, {4}, DType::I32);
    const std::int32_t rows[4] = {0, 7, -2, 2};
    backend->write(index.view.data, rows, sizeof rows);
    backend->gather_rows(table.view, index.view, dst.view);
    const std::string text = error_of(CGAN_E_BAD_VALUE, [&] { backend->synchronize(); });
    EXPECT_NE(text.find("index[1] was 7"), std::string::npos) << text;
    EXPECT_EQ(dst.read(), (std::vector<float>{1, 2, 5, 6, 1, 2, 5, 6}));
}

TEST_F(CudaBackendTest, TheTimerMeasuresQueuedWorkByEvents) {
    const auto backend = open();
    Block block(*backend, {1 << 16});
    backend->timer_start();
    for (int i = 0; i < 20; i++) backend->fill(i, block.view);
    EXPECT_GT(backend->timer_stop(), 0);
    EXPECT_EQ(block.read()[0], 19);
}

TEST_F(CudaBackendTest, LargeWritesTravelThroughStaging) {
    const auto backend = open();
    const std::vector<float> values = draw(5 << 20, 3); // 20 MiB: five halves of the staging memory
    Block block(*backend, {5 << 20}, values);
    EXPECT_EQ(block.read(), values);
}

// The planted bug is an upload that is told of no use of its destination after the last mark.
TEST_F(CudaBackendTest, AnUploadThatOvertookTheUseOfItsDestinationWouldShow) {
    cgan_sim::options().early_copies = true;
    const std::vector<float> ones(64, 1), fives(64, 5);
    const cgan_unary_params doubled = {sizeof doubled, CGAN_UNARY_AFFINE, 2.0, 0.0};
    for (const bool planted : {false, true}) {
        const auto backend = open();
        Block a(*backend, {64}, ones), b(*backend, {64}), out(*backend, {64});
        backend->upload(b.view.data, ones.data(), 256, 1, 1); // marks the queue at 1
        backend->await_uploads();
        backend->synchronize();
        backend->unary(doubled, a.view, out.view); // call 2
        backend->upload(a.view.data, fives.data(), 256, planted ? 1 : 2, 3);
        backend->await_uploads();
        EXPECT_EQ(out.read()[7], planted ? 10 : 2);
        EXPECT_EQ(a.read(), fives);
    }
}

TEST_F(CudaBackendTest, TwoDevicesInterleave) {
    const auto a = open(), b = open("precision=tf32");
    Block x(*a, {64}, draw(64, 1)), y(*b, {64}, draw(64, 1));
    const cgan_unary_params doubled = {sizeof doubled, CGAN_UNARY_AFFINE, 2.0, 0.0};
    a->unary(doubled, x.view, x.view);
    b->unary(doubled, y.view, y.view);
    a->unary(doubled, x.view, x.view);
    b->unary(doubled, y.view, y.view);
    EXPECT_EQ(x.read(), y.read());
    EXPECT_EQ(x.read()[9], 4 * draw(64, 1)[9]);
}

TEST_F(CudaBackendTest, OptionsAreChecked) {
    const std::string text = error_of(CGAN_E_BAD_DEVICE, [&] { open("precision=fp8"); });
    EXPECT_NE(text.find("precision=fp32|tf32"), std::string::npos) << text;
    error_of(CGAN_E_BAD_DEVICE, [&] { open("kernels=fastest"); });
    std::string reason;
    EXPECT_EQ(cgan_backend_plugin.device_count(reason), 1);
    EXPECT_STREQ(cgan_backend_plugin.name, "sim");
}

} // namespace
