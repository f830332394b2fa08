#include "plan.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>

#include "abi/text.h"
#include "backend.h"
#include "build_id.h"

namespace cgan {
namespace {

constexpr const char* kMagic = "cgan plan 1";
constexpr double kGain =
    0.95; // a candidate wins over one before it if it takes less than this part of its time

// ---- files: the magic line, the identity's lines, an empty line, then "operation TAB winner TAB name ms TAB ..." ----

std::string format(const std::string& identity, const PlanEntries& entries) {
    std::ostringstream text;
    text << kMagic << "\n" << identity << "\n";
    text.precision(6);
    for (const auto& [operation, entry] : entries) {
        text << operation << "\t" << entry.winner;
        for (const auto& [candidate, ms] : entry.milliseconds) text << "\t" << candidate << " " << ms;
        text << "\n";
    }
    return text.str();
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

// False if the line is none of a plan.
bool parse_entry(const std::string& line, Plan::IsCandidate is_candidate, PlanEntries& entries) {
    const auto fields = split(line, '\t');
    if (fields.size() < 3 || fields[0].empty()) return false;
    PlanEntry entry;
    entry.winner = fields[1];
    for (std::size_t i = 2; i < fields.size(); i++) {
        const auto space = fields[i].find(' ');
        if (space == std::string::npos) return false;
        const std::string candidate = fields[i].substr(0, space);
        char* end = nullptr;
        const std::string number = fields[i].substr(space + 1);
        const double ms = std::strtod(number.c_str(), &end);
        if (!is_candidate(candidate) || *end || number.empty() || !(ms >= 0)) return false;
        entry.milliseconds.emplace_back(candidate, ms);
    }
    const bool timed = std::any_of(entry.milliseconds.begin(), entry.milliseconds.end(),
                                   [&](const auto& timing) { return timing.first == entry.winner; });
    if (!timed) return false;
    entries[fields[0]] = entry;
    return true;
}

// What is wrong with a plan file, or nothing.
std::string parse(const std::string& text, const std::string& identity, Plan::IsCandidate is_candidate,
                  PlanEntries& entries) {
    const std::string head = std::string(kMagic) + "\n";
    if (!text.starts_with(head)) return "it is not a plan";
    if (!text.starts_with(head + identity + "\n")) {
        const auto end = text.find("\n\n");
        std::string other = text.substr(head.size(), end == std::string::npos ? end : end - head.size());
        std::string own = identity;
        for (std::string* list : {&other, &own}) {
            while (!list->empty() && list->back() == '\n') list->pop_back();
            std::replace(list->begin(), list->end(), '\n', ',');
        }
        return "it was made for another machine or version (" + other + "; this is " + own + ")";
    }
    if (text.back() != '\n') return "it is cut off";
    int number = static_cast<int>(std::count(identity.begin(), identity.end(), '\n')) + 2;
    for (const std::string& line : split(text.substr(head.size() + identity.size() + 1), '\n')) {
        number++;
        if (!parse_entry(line, is_candidate, entries)) return cat("line ", number, " is not understood");
    }
    return "";
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Replaces the file in one step; false if that fails.
bool write_file(const std::string& path, const std::string& text) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    const std::string temporary = cat(path, ".", getpid(), ".new");
    std::FILE* out = std::fopen(temporary.c_str(), "wb");
    if (!out) return false;
    bool good = std::fwrite(text.data(), 1, text.size(), out) == text.size();
    good = std::fflush(out) == 0 && fsync(fileno(out)) == 0 && good;
    good = std::fclose(out) == 0 && good && std::rename(temporary.c_str(), path.c_str()) == 0;
    if (!good) std::remove(temporary.c_str());
    return good;
}

std::string cache_path(const std::string& identity) {
    const char *xdg = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
    const std::string folder = xdg && *xdg ? xdg : home && *home ? std::string(home) + "/.cache" : "";
    if (folder.empty()) return "";
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    for (const char c : identity) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::ostringstream name;
    name << folder << "/cgan/plan-" << std::hex << hash << ".txt";
    return name.str();
}

// ---- what this process knows: of the cache, and measured by itself ----

struct Known {
    std::mutex mutex;
    std::map<std::string, PlanEntries> entries; // by identity
};

// Never destroyed: threads of the host may still call when static objects die.
Known& known() {
    static auto* instance = new Known;
    return *instance;
}

} // namespace

void PlanEntry::add(const std::string& candidate, double ms) {
    const auto best = std::find_if(milliseconds.begin(), milliseconds.end(),
                                   [&](const auto& timing) { return timing.first == winner; });
    if (best == milliseconds.end() || ms < kGain * best->second) winner = candidate;
    milliseconds.emplace_back(candidate, ms);
}

Plan::Plan(const std::string& identity, IsCandidate is_candidate, Cache cache)
    : identity_(identity), cache_identity_(identity + "build " + build_id() + "\n"),
      is_candidate_(is_candidate), cache_(cache == Cache::Used ? cache_path(identity) : "") {
    if (cache == Cache::Unused) return;
    if (cache_.empty()) {
        notice_ = "plan: no cache: neither XDG_CACHE_HOME nor HOME is set";
        return;
    }
    const auto text = read_file(cache_);
    if (!text) return;
    PlanEntries cached;
    const std::string fault = parse(*text, cache_identity_, is_candidate_, cached);
    if (!fault.empty()) {
        notice_ = "plan: " + cache_ + " is ignored: " + fault;
        return;
    }
    const std::lock_guard lock(known().mutex);
    known().entries[identity_].merge(cached);
}

void Plan::keep_in(const std::string& path) {
    if (const auto text = read_file(path)) {
        PlanEntries entries;
        const std::string fault = parse(*text, identity_, is_candidate_, entries);
        if (!fault.empty())
            throw Error(CGAN_E_BAD_VALUE,
                        "the plan " + path + " cannot be used: " + fault +
                            "; delete it to measure anew (results then differ in their last bits)");
        for (const auto& [operation, entry] : entries) used_[operation] = entry;
    }
    file_ = path;
    if (!write_file(file_, format(identity_, used_)))
        throw Error(CGAN_E_BAD_VALUE,
                    "the plan " + path + " cannot be written; check the folder and its permissions");
}

const PlanEntry* Plan::find(const std::string& operation) {
    const auto used = used_.find(operation);
    if (used != used_.end()) return &used->second;
    PlanEntry entry;
    {
        const std::lock_guard lock(known().mutex);
        const PlanEntries& entries = known().entries[identity_];
        const auto found = entries.find(operation);
        if (found == entries.end()) return nullptr;
        entry = found->second;
    }
    return &use(operation, entry);
}

const PlanEntry& Plan::use(const std::string& operation, const PlanEntry& entry) {
    const PlanEntry& used = used_[operation] = entry;
    if (file_.empty() || write_file(file_, format(identity_, used_))) return used;
    used_.erase(operation);
    throw Error(CGAN_E_BAD_VALUE,
                "the plan " + file_ + " cannot be written; check the disk and its permissions");
}

const PlanEntry& Plan::adopt(const std::string& operation, const PlanEntry& entry) {
    const PlanEntry& used = use(operation, entry);
    const std::lock_guard lock(known().mutex);
    PlanEntries& all = known().entries[identity_];
    all[operation] = entry;
    if (!cache_.empty() && !write_file(cache_, format(cache_identity_, all)))
        notice_ = "plan: " + cache_ + " cannot be written; what was measured ends with this process";
    return used;
}

Error Plan::fault(cgan_status status, const std::string& operation, const std::string& reason) const {
    const std::string& path = file_.empty() ? cache_ : file_;
    return Error(status, cat("the plan ", path, path.empty() ? "" : " ", "gives \"", operation, "\" to ",
                             used_.at(operation).winner, ", which ", reason,
                             path.empty() ? "" : "; delete it to measure anew"));
}

std::string Plan::describe() const {
    std::string text =
        cat("\nplan: ", used_.size(), " operations", file_.empty() ? "" : ", kept in " + file_);
    if (!notice_.empty()) text += "\n" + notice_;
    for (const auto& [operation, entry] : used_) {
        text += "\nplan: " + operation + ": " + entry.winner + " (";
        for (const auto& [candidate, ms] : entry.milliseconds)
            text +=
                cat(&entry.milliseconds.front().first == &candidate ? "" : ", ", candidate, " ", ms, " ms");
        text += ")";
    }
    return text;
}

} // namespace cgan
