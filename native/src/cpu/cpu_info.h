// What the processor is and can do.
#pragma once

#include <string>

namespace cgan {

// The processor's own name, e.g. "AMD EPYC 7763 64-Core Processor"; the architecture's if it tells none.
std::string cpu_name();

// Instruction sets for which there are kernels, each beside the one before: SSE2 or NEON, AVX2 and FMA, AVX-512 F, DQ,
// BW and VL.
enum class Isa { Baseline, Avx2, Avx512 };

// True if this processor has the instruction set and the operating system saves its registers.
bool cpu_has(Isa isa);

// The number of processors that this process may use, at least 1.
int cpu_processors();

} // namespace cgan
