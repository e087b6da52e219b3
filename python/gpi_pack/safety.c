#include "safety.h"

int check_safety(Model *model, gpi_tensor **pixels, PyObject **flags) {
    (void)model;
    (void)pixels;
    *flags = Py_NewRef(Py_None);
    return 0;
}
