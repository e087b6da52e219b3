/// gpi_models: the parts of a Stable Diffusion model, one by one and together; see gpi_diffusion.h for
/// the rules that all of this interface follows.
#ifndef GPI_MODELS_H
#define GPI_MODELS_H

#include "gpi_diffusion.h"
#include "gpi_schedulers.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The parts of a model, each loaded when it is first used.
typedef struct gpi_model gpi_model;

typedef enum gpi_part {
    GPI_AUTOENCODER = 0,
    GPI_TOKENIZER = 1,
    GPI_TEXT_ENCODER = 2,
    GPI_UNET = 3,
    GPI_SCHEDULER = 4,
    GPI_SAFETY_CHECKER = 5,
    /// The UNet of a model without prompts, see gpi_unconditional.h.
    GPI_UNCONDITIONAL_UNET = 6,
} gpi_part;

typedef struct gpi_model_options {
    /// sizeof(gpi_model_options)
    size_t size;
    /// A folder in the diffusers layout; or a single file (`.safetensors`, `.ckpt`) in that of the
    /// original Stable Diffusion 1.x or 2.x, which holds no tokenizer.
    const char *folder;
    /// The folder of a part itself, or for all but the tokenizer such a file, where it is not in
    /// `folder`; NULL for those that are.
    const char *autoencoder_folder;
    const char *tokenizer_folder;
    const char *text_encoder_folder;
    const char *unet_folder;
    /// "cpu", "cuda" or "cuda:N"; NULL for the first NVIDIA device if there is one, else the CPU.
    const char *device;
    /// That the model runs in, whatever its files hold.
    gpi_dtype dtype;
    /// How exactly it computes; GPI_PRECISION_REDUCED takes the place of GPI_FLOAT32.
    gpi_precision precision;
    /// Whether the autoencoder takes large pictures in tiles; see `gpi_model_set_tiling`.
    bool uses_tiling;
    /// NULL to hear of no warnings.
    gpi_warning warning;
    void *warning_context;
} gpi_model_options;

/// No folder yet, the best device, float32, no warnings.
#define GPI_MODEL_OPTIONS_INIT { .size = sizeof(gpi_model_options) }

gpi_status gpi_model_create(const gpi_model_options *options, gpi_model **model);

/// One model of parts of several, which share what they have loaded. They have to be on one device in
/// one dtype.
gpi_status gpi_model_combine(const gpi_model *autoencoder, const gpi_model *tokenizer,
                             const gpi_model *text_encoder, const gpi_model *unet,
                             gpi_warning warning, void *warning_context, gpi_model **model);

/// Loads a part now instead of at its first use, to have its errors now.
gpi_status gpi_model_load(gpi_model *model, gpi_part part);

/// What the autoencoder, the text encoder or a UNet goes by, defaults included, as the text of a
/// `config.json`. Valid until the next call for this model.
gpi_status gpi_model_configuration(gpi_model *model, gpi_part part, const char **json);

gpi_device gpi_model_device(const gpi_model *model);
gpi_dtype gpi_model_dtype(const gpi_model *model);
gpi_precision gpi_model_precision(const gpi_model *model);

/// Whether the autoencoder takes pictures that are larger than its configuration's sample_size in
/// overlapping tiles of that size, which are blended: memory stays that of one tile, and results are others,
/// though similar. It is not at first. Models that share the autoencoder share this.
gpi_status gpi_model_set_tiling(gpi_model *model, bool uses_tiling);
bool gpi_model_uses_tiling(const gpi_model *model);

void gpi_model_free(gpi_model *model);

// MARK: - Parts

/// The scheduler that the model's file names, with what old files have wrong put right.
gpi_status gpi_model_scheduler(gpi_model *model, gpi_scheduler **scheduler);

/// What `gpi_model_scheduler` goes by, with the keys that other schedulers know, as the text of a
/// `scheduler_config.json`. Valid until the next call for this model.
gpi_status gpi_model_scheduler_settings(gpi_model *model, const char **json);

/// A text as token ids.
typedef struct gpi_tokens gpi_tokens;

/// With `length` 0 as many tokens as the text takes, else padded and cut to that many; -1 for the
/// model's own length.
gpi_status gpi_model_tokenize(gpi_model *model, const char *text, int64_t length,
                              gpi_tokens **tokens);
/// Valid as long as the tokens.
const int64_t *gpi_tokens_ids(const gpi_tokens *tokens, int64_t *count);
/// What was cut off, empty if nothing was; valid as long as the tokens.
const char *gpi_tokens_lost_text(const gpi_tokens *tokens);
void gpi_tokens_free(gpi_tokens *tokens);

/// The tokenizer's own length of a text in tokens; 0 if it sets none.
gpi_status gpi_model_max_length(gpi_model *model, int64_t *length);

/// The text encoder's last hidden states for rows of `length` token ids: `[count, length, size]`.
gpi_status gpi_model_encode_tokens(gpi_model *model, const int64_t *ids, int64_t count,
                                   int64_t length, gpi_interruption interruption,
                                   void *interruption_context, gpi_tensor **hidden);

/// What the UNet attends to. With guidance `[2 * count * images_per_prompt, tokens, size]`, the
/// negative prompts' first, else half of that. There are `negative_count` negative prompts: none (the
/// empty text is taken), one, or as many as prompts. A text that is cut is a warning.
gpi_status gpi_model_encode_prompts(gpi_model *model, const char *const *prompts, int64_t count,
                                    const char *const *negative_prompts, int64_t negative_count,
                                    int64_t images_per_prompt, bool uses_guidance,
                                    gpi_interruption interruption, void *interruption_context,
                                    gpi_tensor **embeddings);

