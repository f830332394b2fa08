#include "library_search.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "../../abi/loader.h"

namespace cgan::cuda::vendor {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

// ---- Python's packages --------------------------------------------------------------------------

std::string python_on_path() {
    std::string rest = variable("PATH");
    while (!rest.empty()) {
        const auto colon = rest.find(':');
        const fs::path file = fs::path(rest.substr(0, colon)) / "python3";
        std::error_code ignored;
        if (colon != 0 && fs::exists(file, ignored)) return file.string();
        rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    }
    return "";
}

// pyenv puts scripts on the PATH; which Python they start says a variable, or a file beside their folder.
fs::path behind_shim(const fs::path& root) {
    std::string version = variable("PYENV_VERSION");
    if (version.empty()) std::getline(std::ifstream(root / "version"), version);
    return root / "versions" / version.substr(0, version.find(':'));
}

std::vector<fs::path> python_prefixes() {
    std::vector<fs::path> prefixes;
    if (const std::string environment = variable("VIRTUAL_ENV"); !environment.empty())
        prefixes.push_back(environment);
    if (const fs::path python = python_on_path(); !python.empty()) {
        const fs::path folder = python.parent_path();
        prefixes.push_back(folder.filename() == "shims" ? behind_shim(folder.parent_path())
                                                        : folder.parent_path());
        std::error_code error;
        const fs::path real = fs::canonical(python, error); // out of a virtual environment
        if (!error) prefixes.push_back(real.parent_path().parent_path());
    }
    if (const std::string home = variable("HOME"); !home.empty())
        prefixes.push_back(fs::path(home) / ".local");
    return prefixes;
}

// ---- attempts -----------------------------------------------------------------------------------

struct Search {
    const SearchPlan& plan;
    const std::function<std::string(void*)>& refuse;
    OpenedLibrary found;

    bool attempt(const std::string& file) {
        std::string reason;
        if (void* handle = open_shared_library(file, reason)) {
            reason = refuse(handle);
            if (reason.empty()) {
                found.handle = handle;
                return true;
            }
            dlclose(handle);
        }
        if (reason.find(file) == std::string::npos) reason = file + ": " + reason;
        found.attempts += (found.attempts.empty() ? "" : "; ") + reason;
        return false;
    }

    bool attempt_folder(const fs::path& folder) {
        for (const std::string& file : plan.files)
            if (attempt((folder / file).string())) return true;
        return false;
    }

    // The variable names the library's own folder, or one that has it in lib64 or lib.
    bool attempt_variable(const std::string& name) {
        const fs::path folder = variable(name.c_str());
        if (folder.empty()) return false;
        std::error_code ignored;
        for (const char* part : {"lib64", "lib"})
            if (fs::is_directory(folder / part, ignored)) return attempt_folder(folder / part);
        return attempt_folder(folder);
    }

    bool attempt_packages() {
        for (const std::string& packages : python_package_folders())
            for (const std::string& package : plan.packages) {
                const fs::path folder = fs::path(packages) / "nvidia" / package;
                std::error_code ignored;
                if (fs::is_directory(folder, ignored) && attempt_folder(folder)) return true;
            }
        return false;
    }

    bool run() {
        for (const std::string& folder : plan.folders)
            if (attempt_folder(folder)) return true;
        for (const std::string& name : plan.variables)
            if (attempt_variable(name)) return true;
        if (!plan.system) return false;
        for (const std::string& file : plan.files)
            if (attempt(file)) return true;
        return attempt_packages();
    }
};

} // namespace

std::vector<std::string> python_package_folders() {
    std::vector<std::string> folders;
    std::set<fs::path> seen;
    std::error_code error;
    for (const fs::path& prefix : python_prefixes())
        for (const char* lib : {"lib", "lib64", "local/lib"})
            for (const auto& entry : fs::directory_iterator(prefix / lib, error)) {
                if (entry.path().filename().string().rfind("python3", 0) != 0) continue;
                for (const char* name : {"site-packages", "dist-packages"}) {
                    const fs::path folder = entry.path() / name;
                    if (fs::is_directory(folder, error) && seen.insert(folder).second)
                        folders.push_back(folder.string());
                }
            }
    return folders;
}

OpenedLibrary open_library(const SearchPlan& plan, const std::function<std::string(void*)>& refuse) {
    Search search{plan, refuse, {}};
    search.run();
    return search.found;
}

} // namespace cgan::cuda::vendor
