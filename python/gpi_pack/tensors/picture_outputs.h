/// Decoded pictures in the kinds that pipelines give.
#ifndef GPI_PICTURE_OUTPUTS_H
#define GPI_PICTURE_OUTPUTS_H

#include "gpi_models.h"
#include "limited_python.h"

typedef enum OutputType {
    /// A list of images of Pillow.
    OUTPUT_PIL,
    /// A NumPy array [N, H, W, 3], float32 in [0, 1].
    OUTPUT_NUMPY,
    /// A torch.Tensor [N, 3, H, W] in [0, 1].
    OUTPUT_TORCH,
    /// The latents, a torch.Tensor.
    OUTPUT_LATENTS,
} OutputType;

/// "pil", "np" or "numpy", "pt", "latent"; OUTPUT_PIL for NULL. 0, or -1 with an exception.
int output_type_argument(PyObject *value, OutputType *type);

/// Pictures [N, 3, H, W], or in grey [N, 1, H, W], in [-1, 1] in one of the first three kinds. A new reference; NULL with an
/// exception.
PyObject *pictures_as(OutputType type, const gpi_tensor *pixels);

#endif
