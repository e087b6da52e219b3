#include "model.h"

#include "libtorch.h"

#include <stdlib.h>

// MARK: - Life

/// One reference to a model without a core.
static Model *new_model(PyObject *name) {
    Model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    model->references = 1;
    model->part = -1;
    model->name = Py_NewRef(name);
    if (open_turn(&model->turn) == 0) return model;
    release_model(model);
    return NULL;
}

Model *retain_model(Model *model) {
    model->references++;
    return model;
}

void release_model(Model *model) {
    if (model == NULL || --model->references > 0) return;
    gpi_model_free(model->core);
    for (int i = 0; i < model->source_count; i++) release_model(model->sources[i]);
    close_turn(&model->turn);
    Py_XDECREF(model->name);
    Py_XDECREF(model->folder);
    free(model);
}

// MARK: - Opening

static int fill_options(const Model *model, const Placement *placement,
                        gpi_model_options *options) {
    options->folder = PyUnicode_AsUTF8AndSize(model->folder, NULL);
    if (options->folder == NULL) return -1;
    if (placement->device != NULL) {
        options->device = PyUnicode_AsUTF8AndSize(placement->device, NULL);
        if (options->device == NULL) return -1;
    }
    options->dtype = placement->dtype;
    options->precision = placement->precision;
    options->uses_tiling = placement->uses_tiling;
    switch (model->part) {
    case GPI_AUTOENCODER:
        options->autoencoder_folder = options->folder;
        break;
    case GPI_TOKENIZER:
        options->tokenizer_folder = options->folder;
        break;
    case GPI_TEXT_ENCODER:
        options->text_encoder_folder = options->folder;
        break;
    case GPI_UNET:
    case GPI_UNCONDITIONAL_UNET:
        options->unet_folder = options->folder;
        break;
    default:
        break;
    }
    return 0;
}

Model *open_model(PyObject *name, PyObject *folder, int part, const Placement *placement) {
    if (open_libtorch() < 0) return NULL;
    Model *model = new_model(name);
    if (model == NULL) return NULL;
    model->folder = Py_NewRef(folder);
    model->part = part;
    gpi_model_options options = GPI_MODEL_OPTIONS_INIT;
    options.warning = warn_python;
    options.warning_context = &model->waiting;
    int result = fill_options(model, placement, &options);
    if (result == 0) {
        begin_waiting(&model->waiting);
        gpi_status status = gpi_model_create(&options, &model->core);
        end_waiting(&model->waiting);
        result = settle_model(model, status, NULL);
    }
    if (result == 0) return model;
    release_model(model);
    return NULL;
}

Model *model_at(const Model *model, const Placement *placement) {
    return open_model(model->name, model->folder, model->part, placement);
}

// MARK: - Parts of several

/// Adds one that it shares with, unless it is there already.
static void add_source(Model *model, Model *source) {
    int place = 0;
    while (place < model->source_count && model->sources[place] < source) place++;
    if (place < model->source_count && model->sources[place] == source) return;
    for (int i = model->source_count; i > place; i--) model->sources[i] = model->sources[i - 1];
    model->sources[place] = retain_model(source);
    model->source_count++;
}

Model *combined_model(Model *autoencoder, Model *tokenizer, Model *text_encoder, Model *unet) {
    Model *model = new_model(unet->name);
    if (model == NULL) return NULL;
    Model *sources[] = {autoencoder, tokenizer, text_encoder, unet};
    for (int i = 0; i < 4; i++) add_source(model, sources[i]);
    begin_waiting(&model->waiting);
    gpi_status status =
        gpi_model_combine(autoencoder->core, tokenizer->core, text_encoder->core, unet->core,
                          warn_python, &model->waiting, &model->core);
    end_waiting(&model->waiting);
    if (settle_model(model, status, NULL) == 0) return model;
    release_model(model);
    return NULL;
}

// MARK: - Turns

static const char WHAT[] = "This model";

int take_model(Model *model) {
    if (take_turn(&model->turn, WHAT) < 0) return -1;
    for (int i = 0; i < model->source_count; i++) {
        if (take_turn(&model->sources[i]->turn, WHAT) == 0) continue;
        while (i-- > 0) give_turn_back(&model->sources[i]->turn);
        give_turn_back(&model->turn);
        return -1;
    }
    return 0;
}

void give_model_back(Model *model) {
    for (int i = model->source_count; i-- > 0;) give_turn_back(&model->sources[i]->turn);
    give_turn_back(&model->turn);
}

void lend_model(Model *model) {
    lend_turn(&model->turn);
    for (int i = 0; i < model->source_count; i++) lend_turn(&model->sources[i]->turn);
}

void end_lending_model(Model *model) {
    end_lending(&model->turn);
    for (int i = 0; i < model->source_count; i++) end_lending(&model->sources[i]->turn);
}

// MARK: - Errors

int settle_model(const Model *model, gpi_status status, PyObject *about) {
    int is_file =
        status == GPI_NOT_FOUND || status == GPI_BAD_FILE || status == GPI_IO_ERROR;
    if (!is_file) return settle_waiting(status, about);
    PyObject *name = PyUnicode_FromFormat("model_id %R", model->name);
    int result = settle_waiting(status, name);
    Py_XDECREF(name);
    return result;
}

int set_tiling(Model *model, bool uses_tiling) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_set_tiling(model->core, uses_tiling);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}

int load_part(Model *model, gpi_part part) {
    if (take_model(model) < 0) return -1;
    begin_waiting(&model->waiting);
    gpi_status status = gpi_model_load(model->core, part);
    end_waiting(&model->waiting);
    int result = settle_model(model, status, NULL);
    give_model_back(model);
    return result;
}
