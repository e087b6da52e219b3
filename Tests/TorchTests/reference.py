"""What PyTorch itself computes, for the tests beside this file to compare with."""

import json
import sys

import torch
import torch.nn.functional as F


def packed(tensor):
    return {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def noise(requests):
    """Draws of `torch.randn` after one `torch.manual_seed`, for each [seed, shapes]."""
    answers = []
    for seed, shapes in requests:
        torch.manual_seed(seed)
        answers.append([packed(torch.randn(shape)) for shape in shapes])
    return answers


def fractions(requests):
    """The same of `torch.rand`."""
    answers = []
    for seed, shapes in requests:
        torch.manual_seed(seed)
        answers.append([packed(torch.rand(shape)) for shape in shapes])
    return answers


def operations():
    torch.manual_seed(0)
    x = torch.randn(2, 8, 6, 4)
    y = torch.randn(2, 8, 6, 4)
    weight = torch.randn(4, 8, 3, 3)
    bias = torch.randn(4)
    scale = torch.randn(8)
    shift = torch.randn(8)
    matrix = torch.randn(5, 4)
    row = torch.randn(5)
    heads = [torch.randn(2, 3, 7, 4) for _ in range(3)]
    inputs = dict(
        x=x, y=y, weight=weight, bias=bias, scale=scale, shift=shift, matrix=matrix, row=row,
        query=heads[0], key=heads[1], value=heads[2],
    )  # fmt: skip
    outputs = dict(
        add=x + y,
        subtract=x - y,
        multiply=x * y,
        divide=x / y,
        plus=x + 0.3,
        times=0.18215 * x,
        over=x / 3,
        exp=x.exp(),
        clamp=x.clamp(-0.5, 1),
        round=(4 * x).round(),
        conv=F.conv2d(x, weight, bias, padding=1),
        strided=F.conv2d(x, weight, None, stride=2),
        linear=F.linear(x, matrix, row),
        norm=F.group_norm(x, 4, scale, shift, 1e-6),
        silu=F.silu(x),
        attention=F.scaled_dot_product_attention(*heads),
        upsample=F.interpolate(x, scale_factor=2.0, mode="nearest"),
        pad=F.pad(x, (0, 1, 0, 1)),
        permute=x.permute(0, 2, 3, 1),
        transpose=x.transpose(-1, 1),
        half=x.half(),
        bfloat=x.bfloat16(),
    )
    pack = {name: packed(tensor.contiguous()) for name, tensor in inputs.items()}
    return {
        "inputs": pack,
        "outputs": {name: packed(tensor.contiguous()) for name, tensor in outputs.items()},
    }


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    commands = {"noise": noise, "fractions": fractions, "operations": operations}
    json.dump(commands[command](*map(json.loads, arguments)), sys.stdout)
