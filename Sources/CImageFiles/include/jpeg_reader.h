#ifndef GPI_JPEG_READER_H
#define GPI_JPEG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "decode_status.h"

/// Reads one JPEG picture with libjpeg. Every function that can fail catches its own
/// longjmp, so callers never see one.
typedef struct gpi_jpeg_reader gpi_jpeg_reader;

/// What the header of a JPEG file says, and how its rows will come out.
typedef struct gpi_jpeg_header {
    uint32_t width;
    uint32_t height;
    /// True for four components, whose rows are 4 bytes a pixel as they are stored: cyan,
    /// magenta, yellow, black. The rows of every other kind are 3 bytes a pixel: red,
    /// green, blue.
    bool is_cmyk;
} gpi_jpeg_header;

/// A reader of `file`, which stays the caller's to close and must outlive the reader.
/// NULL where memory runs out.
gpi_jpeg_reader *gpi_jpeg_reader_create(FILE *file);

/// Reads up to the first scan. Allocates nothing of the picture's size.
gpi_decode_status gpi_jpeg_reader_read_header(
    gpi_jpeg_reader *reader, gpi_jpeg_header *header);

/// Decodes every row into `rows`, which holds `height` rows of `row_bytes` bytes. Call
/// once, after the header has been read.
gpi_decode_status gpi_jpeg_reader_read_rows(
    gpi_jpeg_reader *reader, uint8_t *rows, size_t row_bytes);

/// Why the last call failed; valid until the reader is destroyed.
const char *gpi_jpeg_reader_message(const gpi_jpeg_reader *reader);

void gpi_jpeg_reader_destroy(gpi_jpeg_reader *reader);

#endif
