// cuDNN and cuBLAS on the simulator, through their stand-ins: which candidate serves what, what a failing call does,
// and that the wall around them leaves nothing behind. What each operator computes is the operator contract's
// business (sim?kernels=vendor).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fixture.h"

namespace {

using namespace cgan;
using namespace cgan::sim_test;

class VendorTest : public BackendTest {};

constexpr cgan_matmul_params kPlain = {sizeof(cgan_matmul_params), 0, 0, 0};

std::vector<float> multiply(Backend& b, std::int64_t m, std::int64_t n, std::int64_t k) {
    Block left(b, {m, k}, draw(std::size_t(m * k), 1)), right(b, {k, n}, draw(std::size_t(k * n), 2));
    Block dst(b, {m, n});
    b.matmul(kPlain, left.view, right.view, dst.view);
    return dst.read();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_F(VendorTest, PinnedVendorServesAndSaysSo) {
    const auto backend = open("kernels=vendor");
    multiply(*backend, 5, 6, 7);
    const std::string text = backend->describe();
    EXPECT_TRUE(contains(text, "vendor kernels (cuBLAS 13.0.0, cuDNN 9.0.0), fp32")) << text;
    EXPECT_TRUE(contains(text, "\nmatmul: vendor 1")) << text;
}

constexpr cgan_conv2d_params kConv = {sizeof(cgan_conv2d_params), 1, 1, 1, 1, 1, 1, 1, CGAN_ACT_TANH, 0, 0.0};
constexpr cgan_pool2d_params kPool = {sizeof kPool, CGAN_POOL_AVERAGE, 2, 2, 2, 2, 0, 0, 0, 0};
constexpr cgan_norm_params kNorm = {sizeof kNorm, 0, 1e-3, 0.75};

constexpr cgan_unary_params kTanh = {sizeof kTanh, CGAN_UNARY_TANH, 0, 0};

// Every operator that a vendor serves, on memory of its own.
class Served {
  public:
    explicit Served(Backend& backend, std::int64_t n = 2) : b_(backend), n_(n) {
        arg_.view.dtype = DType::U8;
    }

    void run() {
        cgan_conv2d_params plain = kConv;
        plain.activation = CGAN_ACT_NONE;
        b_.conv2d_forward(kConv, src_.view, wei_.view, bia_.view, dst_.view);
        b_.conv2d_backward_data(plain, wei_.view, dst_.view, View{}, d_src_.view);
        b_.conv2d_backward_filter(plain, src_.view, dst_.view, d_wei_.view, d_bia_.view);
        b_.conv2d_pool_forward(kConv, src_.view, wei_.view, bia_.view, pooled_.view, arg_.view);
        b_.pool2d_forward(kPool, dst_.view, average_.view, View{});
        b_.pool2d_backward(kPool, average_.view, View{}, d_dst_.view);
        b_.unary(kTanh, dst_.view, act_.view);
        b_.unary(kTanh, act_.view, act_.view); // in place
        b_.activation_backward(kTanh, act_.view, d_dst_.view, d_act_.view);
        b_.batch_norm_training(kNorm, dst_.view, View{}, bia_.view, running_mean_.view, running_var_.view,
                               normal_.view, mean_.view, rstd_.view);
        b_.batch_norm_inference(kNorm, dst_.view, bia_.view, View{}, running_mean_.view, running_var_.view,
                                inferred_.view);
        b_.batch_norm_backward(kNorm, dst_.view, bia_.view, mean_.view, rstd_.view, d_dst_.view,
                               d_normal_.view, d_gamma_.view, View{});
        b_.matmul(kPlain, left_.view, right_.view, product_.view);
    }

    // The results of all, one after the other.
    std::vector<float> read() const {
        std::vector<float> all;
        for (const Block* block :
             {&product_, &dst_, &d_src_, &d_wei_, &d_bia_, &pooled_, &average_, &d_dst_, &act_, &d_act_,
              &mean_, &rstd_, &running_mean_, &running_var_, &normal_, &inferred_, &d_normal_, &d_gamma_}) {
            const std::vector<float> values = block->read();
            all.insert(all.end(), values.begin(), values.end());
        }
        return all;
    }

  private:
    Backend& b_;
    const std::int64_t n_;
    Block src_{b_, {n_, 6, 6, 4}, draw(std::size_t(n_ * 144), 1)}, wei_{b_, {8, 3, 3, 4}, draw(288, 2)},
        bia_{b_, {8}, draw(8, 3)};
    Block dst_{b_, {n_, 6, 6, 8}}, d_src_{b_, {n_, 6, 6, 4}}, d_wei_{b_, {8, 3, 3, 4}}, d_bia_{b_, {8}};
    Block pooled_{b_, {n_, 3, 3, 8}}, arg_{b_, {n_, 3, 3, 8}}, average_{b_, {n_, 3, 3, 8}},
        d_dst_{b_, {n_, 6, 6, 8}};
    Block act_{b_, {n_, 6, 6, 8}}, d_act_{b_, {n_, 6, 6, 8}}, mean_{b_, {8}}, rstd_{b_, {8}};
    Block running_mean_{b_, {8}, draw(8, 4)}, running_var_{b_, {8}, std::vector<float>(8, 2)};
    Block normal_{b_, {n_, 6, 6, 8}}, inferred_{b_, {n_, 6, 6, 8}}, d_normal_{b_, {n_, 6, 6, 8}},
        d_gamma_{b_, {8}};
    Block left_{b_, {5, 7}, draw(35, 1)}, right_{b_, {7, 6}, draw(42, 2)}, product_{b_, {5, 6}};
};

std::vector<float> run_all(Backend& b, std::int64_t n = 2) {
    Served served(b, n);
    served.run();
    return served.read();
}

void expect_near(const std::vector<float>& want, const std::vector<float>& got, double limit) {
    ASSERT_EQ(want.size(), got.size());
    for (std::size_t i = 0; i < want.size(); i++)
        ASSERT_TRUE(std::abs(double(want[i]) - double(got[i])) <= limit)
            << i << ": " << want[i] << " " << got[i];
}

const char* const kServed[] = {"conv2d_forward",
                               "conv2d_backward_data",
                               "conv2d_backward_filter",
                               "conv2d_pool_forward",
                               "pool2d_forward",
                               "pool2d_backward",
                               "activation_backward",
                               "batch_norm_training",
                               "batch_norm_inference",
                               "batch_norm_backward",
                               "matmul"};

TEST_F(VendorTest, ThePinnedVendorServesEveryOperatorThatItHas) {
    const auto backend = open("kernels=vendor");
    expect_near(run_all(*open()), run_all(*backend), 1e-4);
    const std::string text = backend->describe();
    for (const char* op : kServed)
        EXPECT_TRUE(contains(text, std::string("\n") + op + ": vendor 1")) << op << text;
    EXPECT_TRUE(contains(text, "\nunary: vendor 2")) << text;
    EXPECT_FALSE(contains(text, "handwritten")) << text;
}

TEST_F(VendorTest, RehearsalsChangeNothing) {
    const auto backend = open("kernels=auto");
    expect_near(run_all(*open()), run_all(*backend), 1e-4);
    for (const char* op : kServed)
        EXPECT_TRUE(contains(backend->describe(), std::string("\nplan: ") + op + " ["))
            << op << backend->describe();
}

// A recorded call gives the bits of one that runs by itself, again and again.
TEST_F(VendorTest, RecordedCallsReplayToTheSameBits) {
    for (const char* options : {"kernels=vendor", "kernels=auto", "kernels=vendor&precision=tf32"}) {
        const auto backend = open(options);
        Served eager(*backend), recorded(*backend);
        eager.run(); // algorithms are chosen
        const std::int64_t calls = cgan_sim::vendor_calls();
        backend->begin_recording();
        recorded.run();
        const auto graph = backend->end_recording();
        EXPECT_GT(cgan_sim::vendor_calls(), calls) << options;
        for (int step = 0; step < 3; step++) {
            if (step > 0) eager.run();
            backend->replay(*graph);
            EXPECT_EQ(eager.read(), recorded.read()) << options << ", step " << step;
        }
    }
}

// What has to be timed cannot be met for the first time while it is recorded: it is refused with the remedy, the
// recording can be given up, and after the remedy it works.
TEST_F(VendorTest, AFinderDoesNotRunInARecording) {
    const struct {
        const char *options, *refusal;
    } cases[] = {
        {"kernels=vendor",
         "a convolution is met for the first time while a graph is captured, when cuDNN cannot "
         "time its algorithms; run it once before"},
        {"kernels=auto",
         "conv2d_forward [3,5,5,4] [8,3,3,4] 1 1 1 1 1 1 1 0 0 is met for the first time while a "
         "graph is captured, when its candidates cannot be timed; run it once before"},
    };
    cgan_conv2d_params p = kConv;
    p.activation = CGAN_ACT_NONE;
    for (const auto& [options, refusal] : cases) {
        const auto backend = open(options);
        Block src(*backend, {3, 5, 5, 4}, draw(300, 1)), wei(*backend, {8, 3, 3, 4}, draw(288, 2));
        Block want(*backend, {3, 5, 5, 8}), got(*backend, {3, 5, 5, 8});
        const auto run = [&](Block& dst) {
            backend->conv2d_forward(p, src.view, wei.view, View{}, dst.view);
        };
        backend->begin_recording();
        EXPECT_EQ(error_of(CGAN_E_UNSUPPORTED, [&] { run(got); }), refusal);
        backend->discard_recording();
        run(want);
        backend->begin_recording();
        run(got);
        const auto graph = backend->end_recording();
        backend->replay(*graph);
        EXPECT_EQ(want.read(), got.read()) << options;
    }
}

// cuBLAS needs no timing: pinned, its first call may be a recorded one.
TEST_F(VendorTest, AProductMayBeMetInARecording) {
    const auto backend = open("kernels=vendor");
    Block a(*backend, {9, 4}, draw(36, 1)), b(*backend, {4, 11}, draw(44, 2)), got(*backend, {9, 11}),
        want(*backend, {9, 11});
    backend->begin_recording();
    backend->matmul(kPlain, a.view, b.view, got.view);
    const auto graph = backend->end_recording();
    backend->replay(*graph);
    backend->matmul(kPlain, a.view, b.view, want.view);
    EXPECT_EQ(want.read(), got.read());
}

TEST_F(VendorTest, WhatTheVendorLacksIsServedByOurKernels) {
    const auto backend = open("kernels=vendor");
    Block x(*backend, {33}, draw(33, 1));
    backend->unary({sizeof(cgan_unary_params), CGAN_UNARY_SOFTPLUS, 0, 0}, x.view, x.view);
    EXPECT_TRUE(contains(backend->describe(), "\nunary: handwritten 1")) << backend->describe();
}

// The stand-in offers the default mathematics first, and it rounds: only a filter on it keeps float32.
TEST_F(VendorTest, Float32IsNotRoundedToTf32) {
    const cgan_conv2d_params p = {sizeof p, 1, 1, 0, 0, 0, 0, 1, CGAN_ACT_NONE, 0, 0.0};
    for (const bool tf32 : {false, true}) {
        const auto backend = open(tf32 ? "kernels=vendor&precision=tf32" : "kernels=vendor");
        Block src(*backend, {1, 1, 1, 4}, {1 + 0x1p-13f, 0, 0, 0}), wei(*backend, {1, 1, 1, 4}, {1, 0, 0, 0});
        Block dst(*backend, {1, 1, 1, 1});
        backend->conv2d_forward(p, src.view, wei.view, View{}, dst.view);
        EXPECT_EQ(dst.read()[0], tf32 ? 1.0f : 1 + 0x1p-13f);
        Block a(*backend, {1, 1}, {1 + 0x1p-13f}), b(*backend, {1, 1}, {1}), c(*backend, {1, 1});
        backend->matmul(kPlain, a.view, b.view, c.view);
        EXPECT_EQ(c.read()[0], tf32 ? 1.0f : 1 + 0x1p-13f);
    }
}

TEST_F(VendorTest, ARunningVarianceOfOneRowIsThatOfNothing) {
    const auto backend = open("kernels=vendor");
    Block src(*backend, {1, 2}, {3, 4}), dst(*backend, {1, 2}), mean(*backend, {2}), rstd(*backend, {2});
    Block running_mean(*backend, {2}, {1, 1}), running_var(*backend, {2}, {8, 8});
    backend->batch_norm_training(kNorm, src.view, View{}, View{}, running_mean.view, running_var.view,
                                 dst.view, mean.view, rstd.view);
    EXPECT_EQ(running_mean.read(), (std::vector<float>{1.5, 1.75}));
    EXPECT_EQ(running_var.read(), (std::vector<float>{6, 6}));
}

TEST_F(VendorTest, MaximaAreTheFirstOfEqualsAndNaNWins) {
    const cgan_pool2d_params p = {sizeof p, CGAN_POOL_MAX, 2, 2, 2, 2, 0, 0, 0, 0};
    const float nan = std::nanf("");
    for (const char* options : {"kernels=handwritten", "kernels=vendor"}) {
        const auto backend = open(options);
        Block src(*backend, {1, 2, 6, 1}, {1, 2, 5, nan, -1, -1, 2, 2, nan, 9, -1, -1}),
            dst(*backend, {1, 1, 3, 1});
        Block arg(*backend, {4}); // room for bytes
        View places = dst.view;
        places.data = arg.view.data;
        places.dtype = DType::U8;
        backend->pool2d_forward(p, src.view, dst.view, places);
        const std::vector<float> got = dst.read();
        EXPECT_EQ(got[0], 2) << options;
        EXPECT_TRUE(std::isnan(got[1])) << options;
        EXPECT_EQ(got[2], -1) << options;
        std::uint8_t at[3] = {};
        backend->read(at, arg.view.data, 3);
        EXPECT_EQ(at[0], 1) << options;
        EXPECT_EQ(at[1], 1) << options;
        EXPECT_EQ(at[2], 0) << options;
    }
}

TEST_F(VendorTest, HandwrittenKernelsNeedNoLibrary) {
    const auto backend = open("kernels=handwritten");
    multiply(*backend, 5, 6, 7);
    EXPECT_EQ(cgan_sim::vendor_calls(), 0);
    EXPECT_TRUE(contains(backend->describe(), "\nmatmul: handwritten 1")) << backend->describe();
}

TEST_F(VendorTest, LibrariesAreListedWithVersionAndPath) {
    const std::string text = cgan_backend_plugin.describe_libraries();
    EXPECT_TRUE(contains(text, "libcgan_sim_cudnn.so\t/")) << text;
    EXPECT_TRUE(contains(text, "/libcgan_sim_cudnn.so\t9.0.0\tok\n")) << text;
    EXPECT_TRUE(contains(text, "/libcgan_sim_cublas.so\t13.0.0\tok\n")) << text;
}

// In a process of its own, since libraries are opened once: the first call of cuBLAS is the question for its version.
TEST_F(VendorTest, ALibraryThatDoesNotTellItsVersionIsRefused) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            cgan_sim::options().fail_vendor_call = 1;
            std::fputs(cgan_backend_plugin.describe_libraries().c_str(), stderr);
            try {
                open("kernels=vendor");
            } catch (const Error& e) {
                std::fprintf(stderr, "%d %s", int(e.status), e.what());
            }
            std::exit(0);
        },
        testing::ExitedWithCode(0),
        "libcgan_sim_cublas.so\t-\t-\t/.*/libcgan_sim_cublas.so: it does not tell its version\n"
        "41 kernels=vendor: cuBLAS: /.*/libcgan_sim_cublas.so: it does not tell its version; use "
        "kernels=handwritten");
}

