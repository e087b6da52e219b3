/// `CLIPTokenizer`: texts to token ids.

#include "output.h"
#include "part.h"
#include "texts.h"
#include "values.h"

typedef enum Padding { NOT_PADDED, TO_LONGEST, TO_LENGTH } Padding;

typedef struct Tokenizing {
    Padding padding;
    /// In tokens; 0 for the model's own, which is 0 where it sets none.
    int64_t max_length;
    int truncates;
} Tokenizing;

// MARK: - Arguments

static int padding_argument(PyObject *value, Padding *padding) {
    *padding = NOT_PADDED;
    if (!is_given(value) || value == Py_False) return 0;
    if (value == Py_True) {
        *padding = TO_LONGEST;
        return 0;
    }
    static const char *const names[] = {"do_not_pad", "longest", "max_length"};
    for (int i = 0; i < 3; i++) {
        if (!PyUnicode_Check(value) || PyUnicode_CompareWithASCIIString(value, names[i]) != 0)
            continue;
        *padding = (Padding)i;
        return 0;
    }
    PyErr_Format(PyExc_ValueError,
                 "padding must be True, False, 'longest' or 'max_length', not %R.", value);
    return -1;
}

static int truncation_argument(PyObject *value, int *truncates) {
    *truncates = 0;
    if (!is_given(value) || value == Py_False) return 0;
    *truncates = value == Py_True
        || (PyUnicode_Check(value)
            && PyUnicode_CompareWithASCIIString(value, "longest_first") == 0);
    if (*truncates
        || (PyUnicode_Check(value)
            && PyUnicode_CompareWithASCIIString(value, "do_not_truncate") == 0))
        return 0;
    PyErr_Format(PyExc_ValueError, "truncation must be True or False, not %R.", value);
    return -1;
}

/// Whether tensors are asked for; -1 with an exception.
static int return_tensors_argument(PyObject *value) {
    if (!is_given(value)) return 0;
    if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "pt") == 0) return 1;
    PyErr_Format(PyExc_ValueError, "return_tensors must be None or 'pt', not %R.", value);
    return -1;
}

// MARK: - One text

/// The ids of a text in `length` tokens, or in as many as it takes for 0. The caller frees them.
static int tokenize(Model *model, const char *text, int64_t length, gpi_tokens **tokens) {
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_tokenize(model->core, text, length, tokens);
    end_waiting(&model->waiting);
    return settle_model(model, status, NULL);
}

/// How many tokens a text has, cut to `limit` unless that is 0; -1 with an exception.
static int64_t token_count(Model *model, const char *text, int64_t limit) {
    gpi_tokens *tokens = NULL;
    int64_t count = -1;
    if (tokenize(model, text, 0, &tokens) == 0) (void)gpi_tokens_ids(tokens, &count);
    gpi_tokens_free(tokens);
    return limit > 0 && count > limit ? limit : count;
}

/// The ids of one text in `length` tokens, and which of them are its `own`. New lists.
static int row(Model *model, const char *text, int64_t own, int64_t length, PyObject **ids,
               PyObject **mask) {
    gpi_tokens *tokens = NULL;
    int64_t count = 0;
    *ids = *mask = NULL;
    int result = tokenize(model, text, length, &tokens);
    const int64_t *numbers = result == 0 ? gpi_tokens_ids(tokens, &count) : NULL;
    if (result == 0) {
        *ids = PyList_New((Py_ssize_t)count);
        *mask = PyList_New((Py_ssize_t)count);
        if (*ids == NULL || *mask == NULL) result = -1;
    }
    for (int64_t i = 0; i < count && result == 0; i++) {
        PyObject *number = PyLong_FromLongLong(numbers[i]);
        PyObject *is_own = PyLong_FromLong(i < own);
        if (number == NULL || is_own == NULL) result = -1;
        // Both take their object over; a list is freed with places that are empty.
        if (PyList_SetItem(*ids, (Py_ssize_t)i, number) < 0) result = -1;
        if (PyList_SetItem(*mask, (Py_ssize_t)i, is_own) < 0) result = -1;
    }
    gpi_tokens_free(tokens);
    return result;
}

// MARK: - All of them

/// The length of each row: its own count, or what it is padded to.
static int64_t row_length(const Tokenizing *how, const int64_t *counts, int64_t total, int64_t i) {
    int64_t length = counts[i];
    if (how->padding == TO_LENGTH && how->max_length > length) length = how->max_length;
    for (int64_t other = 0; how->padding == TO_LONGEST && other < total; other++)
        if (counts[other] > length) length = counts[other];
    return length;
}

