// Which build of this library or plugin is running.
#pragma once

#include <string>

namespace cgan {

// The linker's build ID of the file that holds this function, in hexadecimal: another one for any other machine code.
// "unknown" if the file has none.
std::string build_id();

} // namespace cgan
