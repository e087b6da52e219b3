#define _GNU_SOURCE
#include "code_pages.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/// Whether the linker had to change code, whose pages are then no longer the file's.
static bool has_relocated_code(const struct dl_phdr_info *library) {
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        if (segment->p_type != PT_DYNAMIC) continue;
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(library->dlpi_addr + segment->p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            if (entry->d_tag == DT_TEXTREL
                || (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                return true;
    }
    return false;
}

static int give_back(struct dl_phdr_info *library, size_t size, void *path) {
    (void)size;
    if (strcmp(library->dlpi_name, path) != 0) return 0;
    if (has_relocated_code(library)) return 1;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W))
            continue;
        // Whole pages of the segment alone.
        const uintptr_t start = library->dlpi_addr + segment->p_vaddr;
        const uintptr_t first = (start + page - 1) / page * page;
        const uintptr_t end = (start + segment->p_filesz) / page * page;
        if (end > first) (void)madvise((void *)first, end - first, MADV_DONTNEED);
    }
    return 1;
}

void give_back_code_pages(const char *path) { dl_iterate_phdr(give_back, (void *)path); }
