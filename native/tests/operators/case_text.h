// Names of cases: letters, digits and underscores, so that they can be given to --gtest_filter.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace cgan::test {

// "2x3x5"; "scalar" for no dimensions.
inline std::string dims_text(const std::vector<std::int64_t>& dims) {
    std::ostringstream text;
    for (std::size_t i = 0; i < dims.size(); i++) text << (i ? "x" : "") << dims[i];
    return dims.empty() ? "scalar" : text.str();
}

template <class... Args> std::string name(const Args&... args) {
    std::ostringstream text;
    (text << ... << args);
    return text.str();
}

} // namespace cgan::test
