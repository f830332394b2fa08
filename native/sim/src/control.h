// What tests and the plugin tell the simulator beyond the CUDA runtime's own API.
#pragma once

#include <cstdint>
#include <string>

namespace cgan_sim {

struct Options {
    std::uint64_t seed = 1;          // order of blocks and threads
    bool check_races = false;        // run every kernel in two orders and compare all device memory
    std::int64_t memory = 4ll << 30; // bytes of simulated device memory
    std::int64_t fail_call = 0;      // this runtime call, counted from 1, fails; 0: none
};

// Read once from CGAN_SIM_SEED, CGAN_SIM_RACES, CGAN_SIM_MEMORY and CGAN_SIM_FAIL; tests change it as they
// like.
Options& options();

// Starts the count of runtime calls again, forgets the sticky error and its report.
void reset_errors();

std::int64_t runtime_calls();    // since reset_errors
std::int64_t kernels_run();      // of this process
std::int64_t live_allocations(); // device and pinned host blocks
std::string last_report();       // what the last fault was, with kernel, block and thread

} // namespace cgan_sim
