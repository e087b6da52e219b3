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
///     gpi_latents *latents;
///     if (gpi_extract(extractor, &request, &latents) == GPI_OK)
///         gpi_latents_save(latents, "hidden_0.pt");
///
/// Strings are UTF-8. Structs start from their `_INIT` macro, which fills in sizes and defaults. Functions that take an extractor may be called from any thread, but not for
/// the same extractor at the same time. Every object that is created is freed by its `_free`
/// function; freeing NULL does nothing.
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
    /// An argument is out of its range or contradicts another.
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

// MARK: - Extractors

/// A model, ready for pictures. Its parts are loaded when they are first needed.
typedef struct gpi_extractor gpi_extractor;

/// The numbers that a model runs in, whatever its files hold.
typedef enum gpi_dtype {
    GPI_FLOAT32 = 0,
    GPI_FLOAT16 = 1,
    GPI_BFLOAT16 = 2,
} gpi_dtype;

/// Told of what is probably not meant: a prompt that is cut, steps that change nothing, …. Called on
/// the working thread; `text` is valid during the call.
typedef void (*gpi_warning)(void *context, const char *text);

typedef struct gpi_extractor_options {
    /// sizeof(gpi_extractor_options)
    size_t size;
    /// A folder in the diffusers layout: `vae/config.json`, `vae/diffusion_pytorch_model.safetensors`, …
    const char *model_folder;
    /// "cpu", "cuda" or "cuda:N"; NULL for the first NVIDIA device if there is one, else the CPU.
    const char *device;
    gpi_dtype dtype;
    /// NULL to hear of no warnings.
    gpi_warning warning;
    void *warning_context;
} gpi_extractor_options;

/// No model yet, the best device, float32, no warnings.
#define GPI_EXTRACTOR_OPTIONS_INIT { .size = sizeof(gpi_extractor_options) }

gpi_status gpi_extractor_create(const gpi_extractor_options *options,
                                gpi_extractor **extractor);

void gpi_extractor_free(gpi_extractor *extractor);

// MARK: - Pictures

/// The size that a picture is shrunk to before it is encoded: at most 512 on the longest side,
/// the other in proportion and rounded down. Smaller pictures keep their size. For callers that
/// shrink pictures themselves (in a mode other than RGB, say).
gpi_status gpi_fitted_size(int64_t width, int64_t height, int64_t *fitted_width,
                           int64_t *fitted_height);

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

// MARK: - Latents

/// The input of the model's decoder: float32, `[1, channels, height / 8, width / 8]`.
typedef struct gpi_latents gpi_latents;

/// Called on the working thread between operations, about every 20 ms. Anything but 0 stops the work:
/// the call returns GPI_INTERRUPTED.
typedef int (*gpi_interruption)(void *context);

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
/// strength above 0 adds noise and takes it away again under the prompt.
gpi_status gpi_extract(gpi_extractor *extractor, const gpi_request *request,
                       gpi_latents **latents);

/// Batch, channels, height, width.
void gpi_latents_shape(const gpi_latents *latents, int64_t shape[4]);
/// The values in row-major order, valid as long as the latents.
const float *gpi_latents_values(const gpi_latents *latents);

/// Writes the latents as a file for `torch.load(path, weights_only=True)`. The file appears whole
/// or not at all.
gpi_status gpi_latents_save(const gpi_latents *latents, const char *path);

/// Decodes the latents to the picture that they stand for; its sides are multiples of 8.
/// `interruption` may be NULL.
gpi_status gpi_decode(gpi_extractor *extractor, const gpi_latents *latents,
                      gpi_interruption interruption, void *interruption_context,
                      gpi_picture **picture);

void gpi_latents_free(gpi_latents *latents);

#ifdef __cplusplus
}
#endif
#endif
