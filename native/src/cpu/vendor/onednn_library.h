// Finds oneDNN (libdnnl.so.3) at run time.
#pragma once

#include <string>
#include <vector>

#include "cpu/vendor/onednn_api.h"

namespace cgan::onednn {

struct Library {
    const Calls* calls = nullptr;        // null if none is usable
    std::string path = "";               // of the file that was opened
    std::string version = "";            // "3.8.1"
    std::vector<std::string> tried = {}; // why each place gave none
    std::string reason() const;          // all of `tried`
};

// Looks in this order: the file that CGAN_DNNL_LIBRARY names (if that is set, nowhere else), libdnnl.so.3
// beside libcgan.so, the system loader's path. A library once found stays for the process.
Library find_library();

} // namespace cgan::onednn
