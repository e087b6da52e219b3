// What a program meets through this module: one import is enough for pictures and latents.

@_exported import struct Pipelines.DenoisingOptions
@_exported import class Pipelines.ImageExtractor
@_exported import class Pipelines.Latents
@_exported import enum Torch.DType
@_exported import enum Torch.Device
@_exported import class Torch.Tensor
@_exported import struct Imaging.RGBImage
@_exported import ImageFiles
