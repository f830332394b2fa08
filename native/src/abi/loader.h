// The system's loader of shared libraries.
#pragma once

#include <string>

namespace cgan {

// The folder that libcgan.so was loaded from.
std::string own_folder();

// The loader's text of the last failure.
std::string loader_error();

// The file that a symbol was loaded from, "" if unknown.
std::string path_of(const void* symbol);

} // namespace cgan
