#include "candidates.h"

#include <mutex>

namespace cgan::cuda {
namespace {

// What this process has measured: device, precision, operator. Shared by all contexts, so that a second one on the
// same device need not measure again.
struct Winners {
    std::mutex mutex;
    std::map<std::pair<std::string, OperatorKey>, Kernels> chosen;
};

// Never destroyed: threads of the host may still call when static objects die.
Winners& winners() {
    static auto* instance = new Winners;
    return *instance;
}

std::string place(const Device& device) {
    return std::to_string(device.index()) + (device.tf32() ? " tf32" : " fp32");
}

std::string milliseconds(float ms) {
    const std::string text = std::to_string(ms);
    return text.substr(0, text.find('.') + 4) + " ms";
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
    if (!vendor_->usable()) vendor_ = nullptr;
}

bool Candidates::known(const OperatorKey& key, Kernels& winner) const {
    winner = Kernels::Handwritten;
    if (failed_.count(key)) return true;
    const std::lock_guard<std::mutex> lock(winners().mutex);
    const auto entry = winners().chosen.find({place(device_), key});
    if (entry == winners().chosen.end()) return false;
    winner = entry->second;
    return true;
}

void Candidates::require_no_capture(const OperatorKey& key) const {
    if (!device_.capturing()) return;
    throw Error(CGAN_E_UNSUPPORTED, key.text() +
                                        " is met for the first time while a graph is captured, when its "
                                        "candidates cannot be timed; run it once before");
}

void Candidates::remember(const OperatorKey& key, const Measured& measured) {
    measured_.emplace(key, measured);
    const std::lock_guard<std::mutex> lock(winners().mutex);
    winners().chosen.emplace(std::pair{place(device_), key}, measured.winner);
}

void Candidates::note_failure(const OperatorKey& key, const Error& error) {
    if (error.status != CGAN_E_VENDOR) throw error;
    failed_.emplace(key, error.what());
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
    for (const auto& [key, m] : measured_) {
        text += "\nplan: " + key.text() + ": ";
        if (m.vendor_ms < 0)
            text += "handwritten (the vendor does not serve it)";
        else
            text += std::string(m.winner == Kernels::Vendor ? "vendor" : "handwritten") + " (vendor " +
                    milliseconds(m.vendor_ms) + ", handwritten " + milliseconds(m.own_ms) + ")";
    }
    for (const auto& [key, reason] : failed_)
        text += "\nauto: " + key.text() + ": handwritten, for the vendor failed: " + reason;
    return text;
}

} // namespace cgan::cuda
