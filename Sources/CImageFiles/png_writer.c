#include "png_writer.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct gpi_png_writer {
    png_structp png;
    png_infop info;
    FILE *file;
    char message[256];
};

static void on_error(png_structp png, png_const_charp message) {
    gpi_png_writer *writer = png_get_error_ptr(png);
    snprintf(writer->message, sizeof writer->message, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    gpi_png_writer *writer = png_get_io_ptr(png);
    if (fwrite(bytes, 1, count, writer->file) != count) png_error(png, strerror(errno));
}

static void flush(png_structp png) {
    gpi_png_writer *writer = png_get_io_ptr(png);
    if (fflush(writer->file) != 0) png_error(png, strerror(errno));
}

gpi_png_writer *gpi_png_writer_create(FILE *file) {
    gpi_png_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) return NULL;
    writer->file = file;
    writer->png = png_create_write_struct(
        PNG_LIBPNG_VER_STRING, writer, on_error, on_warning);
    if (writer->png != NULL) writer->info = png_create_info_struct(writer->png);
    if (writer->info == NULL) {
        gpi_png_writer_destroy(writer);
        return NULL;
    }
    return writer;
}

bool gpi_png_writer_add_text(
    gpi_png_writer *writer, const char *key, const char *value, bool is_utf8) {
    if (setjmp(png_jmpbuf(writer->png))) return false;

    // libpng copies both strings, and writes to neither.
    png_text text = {
        .compression = is_utf8 ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE,
        .key = (char *)key,
        .text = (char *)value,
    };
    png_set_text(writer->png, writer->info, &text, 1);
    return true;
}

bool gpi_png_writer_write(
    gpi_png_writer *writer, const uint8_t *rows, uint32_t width, uint32_t height) {
    png_structp png = writer->png;
    if (setjmp(png_jmpbuf(png))) return false;

    png_set_write_fn(png, writer, write_bytes, flush);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_IHDR(
        png, writer->info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, writer->info);
    for (size_t row = 0; row < height; row++) {
        png_write_row(png, rows + row * width * 3);
    }
    png_write_end(png, NULL);
    return true;
}

const char *gpi_png_writer_message(const gpi_png_writer *writer) {
    return writer->message;
}

void gpi_png_writer_destroy(gpi_png_writer *writer) {
    if (writer == NULL) return;
    png_destroy_write_struct(&writer->png, &writer->info);
    free(writer);
}
