// The system's loader of shared libraries.
#pragma once

#include <string>

namespace cgan {

// The folder that this library, libcgan.so or a plugin, was loaded from.
std::string own_folder();

// Opens a shared library; null if that fails, and why in `reason`. A file that was cut off, as by a full disk, is refused:
// the loader would read beyond its end, and the system would end the process.
void* open_shared_library(const std::string& path, std::string& reason);

// The loader's text of the last failure.
std::string loader_error();

// The file that a symbol was loaded from, "" if unknown.
std::string path_of(const void* symbol);

} // namespace cgan
