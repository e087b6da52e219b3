/// gpi_diffusion: pictures to the last latents of a diffusion model, and back.
///
/// A plain C interface: opaque handles, structs that begin with their own size, status codes,
/// the last error's text, and a callback that can stop the work. Nothing here needs Python.
///
///     gpi_extractor_options options = GPI_EXTRACTOR_OPTIONS_INIT;
///     options.model_folder = "stable-diffusion-v1-5";
///     gpi_extractor *extractor;
///     if (gpi_extractor_create(&options, &extractor) != GPI_OK) {
///         fprintf(stderr, "%s\n", gpi_last_error());
///         return 1;
///     }
///     gpi_request request = GPI_REQUEST_INIT;
///     request.rgb = pixels;
///     request.width = width;
///     request.height = height;
///     gpi_tensor *latents;
///     if (gpi_extract(extractor, &request, &latents) == GPI_OK)
///         gpi_tensor_save(latents, "hidden_0.pt");
///
/// Strings are UTF-8. Structs start from their `_INIT` macro, which fills in sizes and defaults.
/// Functions that take an extractor may be called from any thread, but not for the same extractor at
/// the same time. Every object that is created is freed by its `_free` function, in any order and on
/// any thread; freeing NULL does nothing. An object that could not be created is not touched.
#ifndef GPI_DIFFUSION_H
#define GPI_DIFFUSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Errors

/// How a call ended. Everything but `GPI_OK` leaves a text in `gpi_last_error`.
typedef enum gpi_status {
    GPI_OK = 0,
    /// An argument is out of its range or contradicts another. The text begins with its name.
    GPI_INVALID_ARGUMENT = 1,
    /// A file or folder does not exist.
    GPI_NOT_FOUND = 2,
    /// A file is damaged, hostile, or of a kind that is not supported.
    GPI_BAD_FILE = 3,
    /// The operating system refused to read or write.
    GPI_IO_ERROR = 4,
    /// libtorch is missing or too old.
    GPI_NO_LIBTORCH = 5,
    /// libtorch refused an operation: out of memory, an absent device, …
    GPI_TORCH_ERROR = 6,
    /// The interruption callback asked to stop.
    GPI_INTERRUPTED = 7,
    /// A picture has no pixels, too many, or a shape that shrinking leaves nothing of.
    GPI_BAD_PICTURE = 8,
} gpi_status;

/// The text of the last error on this thread: one or more lines of UTF-8 that name the argument or
/// the file and say what to do. Valid until the next call on this thread; empty before any error.
const char *gpi_last_error(void);

// MARK: - libtorch

/// Opens libtorch, which otherwise happens with the first extractor.
///
/// `python_folder` is the folder of libraries in the torch package of the Python in use
/// (`…/site-packages/torch/lib`), or NULL to have it looked for. The order: a libtorch that the
/// process already holds, the folder in the environment variable LIBTORCH, `python_folder`, the
/// usual library folders. Version 2.10 or newer is needed.
gpi_status gpi_open_libtorch(const char *python_folder);

// MARK: - Tensors

/// The type of a tensor's elements, and the numbers that a model runs in.
typedef enum gpi_dtype {
    GPI_FLOAT32 = 0,
    GPI_FLOAT16 = 1,
    GPI_BFLOAT16 = 2,
} gpi_dtype;

/// How exactly a model computes.
typedef enum gpi_precision {
    /// float32 on a CPU by kernels of this package where they apply, several times faster than PyTorch's
    /// operators and about as close to the true numbers, but not bit for bit the same.
    GPI_PRECISION_DEFAULT = 0,
    /// float32 by PyTorch's own operators alone.
    GPI_PRECISION_EXACT = 1,
    /// bfloat16, with three significant digits.
    GPI_PRECISION_REDUCED = 2,
} gpi_precision;

typedef enum gpi_device_kind {
    GPI_CPU = 0,
    GPI_CUDA = 1,
} gpi_device_kind;

typedef struct gpi_device {
    gpi_device_kind kind;
    /// Counts the devices of one kind from 0; 0 for the CPU.
    int32_t index;
} gpi_device;

/// Numbers in rows and columns on a device: pixels, embeddings, latents, pictures. Those that come from
/// here are contiguous; it lives on after its extractor.
typedef struct gpi_tensor gpi_tensor;

