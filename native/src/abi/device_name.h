// The grammar of device names: [faulty:]KIND[:INDEX][?option=value[&option=value]...]
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace cgan {

struct DeviceName {
    std::string text; // as given
    std::string kind; // "auto", "cpu", "cuda", "sim"
    int index = 0;    // N of cuda:N or sim:N
    bool faulty = false;
    std::int64_t fail_call = 0;       // the operator call that fails, counted from 1; 0: none
    std::int64_t fail_allocation = 0; // likewise
    std::int64_t memory_limit = std::numeric_limits<std::int64_t>::max();
    std::string options;     // "a=b&c=d", what the backend is to read
    std::string cpu_options; // for `auto`: what only the CPU backend understands
};

// Throws CGAN_E_BAD_DEVICE with the names or options that are known.
DeviceName parse_device_name(const std::string& text);

// One "key=value" of an option list.
struct Option {
    std::string key, value;
};

// Removes the first option from `options` and returns it; `options` must not be empty.
Option take_option(std::string& options);

// The value as an integer in low..high. Throws CGAN_E_BAD_DEVICE.
std::int64_t option_number(const Option& option, std::int64_t low, std::int64_t high);

} // namespace cgan
