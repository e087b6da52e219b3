/// A call of Linux that Swift's module of glibc lacks.
#ifndef CFILES_EXCHANGE_H
#define CFILES_EXCHANGE_H

/// Gives each of two files or folders the name of the other, in one step. Returns 0, or -1 with
/// `errno` set: to EINVAL, ENOSYS or ENOTSUP where the file system cannot.
int gpi_exchange(const char *_Nonnull first, const char *_Nonnull second);

#endif
