#include "jpeg_reader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

struct gpi_jpeg_reader {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf on_failure;
    FILE *file;
    gpi_decode_status failure;
    char message[JMSG_LENGTH_MAX];
    JOCTET buffer[1 << 16];
};

// Errors

static void on_error(j_common_ptr decoder) {
    gpi_jpeg_reader *reader = decoder->client_data;
    if (reader->failure == GPI_DECODE_OK) {
        reader->failure = GPI_DECODE_FAILED;
        decoder->err->format_message(decoder, reader->message);
    }
    longjmp(reader->on_failure, 1);
}

/// A scan of a few bytes may pass over the whole picture, so their number decides how long a small
/// file takes. libjpeg-turbo's own programs stop at 500 where they are asked to be careful; encoders
/// write about ten.
enum { LARGEST_SCAN_COUNT = 500 };

static void on_progress(j_common_ptr decoder) {
    gpi_jpeg_reader *reader = decoder->client_data;
    if (reader->decoder.input_scan_number <= LARGEST_SCAN_COUNT) return;
    reader->failure = GPI_DECODE_FAILED;
    snprintf(
        reader->message, sizeof reader->message, "it has more than %d scans",
        LARGEST_SCAN_COUNT);
    longjmp(reader->on_failure, 1);
}

static void on_message(j_common_ptr decoder) { (void)decoder; }

/// What to answer when libjpeg suspends, which it does only where the file gives out.
static gpi_decode_status suspended(const gpi_jpeg_reader *reader) {
    return reader->failure == GPI_DECODE_OK ? GPI_DECODE_TRUNCATED : reader->failure;
}

// Source. libjpeg's own would make up an end-of-image marker where the file ends early;
// this one suspends instead, as Pillow's does, so that truncation can be told.

static void start_or_end_source(j_decompress_ptr decoder) { (void)decoder; }

static boolean fill_buffer(j_decompress_ptr decoder) {
    gpi_jpeg_reader *reader = decoder->client_data;
    size_t count = fread(reader->buffer, 1, sizeof reader->buffer, reader->file);
    if (count == 0) {
        if (ferror(reader->file)) {
            reader->failure = GPI_DECODE_UNREADABLE;
            snprintf(reader->message, sizeof reader->message, "%s", strerror(errno));
        }
        return FALSE;
    }
    reader->source.next_input_byte = reader->buffer;
    reader->source.bytes_in_buffer = count;
    return TRUE;
}

static void skip_bytes(j_decompress_ptr decoder, long count) {
    struct jpeg_source_mgr *source = decoder->src;
    if (count <= 0) return;
    size_t remaining = (size_t)count;
    while (remaining > source->bytes_in_buffer) {
        remaining -= source->bytes_in_buffer;
        source->bytes_in_buffer = 0;
        if (!fill_buffer(decoder)) return;
    }
    source->next_input_byte += remaining;
    source->bytes_in_buffer -= remaining;
}

// Decoding

gpi_jpeg_reader *gpi_jpeg_reader_create(FILE *file) {
    gpi_jpeg_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    reader->file = file;
    reader->decoder.err = jpeg_std_error(&reader->errors);
    reader->errors.error_exit = on_error;
    reader->errors.output_message = on_message;
    reader->decoder.client_data = reader;
    if (setjmp(reader->on_failure)) {
        gpi_jpeg_reader_destroy(reader);
        return NULL;
    }
    jpeg_create_decompress(&reader->decoder);
    reader->source.init_source = start_or_end_source;
    reader->source.fill_input_buffer = fill_buffer;
    reader->source.skip_input_data = skip_bytes;
    reader->source.resync_to_restart = jpeg_resync_to_restart;
    reader->source.term_source = start_or_end_source;
    reader->decoder.src = &reader->source;
    reader->progress.progress_monitor = on_progress;
    reader->decoder.progress = &reader->progress;
    return reader;
}

gpi_decode_status gpi_jpeg_reader_read_header(
    gpi_jpeg_reader *reader, gpi_jpeg_header *header) {
    struct jpeg_decompress_struct *decoder = &reader->decoder;
    if (setjmp(reader->on_failure)) return reader->failure;

    int found;
    do {
        found = jpeg_read_header(decoder, FALSE);
    } while (found == JPEG_HEADER_TABLES_ONLY);
    if (found == JPEG_SUSPENDED) return suspended(reader);

    if (decoder->num_components != 1 && decoder->num_components != 3 &&
        decoder->num_components != 4) {
        snprintf(
            reader->message, sizeof reader->message,
            "pictures of %d components are not supported", decoder->num_components);
        return GPI_DECODE_FAILED;
    }
    header->width = decoder->image_width;
    header->height = decoder->image_height;
    header->is_cmyk = decoder->num_components == 4;
    decoder->out_color_space = header->is_cmyk ? JCS_CMYK : JCS_RGB;
    return GPI_DECODE_OK;
}

gpi_decode_status gpi_jpeg_reader_read_rows(
    gpi_jpeg_reader *reader, uint8_t *rows, size_t row_bytes) {
    struct jpeg_decompress_struct *decoder = &reader->decoder;
    if (setjmp(reader->on_failure)) return reader->failure;

    if (!jpeg_start_decompress(decoder)) return suspended(reader);
    if ((size_t)decoder->output_width * decoder->output_components != row_bytes) {
        snprintf(
            reader->message, sizeof reader->message, "rows are not of the expected length");
        return GPI_DECODE_FAILED;
    }
    while (decoder->output_scanline < decoder->output_height) {
        JSAMPROW row = rows + decoder->output_scanline * row_bytes;
        if (jpeg_read_scanlines(decoder, &row, 1) != 1) return suspended(reader);
    }
    // Errors on the way to the end-of-image marker count; its absence does not, since
    // every row is there.
    jpeg_finish_decompress(decoder);
    return GPI_DECODE_OK;
}

const char *gpi_jpeg_reader_message(const gpi_jpeg_reader *reader) {
    return reader->message;
}

void gpi_jpeg_reader_destroy(gpi_jpeg_reader *reader) {
    if (reader == NULL) return;
    jpeg_destroy_decompress(&reader->decoder);
    free(reader);
}
