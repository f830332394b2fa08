#include "cpu/vendor/vendor.h"

#include "abi/text.h"
#include "cpu/fast/operators.h"
#include "cpu/vendor/onednn.h"

namespace cgan::vendor {

LibraryState library_state() {
    const onednn::Library library = onednn::find_library();
    return {library.path, library.version, library.reason()};
}

Operators::Operators(int threads, MemoryLedger& ledger, fast::Operators& own) : own_(own) {
    const onednn::Library library = onednn::find_library();
    if (!library.calls)
        throw Error(CGAN_E_NO_DEVICE,
                    "kernels=vendor: oneDNN is not usable: " + library.reason() +
                        "; set CGAN_DNNL_LIBRARY to the path of libdnnl.so.3, or use kernels=handwritten");
    machine_ = std::make_unique<onednn::Machine>(library, threads, ledger);
}

Operators::~Operators() = default;

void Operators::finish(std::int32_t activation, const View& dst) {
    if (activation != CGAN_ACT_RELU) return;
    cgan_unary_params relu{};
    relu.struct_size = sizeof relu;
    relu.kind = CGAN_UNARY_RELU;
    own_.unary(relu, dst, dst);
}

std::string Operators::describe() const {
    return cat("oneDNN ", machine_->library().version, ", ", machine_->library().path);
}

} // namespace cgan::vendor
