/* Writes the latents of one picture, by nothing but the header.
 *
 *     extract MODEL_FOLDER PICTURE.ppm LATENTS.pt [SEED [DECODED.ppm]]
 */
#include <gpi_diffusion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void check(gpi_status status) {
    if (status != GPI_OK) {
        fprintf(stderr, "status %d: %s\n", (int)status, gpi_last_error());
        exit((int)status);
    }
}

static uint8_t *read_ppm(const char *path, int64_t *width, int64_t *height) {
    FILE *file = fopen(path, "rb");
    if (!file || fscanf(file, "P6 %" SCNd64 " %" SCNd64 " 255", width, height) != 2) exit(100);
    fgetc(file);
    size_t count = (size_t)*width * (size_t)*height * 3;
    uint8_t *rgb = malloc(count);
    if (!rgb || fread(rgb, 1, count, file) != count) exit(101);
    fclose(file);
    return rgb;
}

static void write_ppm(const char *path, const gpi_picture *picture) {
    int64_t width = gpi_picture_width(picture), height = gpi_picture_height(picture);
    FILE *file = fopen(path, "wb");
    if (!file) exit(102);
    fprintf(file, "P6 %" PRId64 " %" PRId64 " 255\n", width, height);
    fwrite(gpi_picture_rgb(picture), 1, (size_t)(width * height * 3), file);
    fclose(file);
}

int main(int count, char **arguments) {
    if (count < 4) return 103;
    gpi_extractor_options options = GPI_EXTRACTOR_OPTIONS_INIT;
    options.model_folder = arguments[1];
    options.device = "cpu";
    gpi_extractor *extractor;
    check(gpi_extractor_create(&options, &extractor));

    gpi_request request = GPI_REQUEST_INIT;
    uint8_t *rgb = read_ppm(arguments[2], &request.width, &request.height);
    request.rgb = rgb;
    if (count > 4) {
        request.has_seed = true;
        request.seed = strtoull(arguments[4], NULL, 10);
    }
    gpi_tensor *latents;
    check(gpi_extract(extractor, &request, &latents));
    free(rgb);
    check(gpi_tensor_save(latents, arguments[3]));

    if (gpi_tensor_dimensions(latents) != 4 || gpi_tensor_dtype(latents) != GPI_FLOAT32) return 104;
    const int64_t *shape = gpi_tensor_shape(latents);
    printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", shape[0], shape[1], shape[2],
           shape[3]);
    int64_t values = shape[0] * shape[1] * shape[2] * shape[3];
    // On the CPU, as asked for above.
    const float *data = gpi_tensor_data(latents);
    printf("%.9g %.9g\n", data[0], data[values - 1]);

    if (count > 5) {
        gpi_picture *picture;
        check(gpi_decode(extractor, latents, NULL, NULL, &picture));
        write_ppm(arguments[5], picture);
        gpi_picture_free(picture);
    }
    gpi_tensor_free(latents);
    gpi_extractor_free(extractor);
    return 0;
}