int64_t gpi_tensor_dimensions(const gpi_tensor *tensor);
/// `gpi_tensor_dimensions` sizes, valid as long as the tensor.
const int64_t *gpi_tensor_shape(const gpi_tensor *tensor);
/// Distances in elements between neighbours along each dimension, valid as long as the tensor.
const int64_t *gpi_tensor_strides(const gpi_tensor *tensor);
gpi_dtype gpi_tensor_dtype(const gpi_tensor *tensor);
gpi_device gpi_tensor_device(const gpi_tensor *tensor);
/// The first element, in the memory of the tensor's device, valid as long as the tensor. On a CUDA device
/// it is written by the end of the work in the current stream of the thread that made it.
void *gpi_tensor_data(const gpi_tensor *tensor);

/// Called when a view and all that reads its memory are gone, on the thread that freed the last of them.
typedef void (*gpi_release)(void *context);

/// A tensor that reads memory of the caller's where it is.
///
/// `shape` and `strides` (in elements; NULL for row-major order) have `dimensions` entries and are copied;
/// `data` must cover all that they reach. `release` (NULL for none) is called exactly once: when
/// the memory is no longer read, or before this returns anything but GPI_OK. So the memory is this
/// function's in any case, and the caller need not release it after a failure.
gpi_status gpi_tensor_view(void *data, int64_t dimensions, const int64_t *shape,
                           const int64_t *strides, gpi_dtype dtype, gpi_device device,
                           gpi_release release, void *context, gpi_tensor **tensor);

/// Another handle of the same numbers, for one that is valid during a call only.
gpi_status gpi_tensor_share(const gpi_tensor *tensor, gpi_tensor **other);

/// Writes the tensor, in its dtype, as a file for `torch.load(path, weights_only=True)`. The file
/// appears whole or not at all.
gpi_status gpi_tensor_save(const gpi_tensor *tensor, const char *path);

void gpi_tensor_free(gpi_tensor *tensor);

// MARK: - Extractors

/// A model, ready for pictures. Its parts are loaded when they are first needed.
typedef struct gpi_extractor gpi_extractor;

/// Called on the working thread between operations, about every 20 ms. Anything but 0 stops the work:
/// the call returns GPI_INTERRUPTED. A function that takes one takes NULL as well.
typedef int (*gpi_interruption)(void *context);

/// Told of what is probably not meant: a prompt that is cut, steps that change nothing, …. Called on
/// the working thread; `text` is valid during the call.
typedef void (*gpi_warning)(void *context, const char *text);

typedef struct gpi_extractor_options {
    /// sizeof(gpi_extractor_options)
    size_t size;
    /// A folder in the diffusers layout: `vae/config.json`, `vae/diffusion_pytorch_model.safetensors`, …;
    /// or a single file in that of the original Stable Diffusion, at strength 0, where no prompt is read.
    const char *model_folder;
    /// "cpu", "cuda" or "cuda:N"; NULL for the first NVIDIA device if there is one, else the CPU.
    const char *device;
    /// That the model runs in, whatever its files hold.
    gpi_dtype dtype;
    gpi_precision precision;
    /// NULL to hear of no warnings.
    gpi_warning warning;
    void *warning_context;
} gpi_extractor_options;

/// No model yet, the best device, float32, no warnings.
#define GPI_EXTRACTOR_OPTIONS_INIT { .size = sizeof(gpi_extractor_options) }

gpi_status gpi_extractor_create(const gpi_extractor_options *options,
                                gpi_extractor **extractor);

/// Where the model runs.
gpi_device gpi_extractor_device(const gpi_extractor *extractor);

void gpi_extractor_free(gpi_extractor *extractor);

// MARK: - Pictures

/// The longest side of a picture that is encoded, unless said otherwise.
#define GPI_LONGEST_SIDE 512

/// The size that a picture is shrunk to before it is encoded: at most `longest_side` (GPI_LONGEST_SIDE)
/// on the longest side, the other in proportion and rounded down. Smaller pictures keep their size.
/// For callers that shrink pictures themselves (in a mode other than RGB, say).
gpi_status gpi_fitted_size(int64_t width, int64_t height, int64_t longest_side,
                           int64_t *fitted_width, int64_t *fitted_height);

