#include "abi/plugins.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "abi/loader.h"
#include "abi/text.h"

namespace cgan {
namespace {

std::vector<std::string> search_folders() {
    std::vector<std::string> folders = {own_folder()};
    const char* list = std::getenv("CGAN_PLUGIN_PATH");
    std::string rest = list ? list : "";
    while (!rest.empty()) {
        const auto colon = rest.find(':');
        if (colon != 0) folders.push_back(rest.substr(0, colon));
        rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    }
    return folders;
}

// The path that dlopen shall get: the first file that exists, else the bare name.
std::string locate(const std::string& file) {
    for (const std::string& folder : search_folders()) {
        const std::string path = folder + "/" + file;
        if (access(path.c_str(), F_OK) == 0) return path;
    }
    return file;
}

} // namespace

LoadedPlugin load_plugin(const std::string& name) {
    const std::string path = locate("libcgan_" + name + ".so");
    const bool found = path.find('/') != std::string::npos;
    std::string reason;
    void* library = open_shared_library(path, reason);
    if (!library) return {nullptr, found ? path : "", reason};
    const auto* plugin = static_cast<const BackendPlugin*>(dlsym(library, "cgan_backend_plugin"));
    if (!plugin) return {nullptr, path, loader_error()};
    if (plugin->abi != kBackendAbi) {
        return {nullptr, path,
                cat("built for backend ABI ", plugin->abi, ", this library has ", kBackendAbi,
                    "; build both from the same sources")};
    }
    return {plugin, path_of(plugin), ""};
}

std::unique_ptr<Backend> open_plugin_device(const std::string& name, int index, const std::string& options,
                                            MemoryLedger& ledger) {
    const LoadedPlugin loaded = load_plugin(name);
    if (!loaded.plugin) {
        const char* remedy =
            loaded.path.empty() && name == "cuda" ? ", which the build makes where it finds nvcc" : "";
        throw Error(CGAN_E_PLUGIN,
                    cat("device ", name, " needs libcgan_", name, ".so", remedy, ": ", loaded.reason));
    }
    std::string reason;
    const int count = loaded.plugin->device_count(reason);
    if (count <= 0) throw Error(CGAN_E_NO_DEVICE, "no " + name + " device: " + reason);
    if (index >= count) {
        throw Error(CGAN_E_NO_DEVICE, cat("device ", name, ":", index, " does not exist; there are ", count));
    }
    return std::unique_ptr<Backend>(loaded.plugin->open(index, options.c_str(), ledger));
}

} // namespace cgan
