#include "turn.h"

int open_turn(Turn *turn) {
    turn->owner = 0;
    turn->lock = PyThread_allocate_lock();
    if (turn->lock != NULL) return 0;
    PyErr_NoMemory();
    return -1;
}

void close_turn(Turn *turn) {
    if (turn->lock != NULL) PyThread_free_lock(turn->lock);
    turn->lock = NULL;
}

int take_turn(Turn *turn, const char *what) {
    if (turn->owner == PyThread_get_thread_ident()) {
        if (turn->lent > 0) {
            turn->borrowed++;
            return 0;
        }
        PyErr_Format(PyExc_RuntimeError,
                     "%s is at work further up in this thread; it cannot be used by a signal handler "
                     "or a warning's handler.",
                     what);
        return -1;
    }
    const PY_TIMEOUT_T tenth_of_a_second = 100000;
    PyLockStatus status = PyThread_acquire_lock_timed(turn->lock, 0, 0);
    while (status != PY_LOCK_ACQUIRED) {
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(turn->lock, tenth_of_a_second, 1);
        Py_END_ALLOW_THREADS
        if (status != PY_LOCK_ACQUIRED && PyErr_CheckSignals() < 0) return -1;
    }
    turn->owner = PyThread_get_thread_ident();
    return 0;
}

void give_turn_back(Turn *turn) {
    if (turn->borrowed > 0) {
        turn->borrowed--;
        return;
    }
    turn->owner = 0;
    PyThread_release_lock(turn->lock);
}

void lend_turn(Turn *turn) { turn->lent++; }

void end_lending(Turn *turn) { turn->lent--; }