/// Pixels, 8 bits each of red, green and blue, row by row from the top, without gaps.
typedef struct gpi_picture gpi_picture;

int64_t gpi_picture_width(const gpi_picture *picture);
int64_t gpi_picture_height(const gpi_picture *picture);
/// `width * height * 3` bytes, valid as long as the picture.
const uint8_t *gpi_picture_rgb(const gpi_picture *picture);
void gpi_picture_free(gpi_picture *picture);

/// The picture as the encoder sees it: shrunk to `gpi_fitted_size` by Pillow's Lanczos filter, then
/// padded to multiples of 8 by reflection. `rgb` has `width * height * 3` bytes.
gpi_status gpi_prepare_picture(const uint8_t *rgb, int64_t width, int64_t height,
                               gpi_picture **picture);

/// The same as the encoder's input: `[1, 3, height, width]` in [-1, 1], in the extractor's dtype on its
/// device. The longest side is at most `longest_side` before the padding.
gpi_status gpi_picture_tensor(gpi_extractor *extractor, const uint8_t *rgb, int64_t width,
                              int64_t height, int64_t longest_side, gpi_tensor **pixels);

/// The first picture of `[N, 3, height, width]`: values from [-1, 1] to 8 bits, others cut off. What is
/// not a number is an error.
gpi_status gpi_tensor_picture(const gpi_tensor *pixels, gpi_picture **picture);

// MARK: - Prompts

/// What the model attends to: `[2 * count, tokens, size]`, `count` times the negative prompt's hidden
/// states, then the prompts'. Each text is padded and cut to the model's length; a cut is a warning.
/// `negative_prompt` may be NULL for an empty one.
gpi_status gpi_encode_prompt(gpi_extractor *extractor, const char *const *prompts, int64_t count,
                             const char *negative_prompt, gpi_interruption interruption,
                             void *interruption_context, gpi_tensor **embeddings);

// MARK: - Latents

/// Called on the working thread before each denoising step, `step` counting from 0 to `count` - 1.
typedef void (*gpi_progress)(void *context, int64_t step, int64_t count);

typedef struct gpi_request {
    /// sizeof(gpi_request)
    size_t size;
    /// `width * height * 3` bytes; read during the call only.
    const uint8_t *rgb;
    int64_t width;
    int64_t height;
    /// NULL for an empty one. Without influence at strength 0.
    const char *prompt;
    const char *negative_prompt;
    /// How far the picture is changed: 0 (not at all, the UNet is not used) to 1.
    double strength;
    /// Steps of the whole way from noise to picture, at least 1; a strength below 1 takes a share of them.
    int64_t num_inference_steps;
    /// How strongly the prompt is followed.
    double guidance_scale;
    /// Without a seed, noise comes from the generator of the process, as with `torch.randn`.
    bool has_seed;
    uint64_t seed;
    gpi_interruption interruption;
    void *interruption_context;
    gpi_progress progress;
    void *progress_context;
} gpi_request;

/// No picture yet, strength 0, 50 steps, a guidance scale of 7.5, no seed.
#define GPI_REQUEST_INIT \
    { .size = sizeof(gpi_request), .num_inference_steps = 50, .guidance_scale = 7.5 }

/// Shrinks and pads the picture, encodes it, draws one sample of the posterior and scales it; at a
/// strength above 0 adds noise and takes it away again under the prompt. The latents are the input of
/// the model's decoder: `[1, channels, height / 8, width / 8]` in the extractor's dtype on its device.
gpi_status gpi_extract(gpi_extractor *extractor, const gpi_request *request, gpi_tensor **latents);

/// Decodes the latents to the picture that they stand for; its sides are multiples of 8. Of several
/// it is the first.
gpi_status gpi_decode(gpi_extractor *extractor, const gpi_tensor *latents,
                      gpi_interruption interruption, void *interruption_context,
                      gpi_picture **picture);

/// The same without rounding to 8 bits: `[N, channels, h, w]` of any dtype and device to
/// `[N, 3, 8 * h, 8 * w]`, about in [-1, 1], in the extractor's dtype on its device.
gpi_status gpi_decode_tensor(gpi_extractor *extractor, const gpi_tensor *latents,
                             gpi_interruption interruption, void *interruption_context,
                             gpi_tensor **pixels);

#ifdef __cplusplus
}
#endif
#endif
