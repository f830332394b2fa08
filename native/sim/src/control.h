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
    std::int64_t fault_kernel = 0;     // this kernel of those that run, counted from 1, faults; 0: none
    std::int64_t devices = 1;          // how many there are
    bool early_copies = false;         // copies run as early as their stream's order allows, kernels as late
    std::int64_t fail_vendor_call = 0; // this call of a stand-in for cuDNN or cuBLAS, counted from 1, fails
    std::int64_t vendor_delay = 0;     // microseconds that each computation of a stand-in takes at least
};

// Read once from CGAN_SIM_SEED, CGAN_SIM_RACES, CGAN_SIM_MEMORY, CGAN_SIM_FAIL, CGAN_SIM_FAULT,
// CGAN_SIM_DEVICES, CGAN_SIM_EARLY_COPIES, CGAN_SIM_FAIL_VENDOR and CGAN_SIM_VENDOR_DELAY; tests change it as
// they like.
Options& options();

// Starts the counts of calls and kernels again, forgets the sticky error and its report.
void reset_errors();

std::int64_t runtime_calls();    // since reset_errors
std::int64_t kernels_run();      // since reset_errors
std::int64_t returned_bytes();   // of memory that pools gave back to the driver, in all
std::int64_t live_allocations(); // device and pinned host blocks, streams, events, graphs
std::string last_report();       // what the last fault was, with kernel, block and thread

std::int64_t vendor_calls();        // of the stand-ins, since reset_errors
std::int64_t live_vendor_objects(); // handles and descriptors that were created and not destroyed
std::string last_misuse(); // which call of a stand-in refused which argument, and why; "" if none did

} // namespace cgan_sim

extern "C" {
// For callers in other languages. Sets "seed", "races", "memory", "fail", "fault", "fail_vendor", "vendor_delay", "devices"
// or "early_copies", or calls reset_errors with "reset"; false for any other name.
bool cgan_sim_set(const char* name, std::int64_t value);
// "calls", "kernels", "vendor_calls" or "live"; -1 for any other name.
std::int64_t cgan_sim_get(const char* name);
}
