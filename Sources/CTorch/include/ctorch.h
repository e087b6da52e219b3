/// libtorch's stable C ABI, as plain C.
///
/// The functions are declared by hand, after torch's own headers
/// `torch/csrc/stable/c/shim.h` and `torch/csrc/inductor/aoti_torch/c/shim.h`
/// (those are C++), and are looked up in a libtorch that is opened at run time.
/// So nothing of torch is needed to build, and one binary serves every libtorch
/// from 2.10 on. PyTorch promises to keep these functions for at least two years.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A tensor held by libtorch. Owned unless a function says that it is borrowed.
typedef struct AtenTensorOpaque *AtenTensorHandle;
/// A list of values for the dispatcher.
typedef struct StableListOpaque *StableListHandle;
/// A string for the dispatcher.
typedef struct StringOpaque *StringHandle;
/// One value on the dispatcher's stack: a handle, an integer, a double's bits, …
typedef uint64_t StableIValue;
/// 0 is success.
typedef int32_t AOTITorchError;

/// What `torch_parallel_for` calls with part of a range.
typedef void ParallelFunc(int64_t begin, int64_t end, void *_Nullable context);

// Each entry: return type, name, parameters. `CTORCH_REQUIRED` is what libtorch 2.10
// has; `CTORCH_OPTIONAL` came later and may be NULL.
#define CTORCH_REQUIRED(F)                                                                         \
    F(uint64_t, aoti_torch_abi_version, (void))                                                    \
    F(int32_t, aoti_torch_device_type_cpu, (void))                                                 \
    F(int32_t, aoti_torch_device_type_cuda, (void))                                                \
    F(int32_t, aoti_torch_dtype_bfloat16, (void))                                                  \
    F(int32_t, aoti_torch_dtype_float16, (void))                                                   \
    F(int32_t, aoti_torch_dtype_float32, (void))                                                   \
    F(int32_t, aoti_torch_dtype_float64, (void))                                                   \
    F(int32_t, aoti_torch_dtype_uint8, (void))                                                     \
    F(int32_t, aoti_torch_dtype_int8, (void))                                                      \
    F(int32_t, aoti_torch_dtype_int16, (void))                                                     \
    F(int32_t, aoti_torch_dtype_int32, (void))                                                     \
    F(int32_t, aoti_torch_dtype_int64, (void))                                                     \
    F(int32_t, aoti_torch_dtype_bool, (void))                                                      \
    F(int32_t, aoti_torch_memory_format_contiguous_format, (void))                                 \
    F(int32_t, aoti_torch_memory_format_channels_last, (void))                                     \
    F(int32_t, aoti_torch_memory_format_preserve_format, (void))                                   \
    F(bool, aoti_torch_grad_mode_is_enabled, (void))                                               \
    F(void, aoti_torch_grad_mode_set_enabled, (bool enabled))                                      \
    F(AOTITorchError, aoti_torch_new_tensor_handle,                                                \
      (AtenTensorHandle _Nonnull tensor, AtenTensorHandle _Nullable *_Nonnull result))             \
    F(AOTITorchError, aoti_torch_delete_tensor_object, (AtenTensorHandle _Nonnull tensor))         \
    F(AOTITorchError, aoti_torch_get_dim, (AtenTensorHandle _Nonnull tensor, int64_t *_Nonnull n)) \
    F(AOTITorchError, aoti_torch_get_sizes,                                                        \
      (AtenTensorHandle _Nonnull tensor, int64_t *_Nullable *_Nonnull borrowed))                   \
    F(AOTITorchError, aoti_torch_get_strides,                                                      \
      (AtenTensorHandle _Nonnull tensor, int64_t *_Nullable *_Nonnull borrowed))                   \
    F(AOTITorchError, aoti_torch_get_dtype,                                                        \
      (AtenTensorHandle _Nonnull tensor, int32_t *_Nonnull dtype))                                 \
    F(AOTITorchError, aoti_torch_get_device_type,                                                  \
      (AtenTensorHandle _Nonnull tensor, int32_t *_Nonnull type))                                  \
    F(AOTITorchError, aoti_torch_get_device_index,                                                 \
      (AtenTensorHandle _Nonnull tensor, int32_t *_Nonnull index))                                 \
    F(AOTITorchError, aoti_torch_is_contiguous,                                                    \
      (AtenTensorHandle _Nonnull tensor, bool *_Nonnull contiguous))                               \
    F(AOTITorchError, aoti_torch_get_data_ptr,                                                     \
      (AtenTensorHandle _Nonnull tensor, void *_Nullable *_Nonnull borrowed))                      \
    F(AOTITorchError, aoti_torch_empty_strided,                                                    \
      (int64_t dimensions, const int64_t *_Nonnull sizes, const int64_t *_Nonnull strides,         \
       int32_t dtype, int32_t device_type, int32_t device_index,                                   \
       AtenTensorHandle _Nullable *_Nonnull result))                                               \
    F(AOTITorchError, aoti_torch_create_tensor_from_blob,                                          \
      (void *_Nonnull data, int64_t dimensions, const int64_t *_Nonnull sizes,                     \
       const int64_t *_Nonnull strides, int64_t storage_offset, int32_t dtype,                     \
       int32_t device_type, int32_t device_index, AtenTensorHandle _Nullable *_Nonnull result))    \
    F(AOTITorchError, aoti_torch_scalar_to_tensor_float64,                                         \
      (double value, AtenTensorHandle _Nullable *_Nonnull result))                                 \
    F(AOTITorchError, aoti_torch_item_bool,                                                        \
      (AtenTensorHandle _Nonnull tensor, bool *_Nonnull value))                                    \
    F(AOTITorchError, aoti_torch_aten_narrow,                                                      \
      (AtenTensorHandle _Nonnull self, int64_t dimension, int64_t start, int64_t length,           \
       AtenTensorHandle _Nullable *_Nonnull result))                                               \
    F(AOTITorchError, aoti_torch_aten_pad,                                                         \
      (AtenTensorHandle _Nonnull self, const int64_t *_Nonnull pad, int64_t pad_count,             \
       const char *_Nonnull mode, double *_Nullable value,                                         \
       AtenTensorHandle _Nullable *_Nonnull result))                                               \
    F(AOTITorchError, aoti_torch_aten_subtract_Tensor,                                             \
      (AtenTensorHandle _Nonnull self, AtenTensorHandle _Nonnull other, double alpha,              \
       AtenTensorHandle _Nullable *_Nonnull result))                                               \
    F(AOTITorchError, torch_call_dispatcher,                                                       \
      (const char *_Nonnull operator_name, const char *_Nonnull overload,                          \
       StableIValue *_Nonnull stack, uint64_t version))                                            \
    F(AOTITorchError, torch_new_list_reserve_size,                                                 \
      (size_t size, StableListHandle _Nullable *_Nonnull result))                                  \
    F(AOTITorchError, torch_list_push_back, (StableListHandle _Nonnull list, StableIValue item))   \
    F(AOTITorchError, torch_delete_list, (StableListHandle _Nonnull list))                         \
    F(AOTITorchError, torch_parallel_for,                                                          \
      (int64_t begin, int64_t end, int64_t grain, ParallelFunc *_Nonnull run,                      \
       void *_Nullable context))                                                                   \
    F(AOTITorchError, torch_get_num_threads, (uint32_t * _Nonnull count))

