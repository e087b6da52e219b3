// What a program meets through this module: one import is enough, from picture files to tensors.

@_exported import Diffusion
@_exported import Hub
@_exported import ImageFiles
@_exported import Imaging
@_exported import Pipelines
@_exported import Studies
@_exported import Torch
@_exported import Training
