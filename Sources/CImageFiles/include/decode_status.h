#ifndef GPI_DECODE_STATUS_H
#define GPI_DECODE_STATUS_H

/// How a step of decoding a picture ended.
typedef enum gpi_decode_status {
    /// The step did what it was asked.
    GPI_DECODE_OK,
    /// The file ended before the picture did.
    GPI_DECODE_TRUNCATED,
    /// The library cannot make sense of the file; its message says why.
    GPI_DECODE_FAILED,
    /// The file could not be read; the message says why.
    GPI_DECODE_UNREADABLE,
} gpi_decode_status;

#endif
