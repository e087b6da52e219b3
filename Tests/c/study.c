/// A study of PPM files: study MODEL FOLDER OUTPUT WIDTH HEIGHT
#include "gpi_studies.h"

#include <stdio.h>
#include <stdlib.h>

/// Takes "P6 WIDTH HEIGHT 255" and the pixels. A decoder that people use would resize them here.
static const char *decode(void *context, const char *path, const uint8_t *bytes, size_t count,
                          gpi_picture **picture) {
    static char error[1024];
    (void)context;
    int width, height, start = 0;
    char header[64];
    snprintf(header, sizeof header, "%.*s", (int)(count < 63 ? count : 63), (const char *)bytes);
    if (sscanf(header, "P6 %d %d 255%n", &width, &height, &start) != 2 || start == 0
        || count != (size_t)start + 1 + (size_t)width * (size_t)height * 3) {
        snprintf(error, sizeof error, "%s: this is no PPM file.", path);
        return error;
    }
    if (gpi_picture_create(bytes + start + 1, width, height, picture) == GPI_OK) return NULL;
    return gpi_last_error();
}

static void show(void *context, const gpi_study_progress *progress) {
    (void)context;
    fprintf(stderr, "%s\n", progress->text);
}

static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, gpi_last_error());
    return 1;
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    gpi_study_options options = GPI_STUDY_OPTIONS_INIT;
    options.model_folder = arguments[1];
    options.output_folder = arguments[3];
    options.width = atoi(arguments[4]);
    options.height = atoi(arguments[5]);
    options.device = "cpu";
    options.decode = decode;
    const char *versions[] = {"study.c", "1"};
    options.versions = versions;
    options.version_count = 1;
    gpi_study *study;
    if (gpi_study_create(&options, &study) != GPI_OK) return failed("create");

    gpi_pictures *pictures;
    const char *suffixes[] = {".ppm"};
    if (gpi_pictures_under(arguments[2], suffixes, 1, &pictures) != GPI_OK) return failed("list");
    const uint64_t seed = 42;
    if (gpi_pictures_set_seeds(pictures, &seed, 1) != GPI_OK) return failed("seeds");

    gpi_study_request request = GPI_STUDY_REQUEST_INIT;
    request.pictures = pictures;
    request.stacks = true;
    request.progress = show;
    gpi_study_summary *summary;
    if (gpi_study_run(study, &request, &summary) != GPI_OK) return failed("run");
    gpi_study_progress progress = gpi_study_summary_progress(summary);
    printf("%lld %lld %lld %lld\n", (long long)progress.total, (long long)progress.extracted,
           (long long)progress.reused, (long long)progress.failed);
    const char *name, *path, *reason;
    for (int64_t i = 0; gpi_study_summary_failure(summary, i, &name, &path, &reason); i++)
        printf("%s: %s\n", name, reason);
    for (int64_t i = 0; gpi_study_summary_row(summary, i) != NULL; i++)
        printf("%s\n", gpi_study_summary_row(summary, i));
    printf("%s\n", gpi_study_summary_stacked(summary));
    gpi_study_summary_free(summary);
    gpi_pictures_free(pictures);
    gpi_study_free(study);
    return 0;
}
