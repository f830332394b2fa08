// cuDNN and cuBLAS on the simulator, through their stand-ins: which candidate serves what, what a failing call does,
// and that the wall around them leaves nothing behind. What each operator computes is the operator contract's
// business (sim?kernels=vendor).
#include <gtest/gtest.h>

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

TEST_F(VendorTest, HandwrittenKernelsNeedNoLibrary) {
    const auto backend = open("kernels=handwritten");
    multiply(*backend, 5, 6, 7);
    EXPECT_EQ(cgan_sim::vendor_calls(), 0);
    EXPECT_TRUE(contains(backend->describe(), "\nmatmul: handwritten 1")) << backend->describe();
}

TEST_F(VendorTest, LibrariesAreListedWithVersionAndPath) {
    char text[4096] = {};
    cgan_backend_plugin.describe_libraries(text, sizeof text);
    EXPECT_TRUE(contains(text, "libcgan_sim_cudnn.so\t/")) << text;
    EXPECT_TRUE(contains(text, "/libcgan_sim_cudnn.so\t9.0.0\tok\n")) << text;
    EXPECT_TRUE(contains(text, "/libcgan_sim_cublas.so\t13.0.0\tok\n")) << text;
}

TEST_F(VendorTest, MeasurementChoosesTheFasterOnceForTheProcess) {
    const auto first = open("kernels=auto");
    multiply(*first, 40, 33, 21); // simulated threads are slower than plain loops
    EXPECT_TRUE(contains(first->describe(), "\nauto: matmul [40,21] [21,33] 0 0: vendor (vendor "))
        << first->describe();
    EXPECT_TRUE(contains(first->describe(), "\nmatmul: vendor 1")) << first->describe();

    cgan_sim::options().vendor_delay = 20000;
    multiply(*first, 3, 2, 4);
    EXPECT_TRUE(contains(first->describe(), "\nauto: matmul [3,4] [4,2] 0 0: handwritten (vendor "))
        << first->describe();

    const auto second = open("kernels=auto"); // asks what the process knows, measures nothing again
    const std::int64_t calls = cgan_sim::vendor_calls();
    multiply(*second, 3, 2, 4);
    EXPECT_EQ(cgan_sim::vendor_calls(), calls);
    EXPECT_TRUE(contains(second->describe(), "\nmatmul: handwritten 1")) << second->describe();
}

// The cublasCreate of opening, and then each call of a product.
TEST_F(VendorTest, EveryCallOfAPinnedVendorMayFail) {
    std::int64_t failed = 0;
    for (std::int64_t n = 1;; n++) {
        cgan_sim::reset_errors();
        cgan_sim::options().fail_vendor_call = n;
        try {
            const auto backend = open("kernels=vendor");
            cgan_sim::options().fail_vendor_call = n;
            multiply(*backend, 5, 6, 7);
        } catch (const Error& e) {
            EXPECT_TRUE(e.status == CGAN_E_VENDOR || e.status == CGAN_E_NO_DEVICE) << e.what();
            failed++;
        }
        EXPECT_EQ(cgan_sim::live_vendor_objects(), 0) << "after failing call " << n;
        EXPECT_EQ(cgan_sim::live_allocations(), 0) << "after failing call " << n;
        EXPECT_EQ(ledger.bytes, 0) << "after failing call " << n;
        if (cgan_sim::vendor_calls() < n) break;
        ASSERT_LT(n, 100);
    }
    EXPECT_GE(failed, 6);
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
