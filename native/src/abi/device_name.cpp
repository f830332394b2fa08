#include "abi/device_name.h"

#include <charconv>

#include "abi/text.h"

namespace cgan {
namespace {

constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void reject(const std::string& message) { throw Error(CGAN_E_BAD_DEVICE, message); }

bool parse_number(const std::string& text, std::int64_t& value) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end;
}

void append_option(std::string& list, const Option& option) {
    list += (list.empty() ? "" : "&") + option.key + "=" + option.value;
}

// Options that the ABI layer serves itself, whatever the device; false if `option` is none of them.
bool read_common_option(const Option& option, DeviceName& name) {
    if (option.key == "memory") {
        name.memory_limit = option_number(option, 0, kAnyNumber);
    } else if (option.key == "fail" || option.key == "failAlloc") {
        if (!name.faulty) reject("option " + option.key + " needs the device faulty:" + name.text);
        (option.key == "fail" ? name.fail_call : name.fail_allocation) = option_number(option, 1, kAnyNumber);
    } else {
        return false;
    }
    return true;
}

void parse_kind(const std::string& text, DeviceName& name) {
    const auto colon = text.find(':');
    name.kind = text.substr(0, colon);
    const bool known = name.kind == "auto" || name.kind == "cpu" || name.kind == "cuda" || name.kind == "sim";
    if (!known) {
        reject("unknown device \"" + name.text + "\"; known are auto, cpu, cuda:N, sim:N, faulty:DEVICE");
    }
    if (colon == std::string::npos) return;
    std::int64_t index = -1;
    if (name.kind != "cuda" && name.kind != "sim")
        reject("device " + name.kind + " takes no number: \"" + name.text + "\"");
    if (!parse_number(text.substr(colon + 1), index) || index < 0 || index > 1023) {
        reject("device \"" + name.text + "\" needs a number from 0 after " + name.kind + ":, e.g. " +
               name.kind + ":0");
    }
    name.index = static_cast<int>(index);
}

} // namespace

Option take_option(std::string& options) {
    const auto end = options.find('&');
    const std::string item = options.substr(0, end);
    options = end == std::string::npos ? "" : options.substr(end + 1);
    const auto equals = item.find('=');
    if (equals == std::string::npos || equals == 0) {
        reject("option \"" + item + "\" is not of the form name=value");
    }
    return {item.substr(0, equals), item.substr(equals + 1)};
}

std::int64_t option_number(const Option& option, std::int64_t low, std::int64_t high) {
    std::int64_t value = 0;
    if (!parse_number(option.value, value) || value < low || value > high) {
        const std::string range = high == kAnyNumber ? cat("of at least ", low) : cat("in ", low, "..", high);
        reject("option " + option.key + "=" + option.value + " is not a whole number " + range);
    }
    return value;
}

DeviceName parse_device_name(const std::string& text) {
    constexpr std::string_view prefix = "faulty:";
    DeviceName name;
    name.text = text;
    name.faulty = text.starts_with(prefix);
    const std::string rest = name.faulty ? text.substr(prefix.size()) : text;
    const auto query = rest.find('?');
    parse_kind(rest.substr(0, query), name);
    std::string options = query == std::string::npos ? "" : rest.substr(query + 1);
    while (!options.empty()) {
        const Option option = take_option(options);
        if (read_common_option(option, name)) continue;
        const bool cpu_only = option.key == "threads" || option.key == "isa";
        append_option(name.kind == "auto" && cpu_only ? name.cpu_options : name.options, option);
    }
    return name;
}

} // namespace cgan
