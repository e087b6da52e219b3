#include "part_set.h"

#include "pretrained.h"

#include <string.h>

const char *const PART_NAMES[PART_COUNT] = {"vae", "tokenizer", "text_encoder", "unet"};

static const char *const CLASSES[PART_COUNT] = {
    "AutoencoderKL", "CLIPTokenizer", "CLIPTextModel", "UNet2DConditionModel",
};

// MARK: - Life

static void forget_combined(PartSet *set) {
    release_model(set->combined);
    set->combined = NULL;
    for (int i = 0; i < PART_COUNT; i++) {
        release_model(set->combined_of[i]);
        set->combined_of[i] = NULL;
    }
}

void clear_part_set(PartSet *set) {
    for (int i = 0; i < PART_COUNT; i++) Py_CLEAR(set->parts[i]);
    forget_combined(set);
}

int visit_part_set(const PartSet *set, visitproc visit, void *arg) {
    for (int i = 0; i < PART_COUNT; i++) Py_VISIT(set->parts[i]);
    return 0;
}

// MARK: - One model

static Model *model_of(const PartSet *set, int part) {
    return ((PartObject *)set->parts[part])->model;
}

static int is_combined_of(const PartSet *set, Model *const models[PART_COUNT]) {
    if (set->combined == NULL) return 0;
    for (int i = 0; i < PART_COUNT; i++)
        if (set->combined_of[i] != models[i]) return 0;
    return 1;
}

Model *part_set_model(PartSet *set) {
    Model *models[PART_COUNT];
    int is_one = 1;
    for (int i = 0; i < PART_COUNT; i++) {
        if (set->parts[i] == NULL) {
            PyErr_Format(PyExc_RuntimeError,
                         "There is no %s: __init__ was not called, or failed.", PART_NAMES[i]);
            return NULL;
        }
        models[i] = model_of(set, i);
        if (models[i] != models[0]) is_one = 0;
    }
    if (is_one) return retain_model(models[0]);
    if (!is_combined_of(set, models)) {
        Model *combined = combined_model(models[GPI_AUTOENCODER], models[GPI_TOKENIZER],
                                         models[GPI_TEXT_ENCODER], models[GPI_UNET]);
        if (combined == NULL) return NULL;
        forget_combined(set);
        set->combined = combined;
        for (int i = 0; i < PART_COUNT; i++) set->combined_of[i] = retain_model(models[i]);
    }
    return retain_model(set->combined);
}

// MARK: - Filling

/// The part that the options name, or the model's. A new reference; NULL with an exception.
static PyObject *chosen_part(PyObject *options, gpi_part part, Model *model, const char *caller) {
    PyObject *value = take_keyword_argument(options, PART_NAMES[part]);
    if (value == NULL && PyErr_Occurred()) return NULL;
    if (value == NULL && model != NULL) return part_object(CLASSES[part], part, model);
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "%s() needs the argument %s.", caller, PART_NAMES[part]);
        return NULL;
    }
    if (part_argument(PART_NAMES[part], value, part) != NULL) return value;
    Py_DECREF(value);
    return NULL;
}

int fill_part_set(PartSet *set, Model *model, PyObject *options, const char *caller) {
    for (int i = 0; i < PART_COUNT; i++) {
        PyObject *part = chosen_part(options, (gpi_part)i, model, caller);
        if (part == NULL) return -1;
        PyObject *former = set->parts[i];
        set->parts[i] = part;
        Py_XDECREF(former);
    }
    return 0;
}

int load_own_parts(const PartSet *set, Model *model) {
    for (int i = 0; i < PART_COUNT; i++)
        if (model_of(set, i) == model && load_part(model, (gpi_part)i) < 0) return -1;
    return 0;
}

// MARK: - Moving

/// The model of part `index` elsewhere: that of an earlier part, if both shared one. A new reference.
static Model *moved_model(const PartSet *set, int index, Model *const moved[PART_COUNT],
                          const Placement *placement) {
    Model *model = model_of(set, index);
    for (int i = 0; i < index; i++)
        if (model_of(set, i) == model) return retain_model(moved[i]);
    return model_at(model, placement);
}

int move_part_set(PartSet *set, const Placement *placement) {
    Model *moved[PART_COUNT] = {NULL};
    int result = 0;
    for (int i = 0; i < PART_COUNT && result == 0; i++) {
        moved[i] = moved_model(set, i, moved, placement);
        result = moved[i] == NULL ? -1 : load_part(moved[i], (gpi_part)i);
    }
    for (int i = 0; i < PART_COUNT; i++) {
        if (result == 0) {
            move_part((PartObject *)set->parts[i], moved[i]);
        } else {
            release_model(moved[i]);
        }
    }
    if (result == 0) forget_combined(set);
    return result;
}

// MARK: - The scheduler's file

PyObject *scheduler_settings(Model *model) {
    if (take_model(model) < 0) return NULL;
    const char *json = NULL;
    PyObject *text = NULL;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_scheduler_settings(model->core, &json);
    end_waiting(&model->waiting);
    if (settle_model(model, status, NULL) == 0)
        text = PyUnicode_DecodeUTF8(json, (Py_ssize_t)strlen(json), "replace");
    give_model_back(model);
    PyObject *loads = text == NULL ? NULL : imported("json", "loads");
    PyObject *settings = loads == NULL ? NULL : PyObject_CallFunctionObjArgs(loads, text, NULL);
    Py_XDECREF(text);
    Py_XDECREF(loads);
    return settings;
}
