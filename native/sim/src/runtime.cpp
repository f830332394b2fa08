// The CUDA runtime of the simulator. Work put on a stream runs only when something waits for it, so a missing
// wait shows; the first failure of a kernel makes every later call fail, as on a device. One lock for the
// whole runtime: kernels use static storage for shared memory.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <deque>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "../include/cuda_runtime.h"
#include "control.h"
#include "vendor_support.h"

// Memory that was freed in a stream's order and stays with the process until it is given back.
struct CUmemPoolHandle_st {
    int device = 0;
    std::uint64_t threshold = 0;
    std::size_t held = 0;
    std::int64_t outstanding = 0; // allocations that were not freed yet
    bool destroyed = false;       // goes with the last of them
};

namespace cgan_sim {

struct Record {
    bool done = false;
    Stream* stream = nullptr;
    std::chrono::steady_clock::time_point time;
};

struct Operation {
    std::function<void()> run;            // nullable
    std::shared_ptr<Record> wait, record; // nullable
    bool kernel = false;
    bool frees = false; // runs even after a failure that stays
};

struct Graph {
    std::vector<Operation> nodes;
    std::string invalid; // why the capture cannot be replayed
};

struct Stream {
    int device = 0;
    std::deque<Operation> queue;
    std::unique_ptr<Graph> capture;
};

struct Event {
    int device = 0;
    std::shared_ptr<Record> last;
};

namespace {

constexpr std::size_t kRedZone = 256;
constexpr std::size_t kAlignment = 256;
constexpr std::uint32_t kRedWord = 0xffffa5a5u; // a NaN, so that a read outside shows as well
constexpr std::size_t kQueueLength = 1024;      // a stream that holds more runs its oldest work

struct Allocation {
    unsigned char* base = nullptr; // red zone, data, red zone
    std::size_t bytes = 0;
    int device = 0;
    cudaMemPool_t pool = nullptr; // null: of cudaMalloc
    unsigned char* data() const { return base + kRedZone; }
};

std::recursive_mutex mutex;
auto& allocations = *new std::map<const void*, Allocation>;
auto& pinned = *new std::map<const void*, std::size_t>;
auto& streams = *new std::set<Stream*>;
auto& events = *new std::set<Event*>;
auto& graphs = *new std::set<Graph*>;
auto& dynamic_limits = *new std::map<const void*, int>;
auto& used_bytes = *new std::map<int, std::size_t>; // by device
auto& default_pools = *new std::map<int, std::unique_ptr<CUmemPoolHandle_st>>; // by device
auto& pools = *new std::map<cudaMemPool_t, std::unique_ptr<CUmemPoolHandle_st>>; // that were created
std::int64_t returned = 0;
cudaError_t sticky = cudaSuccess;
thread_local cudaError_t last_error = cudaSuccess;
thread_local int current_device = 0;
std::string report;
std::int64_t calls = 0, kernels = 0;
std::int64_t calls_of_vendors = 0, objects_of_vendors = 0;
std::string misuse;

std::int64_t from_environment(const char* name, std::int64_t otherwise) {
    const char* value = std::getenv(name);
    return value && *value ? std::strtoll(value, nullptr, 10) : otherwise;
}

cudaError_t fail(cudaError_t error) {
    last_error = error;
    return error;
}

// Every entry: counts the call, injects the failure that was asked for, refuses work after a sticky error.
cudaError_t enter() {
    calls++;
    if (sticky != cudaSuccess) return fail(sticky);
    if (calls == options().fail_call) {
        report = "runtime call " + std::to_string(calls) + " failed on request";
        return fail(cudaErrorLaunchFailure);
    }
    return cudaSuccess;
}

#define CGAN_SIM_ENTER()                                                                                     \
    const std::lock_guard<std::recursive_mutex> lock(mutex);                                                 \
    if (const cudaError_t entered = enter(); entered != cudaSuccess) return entered

void fill_red_zones(const Allocation& a) {
    for (std::size_t i = 0; i < kRedZone; i += 4) {
        std::memcpy(a.base + i, &kRedWord, 4);
        std::memcpy(a.data() + a.bytes + i, &kRedWord, 4);
    }
}

bool intact(const unsigned char* zone) {
    for (std::size_t i = 0; i < kRedZone; i += 4)
        if (std::memcmp(zone + i, &kRedWord, 4) != 0) return false;
    return true;
}

void check_red_zones(const std::string& kernel) {
    for (const auto& [data, a] : allocations) {
        const bool before = !intact(a.base), after = !intact(a.data() + a.bytes);
        if (before || after)
            throw Fault(Fault::Kind::GlobalBounds, kernel + " wrote " + (before ? "before" : "past") +
                                                       " a block of " + std::to_string(a.bytes) +
                                                       " bytes of device memory");
    }
}

using Snapshot = std::map<const void*, std::vector<unsigned char>>;

Snapshot take_snapshot() {
    Snapshot s;
    for (const auto& [data, a] : allocations)
        s.emplace(data, std::vector<unsigned char>(a.data(), a.data() + a.bytes));
    return s;
}

void restore(const Snapshot& s) {
    for (const auto& [data, bytes] : s) std::memcpy(allocations.at(data).data(), bytes.data(), bytes.size());
}

void run_twice(Launch& launch, const std::string& kernel) {
    const Snapshot before = take_snapshot();
    run_grid(launch);
    const Snapshot first = take_snapshot();
    restore(before);
    launch.seed = ~launch.seed;
    run_grid(launch);
    for (const auto& [data, bytes] : first)
        if (std::memcmp(allocations.at(data).data(), bytes.data(), bytes.size()) != 0)
            throw Fault(Fault::Kind::Race, kernel + ": the result depends on the order of blocks or threads");
}

cudaError_t code_of(Fault::Kind kind) {
    switch (kind) {
    case Fault::Kind::Misaligned:
        return cudaErrorMisalignedAddress;
    case Fault::Kind::GlobalBounds:
    case Fault::Kind::SharedBounds:
        return cudaErrorIllegalAddress;
    default:
        return cudaErrorLaunchFailure;
    }
}

void run_operation(Operation& op) {
    if (sticky != cudaSuccess && !op.frees) return;
    try {
        if (op.run) op.run();
    } catch (const Fault& f) {
        sticky = code_of(f.kind);
        report = f.what();
    } catch (const std::exception& e) {
        sticky = cudaErrorLaunchFailure;
        report = e.what();
    }
}

void advance(Stream& stream);

void wait_for(const std::shared_ptr<Record>& record) {
    while (record && !record->done && record->stream && !record->stream->queue.empty())
        advance(*record->stream);
}

// Runs the oldest operation of the stream, after whatever it waits for.
void advance(Stream& stream) {
    if (stream.queue.empty()) return;
    Operation op = std::move(stream.queue.front());
    stream.queue.pop_front();
    if (op.wait) wait_for(op.wait);
    run_operation(op);
    if (op.record) {
        op.record->time = std::chrono::steady_clock::now();
        op.record->done = true;
    }
}

void drain(Stream& stream) {
    while (!stream.queue.empty()) advance(stream);
}

void drain_all() {
    for (Stream* s : streams) drain(*s);
}

// With early copies a stream runs by itself up to its next kernel, or to an event that has not come.
void run_copies(Stream& stream) {
    while (options().early_copies && !stream.queue.empty() && !stream.queue.front().kernel) {
        const Operation& next = stream.queue.front();
        if (next.wait && !next.wait->done) return;
        advance(stream);
    }
}

void enqueue(Stream& stream, Operation operation) {
    if (stream.capture) {
        stream.capture->nodes.push_back(std::move(operation));
        return;
    }
    while (stream.queue.size() >= kQueueLength) advance(stream);
    stream.queue.push_back(std::move(operation));
    run_copies(stream);
}

void enqueue(Stream& stream, std::function<void()> run) {
    enqueue(stream, Operation{std::move(run), nullptr, nullptr, false, false});
}

bool known(Stream* stream) { return streams.count(stream) != 0; }

// A stream, or an event, of the device that is current: what work may be put on.
bool current(Stream* stream) { return known(stream) && stream->device == current_device; }

// A call that waits, or that a graph cannot hold, spoils a capture that is going on.
bool spoils_capture(Stream* stream, const char* call) {
    if (!known(stream) || !stream->capture) return false;
    stream->capture->invalid = call;
    return true;
}

bool inside_allocation(const void* p, std::size_t bytes, int device = -1) {
    auto it = allocations.upper_bound(p);
    if (it == allocations.begin()) return false;
    const Allocation& a = (--it)->second;
    const auto* q = static_cast<const unsigned char*>(p);
    return (device < 0 || a.device == device) && q >= a.data() && q + bytes <= a.data() + a.bytes;
}

bool is_pinned(const void* p, std::size_t bytes) {
    auto it = pinned.upper_bound(p);
    if (it == pinned.begin()) return false;
    --it;
    const auto* q = static_cast<const char*>(p);
    const auto* base = static_cast<const char*>(it->first);
    return q >= base && q + bytes <= base + it->second;
}

CUmemPoolHandle_st& default_pool(int device) {
    auto& pool = default_pools[device];
    if (!pool) {
        pool = std::make_unique<CUmemPoolHandle_st>();
        pool->device = device;
    }
    return *pool;
}

bool is_default(cudaMemPool_t pool) {
    for (const auto& [device, each] : default_pools)
        if (each.get() == pool) return true;
    return false;
}

bool usable(cudaMemPool_t pool) {
    const auto it = pools.find(pool);
    return it != pools.end() ? !it->second->destroyed : is_default(pool);
}

template <class Visit> void for_each_pool(Visit visit) {
    for (auto& [device, pool] : default_pools) visit(*pool);
    for (auto& [handle, pool] : pools) visit(*pool);
}

std::size_t held_on(int device) {
    std::size_t sum = 0;
    for_each_pool([&](const CUmemPoolHandle_st& pool) { sum += pool.device == device ? pool.held : 0; });
    return sum;
}

// What one pool holds serves no other, nor cudaMalloc (pool: null).
cudaError_t allocate(void** p, std::size_t bytes, cudaMemPool_t pool) {
    if (!p) return fail(cudaErrorInvalidValue);
    *p = nullptr;
    if (bytes == 0) return cudaSuccess;
    const std::size_t padded = (bytes + 3) / 4 * 4;
    const std::size_t limit = std::size_t(options().memory);
    const int device = pool ? pool->device : current_device;
    const auto held = [&] { return pool && pool->held >= padded; };
    const auto full = [&] { return !held() && used_bytes[device] + held_on(device) + padded > limit; };
    if (full()) drain_all(); // pending frees may make room
    if (full()) return fail(cudaErrorMemoryAllocation);
    const std::size_t total = (padded + 2 * kRedZone + kAlignment - 1) / kAlignment * kAlignment;
    Allocation a{static_cast<unsigned char*>(std::aligned_alloc(kAlignment, total)), padded, device, pool};
    if (!a.base) return fail(cudaErrorMemoryAllocation);
    std::memset(a.data(), 0xff, a.bytes);
    fill_red_zones(a);
    used_bytes[device] += a.bytes;
    if (held()) pool->held -= padded;
    if (pool) pool->outstanding++;
    allocations.emplace(a.data(), a);
    *p = a.data();
    return cudaSuccess;
}

// A synchronisation gives back what a pool holds beyond its threshold, as the API reference says.
void give_back(CUmemPoolHandle_st& pool, std::uint64_t keep) {
    if (pool.held <= keep) return;
    returned += std::int64_t(pool.held - keep);
    pool.held = std::size_t(keep);
}

void end_if_destroyed(cudaMemPool_t pool) {
    if (!pool->destroyed || pool->outstanding > 0) return;
    give_back(*pool, 0);
    pools.erase(pool);
}

void release(void* p) {
    auto it = allocations.find(p);
    if (it == allocations.end()) return;
    const Allocation a = it->second;
    allocations.erase(it);
    used_bytes[a.device] -= a.bytes;
    std::memset(a.data(), 0xff, a.bytes);
    std::free(a.base);
    if (!a.pool) return;
    a.pool->outstanding--;
    end_if_destroyed(a.pool);
}

void release_to_pool(void* p) {
    const auto it = allocations.find(p);
    if (it == allocations.end()) return;
    if (it->second.pool) it->second.pool->held += it->second.bytes;
    release(p);
}

std::string kernel_name(const void* kernel) {
    Dl_info info;
    if (!dladdr(kernel, &info) || !info.dli_sname) return "kernel";
    int status = 0;
    char* text = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
    std::string name = status == 0 && text ? text : info.dli_sname;
    std::free(text);
    if (const auto paren = name.find('('); paren != std::string::npos) name.resize(paren);
    return name;
}

void run_kernel(const cudaLaunchConfig_t& config, const void* kernel, const std::function<void()>& body) {
    const std::string name = kernel_name(kernel);
    Launch launch;
    launch.name = name.c_str();
    launch.grid = {config.gridDim.x, config.gridDim.y, config.gridDim.z};
    launch.block = {config.blockDim.x, config.blockDim.y, config.blockDim.z};
    launch.dynamic_shared_bytes = config.dynamicSmemBytes;
    launch.shared_limit = std::max<std::size_t>(48 * 1024, config.dynamicSmemBytes);
    launch.seed = options().seed * 0x2545f4914f6cdd1dull + std::uint64_t(kernels);
    launch.body = body;
    if (++kernels == options().fault_kernel)
        throw Fault(Fault::Kind::GlobalBounds, name + " faulted on request");
    if (options().check_races)
        run_twice(launch, name);
    else
        run_grid(launch);
    check_red_zones(name);
}

} // namespace

Options& options() {
    static Options o = [] {
        Options d;
        d.seed = std::uint64_t(from_environment("CGAN_SIM_SEED", 1));
        d.check_races = from_environment("CGAN_SIM_RACES", 0) != 0;
        d.memory = from_environment("CGAN_SIM_MEMORY", d.memory);
        d.fail_call = from_environment("CGAN_SIM_FAIL", 0);
        d.fail_vendor_call = from_environment("CGAN_SIM_FAIL_VENDOR", 0);
        d.vendor_delay = from_environment("CGAN_SIM_VENDOR_DELAY", 0);
        d.fault_kernel = from_environment("CGAN_SIM_FAULT", 0);
        d.devices = from_environment("CGAN_SIM_DEVICES", 1);
        d.early_copies = from_environment("CGAN_SIM_EARLY_COPIES", 0) != 0;
        return d;
    }();
    return o;
}

void reset_errors() {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    sticky = last_error = cudaSuccess;
    report.clear();
    misuse.clear();
    calls = calls_of_vendors = kernels = 0;
}

std::int64_t runtime_calls() { return calls; }
std::int64_t kernels_run() { return kernels; }
std::int64_t returned_bytes() {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    return returned;
}

std::int64_t live_allocations() {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    drain_all(); // frees that are queued
    return std::int64_t(allocations.size() + pinned.size() + streams.size() + events.size() + graphs.size() +
                        pools.size());
}
std::string last_report() { return report; }
std::int64_t vendor_calls() { return calls_of_vendors; }
std::int64_t live_vendor_objects() { return objects_of_vendors; }
std::string last_misuse() { return misuse; }

// ---- for the stand-ins of vendor libraries ----

bool is_stream(cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    return known(stream);
}

bool is_capturing(cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    return known(stream) && stream->capture;
}

bool inside_device(const void* p, std::size_t bytes) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    return inside_allocation(p, bytes);
}

