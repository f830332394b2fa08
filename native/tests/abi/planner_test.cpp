// kernels=auto: what is measured is kept, and a kept plan decides the bits.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/session.h"

namespace cgan::test {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_text(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(std::string::npos, at) << "no \"" << from << "\" in:\n" << text;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// A 5x5 convolution that our cost model transforms; deterministic inputs. Returns the result.
std::vector<float> convolve(const Session& s) {
    std::vector<float> pixels(2 * 14 * 14 * 16), filters(32 * 5 * 5 * 16);
    for (std::size_t i = 0; i < pixels.size(); i++)
        pixels[i] = static_cast<float>(i * 7919 % 1009) / 1009 - 0.5f;
    for (std::size_t i = 0; i < filters.size(); i++)
        filters[i] = static_cast<float>(i * 104729 % 997) / 997 - 0.5f;
    const cgan_tensor src = s.floats({2, 14, 14, 16}, pixels), wei = s.floats({32, 5, 5, 16}, filters);
    const cgan_tensor dst = s.tensor(CGAN_F32, {2, 14, 14, 32});
    auto p = sized<cgan_conv2d_params>();
    p.stride_h = p.stride_w = 1;
    p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 2;
    EXPECT_CGAN_OK(cgan_conv2d_forward(s, &p, &src, &wei, nullptr, &dst));
    return s.read_floats(dst);
}

constexpr const char* kAuto = "cpu?threads=1&kernels=auto";
constexpr const char* kOperation = "conv2d_forward n2 h14 w14 c16 k32 r5 s5 stride1x1 pad2,2,2,2 up1 act0\t";

std::string describe_context(const Session& s) {
    return text_of([&](char* to, std::int64_t cap) { return cgan_context_describe(s, to, cap); });
}

class Planner : public testing::Test {
  protected:
    Planner() : folder_(fs::temp_directory_path() / ("cgan-planner-" + std::to_string(getpid()))) {
        use_cache(folder_ / "cache");
    }
    ~Planner() override {
        unsetenv("XDG_CACHE_HOME");
        fs::remove_all(folder_);
    }
    static void use_cache(const fs::path& path) { setenv("XDG_CACHE_HOME", path.c_str(), 1); }
    fs::path plan() const { return folder_ / "plan.txt"; }

    // A plan with the convolution in it, whose winner is `winner`.
    void keep_with_winner(const std::string& winner) const {
        fs::remove(plan());
        {
            const Session s(kAuto);
            ASSERT_CGAN_OK(cgan_context_keep_plan(s, plan().c_str()));
            convolve(s);
        }
        std::string text = read_text(plan());
        const auto at = text.find(kOperation) + std::string(kOperation).size();
        ASSERT_NE(std::string::npos, text.find(kOperation)) << text;
        text.replace(at, text.find('\t', at) - at, winner);
        write_text(plan(), text);
    }

    const fs::path folder_;
};

TEST_F(Planner, APlanDecidesTheBits) {
    const Session handwritten("cpu?threads=1"), direct("cpu?threads=1&transforms=off");
    const auto by_cost_model = convolve(handwritten), without_transforms = convolve(direct);
    ASSERT_NE(by_cost_model, without_transforms) << "or this test proves nothing";
    for (const auto& [winner, want] :
         {std::pair("handwritten", &by_cost_model), std::pair("direct", &without_transforms)}) {
        keep_with_winner(winner);
        const Session s(kAuto);
        ASSERT_CGAN_OK(cgan_context_keep_plan(s, plan().c_str()));
        EXPECT_EQ(*want, convolve(s)) << winner;
        EXPECT_NE(std::string::npos,
                  describe_context(s).find("\nplan: 1 operations, kept in " + plan().string()))
            << describe_context(s);
    }
}

TEST_F(Planner, WhatIsMeasuredIsKept) {
    const Session s(kAuto);
    ASSERT_CGAN_OK(cgan_context_keep_plan(s, plan().c_str()));
    convolve(s);
    const std::string kept = read_text(plan());
    EXPECT_TRUE(kept.starts_with("cgan plan 1\ncpu ")) << kept;
    EXPECT_NE(std::string::npos, kept.find(std::string("\n") + kOperation)) << kept;
    for (const char* candidate : {"\thandwritten ", "\tdirect "})
        EXPECT_NE(std::string::npos, kept.find(candidate)) << kept;
    convolve(s);
    EXPECT_EQ(kept, read_text(plan())) << "not measured twice";
    const Session later(kAuto);
    ASSERT_CGAN_OK(cgan_context_keep_plan(later, (folder_ / "later.txt").c_str()));
    convolve(later);
    EXPECT_EQ(kept, read_text(folder_ / "later.txt"))
        << "another context of the process does not measure again";
}

TEST_F(Planner, FloatsOfDoublePrecisionAreNotPlanned) {
    const Session s(kAuto);
    const cgan_tensor a = s.tensor(CGAN_F64, {3, 3}), b = s.tensor(CGAN_F64, {3, 3});
    ASSERT_CGAN_OK(cgan_fill(s, 1, &a));
    const auto matmul = sized<cgan_matmul_params>();
    ASSERT_CGAN_OK(cgan_matmul(s, &matmul, &a, &a, &b));
    EXPECT_NE(std::string::npos, describe_context(s).find("\nmatmul: reference 1\nplan: 0 operations"))
        << describe_context(s);
}

TEST_F(Planner, ABadPlanIsRefused) {
    keep_with_winner("handwritten");
    const std::string good = read_text(plan());
    const auto expect_refused = [&](const std::string& text, const std::string& fault) {
        write_text(plan(), text);
        const Session s(kAuto);
        EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE,
                          "context_keep_plan: the plan " + plan().string() + " cannot be used: " + fault +
                              "; delete it to measure anew (results then differ in their last bits)",
                          cgan_context_keep_plan(s, plan().c_str()));
        EXPECT_EQ(text, read_text(plan())) << "it is left as it was";
    };
    expect_refused("", "it is not a plan");
    expect_refused("PK\3\4", "it is not a plan");
    expect_refused(good.substr(0, good.size() - 1), "it is cut off");
    expect_refused(good.substr(0, good.rfind('\t')) + "\tnobody 1\n", "line 9 is not understood");
    expect_refused(good + "conv2d_forward\thandwritten\n", "line 10 is not understood");
    expect_refused(good + "conv2d_forward\tdirect\thandwritten 1\n", "line 10 is not understood");

    write_text(plan(), replaced(good, "\nthreads 1\n", "\nthreads 64\n"));
    const Session s(kAuto);
    EXPECT_EQ(CGAN_E_BAD_VALUE, cgan_context_keep_plan(s, plan().c_str()));
    EXPECT_NE(std::string::npos, last_error().find("it was made for another machine or version (cpu "))
        << last_error();
    EXPECT_NE(std::string::npos, last_error().find(",threads 64,")) << last_error();
    EXPECT_CGAN_FAILS(CGAN_E_BAD_VALUE, "context_keep_plan: path is empty", cgan_context_keep_plan(s, ""));
    EXPECT_CGAN_FAILS(
        CGAN_E_BAD_VALUE,
        "context_keep_plan: the plan /proc/none/plan.txt cannot be written; check the folder and its "
        "permissions",
        cgan_context_keep_plan(s, "/proc/none/plan.txt"));
}

TEST_F(Planner, ABadCacheIsIgnoredWithANotice) {
    { convolve(Session("cpu?threads=2&kernels=auto")); }
    const auto files = fs::directory_iterator(folder_ / "cache" / "cgan");
    const fs::path name = files->path().filename();
    use_cache(folder_ / "other");
    write_text(folder_ / "other" / "cgan" / name, "not a plan\n");
    const Session s("cpu?threads=2&kernels=auto");
    EXPECT_NE(std::string::npos,
              describe_context(s).find("\nplan: " + (folder_ / "other" / "cgan" / name).string() +
                                       " is ignored: it is not a plan"))
        << describe_context(s);
    convolve(s);
}

TEST_F(Planner, ACacheServesOneBuild) {
    const std::string device = "cpu?threads=3&kernels=auto";
    {
        const Session s(device);
        ASSERT_CGAN_OK(cgan_context_keep_plan(s, plan().c_str()));
        convolve(s);
    }
    const fs::path file = fs::directory_iterator(folder_ / "cache" / "cgan")->path();
    const std::string cached = read_text(file);
    const auto at = cached.find("\nbuild ");
    ASSERT_NE(std::string::npos, at) << cached;
    const std::string build = cached.substr(at + 7, cached.find('\n', at + 1) - at - 7);
    EXPECT_EQ(40u, build.size()) << build;
    EXPECT_EQ(std::string::npos, read_text(plan()).find("build ")) << "a run's choices outlive a build";

    write_text(file, replaced(cached, build, "0123"));
    const std::string described = describe_context(Session(device));
    EXPECT_NE(std::string::npos,
              described.find("is ignored: it was made for another machine or version (cpu "))
        << described;
    EXPECT_NE(std::string::npos, described.find(",build 0123; this is ")) << described;
}

TEST_F(Planner, OtherKernelsKeepNoPlan) {
    const Session s("cpu?threads=1");
    EXPECT_CGAN_OK(cgan_context_keep_plan(s, plan().c_str()));
    convolve(s);
    EXPECT_FALSE(fs::exists(plan()));
    EXPECT_EQ(std::string::npos, describe_context(s).find("plan:"));
}

} // namespace
} // namespace cgan::test
