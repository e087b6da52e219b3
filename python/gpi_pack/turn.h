/// One thread at a time: whose turn it is with an object of the core.
#ifndef GPI_TURN_H
#define GPI_TURN_H

#include "limited_python.h"

typedef struct Turn {
    PyThread_type_lock lock;
    /// The thread whose turn it is; 0 if it is no one's. Everything here but the lock is read and written
    /// under the interpreter's lock.
    unsigned long owner;
    /// How many callbacks of the owner's call are running that may use the object, and how often they do
    /// at this moment.
    int lent, borrowed;
} Turn;

/// 0, or -1 with a MemoryError.
int make_turn(Turn *turn);

/// Does nothing for one that was not made.
void free_turn(Turn *turn);

/// Waits until it is no other thread's turn, and takes it. 0, or -1 with an exception: the wait was
/// interrupted, or it is this thread's turn already (a signal handler or a filter of warnings called
/// back) and it is not lent. `what` is how the error calls the object.
int take_turn(Turn *turn, const char *what);

void give_turn_back(Turn *turn);

/// Between these the thread whose turn it is may take it again: its call into the core waits for a
/// callback at a point where the object is whole.
void lend_turn(Turn *turn);
void end_lending(Turn *turn);

#endif
