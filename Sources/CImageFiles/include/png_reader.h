#ifndef GPI_PNG_READER_H
#define GPI_PNG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "decode_status.h"

/// Reads one PNG picture with libpng. Every function that can fail catches libpng's
/// longjmp itself, so callers never see one.
typedef struct gpi_png_reader gpi_png_reader;

/// What the header of a PNG file says, and how its rows will come out.
typedef struct gpi_png_header {
    uint32_t width;
    uint32_t height;
    /// The length of a row as the file stores it, before compression, without its filter byte.
    size_t stored_row_bytes;
    /// True for 16-bit grey, whose rows are 2 bytes a pixel, most significant first.
    /// The rows of every other kind are 3 bytes a pixel: red, green, blue.
    bool is_grey16;
} gpi_png_header;

/// A reader of `file`, which stays the caller's to close and must outlive the reader.
/// NULL where memory runs out.
gpi_png_reader *gpi_png_reader_create(FILE *file);

/// Reads up to the first byte of the picture. Allocates nothing of the picture's size.
gpi_decode_status gpi_png_reader_read_header(
    gpi_png_reader *reader, gpi_png_header *header);

/// Decodes every row into `rows`, which holds `height` rows of `row_bytes` bytes. Call
/// once, after the header has been read.
gpi_decode_status gpi_png_reader_read_rows(
    gpi_png_reader *reader, uint8_t *rows, size_t row_bytes);

/// Why the last call failed; valid until the reader is destroyed.
const char *gpi_png_reader_message(const gpi_png_reader *reader);

void gpi_png_reader_destroy(gpi_png_reader *reader);

#endif
