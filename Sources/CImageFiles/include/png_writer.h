#ifndef GPI_PNG_WRITER_H
#define GPI_PNG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Writes one PNG picture with libpng. Every function that can fail catches libpng's
/// longjmp itself, so callers never see one.
typedef struct gpi_png_writer gpi_png_writer;

/// A writer to `file`, which stays the caller's to close and must outlive the writer.
/// NULL where memory runs out.
gpi_png_writer *gpi_png_writer_create(FILE *file);

/// Adds a text chunk, uncompressed: `tEXt` where the value is Latin-1, `iTXt` where it
/// is UTF-8. The key is Latin-1, and 1 to 79 bytes long. Call before writing the picture.
bool gpi_png_writer_add_text(
    gpi_png_writer *writer, const char *key, const char *value, bool is_utf8);

/// Writes a whole file: header, text, and `height` rows of `3 * width` bytes.
bool gpi_png_writer_write(
    gpi_png_writer *writer, const uint8_t *rows, uint32_t width, uint32_t height);

/// Why the last call failed; valid until the writer is destroyed.
const char *gpi_png_writer_message(const gpi_png_writer *writer);

void gpi_png_writer_destroy(gpi_png_writer *writer);

#endif
