/// gpi_unconditional: models that make pictures of noise alone, a UNet and a scheduler; see gpi_diffusion.h
/// for the rules that all of this interface follows.
///
/// Such a model is a gpi_model as others are, with GPI_UNCONDITIONAL_UNET for its UNet, which
/// `gpi_model_load` and `gpi_model_configuration` take. `gpi_model_denoise` without embeddings samples from
/// it:
///
///     gpi_model_sample_shape(model, 1, shape);
///     … noise of that shape …
///     gpi_denoising denoising = GPI_DENOISING_INIT;
///     denoising.latents = noise;
///     denoising.from_noise = true;
///     denoising.uses_guidance = false;
///     denoising.scheduler = scheduler;
///     gpi_model_denoise(model, &denoising, &pictures);
#ifndef GPI_UNCONDITIONAL_H
#define GPI_UNCONDITIONAL_H

#include "gpi_models.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What the file of the model's scheduler says, with the keys that other schedulers know, as the text of a
/// `scheduler_config.json`. Valid until the next call for this model.
gpi_status gpi_model_unconditional_scheduler_settings(gpi_model *model, const char **json);

/// The shape of `count` samples of the size that the UNet was trained on: `[count, C, H, W]`.
gpi_status gpi_model_sample_shape(gpi_model *model, int64_t count, int64_t shape[4]);

/// The UNet's prediction for samples `[N, C, H, W]` at `count` timesteps: one for all samples, or whole
/// numbers for each of them.
gpi_status gpi_model_predict_unconditionally(gpi_model *model, const gpi_tensor *sample,
                                             const double *timesteps, int64_t count,
                                             gpi_interruption interruption,
                                             void *interruption_context,
                                             gpi_tensor **prediction);

#ifdef __cplusplus
}
#endif
#endif
