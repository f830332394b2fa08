#include "build_id.h"

#if defined(__linux__)
#include <elf.h>
#include <link.h>
#endif

#include <cstdint>
#include <cstring>

namespace cgan {
namespace {

#if defined(__linux__)

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; i++) {
        text += "0123456789abcdef"[bytes[i] >> 4];
        text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
}

// The build ID among the notes of a segment; empty if it is not there.
std::string find_note(const unsigned char* at, const unsigned char* end) {
    const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
    ElfW(Nhdr) note;
    while (static_cast<std::size_t>(end - at) >= sizeof note) {
        std::memcpy(&note, at, sizeof note);
        const unsigned char* name = at + sizeof note;
        const std::size_t size = padded(note.n_namesz) + padded(note.n_descsz);
        if (size > static_cast<std::size_t>(end - name)) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0)
            return hexadecimal(name + padded(note.n_namesz), note.n_descsz);
        at = name + size;
    }
    return "";
}

// For dl_iterate_phdr: stops at the file that holds this function.
int visit_file(dl_phdr_info* file, std::size_t, void* found) {
    const auto here = reinterpret_cast<std::uintptr_t>(&visit_file);
    bool own = false;
    std::string id;
    for (int i = 0; i < file->dlpi_phnum; i++) {
        const ElfW(Phdr)& segment = file->dlpi_phdr[i];
        const std::uintptr_t begin = file->dlpi_addr + segment.p_vaddr;
        if (segment.p_type == PT_LOAD) own = own || (here >= begin && here < begin + segment.p_memsz);
        if (segment.p_type != PT_NOTE || !id.empty()) continue;
        const auto* notes = reinterpret_cast<const unsigned char*>(begin);
        id = find_note(notes, notes + segment.p_memsz);
    }
    if (own) *static_cast<std::string*>(found) = id;
    return own;
}

#endif

} // namespace

std::string build_id() {
    std::string id;
#if defined(__linux__)
    dl_iterate_phdr(visit_file, &id);
#endif
    return id.empty() ? "unknown" : id;
}

} // namespace cgan
