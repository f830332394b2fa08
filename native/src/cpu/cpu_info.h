// What the processor is and can do.
#pragma once

#include <string>

namespace cgan {

// The processor's own name, e.g. "AMD EPYC 7763 64-Core Processor"; the architecture's if it tells none.
std::string cpu_name();

// True if AVX2 and FMA exist and the operating system saves their registers.
bool cpu_has_avx2();

// The number of processors that this process may use, at least 1.
int cpu_processors();

} // namespace cgan
