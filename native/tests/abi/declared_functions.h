// What cgan.h declares, read from its pre-processed text.
#pragma once

#include <fstream>
#include <regex>
#include <set>
#include <string>

namespace cgan::test {

// The lines of the pre-processed header that come from cgan.h itself.
inline std::string header_text() {
    std::ifstream file(CGAN_PREPROCESSED_HEADER);
    std::string text;
    bool own = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("# ")) {
            own = line.find("/cgan.h\"") != std::string::npos;
        } else if (own) {
            text += line + "\n";
        }
    }
    return text;
}

inline std::set<std::string> declared_functions() {
    const std::string text = header_text();
    const std::regex name(R"((cgan_[a-z0-9_]+)\s*\()");
    std::set<std::string> names;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), name); at != std::sregex_iterator(); ++at) {
        names.insert((*at)[1]);
    }
    return names;
}

} // namespace cgan::test
