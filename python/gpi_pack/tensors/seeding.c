#include "seeding.h"

#include "noise.h"
#include "values.h"

PyObject *generator_argument(PyObject *generator, PyObject *seed) {
    if (is_given(generator) && is_given(seed)) {
        PyErr_SetString(PyExc_ValueError,
                        "seed and generator were both given; pass one of them.");
        return NULL;
    }
    if (!is_given(seed)) {
        if (check_generator("generator", generator) < 0) return NULL;
        return Py_NewRef(is_given(generator) ? generator : Py_None);
    }
    uint64_t number;
    if (seed_argument(seed, &number) < 0) return NULL;
    PyObject *type = imported("torch", "Generator");
    PyObject *made = type == NULL ? NULL : PyObject_CallNoArgs(type);
    // What torch takes: numbers above 2**63 are negative ones.
    PyObject *seeded =
        made == NULL ? NULL : PyObject_CallMethod(made, "manual_seed", "L", (long long)number);
    Py_XDECREF(type);
    Py_XDECREF(made);
    return seeded;
}