#define CTORCH_OPTIONAL(F)                                                                         \
    /* 2.13 */                                                                                     \
    F(const char *_Nullable, torch_exception_get_what_without_backtrace, (void))                   \
    F(AOTITorchError, torch_new_stable_ivalue, (StableIValue *_Nullable *_Nonnull result))

/// The functions of one libtorch. Those of `CTORCH_REQUIRED` are never NULL.
typedef struct CTorchFunctions {
#define CTORCH_DECLARE(result, name, parameters) result (*_Nonnull name) parameters;
    CTORCH_REQUIRED(CTORCH_DECLARE)
#undef CTORCH_DECLARE
#define CTORCH_DECLARE(result, name, parameters) result (*_Nullable name) parameters;
    CTORCH_OPTIONAL(CTORCH_DECLARE)
#undef CTORCH_DECLARE
    /// C++'s `operator new(size_t)`, for memory that libtorch before 2.13 deletes.
    void *_Nullable (*_Nonnull operator_new)(size_t size);
} CTorchFunctions;

typedef enum CTorchStatus {
    CTORCH_OPENED = 0,
    /// No such library, or the dynamic linker refused it; the message has its words.
    CTORCH_NOT_OPENED = 1,
    /// The library opened, but lacks a function that libtorch has since 2.10; the message names it.
    CTORCH_TOO_OLD = 2,
} CTorchStatus;

/// Opens libtorch and points `functions` at its table, which stays for the life of the process.
///
/// `folder` is the folder that holds `libtorch_cpu.so`, or NULL for the libtorch that the process
/// already holds. `libtorch_cuda.so` is opened too where it stands beside it. On failure
/// `message` (of `size` bytes, at least 1) says why, and nothing is kept.
/// The caller sees to it that no two threads call this at once.
CTorchStatus ctorch_open(const char *_Nullable folder,
                         const CTorchFunctions *_Nullable *_Nonnull functions,
                         char *_Nonnull message, size_t size);

/// How many NVIDIA devices the driver shows to this process; -1 if libtorch has no operators for them.
///
/// Asked of the driver itself: a libtorch that is asked in vain writes pages to standard error.
int32_t ctorch_cuda_device_count(void);

/// Whether this process was forked from the one in which `ctorch_open` first succeeded: libtorch's
/// threads do not survive a fork.
bool ctorch_was_forked(void);

#ifdef __cplusplus
}
#endif
#endif
