// Where vendors' libraries are looked for, in which order, and what is said of those that cannot be used.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "abi/loader.h"
#include "vendor/library_search.h"

namespace {

namespace fs = std::filesystem;
using namespace cgan::cuda::vendor;
using cgan::path_of;

// A folder of this test, an environment that knows nothing else, and both restored afterwards.
class LibrarySearch : public testing::Test {
  protected:
    void SetUp() override {
        const auto* test = testing::UnitTest::GetInstance()->current_test_info();
        root = fs::temp_directory_path() / ("cgan_search_" + std::to_string(getpid()) + "_" + test->name());
        fs::remove_all(root);
        fs::create_directories(root);
        for (const char* name : {"PATH", "VIRTUAL_ENV", "PYENV_VERSION", "HOME", "CGAN_TEST_VENDOR"}) {
            const char* value = std::getenv(name);
            if (value) saved.emplace_back(name, value);
            unsetenv(name);
        }
    }
    void TearDown() override {
        unsetenv("CGAN_TEST_VENDOR");
        for (const auto& [name, value] : saved) setenv(name.c_str(), value.c_str(), 1);
        fs::remove_all(root);
    }

    fs::path touch(const fs::path& file, const std::string& text = "") {
        fs::create_directories((root / file).parent_path());
        std::ofstream(root / file) << text;
        return root / file;
    }
    // A real library: this copy exports `vendor_version`.
    fs::path install(const fs::path& file) {
        fs::create_directories((root / file).parent_path());
        fs::copy_file(CGAN_TEST_LIBRARY, root / file, fs::copy_options::overwrite_existing);
        return root / file;
    }

