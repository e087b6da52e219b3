/// The latents of a whole study: thousands of pictures, on machines that may be switched off.
///
///     gpi_study_options options = GPI_STUDY_OPTIONS_INIT;
///     options.output_folder = "study";
///     options.model_folder = "stable-diffusion-v1-5";
///     options.width = options.height = 512;
///     options.decode = decode;
///     gpi_study *study;
///     gpi_pictures *pictures;
///     gpi_study_request request = GPI_STUDY_REQUEST_INIT;
///     gpi_study_summary *summary;
///     if (gpi_study_create(&options, &study) == GPI_OK
///         && gpi_pictures_under("photographs", suffixes, 2, &pictures) == GPI_OK) {
///         request.pictures = pictures;
///         gpi_study_run(study, &request, &summary);
///     }
///
/// What a folder holds afterwards: settings.json, manifest.jsonl (a row for each picture),
/// latents/{name}.pt, and if asked for pictures/{name}.png, latents.npy and latents.csv. A run that is
/// begun again keeps what was made of the same contents with the same settings.
#ifndef GPI_STUDIES_H
#define GPI_STUDIES_H

#include "gpi_diffusion.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: - Pictures

/// Files with pictures, each with a name, a prompt and a seed.
typedef struct gpi_pictures gpi_pictures;

/// All files under a folder with one of the suffixes (".png", in lower case; the files' own may be in
/// upper case), in natural order; each is called by its path below the folder without the suffix.
gpi_status gpi_pictures_under(const char *folder, const char *const *suffixes, int64_t suffix_count,
                              gpi_pictures **pictures);

/// The files of a list. `names` may be NULL for the files' own without folder and suffix; two of one
/// name are refused.
gpi_status gpi_pictures_named(const char *const *paths, const char *const *names, int64_t count,
                              gpi_pictures **pictures);

int64_t gpi_pictures_count(const gpi_pictures *pictures);
/// Valid as long as the pictures.
const char *gpi_pictures_name(const gpi_pictures *pictures, int64_t index);
const char *gpi_pictures_path(const gpi_pictures *pictures, int64_t index);

/// One prompt for all, or one for each; "" unless called.
gpi_status gpi_pictures_set_prompts(gpi_pictures *pictures, const char *const *prompts,
                                    int64_t count);
/// One seed for all, or one for each; 0 unless called.
gpi_status gpi_pictures_set_seeds(gpi_pictures *pictures, const uint64_t *seeds, int64_t count);

void gpi_pictures_free(gpi_pictures *pictures);

// MARK: - Studies

/// A picture of `width * height * 3` bytes, which are copied.
gpi_status gpi_picture_create(const uint8_t *rgb, int64_t width, int64_t height,
                              gpi_picture **picture);

/// Makes a picture of the bytes of its file, as the model is to see it: turned, on its background, in
/// the study's size. `path` is for errors. NULL, or the text of an error, which the callee keeps until
/// the next call. Called on a thread of the study's, always the same one during a run.
typedef const char *(*gpi_decode_file)(void *context, const char *path, const uint8_t *bytes,
                                       size_t count, gpi_picture **picture);

/// Makes the bytes of a PNG file of a picture; the callee keeps them until the next call. NULL, or the
/// text of an error as above. Called on another thread of the study's.
typedef const char *(*gpi_encode_file)(void *context, const gpi_picture *picture,
                                       const uint8_t **bytes, size_t *count);

typedef struct gpi_study_options {
    /// sizeof(gpi_study_options)
    size_t size;
    const char *output_folder;
    /// As of gpi_extractor_options.
    const char *model_folder;
    /// What the settings file calls the model; NULL for `model_folder`.
    const char *model_name;
    const char *device;
    gpi_dtype dtype;
    gpi_precision precision;
    /// What `decode` brings pictures to, multiples of 8; 0 for pictures that keep their shapes.
    int64_t width, height;
    /// What `decode` does, for the settings file: "crop", "pad" or "stretch"; whether it turns pictures
    /// as their EXIF data say; the colour under transparent ones, "#rrggbb".
    const char *fit;
    bool exif;
    const char *background;
    /// "sample" or "mode"
    const char *posterior;
    double strength;
    int64_t num_inference_steps;
    double guidance_scale;
    const char *negative_prompt;
    /// The prompt and the seed of all pictures, for the settings file; NULL if each has its own.
    const char *prompt;
    const uint64_t *seed;
    /// Names and values in turn, `version_count` pairs: of programs and libraries, for the settings file.
    const char *const *versions;
    int64_t version_count;
    gpi_decode_file decode;
    gpi_encode_file encode;
    void *codec_context;
    /// NULL to hear of no warnings. Called on the thread of the run.
    gpi_warning warning;
    void *warning_context;
} gpi_study_options;