void enqueue_vendor_work(cudaStream_t stream, std::function<void()> run) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    const auto work = [run = std::move(run)] {
        if (const std::int64_t delay = options().vendor_delay; delay > 0)
            std::this_thread::sleep_for(std::chrono::microseconds(delay));
        run();
        check_red_zones("a call of a vendor library");
    };
    enqueue(*stream, {work, nullptr, nullptr, true});
}

bool vendor_call_fails() {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    return ++calls_of_vendors == options().fail_vendor_call;
}

void note_misuse(const std::string& text) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    misuse = text;
}

void count_vendor_objects(int change) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    objects_of_vendors += change;
}

cudaError_t raise_dynamic_limit(const void* kernel, int bytes) {
    CGAN_SIM_ENTER();
    if (bytes < 0 || bytes > 163 * 1024) return fail(cudaErrorInvalidValue);
    dynamic_limits[kernel] = bytes;
    return cudaSuccess;
}

cudaError_t enqueue_kernel(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body) {
    CGAN_SIM_ENTER();
    if (!current(config.stream)) return fail(cudaErrorInvalidResourceHandle);
    const dim3 g = config.gridDim, b = config.blockDim;
    const std::uint64_t threads = std::uint64_t(b.x) * b.y * b.z;
    if (threads == 0 || threads > 1024 || b.z > 64 || g.x == 0 || g.y == 0 || g.z == 0 || g.x > 0x7fffffffu ||
        g.y > 65535 || g.z > 65535)
        return fail(cudaErrorInvalidConfiguration);
    const auto limit = dynamic_limits.find(kernel);
    const std::size_t allowed = limit == dynamic_limits.end() ? 48 * 1024 : std::size_t(limit->second);
    if (config.dynamicSmemBytes > allowed) return fail(cudaErrorInvalidValue);
    enqueue(*config.stream, {[config, kernel, body = std::move(body)] { run_kernel(config, kernel, body); },
                             nullptr, nullptr, true});
    return cudaSuccess;
}

} // namespace cgan_sim

