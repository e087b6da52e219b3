/// Opening the libtorch of the Python in use.
#ifndef GPI_LIBTORCH_H
#define GPI_LIBTORCH_H

/// Opens libtorch for the process; quick if it is open. torch itself is imported only if its
/// libraries do not open without. 0, or -1 with an exception (ImportError if there is none).
int open_libtorch(void);

#endif
