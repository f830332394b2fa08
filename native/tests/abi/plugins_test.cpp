// Plugins: where they are looked for, and what is said when they cannot be used. Each test loads a copy of
// libcgan.so of its own, from a folder with a test plugin beside it (tests/CMakeLists.txt).
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cgan.h"

namespace {

class Library {
  public:
    explicit Library(const std::string& folder) : path_(std::string(CGAN_PLUGIN_FOLDERS) + "/" + folder) {
        library_ = dlopen((path_ + "/libcgan.so").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library_) ADD_FAILURE() << dlerror();
    }

    const std::string& path() const { return path_; }

    template <class F> F* function(const char* name, F*) const {
        return reinterpret_cast<F*>(dlsym(library_, name));
    }

    std::string text(const char* name) const {
        auto* describe = function(name, &cgan_describe_devices);
        std::string text(std::size_t(describe(nullptr, 0)) + 1, '\0');
        describe(text.data(), std::int64_t(text.size()));
        text.pop_back();
        return text;
    }
    std::string last_error() const {
        char text[4096] = {};
        function("cgan_last_error", &cgan_last_error)(nullptr, text, sizeof text);
        return text;
    }
    cgan_status open(const char* device, cgan_context** ctx) const {
        return function("cgan_context_create", &cgan_context_create)(device, ctx);
    }
    std::string describe(cgan_context* ctx) const {
        char text[4096] = {};
        function("cgan_context_describe", &cgan_context_describe)(ctx, text, sizeof text);
        return text;
    }
    void close(cgan_context* ctx) const { function("cgan_context_destroy", &cgan_context_destroy)(ctx); }