bool cgan_sim_set(const char* name, std::int64_t value) {
    const std::lock_guard<std::recursive_mutex> lock(cgan_sim::mutex);
    cgan_sim::Options& o = cgan_sim::options();
    const std::string which = name;
    if (which == "seed")
        o.seed = std::uint64_t(value);
    else if (which == "races")
        o.check_races = value != 0;
    else if (which == "memory")
        o.memory = value;
    else if (which == "fail")
        o.fail_call = value;
    else if (which == "fault")
        o.fault_kernel = value;
    else if (which == "fail_vendor")
        o.fail_vendor_call = value;
    else if (which == "vendor_delay")
        o.vendor_delay = value;
    else if (which == "devices")
        o.devices = value;
    else if (which == "early_copies")
        o.early_copies = value != 0;
    else if (which == "reset")
        cgan_sim::reset_errors();
    else
        return false;
    return true;
}

std::int64_t cgan_sim_get(const char* name) {
    const std::string which = name;
    if (which == "calls") return cgan_sim::runtime_calls();
    if (which == "kernels") return cgan_sim::kernels_run();
    if (which == "vendor_calls") return cgan_sim::vendor_calls();
    return which == "live" ? cgan_sim::live_allocations() : -1;
}

using namespace cgan_sim;

// ---- errors and devices -------------------------------------------------------------------------

