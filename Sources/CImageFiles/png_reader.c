#include "png_reader.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct gpi_png_reader {
    png_structp png;
    png_infop info;
    FILE *file;
    uint32_t height;
    bool is_grey16;
    gpi_decode_status failure;
    char message[256];
};

static void set_message(gpi_png_reader *reader, const char *message) {
    snprintf(reader->message, sizeof reader->message, "%s", message);
}

static void on_error(png_structp png, png_const_charp message) {
    gpi_png_reader *reader = png_get_error_ptr(png);
    // A failed read has already said more than libpng knows.
    if (reader->failure == GPI_DECODE_OK) {
        reader->failure = GPI_DECODE_FAILED;
        set_message(reader, message);
    }
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
    gpi_png_reader *reader = png_get_io_ptr(png);
    if (fread(bytes, 1, count, reader->file) == count) return;
    if (ferror(reader->file)) {
        reader->failure = GPI_DECODE_UNREADABLE;
        set_message(reader, strerror(errno));
    } else {
        reader->failure = GPI_DECODE_TRUNCATED;
    }
    png_error(png, "read error");
}

gpi_png_reader *gpi_png_reader_create(FILE *file) {
    gpi_png_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    reader->file = file;
    reader->png = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, reader, on_error, on_warning);
    if (reader->png != NULL) reader->info = png_create_info_struct(reader->png);
    if (reader->info == NULL) {
        gpi_png_reader_destroy(reader);
        return NULL;
    }
    return reader;
}

/// Lifts libpng's own limits and skips what does not bear on the samples.
static void configure(gpi_png_reader *reader) {
    png_structp png = reader->png;
    png_set_read_fn(png, reader, read_bytes);
    // The caller judges the size; a chunk that is skipped may be of any length.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png, 0);
    // Gamma, profiles, text: checked for damage, otherwise ignored.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
}

/// Has libpng turn everything but 16-bit grey into 8-bit RGB.
static void request_rgb(gpi_png_reader *reader) {
    png_structp png = reader->png;
    png_set_expand(png);
    png_set_strip_alpha(png);
    if (reader->is_grey16) return;
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
}

/// Has libpng give everything but 16-bit grey a byte a sample.
static void request_stored(gpi_png_reader *reader) {
    png_structp png = reader->png;
    png_set_packing(png);
    // Of a palette it would make colours.
    if (png_get_color_type(png, reader->info) == PNG_COLOR_TYPE_GRAY) {
        png_set_expand_gray_1_2_4_to_8(png);
    }
    if (!reader->is_grey16) png_set_strip_16(png);
}

static void copy_palette(gpi_png_reader *reader, gpi_png_header *header) {
    png_colorp colors = NULL;
    int count = 0;
    memset(header->palette, 0, sizeof header->palette);
    png_get_PLTE(reader->png, reader->info, &colors, &count);
    for (int index = 0; index < count && index < 256; index++) {
        header->palette[3 * index] = colors[index].red;
        header->palette[3 * index + 1] = colors[index].green;
        header->palette[3 * index + 2] = colors[index].blue;
    }
}

gpi_decode_status gpi_png_reader_read_header(
    gpi_png_reader *reader, gpi_png_header *header) {
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png))) return reader->failure;

    configure(reader);
    png_read_info(png, reader->info);
    header->width = png_get_image_width(png, reader->info);
    header->height = png_get_image_height(png, reader->info);
    header->color_type = png_get_color_type(png, reader->info);
    png_byte depth = png_get_bit_depth(png, reader->info);
    header->is_grey16 = header->color_type == GPI_PNG_GREY && depth == 16;
    header->is_bilevel = header->color_type == GPI_PNG_GREY && depth == 1;
    header->stored_row_bytes = png_get_rowbytes(png, reader->info);
    copy_palette(reader, header);
    reader->height = header->height;
    reader->is_grey16 = header->is_grey16;
    return GPI_DECODE_OK;
}

gpi_decode_status gpi_png_reader_read_rows(
    gpi_png_reader *reader, gpi_png_layout layout, uint8_t *rows, size_t row_bytes) {
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png))) return reader->failure;

    if (layout == GPI_PNG_AS_RGB) {
        request_rgb(reader);
    } else {
        request_stored(reader);
    }
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    if (png_get_rowbytes(png, reader->info) != row_bytes) {
        png_error(png, "rows are not of the expected length");
    }
    for (int pass = 0; pass < passes; pass++) {
        for (size_t row = 0; row < reader->height; row++) {
            png_read_row(png, rows + row * row_bytes, NULL);
        }
    }
    return GPI_DECODE_OK;
}

const char *gpi_png_reader_message(const gpi_png_reader *reader) {
    return reader->message;
}

void gpi_png_reader_destroy(gpi_png_reader *reader) {
    if (reader == NULL) return;
    png_destroy_read_struct(&reader->png, &reader->info, NULL);
    free(reader);
}