static int tokenize_all(Model *model, const Texts *texts, Tokenizing *how, PyObject *ids,
                        PyObject *masks) {
    int64_t own_length = 0;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_max_length(model->core, &own_length);
    end_waiting(&model->waiting);
    if (settle_model(model, status, NULL) < 0) return -1;
    if (how->max_length == 0) how->max_length = own_length;
    int64_t *counts = PyMem_Calloc((size_t)texts->count, sizeof *counts);
    if (counts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    int result = 0;
    for (int64_t i = 0; i < texts->count && result == 0; i++) {
        counts[i] = token_count(model, texts->start[i], how->truncates ? how->max_length : 0);
        if (counts[i] < 0) result = -1;
    }
    for (int64_t i = 0; i < texts->count && result == 0; i++) {
        PyObject *numbers, *mask;
        result = row(model, texts->start[i], counts[i], row_length(how, counts, texts->count, i),
                     &numbers, &mask);
        if (result == 0) result = PyList_Append(ids, numbers);
        if (result == 0) result = PyList_Append(masks, mask);
        Py_XDECREF(numbers);
        Py_XDECREF(mask);
    }
    PyMem_Free(counts);
    return result;
}

/// A list of rows as it is asked for. Takes it over.
static PyObject *presented(PyObject *rows, int as_tensor, int single) {
    if (rows == NULL) return NULL;
    PyObject *result = NULL;
    if (as_tensor) {
        PyObject *make = imported("torch", "tensor");
        if (make != NULL) result = PyObject_CallFunctionObjArgs(make, rows, NULL);
        Py_XDECREF(make);
        if (result == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError,
                            "return_tensors: the texts have different lengths; pass padding=True or "
                            "padding='max_length', and truncation=True.");
        }
    } else {
        result = Py_NewRef(single ? PyList_GetItem(rows, 0) : rows);
    }
    Py_DECREF(rows);
    return result;
}

static PyObject *call(PyObject *object, PyObject *positional, PyObject *keywords) {
    static const char *const names[] = {
        "text", "padding", "max_length", "truncation", "return_tensors", NULL,
    };
    static const char *const fields[] = {"input_ids", "attention_mask"};
    PyObject *value;
    PyObject *padding = NULL, *max_length = NULL, *truncation = NULL, *return_tensors = NULL;
    if (!PyArg_ParseTupleAndKeywords(positional, keywords, "O|$OOOO:CLIPTokenizer", (char **)names,
                                     &value, &padding, &max_length, &truncation, &return_tensors))
        return NULL;
    Tokenizing how = {0};
    if (padding_argument(padding, &how.padding) < 0) return NULL;
    if (truncation_argument(truncation, &how.truncates) < 0) return NULL;
    if (is_given(max_length) && count_argument("max_length", max_length, &how.max_length) < 0)
        return NULL;
    int as_tensor = return_tensors_argument(return_tensors);
    if (as_tensor < 0) return NULL;
    Texts texts;
    PyObject *ids = PyList_New(0);
    PyObject *masks = PyList_New(0);
    int result = parse_texts("text", value, &texts);
    if (ids == NULL || masks == NULL) result = -1;
    Model *model = retain_model(((PartObject *)object)->model);
    if (result == 0) result = take_model(model);
    if (result == 0) {
        result = tokenize_all(model, &texts, &how, ids, masks);
        give_model_back(model);
    }
    release_model(model);
    int single = texts.single;
    clear_texts(&texts);
    if (result < 0) {
        Py_XDECREF(ids);
        Py_XDECREF(masks);
        return NULL;
    }
    PyObject *shown[] = {presented(ids, as_tensor, single), NULL};
    if (shown[0] == NULL) {
        Py_DECREF(masks);
        return NULL;
    }
    shown[1] = presented(masks, as_tensor, single);
    PyObject *output = new_output(fields, shown, 2);
    Py_XDECREF(shown[0]);
    Py_XDECREF(shown[1]);
    return output;
}

// MARK: - The type

PyDoc_STRVAR(from_pretrained_doc,
             "from_pretrained($type, pretrained_model_name_or_path, *, subfolder=None,\n"
             "                cache_dir=None, **options)\n"
             "--\n"
             "\n"
             "The tokenizer of a folder or of a model on the Hugging Face Hub, in `subfolder` of it.");

static PyObject *from_pretrained(PyObject *type, PyObject *positional, PyObject *keywords) {
    return part_from_pretrained(type, positional, keywords, GPI_TOKENIZER);
}

static PyObject *get_max_length(PyObject *self, void *unused) {
    (void)unused;
    Model *model = retain_model(((PartObject *)self)->model);
    int64_t length = 0;
    int result = take_model(model);
    if (result == 0) {
        begin_waiting(&model->waiting);
        gpi_status status = gpi_model_max_length(model->core, &length);
        end_waiting(&model->waiting);
        result = settle_model(model, status, NULL);
        give_model_back(model);
    }
    release_model(model);
    return result < 0 ? NULL : PyLong_FromLongLong(length);
}

static PyMethodDef methods[] = {
    {"from_pretrained", (PyCFunction)(void *)from_pretrained,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS, from_pretrained_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"model_max_length", get_max_length, NULL,
     "The length that texts are padded and cut to, in tokens; 0 if the model sets none.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc,
             "The tokenizer of a Stable Diffusion model.\n"
             "\n"
             "    tokenizer(text, padding='max_length', max_length=tokenizer.model_max_length,\n"
             "              truncation=True, return_tensors='pt').input_ids\n"
             "\n"
             "are the token ids of a text or a list of texts, as a tensor [N, tokens], or as lists\n"
             "without return_tensors; .attention_mask says which are not padding. padding is True or\n"
             "'longest' for the longest text's length, 'max_length', or False.");

int add_tokenizer_type(PyObject *module) {
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)type_doc},   {Py_tp_call, (void *)call},
        {Py_tp_methods, methods},        {Py_tp_getset, attributes},
        {0, NULL},
    };
    return add_kind_of_part(module, "gpi_pack.diffusion.CLIPTokenizer", slots);
}
