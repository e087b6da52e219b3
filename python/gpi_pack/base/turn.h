/// One thread at a time for an object of the core that Python threads share.
#ifndef GPI_TURN_H
#define GPI_TURN_H

#include "limited_python.h"

typedef struct Turn {
    /// Held for each call into the core, which one thread at a time may make.
    PyThread_type_lock lock;
    /// The thread that holds it; 0 if none does. Read and written under the interpreter's lock.
    unsigned long owner;
    /// How many callbacks of the owner's calls may use the object at this moment, and how often they do.
    int lent, borrowed;
} Turn;

/// For the object's making. 0, or -1 with an exception; `close_turn` may follow in either case.
int open_turn(Turn *turn);

/// For the object's end, when nobody can hold it any more.
void close_turn(Turn *turn);

/// Waits until no other thread holds it, and takes it for this one. 0, or -1 with an exception: the
/// wait was interrupted, or this thread holds it already (a signal handler, a filter of warnings or
/// a callback came back). `what` begins that text: "This extractor".
int take_turn(Turn *turn, const char *what);

void give_turn_back(Turn *turn);

/// Between these the thread that holds it may take it again: its call into the core waits for a callback
/// at a point where the object is whole.
void lend_turn(Turn *turn);
void end_lending(Turn *turn);

#endif
