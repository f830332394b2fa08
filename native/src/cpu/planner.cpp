#include "cpu/planner.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "abi/text.h"
#include "backend.h"

namespace cgan {
namespace {

constexpr const char* kMagic = "cgan plan 1";
constexpr double kGain =
    0.95;                // a candidate wins over one before it if it takes less than this part of its time
constexpr int kRuns = 5; // at most, after one that warms up
constexpr double kBudget = 40; // milliseconds for them

const char* name_of(Candidate candidate) {
    switch (candidate) {
    case Candidate::Handwritten:
        return "handwritten";
    case Candidate::Direct:
        return "direct";
    case Candidate::Vendor:
        return "vendor";
    }
    return "";
}

std::optional<Candidate> candidate_named(const std::string& name) {
    for (const Candidate c : {Candidate::Handwritten, Candidate::Direct, Candidate::Vendor})
        if (name == name_of(c)) return c;
    return std::nullopt;
}

// ---- files: the magic line, the identity's lines, an empty line, then "operation TAB winner TAB name ms TAB ..." ----

std::string format(const std::string& identity, const PlanEntries& entries) {
    std::ostringstream text;
    text << kMagic << "\n" << identity << "\n";
    text.precision(6);
    for (const auto& [operation, entry] : entries) {
        text << operation << "\t" << name_of(entry.winner);
        for (const auto& [candidate, ms] : entry.milliseconds)
            text << "\t" << name_of(candidate) << " " << ms;
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
bool parse_entry(const std::string& line, PlanEntries& entries) {
    const auto fields = split(line, '\t');
    if (fields.size() < 3 || fields[0].empty()) return false;
    const auto winner = candidate_named(fields[1]);
    PlanEntry entry;
    for (std::size_t i = 2; i < fields.size(); i++) {
        const auto space = fields[i].find(' ');
        if (space == std::string::npos) return false;
        const auto candidate = candidate_named(fields[i].substr(0, space));
        char* end = nullptr;
        const std::string number = fields[i].substr(space + 1);
        const double ms = std::strtod(number.c_str(), &end);
        if (!candidate || *end || number.empty() || !(ms >= 0)) return false;
        entry.milliseconds.emplace_back(*candidate, ms);
    }
    const bool timed = std::any_of(entry.milliseconds.begin(), entry.milliseconds.end(),
                                   [&](const auto& timing) { return timing.first == winner; });
    if (!winner || !timed) return false;
    entry.winner = *winner;
    entries[fields[0]] = entry;
    return true;
}

// What is wrong with a plan file, or nothing.
std::string parse(const std::string& text, const std::string& identity, PlanEntries& entries) {
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
        if (!parse_entry(line, entries)) return cat("line ", number, " is not understood");
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

// ---- what this process has measured, for contexts that are opened later ----

std::mutex process_mutex;

std::map<std::string, PlanEntries>& process_plans() {
    static std::map<std::string, PlanEntries> plans; // by identity
    return plans;
}

} // namespace

Planner::Planner(const std::string& identity) : identity_(identity), cache_(cache_path(identity)) {
    if (cache_.empty()) {
        notice_ = "plan: no cache: neither XDG_CACHE_HOME nor HOME is set";
    } else if (const auto text = read_file(cache_)) {
        const std::string fault = parse(*text, identity_, known_);
        if (!fault.empty()) {
            known_.clear();
            notice_ = "plan: " + cache_ + " is ignored: " + fault;
        }
    }
    const std::lock_guard lock(process_mutex);
    for (const auto& [operation, entry] : process_plans()[identity_]) known_[operation] = entry;
}

void Planner::keep_in(const std::string& path) {
    if (const auto text = read_file(path)) {
        PlanEntries entries;
        const std::string fault = parse(*text, identity_, entries);
        if (!fault.empty())
            throw Error(CGAN_E_BAD_VALUE,
                        "the plan " + path + " cannot be used: " + fault +
                            "; delete it to measure anew (results then differ in their last bits)");
        for (const auto& [operation, entry] : entries) plan_[operation] = entry;
    }
    file_ = path;
    if (!write_file(file_, format(identity_, plan_)))
        throw Error(CGAN_E_BAD_VALUE,
                    "the plan " + path + " cannot be written; check the folder and its permissions");
}

std::optional<Candidate> Planner::serve(const std::string& operation,
                                        const std::vector<Candidate>& candidates, const Run& run) {
    auto planned = plan_.find(operation);
    if (planned == plan_.end()) {
        const auto known = known_.find(operation);
        const auto entry = known != known_.end() ? std::optional(known->second) : measure(candidates, run);
        if (!entry) return std::nullopt;
        adopt(operation, *entry, known == known_.end());
        planned = plan_.find(operation);
    }
    if (!run(planned->second.winner))
        throw Error(CGAN_E_BAD_VALUE,
                    cat("the plan ", file_.empty() ? cache_ : file_, " gives \"", operation, "\" to ",
                        name_of(planned->second.winner), ", which does not serve it; delete it"));
    return planned->second.winner;
}

std::optional<PlanEntry> Planner::measure(const std::vector<Candidate>& candidates, const Run& run) const {
    using Clock = std::chrono::steady_clock;
    PlanEntry entry;
    double best = 0;
    for (const Candidate candidate : candidates) {
        double least = -1, spent = 0;
        try {
            if (!run(candidate)) continue;
            for (int i = 0; i < kRuns && spent < kBudget; i++) {
                const auto begin = Clock::now();
                run(candidate);
                const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
                least = least < 0 ? ms : std::min(least, ms);
                spent += ms;
            }
        } catch (const Error& e) {
            if (e.status != CGAN_E_OUT_OF_DEVICE_MEMORY) throw;
            continue; // another one may need less
        }
        if (entry.milliseconds.empty() || least < kGain * best) {
            entry.winner = candidate;
            best = least;
        }
        entry.milliseconds.emplace_back(candidate, least);
    }
    if (entry.milliseconds.empty()) return std::nullopt;
    return entry;
}

void Planner::adopt(const std::string& operation, const PlanEntry& entry, bool measured) {
    plan_[operation] = entry;
    if (!file_.empty() && !write_file(file_, format(identity_, plan_))) {
        plan_.erase(operation);
        throw Error(CGAN_E_BAD_VALUE,
                    "the plan " + file_ + " cannot be written; check the disk and its permissions");
    }
    if (!measured) return;
    known_[operation] = entry;
    const std::lock_guard lock(process_mutex);
    PlanEntries& all = process_plans()[identity_];
    all[operation] = entry;
    for (const auto& [name, known] : known_) all.try_emplace(name, known);
    if (!cache_.empty() && !write_file(cache_, format(identity_, all)))
        notice_ = "plan: " + cache_ + " cannot be written; what was measured ends with this process";
}

std::string Planner::describe() const {
    std::string text =
        cat("\nplan: ", plan_.size(), " operations", file_.empty() ? "" : ", kept in " + file_);
    if (!notice_.empty()) text += "\n" + notice_;
    for (const auto& [operation, entry] : plan_) {
        text += "\nplan: " + operation + ": " + name_of(entry.winner) + " (";
        for (const auto& [candidate, ms] : entry.milliseconds)
            text += cat(&entry.milliseconds.front().first == &candidate ? "" : ", ", name_of(candidate), " ",
                        ms, " ms");
        text += ")";
    }
    return text;
}

} // namespace cgan
