// Backends in libraries of their own: libcgan_cuda.so, libcgan_sim.so, opened on demand.
#pragma once

#include <memory>
#include <string>

#include "backend.h"

namespace cgan {

// The names of the plugins that this library looks for.
inline constexpr const char* kPluginNames[] = {"cuda", "sim"};

struct LoadedPlugin {
    const BackendPlugin* plugin = nullptr; // null: see `reason`
    std::string path;                      // of the file, or empty
    std::string reason;                    // why it cannot be used, with the loader's own words
};

// Looks for libcgan_NAME.so beside this library, in the folders of CGAN_PLUGIN_PATH (separated by colons),
// then where the loader looks. The first file found decides. A plugin stays loaded for the life of the
// process.
LoadedPlugin load_plugin(const std::string& name);

// Opens device `index` of a plugin. Throws CGAN_E_PLUGIN (not usable), CGAN_E_NO_DEVICE (usable, but no such
// device).
std::unique_ptr<Backend> open_plugin_device(const std::string& name, int index, const std::string& options,
                                            MemoryLedger& ledger);

} // namespace cgan
