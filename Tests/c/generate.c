/* Makes a picture from a prompt, by nothing but the headers.
 *
 *     generate MODEL_FOLDER PROMPT SCHEDULER STEPS LATENTS.pt
 *
 * The noise is a formula rather than drawn, so that others can start from the same.
 */
#include <gpi_models.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void check(gpi_status status) {
    if (status != GPI_OK) {
        fprintf(stderr, "status %d: %s\n", (int)status, gpi_last_error());
        exit((int)status);
    }
}

static int show(void *context, gpi_step *step) {
    (void)context;
    printf("%" PRId64 "/%" PRId64 " at %g\n", step->number + 1, step->count, step->timestep);
    return 0;
}

/// Values in [-1.5, 1.5] that look random.
static gpi_tensor *noise(const int64_t shape[4]) {
    int64_t count = shape[0] * shape[1] * shape[2] * shape[3];
    float *values = malloc((size_t)count * sizeof(float));
    if (!values) exit(100);
    for (int64_t i = 0; i < count; i++) values[i] = (float)((i * 7919 + 13) % 3001) / 1000 - 1.5f;
    gpi_tensor *tensor;
    gpi_device cpu = {GPI_CPU, 0};
    check(gpi_tensor_view(values, 4, shape, NULL, GPI_FLOAT32, cpu, free, values, &tensor));
    return tensor;
}

int main(int count, char **arguments) {
    if (count != 6) return 103;
    gpi_model_options options = GPI_MODEL_OPTIONS_INIT;
    options.folder = arguments[1];
    options.device = "cpu";
    gpi_model *model;
    check(gpi_model_create(&options, &model));

    // The settings of the model's own scheduler for the one that is asked for.
    gpi_scheduler *own, *scheduler;
    check(gpi_model_scheduler(model, &own));
    check(gpi_scheduler_create(arguments[3], gpi_scheduler_settings(own), NULL, &scheduler));
    gpi_scheduler_free(own);

    const char *prompts[] = {arguments[2]};
    gpi_tensor *embeddings;
    check(gpi_model_encode_prompts(model, prompts, 1, NULL, 0, 1, true, NULL, NULL, &embeddings));

    int64_t shape[4];
    check(gpi_model_latent_shape(model, 1, 64, 48, shape));
    gpi_denoising denoising = GPI_DENOISING_INIT;
    gpi_tensor *start = noise(shape);
    denoising.latents = start;
    denoising.from_noise = true;
    denoising.embeddings = embeddings;
    denoising.scheduler = scheduler;
    denoising.num_inference_steps = strtoll(arguments[4], NULL, 10);
    denoising.on_step = show;
    gpi_tensor *latents;
    check(gpi_model_denoise(model, &denoising, &latents));
    check(gpi_tensor_save(latents, arguments[5]));

    gpi_tensor_free(latents);
    gpi_tensor_free(start);
    gpi_tensor_free(embeddings);
    gpi_scheduler_free(scheduler);
    gpi_model_free(model);
    return 0;
}
