// The vendor's library of the CPU: where it is looked for, and what is said when it cannot be used.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "support/session.h"

namespace cgan::test {
namespace {

// Sets CGAN_DNNL_LIBRARY for as long as it lives.
class LibraryPath {
  public:
    explicit LibraryPath(const std::string& path) {
        if (const char* given = std::getenv(kName)) before_ = given;
        setenv(kName, path.c_str(), 1);
    }
    ~LibraryPath() {
        if (before_.empty())
            unsetenv(kName);
        else
            setenv(kName, before_.c_str(), 1);
    }

  private:
    static constexpr const char* kName = "CGAN_DNNL_LIBRARY";
    std::string before_;
};

void expect_refused(const std::string& path, const std::string& reason) {
    const LibraryPath set(path);
    cgan_context* ctx = nullptr;
    EXPECT_CGAN_FAILS(CGAN_E_NO_DEVICE,
                      "context_create: kernels=vendor: oneDNN is not usable: " + reason +
                          "; set CGAN_DNNL_LIBRARY to the path of libdnnl.so.3, or use kernels=handwritten",
                      cgan_context_create("cpu?kernels=vendor", &ctx));
    EXPECT_EQ(nullptr, ctx);
    EXPECT_NE(std::string::npos,
              text_of(cgan_describe_libraries).find("libdnnl.so.3\t-\t-\t" + reason + "\n"));
}

TEST(VendorLibrary, ThatIsMissingIsNamedWithTheLoadersWords) {
    expect_refused("/nowhere/libdnnl.so.3",
                   "dlopen(/nowhere/libdnnl.so.3): /nowhere/libdnnl.so.3: cannot open "
                   "shared object file: No such file or directory");
}

TEST(VendorLibrary, ThatIsAnotherLibrary) {
    const std::string path = CGAN_LIBRARY;
    expect_refused(path, path + ": " + path + ": undefined symbol: dnnl_version");
}

TEST(VendorLibrary, OfAnotherVersion) {
    const std::string path = CGAN_TEST_ONEDNN_OLD;
    expect_refused(path, path + " (oneDNN 2.6.3): version 3.2 or a later 3.x is needed");
}

TEST(VendorLibrary, WithoutOpenMp) {
    const std::string path = CGAN_TEST_ONEDNN_SEQUENTIAL;
    expect_refused(path, path + " (oneDNN 3.6.3): built without OpenMP, through which its threads are set");
}

TEST(VendorLibrary, WithoutAFunctionThatIsNeeded) {
    const std::string path = CGAN_TEST_ONEDNN_EMPTY;
    expect_refused(path, path + " (oneDNN 3.6.3): " + path + ": undefined symbol: dnnl_status2str");
}

} // namespace
} // namespace cgan::test