TEST_F(VendorTest, MeasurementChoosesTheFasterOnceForTheProcess) {
    const auto first = open("kernels=auto");
    multiply(*first, 40, 33, 21); // simulated threads are slower than plain loops
    EXPECT_TRUE(contains(first->describe(), "\nplan: matmul [40,21] [21,33] 0 0: vendor (handwritten "))
        << first->describe();
    EXPECT_TRUE(contains(first->describe(), "\nmatmul: vendor 1")) << first->describe();

    cgan_sim::options().vendor_delay = 20000;
    multiply(*first, 3, 2, 4);
    EXPECT_TRUE(contains(first->describe(), "\nplan: matmul [3,4] [4,2] 0 0: handwritten (handwritten "))
        << first->describe();

    const auto second = open("kernels=auto"); // asks what the process knows, measures nothing again
    const std::int64_t calls = cgan_sim::vendor_calls();
    multiply(*second, 3, 2, 4);
    EXPECT_EQ(cgan_sim::vendor_calls(), calls);
    EXPECT_TRUE(contains(second->describe(), "\nmatmul: handwritten 1")) << second->describe();
}

// A plan in a file of its own, as a run keeps it.
class PlanTest : public VendorTest {
  protected:
    ~PlanTest() override { std::filesystem::remove(path_); }