const char* cudaGetErrorName(cudaError_t error) {
    switch (error) {
    case cudaSuccess:
        return "cudaSuccess";
    case cudaErrorInvalidValue:
        return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
        return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidResourceHandle:
        return "cudaErrorInvalidResourceHandle";
    case cudaErrorIllegalAddress:
        return "cudaErrorIllegalAddress";
    case cudaErrorMisalignedAddress:
        return "cudaErrorMisalignedAddress";
    case cudaErrorLaunchFailure:
        return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureInvalidated:
        return "cudaErrorStreamCaptureInvalidated";
    default:
        return "cudaError";
    }
}

// The report of the simulator says more than the code does.
const char* cudaGetErrorString(cudaError_t error) {
    static thread_local std::string text;
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    text = report.empty() ? cudaGetErrorName(error) : report;
    return text.c_str();
}

cudaError_t cudaGetLastError() {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    const cudaError_t error = sticky != cudaSuccess ? sticky : last_error;
    last_error = cudaSuccess;
    return error;
}

cudaError_t cudaPeekAtLastError() {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    return sticky != cudaSuccess ? sticky : last_error;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = 0;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = int(options().devices);
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
    *device = current_device;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    CGAN_SIM_ENTER();
    if (device < 0 || device >= options().devices) return fail(cudaErrorInvalidDevice);
    current_device = device;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int device) {
    CGAN_SIM_ENTER();
    if (device < 0 || device >= options().devices) return fail(cudaErrorInvalidDevice);
    *p = {};
    std::snprintf(p->name, sizeof p->name, "simulated GPU");
    p->totalGlobalMem = std::size_t(options().memory);
    p->sharedMemPerBlock = 48 * 1024;
    p->sharedMemPerBlockOptin = 163 * 1024;
    p->major = 8;
    p->minor = 0;
    p->multiProcessorCount = 4;
    p->maxThreadsPerBlock = 1024;
    p->l2CacheSize = 1 << 20;
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
    CGAN_SIM_ENTER();
    drain_all();
    return sticky == cudaSuccess ? cudaSuccess : fail(sticky);
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    CGAN_SIM_ENTER();
    *total = std::size_t(options().memory);
    *free = *total - used_bytes[current_device];
    return cudaSuccess;
}