/// The same of hidden states that were made before, `[count, tokens, size]`: each row
/// `images_per_prompt` times, after as many of `negative`, which is NULL without guidance.
gpi_status gpi_model_join_embeddings(gpi_model *model, const gpi_tensor *prompt,
                                     const gpi_tensor *negative, int64_t images_per_prompt,
                                     gpi_tensor **embeddings);

/// The posterior of pictures `[N, 3, H, W]` in [-1, 1]: mean and standard deviation of latents that
/// are not scaled, `[N, C, H / 8, W / 8]` each.
gpi_status gpi_model_encode(gpi_model *model, const gpi_tensor *pixels,
                            gpi_interruption interruption, void *interruption_context,
                            gpi_tensor **mean, gpi_tensor **deviation);

/// Pictures of latents that are not scaled, `[N, C, H, W]`: `[N, 3, 8 * H, 8 * W]`, about in [-1, 1].
gpi_status gpi_model_decode(gpi_model *model, const gpi_tensor *latents,
                            gpi_interruption interruption, void *interruption_context,
                            gpi_tensor **pixels);

/// Latents of about unit variance are those of the autoencoder times this.
gpi_status gpi_model_scaling_factor(gpi_model *model, double *factor);

/// `gpi_model_decode` of scaled latents, as `gpi_model_denoise` gives them.
gpi_status gpi_model_decode_scaled(gpi_model *model, const gpi_tensor *latents,
                                   gpi_interruption interruption, void *interruption_context,
                                   gpi_tensor **pixels);

/// The UNet's prediction for samples `[N, C, H, W]` at one timestep, with `context` `[N, tokens, size]`.
gpi_status gpi_model_predict(gpi_model *model, const gpi_tensor *sample, double timestep,
                             const gpi_tensor *context, gpi_interruption interruption,
                             void *interruption_context, gpi_tensor **prediction);

// MARK: - Safety

/// Whether the model comes with a safety checker; loads nothing.
gpi_status gpi_model_has_safety_checker(gpi_model *model, bool *answer);

/// Which pictures of `[N, 3, H, W]` in [-1, 1] the model's safety checker finds to show what they must
/// not: `flagged` has N places. Without a checker none are.
gpi_status gpi_model_check_safety(gpi_model *model, const gpi_tensor *pixels,
                                  gpi_interruption interruption, void *interruption_context,
                                  bool *flagged);

// MARK: - Denoising

/// The shape of latents for `count` pictures: `[count, C, height / 8, width / 8]`; a height or width of
/// 0 stands for the size that the model was trained on.
gpi_status gpi_model_latent_shape(gpi_model *model, int64_t count, int64_t height, int64_t width,
                                  int64_t shape[4]);

/// What a step callback is told of, and what it may change.
typedef struct gpi_step {
    /// From 0 to `count` - 1.
    int64_t number;
    int64_t count;
    double timestep;
    /// After the step; valid during the call.
    const gpi_tensor *latents;
    /// NULL; a tensor put here, which is handed over, takes the place of the latents.
    gpi_tensor *replacement;
} gpi_step;

/// Called on the working thread after each step. Anything but 0 ends the run with the latents reached.
typedef int (*gpi_on_step)(void *context, gpi_step *step);

typedef struct gpi_denoising {
    /// sizeof(gpi_denoising)
    size_t size;
    /// `[N, C, H, W]`
    const gpi_tensor *latents;
    /// Whether the latents are standard normal noise, which is scaled for the first timestep.
    bool from_noise;
    /// Noise that is added to the latents for timestep number `start`; NULL for none.
    const gpi_tensor *added_noise;
    /// With guidance those of N negative prompts and N prompts, else of N prompts; NULL for a model
    /// without prompts, see gpi_unconditional.h.
    const gpi_tensor *embeddings;
    bool uses_guidance;
    double guidance_scale;
    /// Not changed: the run takes a copy.
    const gpi_scheduler *scheduler;
    int64_t num_inference_steps;
    /// Number of the first timestep, 0 for the whole way.
    int64_t start;
    gpi_randomness randomness;
    gpi_interruption interruption;
    void *interruption_context;
    gpi_on_step on_step;
    void *on_step_context;
} gpi_denoising;

/// Nothing yet, 50 steps from the first, with guidance of 7.5.
#define GPI_DENOISING_INIT \
    { .size = sizeof(gpi_denoising), .uses_guidance = true, .guidance_scale = 7.5, \
      .num_inference_steps = 50, .randomness = GPI_RANDOMNESS_INIT }

/// The reverse process with the model's UNet. The latents that come out are scaled; those of a model without
/// prompts are the pictures themselves.
gpi_status gpi_model_denoise(gpi_model *model, const gpi_denoising *denoising,
                             gpi_tensor **latents);

// MARK: - Pictures

/// Pictures of one size as `gpi_model_encode` takes them: `[count, 3, height, width]` in [-1, 1], float32
/// on the CPU. `rgb` has `count * width * height * 3` bytes, picture after picture.
gpi_status gpi_pictures_tensor(const uint8_t *rgb, int64_t count, int64_t width, int64_t height,
                               gpi_tensor **pixels);

/// Picture number `number` of `[N, 3, height, width]`, or in grey of `[N, 1, height, width]`, as
/// `gpi_tensor_picture` makes them.
gpi_status gpi_tensor_nth_picture(const gpi_tensor *pixels, int64_t number, gpi_picture **picture);

/// Pictures in [-1, 1] as values from 0 to 1, float32; others are cut off. What is not a number is an
/// error.
gpi_status gpi_tensor_unit_range(const gpi_tensor *pixels, gpi_tensor **unit);

#ifdef __cplusplus
}
#endif
#endif