    std::unique_ptr<Backend> open_with_plan(const std::string& options) {
        auto backend = open(options.c_str());
        backend->keep_plan(path_);
        return backend;
    }
    std::string kept() const {
        std::ostringstream text;
        text << std::ifstream(path_).rdbuf();
        return text.str();
    }
    // Gives an operation to another candidate, which was timed too.
    void give(const std::string& operation, const std::string& winner) const {
        std::string text = kept();
        const auto at = text.find("\n" + operation + "\t");
        ASSERT_NE(at, std::string::npos) << operation << " in\n" << text;
        const auto from = at + operation.size() + 2;
        std::ofstream(path_) << text.replace(from, text.find('\t', from) - from, winner);
    }
    std::vector<float> convolve(Backend& b, std::int64_t n) const {
        cgan_conv2d_params p = kConv;
        p.activation = CGAN_ACT_NONE;
        Block src(b, {n, 5, 5, 4}, draw(std::size_t(n * 100), 1)), wei(b, {8, 3, 3, 4}, draw(288, 2));
        Block dst(b, {n, 5, 5, 8});
        b.conv2d_forward(p, src.view, wei.view, View{}, dst.view);
        return dst.read();
    }

    const std::string path_ =
        std::filesystem::temp_directory_path() / ("cgan-sim-plan-" + std::to_string(getpid()) + ".txt");
};