// ---- memory -------------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** p, std::size_t bytes) {
    CGAN_SIM_ENTER();
    return allocate(p, bytes, nullptr);
}

cudaError_t cudaFree(void* p) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    drain_all();
    release(p);
    return sticky;
}

cudaError_t cudaMallocAsync(void** p, std::size_t bytes, cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!current(stream)) return fail(cudaErrorInvalidResourceHandle);
    if (spoils_capture(stream, "cudaMallocAsync")) return fail(cudaErrorStreamCaptureUnsupported);
    return allocate(p, bytes, &default_pool(stream->device));
}

cudaError_t cudaMallocFromPoolAsync(void** p, std::size_t bytes, cudaMemPool_t pool, cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!current(stream)) return fail(cudaErrorInvalidResourceHandle);
    if (!usable(pool)) return fail(cudaErrorInvalidValue);
    if (spoils_capture(stream, "cudaMallocFromPoolAsync")) return fail(cudaErrorStreamCaptureUnsupported);
    return allocate(p, bytes, pool);
}

cudaError_t cudaFreeAsync(void* p, cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    if (!p) return cudaSuccess;
    if (!allocations.count(p)) return fail(cudaErrorInvalidValue);
    if (sticky != cudaSuccess) {
        release(p); // nothing will run any more
        return sticky;
    }
    if (spoils_capture(stream, "cudaFreeAsync")) return fail(cudaErrorStreamCaptureUnsupported);
    enqueue(*stream, {[p] { release_to_pool(p); }, nullptr, nullptr, false, true});
    return cudaSuccess;
}

cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int device) {
    CGAN_SIM_ENTER();
    if (device < 0 || device >= options().devices) return fail(cudaErrorInvalidDevice);
    *pool = &default_pool(device);
    return cudaSuccess;
}

// Of the memory of one device only, and not to be shared with other processes.
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
    CGAN_SIM_ENTER();
    if (!pool || !properties || properties->allocType != cudaMemAllocationTypePinned ||
        properties->handleTypes != cudaMemHandleTypeNone ||
        properties->location.type != cudaMemLocationTypeDevice)
        return fail(cudaErrorInvalidValue);
    const int device = properties->location.id;
    if (device < 0 || device >= options().devices) return fail(cudaErrorInvalidDevice);
    auto made = std::make_unique<CUmemPoolHandle_st>();
    made->device = device;
    *pool = made.get();
    pools.emplace(*pool, std::move(made));
    return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    if (!usable(pool) || is_default(pool)) return fail(cudaErrorInvalidValue);
    pool->destroyed = true;
    end_if_destroyed(pool);
    return sticky;
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
    CGAN_SIM_ENTER();
    if (!usable(pool) || attribute != cudaMemPoolAttrReleaseThreshold) return fail(cudaErrorInvalidValue);
    pool->threshold = *static_cast<std::uint64_t*>(value);
    return cudaSuccess;
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t bytes) {
    CGAN_SIM_ENTER();
    if (!usable(pool)) return fail(cudaErrorInvalidValue);
    give_back(*pool, bytes);
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void** p, std::size_t bytes) {
    CGAN_SIM_ENTER();
    *p = std::malloc(bytes ? bytes : 1);
    if (!*p) return fail(cudaErrorMemoryAllocation);
    pinned.emplace(*p, bytes);
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void* p) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    drain_all();
    if (p && pinned.erase(p) == 0) return fail(cudaErrorInvalidValue);
    std::free(p);
    return cudaSuccess;
}

// Pinned memory is read and written when the copy runs. Pageable memory is read at once on its way to the
// device, and has been written on return on its way back, as the API reference describes.
cudaError_t cudaMemcpyAsync(void* dst, const void* src, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    if ((to_device && !inside_allocation(dst, bytes, stream->device)) ||
        (from_device && !inside_allocation(src, bytes, stream->device)))
        return fail(cudaErrorInvalidValue);
    if (kind == cudaMemcpyHostToDevice && !is_pinned(src, bytes)) {
        if (spoils_capture(stream, "cudaMemcpyAsync")) return fail(cudaErrorStreamCaptureUnsupported);
        const auto* first = static_cast<const unsigned char*>(src);
        auto staged = std::make_shared<std::vector<unsigned char>>(first, first + bytes);
        enqueue(*stream, [dst, staged] { std::memcpy(dst, staged->data(), staged->size()); });
        return cudaSuccess;
    }
    enqueue(*stream, [dst, src, bytes] { std::memmove(dst, src, bytes); });
    if (kind == cudaMemcpyDeviceToHost && !is_pinned(dst, bytes)) {
        if (spoils_capture(stream, "cudaMemcpyAsync")) return fail(cudaErrorStreamCaptureUnsupported);
        drain(*stream);
    }
    return sticky == cudaSuccess ? cudaSuccess : fail(sticky);
}

