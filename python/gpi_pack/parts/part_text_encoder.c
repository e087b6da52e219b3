/// `CLIPTextModel`: token ids to hidden states.

#include "dlpack.h"
#include "output.h"
#include "part.h"
#include "values.h"

// MARK: - Token ids

typedef struct TokenIDs {
    int64_t *start;
    Py_ssize_t rows, length;
} TokenIDs;

/// A list of lists of int, from a tensor or a list. A new reference.
static PyObject *rows_of(PyObject *value) {
    if (PyObject_HasAttrString(value, "tolist")) return PyObject_CallMethod(value, "tolist", NULL);
    if (PyList_Check(value)) return Py_NewRef(value);
    raise_wrong_type_of("input_ids", "a tensor [N, tokens] of int", value);
    return NULL;
}

static int read_row(PyObject *row, int64_t *ids, Py_ssize_t length) {
    for (Py_ssize_t i = 0; i < length; i++) {
        PyObject *item = PyList_GetItem(row, i);
        if (!PyLong_Check(item)) return -1;
        ids[i] = PyLong_AsLongLong(item);
        if (ids[i] == -1 && PyErr_Occurred()) return -1;
    }
    return 0;
}

static int read_rows(PyObject *rows, TokenIDs *ids) {
    if (!PyList_Check(rows) || PyList_Size(rows) == 0) return -1;
    ids->rows = PyList_Size(rows);
    for (Py_ssize_t i = 0; i < ids->rows; i++) {
        PyObject *row = PyList_GetItem(rows, i);
        if (!PyList_Check(row) || PyList_Size(row) == 0) return -1;
        if (i == 0) {
            ids->length = PyList_Size(row);
            ids->start = PyMem_Calloc((size_t)(ids->rows * ids->length), sizeof *ids->start);
            if (ids->start == NULL) {
                PyErr_NoMemory();
                return -1;
            }
        }
        if (PyList_Size(row) != ids->length) return -1;
        if (read_row(row, ids->start + i * ids->length, ids->length) < 0) return -1;
    }
    return 0;
}

/// 0, or -1 with an exception; the ids are the caller's to free in either case.
static int parse_ids(PyObject *value, TokenIDs *ids) {
    *ids = (TokenIDs){0};
    PyObject *rows = rows_of(value);
    if (rows == NULL) return -1;
    int result = read_rows(rows, ids);
    Py_DECREF(rows);
    if (result < 0 && !PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "input_ids must be a tensor [N, tokens] of int, not %R.",
                     value);
    return result;
}

/// Stable Diffusion lets texts see their padding.
static int check_mask(PyObject *mask) {
    if (!is_given(mask)) return 0;
    PyObject *all = PyObject_CallMethod(mask, "all", NULL);
    int plain = all == NULL ? -1 : PyObject_IsTrue(all);
    Py_XDECREF(all);
    if (plain == 0)
        PyErr_SetString(PyExc_ValueError,
                        "attention_mask: masks are not supported; pass None, as Stable Diffusion "
                        "does.");
    return plain > 0 ? 0 : -1;
}

// MARK: - Calling

static int encode(Model *model, const TokenIDs *ids, gpi_tensor **hidden) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status =
        gpi_model_encode_tokens(model->core, ids->start, ids->rows, ids->length, is_interrupted,
                                &model->waiting, hidden);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

static PyObject *call(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {"input_ids", "attention_mask", "return_dict", NULL};
    static const char *const fields[] = {"last_hidden_state"};
    PyObject *value;
    PyObject *mask = NULL;
    int return_dict = 1;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|O$p:CLIPTextModel", (char **)names,
                                     &value, &mask, &return_dict))
        return NULL;
    if (check_mask(mask) < 0) return NULL;
    TokenIDs ids;
    gpi_tensor *hidden = NULL;
    int result = parse_ids(value, &ids);
    if (result == 0) {
        Model *model = retain_model(((PartObject *)object)->model);
        result = encode(model, &ids, &hidden);
        release_model(model);
    }
    PyMem_Free(ids.start);
    if (result < 0) {
        gpi_tensor_free(hidden);
        return NULL;
    }
    PyObject *states = torch_tensor(hidden);
    PyObject *output = output_or_tuple(return_dict, fields, &states, 1);
    Py_XDECREF(states);
    return output;
}

// MARK: - The type

PyDoc_STRVAR(from_pretrained_doc,
             "from_pretrained($type, pretrained_model_name_or_path, *, subfolder=None,\n"
             "                torch_dtype=None, cache_dir=None, device='cpu', precision='default',\n"
             "                **options)\n"
             "--\n"
             "\n"
             "The text encoder of a folder or of a model on the Hugging Face Hub, in `subfolder` of\n"
             "it. Options about the way of loading (use_safetensors, variant, …) have no effect.");

static PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    return part_from_pretrained(type, positional, keywords, GPI_TEXT_ENCODER);
}

static PyMethodDef methods[] = {
    {"from_pretrained", (PyCFunction)(void *)from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, from_pretrained_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc,
             "The text encoder of a Stable Diffusion model.\n"
             "\n"
             "    text_encoder(input_ids).last_hidden_state\n"
             "\n"
             "are the hidden states of token ids [N, tokens]: a tensor [N, tokens, size], also as\n"
             "text_encoder(input_ids)[0].");

int add_text_encoder_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},
        {Py_tp_call, (void *)call},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    return add_kind_of_part(module, "gpi_pack.diffusion.CLIPTextModel", slots);
}
