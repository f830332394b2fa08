// What tests and the plugin tell the simulator beyond the CUDA runtime's own API.
#pragma once

#include <cstdint>
#include <string>

namespace cgan_sim {

struct Options {
    std::uint64_t seed = 1;            // order of blocks and threads
    bool check_races = false;          // run every kernel in two orders and compare all device memory
    std::int64_t memory = 4ll << 30;   // bytes of simulated device memory
    std::int64_t fail_call = 0;        // this runtime call, counted from 1, fails; 0: none
    std::int64_t fail_vendor_call = 0; // this call of a stand-in for cuDNN or cuBLAS, counted from 1, fails
    std::int64_t vendor_delay = 0;     // microseconds that each computation of a stand-in takes at least
};

// Read once from CGAN_SIM_SEED, CGAN_SIM_RACES, CGAN_SIM_MEMORY, CGAN_SIM_FAIL, CGAN_SIM_FAIL_VENDOR and
// CGAN_SIM_VENDOR_DELAY; tests change it as they like.
Options& options();

// Starts the counts of calls again, forgets the sticky error and its report.
void reset_errors();

std::int64_t runtime_calls();    // since reset_errors
std::int64_t kernels_run();      // of this process
std::int64_t live_allocations(); // device and pinned host blocks
std::string last_report();       // what the last fault was, with kernel, block and thread

std::int64_t vendor_calls();        // of the stand-ins, since reset_errors
std::int64_t live_vendor_objects(); // handles and descriptors that were created and not destroyed
std::string last_misuse(); // which call of a stand-in refused which argument, and why; "" if none did

} // namespace cgan_sim
