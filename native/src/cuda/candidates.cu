#include "candidates.h"

#include "../abi/text.h"

namespace cgan::cuda {
namespace {

// What a simulated GPU measures is of no use to the next process.
#if defined(CGAN_SIM)
constexpr Plan::Cache kCache = Plan::Cache::Unused;
#else
constexpr Plan::Cache kCache = Plan::Cache::Used;
#endif

// All that a choice depends on.
std::string identity(const Device& device, const vendor::Operators& vendor) {
    const cudaDeviceProp& p = device.properties();
    const std::string libraries = vendor.describe();
    return cat("gpu ", p.name, " sm_", p.major, p.minor, ", ", p.multiProcessorCount,
               " multiprocessors\nprecision ", device.tf32() ? "tf32" : "fp32", "\ntransforms ",
               device.transforms() ? "on" : "off", "\ncgan " CGAN_VERSION "\nvendor ",
               libraries.empty() ? "none" : libraries, "\n");
}

} // namespace

OperatorKey::OperatorKey(std::string_view op, std::initializer_list<const View*> operands,
                         std::initializer_list<std::int64_t> parameters)
    : op_(op) {
    for (const View* v : operands) {
        push(v->rank);
        for (int i = 0; i < v->rank; i++) push(v->dims[i]);
        operands_++;
    }
    for (const std::int64_t p : parameters) push(p);
}

// Numbers beyond the room would only let two operators share a choice.
void OperatorKey::push(std::int64_t number) {
    if (count_ < int(numbers_.size())) numbers_[std::size_t(count_++)] = number;
}

std::string OperatorKey::text() const {
    std::string text(op_);
    int at = 0;
    for (int operand = 0; operand < operands_; operand++) {
        const std::int64_t rank = numbers_[std::size_t(at++)];
        text += " [";
        for (int i = 0; i < rank; i++)
            text.append(i ? "," : "").append(std::to_string(numbers_[std::size_t(at++)]));
        text += "]";
    }
    while (at < count_) text.append(" ").append(std::to_string(numbers_[std::size_t(at++)]));
    return text;
}

StopWatch::~StopWatch() {
    for (cudaEvent_t event : {started_, stopped_})
        if (event) (void)cudaEventDestroy(event);
}

void StopWatch::start(const Device& device) {
    device.activate();
    for (cudaEvent_t* event : {&started_, &stopped_})
        if (!*event) CGAN_CUDA(cudaEventCreateWithFlags(event, 0));
    CGAN_CUDA(cudaEventRecord(started_, device.stream()));
}

float StopWatch::stop(const Device& device) {
    float ms = 0;
    CGAN_CUDA(cudaEventRecord(stopped_, device.stream()));
    CGAN_CUDA(cudaEventSynchronize(stopped_));
    CGAN_CUDA(cudaEventElapsedTime(&ms, started_, stopped_));
    return ms;
}

Candidates::Candidates(const Device& device) : device_(device), kernels_(device.kernels()) {
    if (kernels_ == Kernels::Handwritten) return;
    vendor_ = std::make_unique<vendor::Operators>(device);
    missing_ = vendor_->missing();
    if (kernels_ == Kernels::Vendor && !missing_.empty())
        throw Error(CGAN_E_NO_DEVICE, "kernels=vendor: " + missing_ + "; use kernels=handwritten");
    const auto is_candidate = [](const std::string& name) {
        return name == kHandwritten || name == kVendor || vendor::Operators::is_algorithm(name);
    };
    plan_ = std::make_unique<Plan>(identity(device, *vendor_), is_candidate, kCache);
    vendor_->choose_by(*plan_);
    if (!vendor_->usable()) vendor_ = nullptr;
}

bool Candidates::known(const OperatorKey& key, Kernels& winner) {
    const auto chosen = chosen_.find(key);
    if (chosen != chosen_.end()) {
        winner = chosen->second;
        return true;
    }
    const PlanEntry* planned = plan_->find(key.text());
    if (!planned) return false;
    if (planned->winner != kHandwritten && planned->winner != kVendor)
        throw plan_->fault(CGAN_E_BAD_VALUE, key.text(), "is none of its candidates");
    winner = planned->winner == kVendor ? Kernels::Vendor : Kernels::Handwritten;
    chosen_.emplace(key, winner);
    return true;
}

void Candidates::require_no_capture(const OperatorKey& key) const {
    if (!device_.capturing()) return;
    throw Error(CGAN_E_UNSUPPORTED, key.text() +
                                        " is met for the first time while a graph is captured, when its "
                                        "candidates cannot be timed; run it once before");
}

Kernels Candidates::remember(const OperatorKey& key, const PlanEntry& measured) {
    if (failed_.count(key))
        plan_->use(key.text(), measured);
    else
        plan_->adopt(key.text(), measured);
    const Kernels winner = measured.winner == kVendor ? Kernels::Vendor : Kernels::Handwritten;
    chosen_.insert_or_assign(key, winner);
    return winner;
}

void Candidates::note_failure(const OperatorKey& key, const Error& error) {
    if (error.status != CGAN_E_VENDOR) throw error;
    if (chosen_.count(key) && plan_->kept())
        throw plan_->fault(CGAN_E_VENDOR, key.text(), cat("failed: ", error.what()));
    failed_.emplace(key, error.what());
    chosen_.insert_or_assign(key, Kernels::Handwritten);
}

void Candidates::count(const OperatorKey& key, Kernels kernels) {
    Served& served = served_[key.op()];
    (kernels == Kernels::Vendor ? served.vendor : served.handwritten)++;
}

std::string Candidates::describe() const {
    if (kernels_ == Kernels::Handwritten) return "handwritten kernels";
    const std::string libraries = vendor_ ? " (" + vendor_->describe() + ")" : "";
    return (kernels_ == Kernels::Vendor ? "vendor kernels" : "auto kernels") + libraries;
}

std::string Candidates::report() const {
    std::string text;
    if (!missing_.empty()) text += "\nauto: " + missing_;
    for (const auto& [op, served] : served_) {
        text.append("\n").append(op).append(":");
        if (served.vendor > 0) text += " vendor " + std::to_string(served.vendor);
        if (served.handwritten > 0) text += " handwritten " + std::to_string(served.handwritten);
    }
    if (plan_) text += plan_->describe();
    for (const auto& [key, reason] : failed_)
        text += "\nauto: " + key.text() + ": handwritten, for the vendor failed: " + reason;
    return text;
}

} // namespace cgan::cuda
