// Where a vendor's shared library may lie, and opening the first one that can be used.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cgan::cuda::vendor {

struct SearchPlan {
    std::vector<std::string> files; // newest first: "libcudnn.so.9", "libcudnn.so.8"
    std::vector<std::string>
        variables; // environment variables that name a folder of the library or of its lib/
    std::vector<std::string> packages; // folders below site-packages/nvidia: "cudnn/lib"
    std::vector<std::string> folders;  // looked in before anything else
    bool system = true;                // the loader's own path, and the packages of the python3 on the PATH
};

struct OpenedLibrary {
    void* handle = nullptr; // null if none can be used
    std::string attempts;   // "file: the loader's words; file: ..." of all that failed
};

// Tries, in this order: plan.folders, the folders that the variables name, the loader's path, Python's packages; in
// each the files in their order. `refuse` looks at an open library and says why it cannot be used, or nothing. A
// library that was opened stays open for the process.
OpenedLibrary open_library(const SearchPlan& plan, const std::function<std::string(void*)>& refuse);

// The folders of installed packages of the python3 that the PATH names, of its virtual environment and of the
// user; found without running it.
std::vector<std::string> python_package_folders();

} // namespace cgan::cuda::vendor
