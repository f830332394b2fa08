// The library itself: versions, structure sizes, what it can find.
#include <functional>

#include "abi/error.h"
#include "abi/plugins.h"
#include "abi/text.h"
#include "cpu/cpu_backend.h"
#include "cpu/vendor/vendor.h"

using namespace cgan;

namespace {

// Runs `make` and copies its text out; after a failure the text is the empty one and cgan_last_error(NULL)
// tells why.
std::int64_t copy_made_text(const char* function, char* dst, std::int64_t cap,
                            const std::function<std::string()>& make) noexcept {
    try {
        return copy_text(make().c_str(), dst, cap);
    } catch (...) {
        report_exception(nullptr, function);
        return copy_text("", dst, cap);
    }
}

// Text of a loader or driver on one line of a table.
std::string one_line(std::string text) {
    for (char& c : text) {
        if (c == '\n' || c == '\t') c = ' ';
    }
    return text;
}

std::string plugin_devices(const std::string& name) {
    const LoadedPlugin loaded = load_plugin(name);
    if (!loaded.plugin) return name + "\tunavailable\t" + one_line(loaded.reason) + "\n";
    std::string reason;
    const int count = loaded.plugin->device_count(reason);
    if (count <= 0) return name + "\tunavailable\t" + one_line(reason) + "\n";
    std::string lines;
    for (int i = 0; i < count; i++) {
        lines += name + (name == "cuda" || i > 0 ? cat(":", i) : "") + "\tok\t" +
                 one_line(loaded.plugin->describe_device(i)) + "\n";
    }
    return lines;
}

std::string plugin_libraries(const std::string& name) {
    const LoadedPlugin loaded = load_plugin(name);
    const std::string file = "libcgan_" + name + ".so\t" + (loaded.path.empty() ? "-" : loaded.path);
    if (!loaded.plugin) return file + "\t-\t" + one_line(loaded.reason) + "\n";
    std::string others = loaded.plugin->describe_libraries();
    if (!others.empty() && others.back() != '\n') others += '\n';
    return file + "\t" CGAN_VERSION "\tok\n" + others;
}

std::string vendor_library() {
    const vendor::LibraryState library = vendor::library_state();
    if (library.path.empty()) return "libdnnl.so.3\t-\t-\t" + one_line(library.reason) + "\n";
    return "libdnnl.so.3\t" + library.path + "\t" + library.version + "\tok\n";
}

} // namespace

std::int32_t cgan_abi_version(void) { return CGAN_ABI_MAJOR << 16 | CGAN_ABI_MINOR; }

std::int64_t cgan_sizeof(std::int32_t struct_kind) {
    switch (struct_kind) {
    case CGAN_STRUCT_TENSOR:
        return sizeof(cgan_tensor);
    case CGAN_STRUCT_MEMORY_STATS:
        return sizeof(cgan_memory_stats);
    case CGAN_STRUCT_UNARY:
        return sizeof(cgan_unary_params);
    case CGAN_STRUCT_BINARY:
        return sizeof(cgan_binary_params);
    case CGAN_STRUCT_REDUCE:
        return sizeof(cgan_reduce_params);
    case CGAN_STRUCT_PERMUTE:
        return sizeof(cgan_permute_params);
    case CGAN_STRUCT_SLICE:
        return sizeof(cgan_slice_params);
    case CGAN_STRUCT_SOFTMAX:
        return sizeof(cgan_softmax_params);
    case CGAN_STRUCT_MATMUL:
        return sizeof(cgan_matmul_params);
    case CGAN_STRUCT_DENSE:
        return sizeof(cgan_dense_params);
    case CGAN_STRUCT_CONV2D:
        return sizeof(cgan_conv2d_params);
    case CGAN_STRUCT_POOL2D:
        return sizeof(cgan_pool2d_params);
    case CGAN_STRUCT_UPSAMPLE2D:
        return sizeof(cgan_upsample2d_params);
    case CGAN_STRUCT_NORM:
        return sizeof(cgan_norm_params);
    case CGAN_STRUCT_RANDOM:
        return sizeof(cgan_random_params);
    case CGAN_STRUCT_ADAM:
        return sizeof(cgan_adam_params);
    case CGAN_STRUCT_SGD:
        return sizeof(cgan_sgd_params);
    case CGAN_STRUCT_RMSPROP:
        return sizeof(cgan_rmsprop_params);
    case CGAN_STRUCT_EMA:
        return sizeof(cgan_ema_params);
    case CGAN_STRUCT_CLAMP:
        return sizeof(cgan_clamp_params);
    case CGAN_STRUCT_CLIP:
        return sizeof(cgan_clip_params);
    default:
        return -1;
    }
}

std::int64_t cgan_version(char* dst, std::int64_t cap) { return copy_text(CGAN_VERSION, dst, cap); }

std::int64_t cgan_describe_devices(char* dst, std::int64_t cap) {
    return copy_made_text("describe_devices", dst, cap, [] {
        std::string lines = "cpu\tok\t" + one_line(describe_cpu()) + "\n";
        for (const char* name : kPluginNames) lines += plugin_devices(name);
        return lines;
    });
}

std::int64_t cgan_describe_libraries(char* dst, std::int64_t cap) {
    return copy_made_text("describe_libraries", dst, cap, [] {
        std::string lines;
        for (const char* name : kPluginNames) lines += plugin_libraries(name);
        return lines + vendor_library();
    });
}
