#include "ctorch.h"

#include "code_pages.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static CTorchFunctions opened;
static pid_t opening_process;

static void say(char *message, size_t size, const char *text) {
    snprintf(message, size, "%s", text ? text : "unknown error");
}

/// libtorch's operators for NVIDIA devices register themselves when their library is opened.
/// It is no error if that fails: the CPU's operators are there all the same, and asking for the
/// device "cuda" then gives libtorch's own message.
static void open_cuda(const char *folder) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/libtorch_cuda.so", folder);
    if (length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0)
        (void)dlopen(path, RTLD_NOW | RTLD_GLOBAL);
}

CTorchStatus ctorch_open(const char *folder, const CTorchFunctions **functions, char *message,
                         size_t size) {
    void *library;
    if (folder) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/libtorch_cpu.so", folder);
        if (length < 0 || (size_t)length >= sizeof path) {
            say(message, size, "the folder's name is too long");
            return CTORCH_NOT_OPENED;
        }
        void *before = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        // Global, as Python's torch does it, so that both share one libtorch.
        library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
        // Its initialisers run through 45 MB of code, to describe operators that are never used.
        if (library && !before) give_back_code_pages(path);
        if (before) dlclose(before);
    } else {
        library = dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
    }
    if (!library) {
        say(message, size, dlerror());
        return CTORCH_NOT_OPENED;
    }

    CTorchFunctions found = {0};
    const char *missing = NULL;
#define CTORCH_FIND(result, name, parameters)                                                      \
    found.name = (result(*) parameters)dlsym(library, #name);                                      \
    if (!found.name && !missing) missing = #name;
    CTORCH_REQUIRED(CTORCH_FIND)
#undef CTORCH_FIND
#define CTORCH_FIND(result, name, parameters)                                                      \
    found.name = (result(*) parameters)dlsym(library, #name);
    CTORCH_OPTIONAL(CTORCH_FIND)
#undef CTORCH_FIND
    // libstdc++ is among libtorch's dependencies, so a search from its handle finds it.
    found.operator_new = (void *(*)(size_t))dlsym(library, "_Znwm");
    if (!found.operator_new && !missing) missing = "operator new(size_t)";

    if (missing) {
        say(message, size, missing);
        dlclose(library);
        return CTORCH_TOO_OLD;
    }
    if (folder) open_cuda(folder);
    if (!opening_process) opening_process = getpid();
    opened = found;
    *functions = &opened;
    return CTORCH_OPENED;
}

int32_t ctorch_cuda_device_count(void) {
    void *operators = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_NOLOAD);
    if (!operators) return -1;
    dlclose(operators);
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!driver) return 0;
    int (*initialize)(unsigned) = (int (*)(unsigned))dlsym(driver, "cuInit");
    int (*get_count)(int *) = (int (*)(int *))dlsym(driver, "cuDeviceGetCount");
    int count = 0;
    bool answered =
        initialize && get_count && initialize(0) == 0 && get_count(&count) == 0 && count > 0;
    // The driver stays open: it does not stand being closed.
    return answered ? count : 0;
}

bool ctorch_was_forked(void) {
    return opening_process && opening_process != getpid();
}