constexpr const char* kProduct = "matmul [31,21] [21,17] 0 0";
constexpr const char* kSearch = "cudnn_forward n7 h5 w5 c4 k8 r3 s3 stride1x1 pad1x1";

TEST_F(PlanTest, AKeptPlanChoosesTheKernels) {
    {
        const auto backend = open_with_plan("kernels=auto");
        multiply(*backend, 31, 17, 21);
        EXPECT_TRUE(contains(backend->describe(), "\nplan: 1 operations, kept in " + path_))
            << backend->describe();
    }
    const std::string text = kept();
    EXPECT_TRUE(text.starts_with("cgan plan 1\ngpu ")) << text;
    EXPECT_TRUE(contains(text, "\nprecision fp32\ntransforms on\ncgan ")) << text;
    EXPECT_TRUE(contains(text, "\nvendor cuBLAS 13.0.0, cuDNN 9.0.0\n\n")) << text;
    for (const char* winner : {"handwritten", "vendor"}) {
        give(kProduct, winner);
        const auto backend = open_with_plan("kernels=auto");
        const std::int64_t calls = cgan_sim::vendor_calls();
        const auto want = multiply(*open((std::string("kernels=") + winner).c_str()), 31, 17, 21);
        EXPECT_EQ(want, multiply(*backend, 31, 17, 21));
        EXPECT_TRUE(contains(backend->describe(), std::string("\nmatmul: ") + winner + " 1"))
            << backend->describe();
        EXPECT_LT(cgan_sim::vendor_calls() - calls, 10) << "nothing is measured again";
    }
}