/// No folder, no model and no codec yet; the best device, float32, pictures that keep their shapes,
/// cropping, EXIF, white, a sample, strength 0, 50 steps, a guidance scale of 7.5.
#define GPI_STUDY_OPTIONS_INIT                                                                    \
    { .size = sizeof(gpi_study_options), .fit = "crop", .exif = true, .background = "#ffffff",    \
      .posterior = "sample", .num_inference_steps = 50, .guidance_scale = 7.5 }

/// A folder with the latents of a study, and the model that makes them, which is loaded when the first
/// picture needs it. To be used by one thread at a time.
typedef struct gpi_study gpi_study;

/// Checks the options; nothing is read or written yet.
gpi_status gpi_study_create(const gpi_study_options *options, gpi_study **study);
void gpi_study_free(gpi_study *study);

/// What a run does with the folder.
typedef enum gpi_study_role {
    /// All pictures, alone in the folder; joins what shards and workers have done.
    GPI_STUDY_WHOLE = 0,
    /// Every n-th of the pictures, beside processes that do the others.
    GPI_STUDY_SHARD = 1,
    /// Some pictures, beside other workers; no manifest is written.
    GPI_STUDY_WORKER = 2,
} gpi_study_role;

typedef struct gpi_study_progress {
    int64_t total;
    /// Latents made now; latents that were there; pictures without.
    int64_t extracted, reused, failed;
    double seconds;
    /// For people: "120 of 7080 pictures, 3.1/s, 37 min left, 2 failed"
    const char *text;
} gpi_study_progress;

/// Called on the thread of the run as pictures are finished, ten times a second at most, and at the end.
typedef void (*gpi_study_progress_callback)(void *context, const gpi_study_progress *progress);

typedef struct gpi_study_request {
    /// sizeof(gpi_study_request)
    size_t size;
    const gpi_pictures *pictures;
    gpi_study_role role;
    /// Which part of how many, from 1; for GPI_STUDY_SHARD.
    int64_t shard, shard_count;
    /// Whether latents of the same contents and settings are kept.
    bool resumes;
    /// Whether the first picture that fails ends the run, rather than being recorded.
    bool stops_at_failure;
    /// Whether decoded pictures are written too.
    bool saves_pictures;
    /// Whether all latents are also written as one array; takes a size.
    bool stacks;
    /// Neighbours of one size that are computed at once on a GPU; on a CPU it is one picture always.
    int64_t batch_size;
    gpi_interruption interruption;
    void *interruption_context;
    gpi_study_progress_callback progress;
    void *progress_context;
} gpi_study_request;

/// No pictures yet, the whole study, resuming, failures recorded, 8 pictures at once.
#define GPI_STUDY_REQUEST_INIT \
    { .size = sizeof(gpi_study_request), .resumes = true, .batch_size = 8 }

// MARK: - Results

typedef struct gpi_study_summary gpi_study_summary;

/// Makes the latents of all pictures that have none yet of the same contents and settings.
gpi_status gpi_study_run(gpi_study *study, const gpi_study_request *request,
                         gpi_study_summary **summary);

/// The last progress of the run; without a text.
gpi_study_progress gpi_study_summary_progress(const gpi_study_summary *summary);

/// The name, path and reason of failure `index`, of as many as `failed` counts; valid as long as the
/// summary. False if there is none of that number.
bool gpi_study_summary_failure(const gpi_study_summary *summary, int64_t index, const char **name,
                               const char **path, const char **reason);

/// Row `index` of the manifest, one for each picture of the run in their order, as JSON; valid as long as
/// the summary. NULL if there is none of that number.
const char *gpi_study_summary_row(const gpi_study_summary *summary, int64_t index);

/// Where a file or folder of the study is, valid as long as the summary; NULL for one that is not there.
const char *gpi_study_summary_settings(const gpi_study_summary *summary);
const char *gpi_study_summary_manifest(const gpi_study_summary *summary);
const char *gpi_study_summary_latents(const gpi_study_summary *summary);
const char *gpi_study_summary_pictures(const gpi_study_summary *summary);
const char *gpi_study_summary_stacked(const gpi_study_summary *summary);

void gpi_study_summary_free(gpi_study_summary *summary);

// MARK: - Looking

typedef struct gpi_sheet_options {
    /// sizeof(gpi_sheet_options)
    size_t size;
    /// Pictures on the sheet, drawn at random; fewer if there are fewer.
    int64_t count;
    uint64_t seed;
    /// Pairs in a row.
    int64_t columns;
    /// Pixels of the longest side of a picture on the sheet.
    int64_t cell;
    gpi_interruption interruption;
    void *interruption_context;
} gpi_sheet_options;

/// 12 pictures, three in a row, up to 160 pixels each.
#define GPI_SHEET_OPTIONS_INIT \
    { .size = sizeof(gpi_sheet_options), .count = 12, .columns = 3, .cell = 160 }

/// A contact sheet of a study that was run: pictures as the model saw them beside what their latents
/// decode to, each with its name.
gpi_status gpi_study_sheet(gpi_study *study, const gpi_sheet_options *options,
                           gpi_picture **sheet);

#ifdef __cplusplus
}
#endif
#endif
