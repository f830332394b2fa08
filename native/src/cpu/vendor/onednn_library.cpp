#include "cpu/vendor/onednn_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <list>
#include <map>
#include <mutex>

#include "abi/loader.h"
#include "abi/text.h"

namespace cgan::onednn {
namespace {

constexpr const char* kFile = "libdnnl.so.3";

template <class F> bool resolve(void* library, const char* symbol, F& function, std::string& fault) {
    function = reinterpret_cast<F>(dlsym(library, symbol));
    if (!function && fault.empty()) fault = loader_error();
    return function != nullptr;
}

std::string resolve_all(void* library, Calls& calls) {
    std::string fault;
#define CGAN_ONEDNN_RESOLVE(name, result, parameters) resolve(library, "dnnl_" #name, calls.name, fault)
    CGAN_ONEDNN_CALLS(CGAN_ONEDNN_RESOLVE);
#undef CGAN_ONEDNN_RESOLVE
    return fault;
}

// Why the version is of no use, or nothing.
std::string check_version(const Version& v) {
    if (v.major != 3 || v.minor < 2) return "version 3.2 or a later 3.x is needed";
    if (v.cpu_runtime != kRuntimeOpenMp) return "built without OpenMP, through which its threads are set";
    return "";
}

// Opens one candidate; on failure adds to `tried` why.
bool open(const std::string& path, Library& found) {
    std::string fault;
    void* library = open_shared_library(path, fault);
    if (!library) {
        found.tried.push_back("dlopen(" + path + "): " + fault);
        return false;
    }
    Calls resolved;
    if (resolve(library, "dnnl_version", resolved.version, fault)) {
        const Version& v = *resolved.version();
        found.version = cat(v.major, ".", v.minor, ".", v.patch);
        fault = check_version(v);
    }
    if (fault.empty()) fault = resolve_all(library, resolved);
    if (fault.empty()) resolve(library, "omp_set_num_threads", resolved.set_threads, fault);
    if (fault.empty()) resolve(library, "omp_get_max_threads", resolved.max_threads, fault);
    if (!fault.empty()) {
        found.tried.push_back(
            cat(path, found.version.empty() ? "" : " (oneDNN " + found.version + ")", ": ", fault));
        found.version.clear();
        dlclose(library);
        return false;
    }
    static std::list<Calls> accepted; // as long as the process: contexts point at them
    found.calls = &accepted.emplace_back(resolved);
    found.path = path_of(reinterpret_cast<const void*>(resolved.version));
    return true;
}

} // namespace

std::string Library::reason() const {
    std::string text;
    for (const std::string& attempt : tried) text += (text.empty() ? "" : "; ") + attempt;
    return text;
}

Library find_library() {
    static std::mutex mutex;
    static std::map<std::string, Library> accepted; // by the value of the variable
    const char* value = std::getenv("CGAN_DNNL_LIBRARY");
    const std::string given = value ? value : "";
    const std::lock_guard lock(mutex);
    if (const auto known = accepted.find(given); known != accepted.end()) return known->second;
    Library found;
    if (!given.empty()) {
        open(given, found);
    } else if (!open(own_folder() + "/" + kFile, found)) {
        open(kFile, found);
    }
    if (found.calls) accepted[given] = found;
    return found;
}

} // namespace cgan::onednn