TEST_F(PlanTest, AKeptPlanChoosesAmongCudnnsAlgorithms) {
    const std::vector<float> want = convolve(*open_with_plan("kernels=vendor"), 7);
    EXPECT_TRUE(contains(kept(), std::string("\n") + kSearch + "\talgorithm_7_math_3\talgorithm_7_math_3 "))
        << kept();
    give(kSearch, "algorithm_0_math_3");
    const auto backend = open_with_plan("kernels=vendor");
    backend->begin_recording(); // what is planned may be met in a recording
    Block src(*backend, {7, 5, 5, 4}), wei(*backend, {8, 3, 3, 4}), dst(*backend, {7, 5, 5, 8});
    cgan_conv2d_params p = kConv;
    p.activation = CGAN_ACT_NONE;
    backend->conv2d_forward(p, src.view, wei.view, View{}, dst.view);
    backend->discard_recording();
    EXPECT_EQ(want, convolve(*backend, 7));
    EXPECT_TRUE(contains(backend->describe(), std::string("\nplan: ") + kSearch + ": algorithm_0_math_3 ("))
        << backend->describe();
}

TEST_F(PlanTest, WhatCannotBeCarriedOutIsNamed) {
    convolve(*open_with_plan("kernels=vendor"), 7);
    std::string text = kept();
    const std::string offered = "algorithm_7_math_3 ", unknown = "algorithm_3_math_3 ";
    for (auto at = text.find(offered); at != std::string::npos; at = text.find(offered))
        text.replace(at, offered.size(), unknown);
    std::ofstream(path_) << text;
    give(kSearch, "algorithm_3_math_3");
    const std::string failure =
        error_of(CGAN_E_VENDOR, [&] { convolve(*open_with_plan("kernels=vendor"), 7); });
    EXPECT_TRUE(
        failure.starts_with("the plan " + path_ + " gives \"" + kSearch +
                            "\" to algorithm_3_math_3, which failed: the question for its workspace: "))
        << failure;
    EXPECT_TRUE(failure.ends_with("; delete it to measure anew")) << failure;
    const std::string refusal =
        error_of(CGAN_E_BAD_VALUE, [&] { open_with_plan("kernels=vendor&precision=tf32"); });
    EXPECT_TRUE(contains(refusal, "cannot be used: it was made for another machine or version (gpu "))
        << refusal;
}

