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

/// What a pixel of a PNG file is made of; the numbers are the specification's.
typedef enum gpi_png_color_type {
    GPI_PNG_GREY = 0,
    GPI_PNG_RGB = 2,
    GPI_PNG_PALETTE = 3,
    GPI_PNG_GREY_ALPHA = 4,
    GPI_PNG_RGB_ALPHA = 6,
} gpi_png_color_type;

/// What the header of a PNG file says.
typedef struct gpi_png_header {
    uint32_t width;
    uint32_t height;
    /// The length of a row as the file stores it, before compression, without its filter byte.
    size_t stored_row_bytes;
    gpi_png_color_type color_type;
    /// True for 16-bit grey without alpha, the only kind that rows keep 16 bits of.
    bool is_grey16;
    /// True for samples of one bit that are no indices of a palette.
    bool is_bilevel;
    /// Red, green and blue of each colour of a palette; black beyond its end.
    uint8_t palette[256 * 3];
} gpi_png_header;

/// How rows come out. Those of 16-bit grey are 2 bytes a pixel either way, most significant first;
/// of every other 16-bit sample, the less significant byte is dropped.
typedef enum gpi_png_layout {
    /// 3 bytes a pixel: red, green, blue. Alpha and tRNS are dropped.
    GPI_PNG_AS_RGB,
    /// A byte for each sample of the colour type, where grey of fewer bits is scaled to 8, and the
    /// sample of a palette is its index. tRNS is ignored.
    GPI_PNG_AS_STORED,
} gpi_png_layout;

/// A reader of `file`, which stays the caller's to close and must outlive the reader.
/// NULL where memory runs out.
gpi_png_reader *gpi_png_reader_create(FILE *file);

/// Reads up to the first byte of the picture. Allocates nothing of the picture's size.
gpi_decode_status gpi_png_reader_read_header(
    gpi_png_reader *reader, gpi_png_header *header);

/// Decodes every row into `rows`, which holds `height` rows of `row_bytes` bytes, as `layout`
/// says. Call once, after the header has been read.
gpi_decode_status gpi_png_reader_read_rows(
    gpi_png_reader *reader, gpi_png_layout layout, uint8_t *rows, size_t row_bytes);

/// Why the last call failed; valid until the reader is destroyed.
const char *gpi_png_reader_message(const gpi_png_reader *reader);

void gpi_png_reader_destroy(gpi_png_reader *reader);

#endif