    fs::path root;
    std::vector<std::pair<std::string, std::string>> saved;
};

const SearchPlan kPlan = {{"libcgan_vendor_test.so.9", "libcgan_vendor_test.so.8"},
                          {"CGAN_TEST_VENDOR"},
                          {"vendor_test/lib"},
                          {},
                          true};

std::string accept(void*) { return ""; }

std::string file_of(const OpenedLibrary& library) {
    return library.handle ? path_of(dlsym(library.handle, "vendor_version")) : "none: " + library.attempts;
}

TEST_F(LibrarySearch, AMissingLibraryListsEveryAttemptInTheLoadersWords) {
    setenv("CGAN_TEST_VENDOR", (root / "nowhere").c_str(), 1);
    const OpenedLibrary found = open_library(kPlan, accept);
    EXPECT_EQ(found.handle, nullptr);
    const std::string expected =
        (root / "nowhere/libcgan_vendor_test.so.9").string() +
        ": cannot open shared object file: No such file or directory; " +
        (root / "nowhere/libcgan_vendor_test.so.8").string() +
        ": cannot open shared object file: No such file or directory; "
        "libcgan_vendor_test.so.9: cannot open shared object file: No such file or directory; "
        "libcgan_vendor_test.so.8: cannot open shared object file: No such file or directory";
    EXPECT_EQ(found.attempts, expected);
}

TEST_F(LibrarySearch, TheVariableNamesTheFolderOrTheOneAboveLib) {
    const fs::path inside = install("a/lib/libcgan_vendor_test.so.8"),
                   plain = install("b/libcgan_vendor_test.so.9");
    setenv("CGAN_TEST_VENDOR", (root / "a").c_str(), 1);
    EXPECT_EQ(file_of(open_library(kPlan, accept)), inside);
    setenv("CGAN_TEST_VENDOR", (root / "b").c_str(), 1);
    EXPECT_EQ(file_of(open_library(kPlan, accept)), plain);
}

TEST_F(LibrarySearch, ABrokenLibraryIsReportedAndTheNextOneServes) {
    const fs::path broken = touch("lib/libcgan_vendor_test.so.9", "this is no library\n");
    const fs::path good = install("lib/libcgan_vendor_test.so.8");
    setenv("CGAN_TEST_VENDOR", root.c_str(), 1);
    const OpenedLibrary found = open_library(kPlan, accept);
    EXPECT_EQ(file_of(found), good);
    EXPECT_EQ(found.attempts, broken.string() + ": file too short");
}

// The loader would read beyond its end, and the system would end the process.
TEST_F(LibrarySearch, AFileThatIsCutOffIsRefused) {
    setenv("CGAN_TEST_VENDOR", root.c_str(), 1);
    const fs::path file = install("libcgan_vendor_test.so.9");
    for (const std::uintmax_t size :
         {fs::file_size(file) / 2, std::uintmax_t{4096}, std::uintmax_t{70}, std::uintmax_t{3}}) {
        fs::resize_file(file, size);
        const OpenedLibrary found = open_library(kPlan, accept);
        EXPECT_EQ(found.handle, nullptr) << size;
        const std::string said = // what lacks even its table of segments the loader refuses itself
            size < 4096 ? ": "
                        : ": the file is cut off: it has " + std::to_string(size) + " bytes of at least ";
        EXPECT_TRUE(found.attempts.starts_with(file.string() + said)) << found.attempts;
    }
}

TEST_F(LibrarySearch, ALibraryThatIsRefusedIsReportedWithTheReason) {
    const fs::path old = install("libcgan_vendor_test.so.9");
    setenv("CGAN_TEST_VENDOR", root.c_str(), 1);
    const OpenedLibrary found =
        open_library(kPlan, [](void*) { return std::string("version 7.6.5 is too old: 8 or 9 is needed"); });
    EXPECT_EQ(found.handle, nullptr);
    EXPECT_NE(found.attempts.find(old.string() + ": version 7.6.5 is too old: 8 or 9 is needed; "),
              std::string::npos)
        << found.attempts;
}

TEST_F(LibrarySearch, PackagesOfThePythonOnThePathAreFound) {
    touch("usr/bin/python3");
    const fs::path library =
        install("usr/lib/python3.12/site-packages/nvidia/vendor_test/lib/libcgan_vendor_test.so.9");
    setenv("PATH", ("/nowhere:" + (root / "usr/bin").string()).c_str(), 1);
    EXPECT_EQ(file_of(open_library(kPlan, accept)), library);
}

TEST_F(LibrarySearch, AVirtualEnvironmentComesBeforeItsPython) {
    touch("usr/bin/python3.12");
    fs::create_directories(root / "venv/bin");
    fs::create_symlink(root / "usr/bin/python3.12", root / "venv/bin/python3");
    const fs::path outer = root / "usr/lib/python3.12/dist-packages",
                   inner = root / "venv/lib/python3.12/site-packages";
    fs::create_directories(outer);
    fs::create_directories(inner);
    setenv("PATH", (root / "venv/bin").c_str(), 1);
    EXPECT_EQ(python_package_folders(), (std::vector<std::string>{inner, outer}));
}

TEST_F(LibrarySearch, PyenvsScriptLeadsToItsPython) {
    touch("pyenv/shims/python3", "#!/bin/sh\n");
    touch("pyenv/version", "3.11.7\n");
    const fs::path packages = root / "pyenv/versions/3.11.7/lib/python3.11/site-packages";
    fs::create_directories(packages);
    setenv("PATH", (root / "pyenv/shims").c_str(), 1);
    EXPECT_EQ(python_package_folders(), std::vector<std::string>{packages});
    setenv("PYENV_VERSION", "3.12.1", 1);
    EXPECT_TRUE(python_package_folders().empty());
}

TEST_F(LibrarySearch, TheUsersPackagesAreFoundWithoutPython) {
    const fs::path packages = root / ".local/lib/python3.10/site-packages";
    fs::create_directories(packages);
    setenv("HOME", root.c_str(), 1);
    EXPECT_EQ(python_package_folders(), std::vector<std::string>{packages});
}

} // namespace