// Another kernel's bits would not be the run's.
TEST_F(PlanTest, AVendorThatFailsLaterStopsARunWithAPlan) {
    const auto backend = open_with_plan("kernels=auto");
    multiply(*backend, 31, 17, 21);
    give(kProduct, "vendor");
    const auto resumed = open_with_plan("kernels=auto");
    cgan_sim::options().fail_vendor_call = cgan_sim::vendor_calls() + 1;
    EXPECT_EQ(error_of(CGAN_E_VENDOR, [&] { multiply(*resumed, 31, 17, 21); }),
              "the plan " + path_ + " gives \"" + kProduct +
                  "\" to vendor, which failed: cublasSgemm_v2: an internal error (cuBLAS status 14); delete "
                  "it to measure anew");
}

TEST_F(PlanTest, HandwrittenKernelsKeepNone) {
    multiply(*open_with_plan("kernels=handwritten"), 3, 4, 5);
    EXPECT_FALSE(std::filesystem::exists(path_));
}

// From opening on, each call once, with shapes whose algorithms are still to be chosen. A question for an algorithm's workspace may fail without harm: there are others.
TEST_F(VendorTest, EveryCallOfAPinnedVendorMayFail) {
    open("kernels=vendor"); // loads the libraries, which happens once in a process
    std::int64_t failed = 0;
    for (std::int64_t n = 1;; n++) {
        cgan_sim::reset_errors();
        cgan_sim::options().fail_vendor_call = n;
        try {
            const auto backend = open("kernels=vendor");
            run_all(*backend, n);
            cgan_sim::options().fail_vendor_call = 0;
        } catch (const Error& e) {
            EXPECT_TRUE(e.status == CGAN_E_VENDOR || e.status == CGAN_E_NO_DEVICE) << e.what();
            EXPECT_TRUE(contains(e.what(), "on request") || contains(e.what(), "internal error")) << e.what();
            failed++;
        }
        EXPECT_EQ(cgan_sim::live_vendor_objects(), 0) << "after failing call " << n;
        EXPECT_EQ(cgan_sim::live_allocations(), 0) << "after failing call " << n;
        EXPECT_EQ(ledger.bytes, 0) << "after failing call " << n;
        if (cgan_sim::vendor_calls() < n) break;
        ASSERT_LT(n, 1000);
    }
    EXPECT_GE(failed, 60);
}

TEST_F(VendorTest, AFailingVendorIsReportedAndOurKernelServes) {
    const auto backend = open("kernels=auto");
    const std::vector<float> want = multiply(*open("kernels=handwritten"), 9, 8, 17);
    cgan_sim::options().fail_vendor_call = cgan_sim::vendor_calls() + 1;
    EXPECT_EQ(want, multiply(*backend, 9, 8, 17));
    EXPECT_TRUE(contains(backend->describe(),
                         "\nauto: matmul [9,17] [17,8] 0 0: handwritten, for the vendor failed: "
                         "cublasSgemm_v2: an internal error (cuBLAS status 14)"))
        << backend->describe();
    const std::int64_t calls = cgan_sim::vendor_calls();
    EXPECT_EQ(want, multiply(*backend, 9, 8, 17)); // not tried again
    EXPECT_EQ(cgan_sim::vendor_calls(), calls);
    EXPECT_TRUE(contains(backend->describe(), "\nmatmul: handwritten 2")) << backend->describe();
}

} // namespace