  private:
    std::string path_;
    void* library_ = nullptr;
};

TEST(Plugins, OneBesideTheLibraryIsUsed) {
    const Library cgan("good");
    EXPECT_NE(
        std::string::npos,
        cgan.text("cgan_describe_devices").find("\ncuda:0\tok\ttest device 0\ncuda:1\tok\ttest device 1\n"));
    EXPECT_TRUE(cgan.text("cgan_describe_libraries")
                    .starts_with("libcgan_cuda.so\t" + cgan.path() + "/libcgan_cuda.so\t"));
    EXPECT_NE(std::string::npos,
              cgan.text("cgan_describe_libraries")
                  .find("\nlibtest.so\t-\t-\tnot wanted" + std::string(10000, '!') + "\n"));
    cgan_context* ctx = nullptr;
    ASSERT_EQ(CGAN_OK, cgan.open("cuda:1?kernels=vendor&memory=100000", &ctx)) << cgan.last_error();
    EXPECT_EQ("test plugin with options kernels=vendor", cgan.describe(ctx));
    cgan_buffer* buffer = nullptr;
    EXPECT_EQ(CGAN_OK, cgan.function("cgan_buffer_create", &cgan_buffer_create)(ctx, 64, &buffer));
    cgan_tensor t = {sizeof t, CGAN_F32, 1, 0, buffer, 0, {16}};
    EXPECT_EQ(CGAN_OK, cgan.function("cgan_fill", &cgan_fill)(ctx, 0, &t));
    cgan_unary_params p = {sizeof p, CGAN_UNARY_EXP, 0, 0};
    EXPECT_EQ(CGAN_E_UNSUPPORTED, cgan.function("cgan_unary", &cgan_unary)(ctx, &p, &t, &t));
    EXPECT_EQ("unary: the test plugin computes nothing", cgan.last_error()) << "thrown in another library";
    cgan.close(ctx);
}

TEST(Plugins, AutoPrefersTheGpu) {
    const Library cgan("good");
    cgan_context* ctx = nullptr;
    ASSERT_EQ(CGAN_OK, cgan.open("auto?threads=2", &ctx)) << cgan.last_error();
    EXPECT_EQ("test plugin with options ", cgan.describe(ctx));
    cgan.close(ctx);
    ASSERT_EQ(CGAN_OK, cgan.open("auto?threads=2&kernels=reference", &ctx)) << cgan.last_error();
    cgan.close(ctx);
    ASSERT_EQ(CGAN_OK, cgan.open("auto?transforms=off&isa=auto&precision=tf32", &ctx)) << cgan.last_error();
    EXPECT_EQ("test plugin with options transforms=off&precision=tf32", cgan.describe(ctx));
    cgan.close(ctx);
}

TEST(Plugins, DeviceThatDoesNotExist) {
    const Library cgan("good");
    cgan_context* ctx = nullptr;
    EXPECT_EQ(CGAN_E_NO_DEVICE, cgan.open("cuda:2", &ctx));
    EXPECT_EQ("context_create: device cuda:2 does not exist; there are 2", cgan.last_error());
    EXPECT_EQ(CGAN_E_CUDA, cgan.open("cuda:0?kernels=broken", &ctx));
    EXPECT_EQ("context_create: the test plugin is broken", cgan.last_error());
    EXPECT_EQ(nullptr, ctx);
}

TEST(Plugins, NoDevice) {
    const Library cgan("no_device");
    EXPECT_NE(std::string::npos,
              cgan.text("cgan_describe_devices").find("\ncuda\tunavailable\tthe test plugin sees none\n"));
    cgan_context* ctx = nullptr;
    EXPECT_EQ(CGAN_E_NO_DEVICE, cgan.open("cuda:0", &ctx));
    EXPECT_EQ("context_create: no cuda device: the test plugin\tsees none", cgan.last_error());
    ASSERT_EQ(CGAN_OK, cgan.open("auto", &ctx));
    EXPECT_NE(std::string::npos,
              cgan.describe(ctx).find("\nauto: cuda:0 declined: no cuda device: the test plugin\tsees none"));
    cgan.close(ctx);
}

TEST(Plugins, OfAnotherBuild) {
    const Library cgan("wrong_abi");
    cgan_context* ctx = nullptr;
    EXPECT_EQ(CGAN_E_PLUGIN, cgan.open("cuda:0", &ctx));
    EXPECT_TRUE(cgan.last_error().starts_with(
        "context_create: device cuda needs libcgan_cuda.so: built for backend ABI 4711, this library has "))
        << cgan.last_error();
    EXPECT_NE(std::string::npos, cgan.text("cgan_describe_libraries")
                                     .find("/wrong_abi/libcgan_cuda.so\t-\tbuilt for backend ABI 4711"));
}

// Where no plugin was built, the loader's words help only someone who has, or asks for, a GPU.
TEST(Plugins, NotBuilt) {
    const Library cgan("alone");
    cgan_context* ctx = nullptr;
    EXPECT_EQ(CGAN_E_PLUGIN, cgan.open("cuda:0", &ctx));
    const std::string reason =
        "device cuda needs libcgan_cuda.so, which the build makes where it finds nvcc: libcgan_cuda.so: ";
    EXPECT_TRUE(cgan.last_error().starts_with("context_create: " + reason)) << cgan.last_error();
    ASSERT_EQ(CGAN_OK, cgan.open("auto", &ctx)) << cgan.last_error();
    const std::string declined = "\nauto: cuda:0 declined: ";
    const bool gpu = access("/dev/nvidiactl", F_OK) == 0 || access("/dev/dxg", F_OK) == 0 ||
                     access("/dev/nvmap", F_OK) == 0;
    EXPECT_NE(std::string::npos,
              cgan.describe(ctx).find(declined + (gpu ? reason : "this machine shows no NVIDIA GPU")))
        << cgan.describe(ctx);
    cgan.close(ctx);
}

TEST(Plugins, ThatIsNone) {
    const Library cgan("no_symbol");
    cgan_context* ctx = nullptr;
    EXPECT_EQ(CGAN_E_PLUGIN, cgan.open("cuda:0", &ctx));
    EXPECT_NE(std::string::npos, cgan.last_error().find("undefined symbol: cgan_backend_plugin"))
        << cgan.last_error();
}

TEST(Plugins, ThatCannotBeLoadedShowsTheLoadersWords) {
    const Library cgan("broken");
    cgan_context* ctx = nullptr;
    EXPECT_EQ(CGAN_E_PLUGIN, cgan.open("cuda:0", &ctx));
    EXPECT_NE(std::string::npos, cgan.last_error().find("/broken/libcgan_cuda.so: ")) << cgan.last_error();
}

TEST(Plugins, AreFoundThroughThePluginPath) {
    const Library cgan("alone");
    EXPECT_NE(std::string::npos, cgan.text("cgan_describe_devices").find("\ncuda\tunavailable\t"));
    ASSERT_EQ(0, setenv("CGAN_PLUGIN_PATH",
                        (std::string(":/nowhere:") + CGAN_PLUGIN_FOLDERS + "/good").c_str(), 1));
    EXPECT_NE(std::string::npos, cgan.text("cgan_describe_devices").find("\ncuda:0\tok\ttest device 0\n"));
    ASSERT_EQ(0, unsetenv("CGAN_PLUGIN_PATH"));
}

} // namespace
