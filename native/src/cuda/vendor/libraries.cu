#include "libraries.h"

#include <dlfcn.h>

#include "../../abi/loader.h"
#include "library_search.h"

namespace cgan::cuda::vendor {
namespace {

#if defined(CGAN_SIM)
// The simulator's stand-ins lie beside the plugin. The real libraries would take its memory for a GPU's.
SearchPlan beside_plugin(const char* file) {
    return {{file}, {"CGAN_SIM_VENDOR_PATH"}, {}, {own_folder()}, false};
}
const char* const kCublasName = "libcgan_sim_cublas.so";
const char* const kCudnnName = "libcgan_sim_cudnn.so";
SearchPlan cublas_plan() { return beside_plugin(kCublasName); }
SearchPlan cudnn_plan() { return beside_plugin(kCudnnName); }
#else
const char* const kCublasName = "libcublas.so";
const char* const kCudnnName = "libcudnn.so";
SearchPlan cublas_plan() {
    return {{"libcublas.so.13", "libcublas.so.12"},
            {"CUBLAS_PATH", "CUDA_PATH"},
            {"cu13/lib", "cublas/lib"},
            {},
            true};
}
SearchPlan cudnn_plan() {
    return {{"libcudnn.so.9", "libcudnn.so.8"}, {"CUDNN_PATH"}, {"cudnn/lib"}, {}, true};
}
#endif

// Fills the table; the loader's words if a call is missing.
template <class F> std::string find_call(void* library, const char* name, F*& call) {
    dlerror();
    call = reinterpret_cast<F*>(dlsym(library, name));
    return call ? "" : loader_error();
}

std::string fill(void* library, CublasCalls& calls) {
    std::string missing;
#define CGAN_FIND_CALL(name)                                                                                 \
    if (missing.empty()) missing = find_call(library, #name, calls.name);
    CGAN_CUBLAS_CALLS(CGAN_FIND_CALL)
    return missing;
}

std::string fill(void* library, CudnnCalls& calls) {
    std::string missing;
    CGAN_CUDNN_CALLS(CGAN_FIND_CALL)
#undef CGAN_FIND_CALL
    find_call(library, "cudnnGetLastErrorString", calls.cudnnGetLastErrorString);
    return missing;
}

std::string join(int major, int minor, int patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

// Why this version cannot be used, or nothing.
std::string check_version(const CublasCalls& calls, std::string& version) {
    if (!calls.cublasGetProperty) return "";
    int part[3] = {};
    for (int i = 0; i < 3; i++)
        if (calls.cublasGetProperty(libraryPropertyType(i), &part[i]) != CUBLAS_STATUS_SUCCESS)
            return "it does not tell its version";
    version = join(part[0], part[1], part[2]);
    return part[0] < 12 ? "version " + version + " is too old: 12 or 13 is needed" : "";
}

std::string check_version(const CudnnCalls& calls, std::string& version) {
    if (!calls.cudnnGetVersion) return "";
    const int v = int(calls.cudnnGetVersion()), unit = v >= 90000 ? 10000 : 1000; // 8907, 92400
    version = join(v / unit, v % unit / 100, v % 100);
    return v / unit < 8 ? "version " + version + " is too old: 8 or 9 is needed" : "";
}

template <class Calls> Loaded<Calls> load(const SearchPlan& plan) {
    Loaded<Calls> loaded;
    const OpenedLibrary library = open_library(plan, [&](void* handle) {
        const std::string missing = fill(handle, loaded.calls); // stops at the first; versions come first
        const std::string unfit = check_version(loaded.calls, loaded.version);
        return unfit.empty() ? missing : unfit;
    });
    loaded.usable = library.handle != nullptr;
    if (!loaded.usable) {
        loaded.version = "";
        loaded.reason = library.attempts;
    }
    return loaded;
}

template <class Calls> std::string line(const char* name, const Loaded<Calls>& library) {
    if (!library.usable) return std::string(name) + "\t-\t-\t" + library.reason + "\n";
    return std::string(name) + "\t" + library.path + "\t" + library.version + "\tok\n";
}

} // namespace

const Loaded<CublasCalls>& cublas() {
    static const Loaded<CublasCalls> library = [] {
        auto loaded = load<CublasCalls>(cublas_plan());
        if (loaded.usable) loaded.path = path_of(reinterpret_cast<const void*>(loaded.calls.cublasCreate_v2));
        return loaded;
    }();
    return library;
}

const Loaded<CudnnCalls>& cudnn() {
    static const Loaded<CudnnCalls> library = [] {
        auto loaded = load<CudnnCalls>(cudnn_plan());
        if (loaded.usable) loaded.path = path_of(reinterpret_cast<const void*>(loaded.calls.cudnnGetVersion));
        return loaded;
    }();
    return library;
}

std::string describe_libraries() { return line(kCudnnName, cudnn()) + line(kCublasName, cublas()); }

} // namespace cgan::cuda::vendor
