#include "abi/loader.h"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>

namespace cgan {
namespace {

// The bytes that the loader maps of a 64-bit ELF file, or 0 if it is none.
std::uint64_t mapped_bytes(std::istream& file) {
    Elf64_Ehdr header;
    if (!file.read(reinterpret_cast<char*>(&header), sizeof header)) return 0;
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return 0;
    std::uint64_t end = 0;
    for (std::uint64_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        file.seekg(static_cast<std::streamoff>(header.e_phoff + i * header.e_phentsize));
        if (!file.read(reinterpret_cast<char*>(&segment), sizeof segment)) return 0;
        if (segment.p_type == PT_LOAD) end = std::max(end, segment.p_offset + segment.p_filesz);
    }
    return end;
}

// "" unless the file is cut off.
std::string missing_part(const std::string& path) {
    if (path.find('/') == std::string::npos) return ""; // where it lies is the loader's business
    std::ifstream file(path, std::ios::binary);
    const std::uint64_t mapped = file ? mapped_bytes(file) : 0;
    if (mapped == 0) return "";
    file.clear();
    file.seekg(0, std::ios::end);
    const auto size = static_cast<std::uint64_t>(file.tellg());
    if (size >= mapped) return "";
    return path + ": the file is cut off: it has " + std::to_string(size) + " bytes of at least " +
           std::to_string(mapped) + "; install it again";
}

} // namespace

void* open_shared_library(const std::string& path, std::string& reason) {
    reason = missing_part(path);
    if (!reason.empty()) return nullptr;
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) reason = loader_error();
    return library;
}

std::string own_folder() {
    static const char anchor = 0; // of this very library, even when another copy of it is loaded
    const std::string path = path_of(&anchor);
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

std::string loader_error() {
    const char* text = dlerror();
    return text ? text : "the loader gives no reason";
}

std::string path_of(const void* symbol) {
    Dl_info info{};
    return dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : "";
}

} // namespace cgan
