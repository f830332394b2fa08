// cgan.h keeps to its own rules, and the library exports what it declares and nothing else.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <regex>
#include <set>
#include <string>

#include "abi/declared_functions.h"
#include "cgan.h"

extern "C" std::int32_t cgan_test_abi_from_c(void);

namespace {

using cgan::test::declared_functions;
using cgan::test::header_text;

std::set<std::string> exported_symbols() {
    const std::string command = std::string(CGAN_NM) + " -D --defined-only '" + CGAN_LIBRARY + "'";
    const auto close = [](std::FILE* pipe) { pclose(pipe); };
    const std::unique_ptr<std::FILE, decltype(close)> pipe(popen(command.c_str(), "r"), close);
    std::set<std::string> names;
    char line[1024];
    while (pipe && std::fgets(line, sizeof line, pipe.get())) {
        std::string text = line;
        text.erase(text.find_last_not_of('\n') + 1);
        names.insert(text.substr(text.rfind(' ') + 1));
    }
    return names;
}

TEST(Header, HasOnlyWhatBindingsCanRead) {
    const std::string text = header_text();
    ASSERT_GT(text.size(), 10000u);
    const char* const forbidden[] = {R"(\blong\b)",       R"(\bsize_t\b)", R"(\bbool\b)",    R"(\.\.\.)",
                                     R"(:\s*[0-9]+\s*;)", R"(\bunion\b)",  R"(\bunsigned\b)"};
    for (const char* pattern : forbidden) {
        EXPECT_FALSE(std::regex_search(text, std::regex(pattern))) << "cgan.h contains " << pattern;
    }
}

TEST(Header, EveryDeclaredFunctionIsExportedAndNothingElse) {
    const std::set<std::string> declared = declared_functions();
    EXPECT_GT(declared.size(), 50u);
    EXPECT_EQ(declared, exported_symbols());
    for (const std::string& name : declared) {
        EXPECT_NE(nullptr, dlsym(RTLD_DEFAULT, name.c_str())) << name;
    }
}

TEST(Header, WorksFromC) { EXPECT_EQ(cgan_abi_version(), cgan_test_abi_from_c()); }

} // namespace
