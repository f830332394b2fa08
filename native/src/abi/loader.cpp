#include "abi/loader.h"

#include <dlfcn.h>

namespace cgan {

std::string own_folder() {
    static const char anchor = 0; // of this very library, even when another copy of it is loaded
    const std::string path = path_of(&anchor);
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string loader_error() {
    const char* text = dlerror();
    return text ? text : "the loader gives no reason";
}

std::string path_of(const void* symbol) {
    Dl_info info{};
    return dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : "";
}

} // namespace cgan
