/// gpi_training: models that learn from pictures; see gpi_diffusion.h for the rules that all of this
/// interface follows.
///
///     gpi_training training = GPI_TRAINING_INIT;
///     gpi_pictures_under("butterflies", suffixes, 2, &pictures);
///     training.pictures = pictures;
///     training.output_folder = "run";
///     training.width = training.height = 64;
///     training.decode = decode;
///     training.encode = encode;
///     gpi_unconditional_training model = GPI_UNCONDITIONAL_TRAINING_INIT;
///     gpi_train_unconditional(&training, &model);
///
/// What the folder of a run holds: settings.json, loss.csv and loss.png, checkpoint-000500/ (all that a run
/// goes on from), samples/000500.png, and in the end model/, in the layout of diffusers. A run that is begun
/// again after a kill, a crash or an interruption goes on from its last checkpoint and ends with the same
/// bytes.
#ifndef GPI_TRAINING_H
#define GPI_TRAINING_H

#include "gpi_studies.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gpi_training_progress {
    /// The step that was just done, counted from 1, of so many.
    int64_t step, steps;
    /// Of that step.
    double loss, learning_rate, gradient_norm;
    /// Of about the last fifty steps.
    double average_loss;
    double pictures_per_second, seconds_left;
    /// For people: "step 120/7080, loss 0.0312, 31.4 pictures/s, 00:37:10 left"
    const char *text;
} gpi_training_progress;

/// Called on the thread of the run after each step; the pointer is valid during the call.
typedef void (*gpi_training_progress_callback)(void *context,
                                               const gpi_training_progress *progress);

typedef struct gpi_training {
    /// sizeof(gpi_training)
    size_t size;
    const gpi_pictures *pictures;
    /// Made where it is missing.
    const char *output_folder;
    /// As of a study, but both are called on the thread of the run, `decode` again and again for pictures
    /// that there is no room to keep.
    gpi_decode_file decode;
    gpi_encode_file encode;
    void *codec_context;
    /// Pixels that pictures are brought to, and how one of another shape is: "crop", "pad" or "stretch".
    int64_t width, height;
    const char *fit;
    /// Whether every second picture, at random, is seen in a mirror.
    bool flips;
    /// Updates of the model.
    int64_t steps;
    /// Pictures whose loss is computed at once, and batches whose gradients are averaged for one step.
    int64_t batch_size, gradient_accumulation_steps;
    /// Of AdamW: the length of its steps at its highest; how it falls after the warm-up, "constant",
    /// "linear" or "cosine"; steps over which it grows from 0.
    double learning_rate;
    const char *schedule;
    int64_t warmup_steps;
    double beta1, beta2, weight_decay;
    /// The length that gradients together may have; 0 for any.
    double max_gradient_norm;
    /// The most that stays of the parameters' average at a step; 0 for no average.
    double average_decay;
    /// Of the order of the pictures, the noise, and all else that is drawn.
    uint64_t seed;
    /// Steps between checkpoints, and how many of them are kept, the newest.
    int64_t save_every, checkpoints_kept;
    /// Steps between sheets of samples, 0 for none, and pictures on such a sheet.
    int64_t sample_every, sample_count;
    /// Whether the run that is in the folder is gone on with; else that one is removed.
    bool resumes;
    /// "cpu", "cuda" or "cuda:N"; NULL for the first NVIDIA device if there is one, else the CPU.
    const char *device;
    /// The numbers that are computed with; of 16 bits the parameters stay in float32. And those that the
    /// model is saved in.
    gpi_dtype dtype, saved_dtype;
    gpi_interruption interruption;
    void *interruption_context;
    gpi_training_progress_callback progress;
    void *progress_context;
} gpi_training;

/// No pictures, folder, codec and size yet; 10000 steps of 16 pictures.
#define GPI_TRAINING_INIT                                                                          \
    { .size = sizeof(gpi_training), .fit = "crop", .steps = 10000, .batch_size = 16,               \
      .gradient_accumulation_steps = 1, .learning_rate = 1e-4, .schedule = "cosine",               \
      .warmup_steps = 500, .beta1 = 0.9, .beta2 = 0.999, .weight_decay = 1e-2,                     \
      .max_gradient_norm = 1, .average_decay = 0.9999, .save_every = 500, .checkpoints_kept = 2,   \
      .sample_every = 500, .sample_count = 16, .resumes = true }

/// A model that makes pictures of noise alone.
typedef struct gpi_unconditional_training {
    /// sizeof(gpi_unconditional_training)
    size_t size;
    /// That of a model to go on with, `unet` and `scheduler` in it; NULL for one from scratch, which the next
    /// say.
    const char *model_folder;
    /// Channels at each level, each half as large as the one above: `width_count` multiples of 8.
    const int64_t *widths;
    int64_t width_count;
    /// Residual blocks at each level.
    int64_t layers;
    /// How noise grows: "linear", "scaled_linear", "squaredcos_cap_v2" or "exp".
    const char *beta_schedule;
    /// "epsilon", "v_prediction" or "sample".
    const char *prediction_type;
    /// How much timesteps with little noise count at most (Min-SNR); 0 for all alike.
    double snr_gamma;
    /// Steps of DDIM for samples.
    int64_t sample_steps;
} gpi_unconditional_training;

/// From scratch, with no widths yet.
#define GPI_UNCONDITIONAL_TRAINING_INIT                                                 \
    { .size = sizeof(gpi_unconditional_training), .layers = 2, .beta_schedule = "linear", \
      .prediction_type = "epsilon", .sample_steps = 50 }

/// Trains, from the last checkpoint if there is one, and saves the model in `model` of the output folder.
gpi_status gpi_train_unconditional(const gpi_training *training,
                                   const gpi_unconditional_training *model);

#ifdef __cplusplus
}
#endif
#endif