cudaError_t cudaMemsetAsync(void* dst, int value, std::size_t bytes, cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    if (!inside_allocation(dst, bytes, stream->device)) return fail(cudaErrorInvalidValue);
    enqueue(*stream, [dst, value, bytes] { std::memset(dst, value, bytes); });
    return cudaSuccess;
}

// ---- streams and events -------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    CGAN_SIM_ENTER();
    *stream = new Stream;
    (*stream)->device = current_device;
    streams.insert(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    drain(*stream);
    streams.erase(stream);
    delete stream;
    return sticky;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    if (spoils_capture(stream, "cudaStreamSynchronize")) return fail(cudaErrorStreamCaptureUnsupported);
    drain(*stream);
    for_each_pool([](CUmemPoolHandle_st& pool) { give_back(pool, pool.threshold); });
    return sticky == cudaSuccess ? cudaSuccess : fail(sticky);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    return stream->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    CGAN_SIM_ENTER();
    if (!known(stream) || !event) return fail(cudaErrorInvalidResourceHandle);
    if (spoils_capture(stream, "cudaStreamWaitEvent")) return fail(cudaErrorStreamCaptureUnsupported);
    if (event->last) enqueue(*stream, {nullptr, event->last, nullptr});
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    CGAN_SIM_ENTER();
    *event = new Event;
    (*event)->device = current_device;
    events.insert(*event);
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    if (events.erase(event)) delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!known(stream) || !event || event->device != stream->device)
        return fail(cudaErrorInvalidResourceHandle);
    if (spoils_capture(stream, "cudaEventRecord")) return fail(cudaErrorStreamCaptureUnsupported);
    event->last = std::make_shared<Record>();
    event->last->stream = stream;
    enqueue(*stream, {nullptr, nullptr, event->last});
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    CGAN_SIM_ENTER();
    if (!event) return fail(cudaErrorInvalidResourceHandle);
    wait_for(event->last);
    return sticky == cudaSuccess ? cudaSuccess : fail(sticky);
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    CGAN_SIM_ENTER();
    if (!event) return fail(cudaErrorInvalidResourceHandle);
    return !event->last || event->last->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t stop) {
    CGAN_SIM_ENTER();
    if (!start || !stop || !start->last || !stop->last) return fail(cudaErrorInvalidResourceHandle);
    if (!start->last->done || !stop->last->done) return cudaErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(stop->last->time - start->last->time).count();
    return cudaSuccess;
}

// ---- graphs -------------------------------------------------------------------------------------

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    CGAN_SIM_ENTER();
    if (!known(stream) || stream->capture) return fail(cudaErrorInvalidResourceHandle);
    stream->capture = std::make_unique<Graph>();
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
    CGAN_SIM_ENTER();
    if (!known(stream)) return fail(cudaErrorInvalidResourceHandle);
    *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
}

// Ends the capture even if it fails.
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    *graph = nullptr;
    if (!known(stream) || !stream->capture) return fail(cudaErrorInvalidResourceHandle);
    std::unique_ptr<Graph> captured = std::move(stream->capture);
    if (const cudaError_t entered = enter(); entered != cudaSuccess) return entered;
    if (!captured->invalid.empty()) {
        report = captured->invalid + " cannot be captured";
        return fail(cudaErrorStreamCaptureInvalidated);
    }
    *graph = captured.release();
    graphs.insert(*graph);
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
    CGAN_SIM_ENTER();
    if (!graph) return fail(cudaErrorInvalidValue);
    *exec = new Graph(*graph);
    graphs.insert(*exec);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    CGAN_SIM_ENTER();
    if (!exec || !current(stream)) return fail(cudaErrorInvalidResourceHandle);
    for (const auto& node : exec->nodes) enqueue(*stream, node);
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    const std::lock_guard<std::recursive_mutex> lock(mutex);
    if (graphs.erase(graph)) delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return cudaGraphDestroy(exec); }
