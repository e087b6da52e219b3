"""Gradients by PyTorch's autograd, for the tests beside this file to compare with."""

import json
import sys

import torch
import torch.nn.functional as F

IDS = torch.tensor([[1, 4, 1], [0, 1, 3]])


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def resnet(x, time, p, groups):
    hidden = F.conv2d(
        F.silu(F.group_norm(x, groups, p["n1w"], p["n1b"])), p["c1w"], p["c1b"], padding=1
    )
    hidden = hidden + F.linear(F.silu(time), p["tw"], p["tb"])[:, :, None, None]
    hidden = F.silu(F.group_norm(hidden, groups, p["n2w"], p["n2b"]))
    return x + F.conv2d(hidden, p["c2w"], p["c2b"], padding=1)


def network(x, time, attention, final, last, **blocks):
    def part(prefix):
        size = len(prefix)
        return {name[size:]: value for name, value in blocks.items() if name[:size] == prefix}

    hidden = resnet(x, time, part("a"), 2)
    places = hidden.flatten(2).transpose(1, 2)
    normal = F.layer_norm(places, [4], final[0], final[1])
    heads = [F.linear(normal, matrix).unflatten(2, (2, 2)).transpose(1, 2) for matrix in attention]
    attended = F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2) + places
    hidden = attended.transpose(1, 2).reshape(hidden.shape)
    hidden = F.interpolate(resnet(hidden, time, part("b"), 1), scale_factor=2.0, mode="nearest")
    hidden = F.conv2d(F.pad(hidden, (0, 1, 0, 1)), last, stride=2)
    return torch.cat([hidden, x], dim=1)


BLOCK = dict(
    n1w=(4,), n1b=(4,), c1w=(4, 4, 3, 3), c1b=(4,), tw=(4, 3), tb=(4,),
    n2w=(4,), n2b=(4,), c2w=(4, 4, 3, 3), c2b=(4,),
)  # fmt: skip
X = dict(x=(2, 3, 4))
MAP = dict(x=(2, 4, 5, 3))
NORM = dict(weight=(4,), bias=(4,))

# The shapes of the inputs, and what is computed from them.
CASES = {
    "add": (dict(x=(2, 3, 4), y=(3, 1)), lambda x, y: x + y),
    "subtract": (dict(x=(3, 1), y=(2, 3, 4)), lambda x, y: x - y),
    "multiply": (dict(x=(2, 1, 4), y=(3, 1)), lambda x, y: x * y),
    "divide": (dict(x=(4,), positive=(2, 3, 1)), lambda x, positive: x / positive),
    "negate": (X, lambda x: -x),
    "plus": (X, lambda x: x + 0.3),
    "minus": (X, lambda x: x - 0.3),
    "times": (X, lambda x: 0.18215 * x),
    "over": (X, lambda x: x / 3),
    "scalars": (dict(x=(), y=(2, 3), z=()), lambda x, y, z: 0.5 * (x * z) * y + x / 2),
    "exp": (X, lambda x: x.exp()),
    "log": (dict(positive=(5,)), lambda positive: positive.log()),
    "sqrt": (dict(positive=(5,)), lambda positive: positive.sqrt()),
    "power": (dict(positive=(5,)), lambda positive: positive**2.5),
    "cube": (X, lambda x: x**3),
    "sine": (X, lambda x: x.sin()),
    "cosine": (X, lambda x: x.cos()),
    "clamp": (X, lambda x: x.clamp(-0.5, 0.8)),
    "sum": (X, lambda x: x.sum()),
    "sumOver": (X, lambda x: x.sum((0, -1))),
    "sumKeeping": (X, lambda x: x.sum(1, keepdim=True)),
    "mean": (X, lambda x: x.mean()),
    "meanOver": (X, lambda x: x.mean((1, 2))),
    "squaredError": (dict(x=(2, 3), y=(2, 3)), F.mse_loss),
    "matmul": (dict(x=(2, 1, 3, 4), y=(5, 4, 2)), lambda x, y: x @ y),
    "linear": (dict(x=(2, 3, 4), weight=(5, 4), bias=(5,)), F.linear),
    "linearOfOne": (dict(x=(4,), weight=(5, 4)), F.linear),
    "conv": (
        dict(x=(2, 4, 5, 3), weight=(3, 4, 3, 3), bias=(3,)),
        lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1),
    ),
    "convStrided": (
        dict(x=(1, 2, 7, 6), weight=(4, 2, 3, 3)),
        lambda x, weight: F.conv2d(x, weight, stride=2),
    ),
    "convPadded": (
        dict(x=(1, 2, 4, 5), weight=(2, 2, 2, 2), bias=(2,)),
        lambda x, weight, bias: F.conv2d(x, weight, bias, stride=3, padding=2),
    ),
    "convGroups": (
        dict(x=(2, 4, 4, 3), weight=(6, 2, 3, 3), bias=(6,)),
        lambda x, weight, bias: F.conv2d(x, weight, bias, padding=1, groups=2),
    ),
    "convDepthwise": (
        dict(x=(1, 3, 4, 3), weight=(3, 1, 3, 3)),
        lambda x, weight: F.conv2d(x, weight, stride=2, padding=1, groups=3),
    ),
    "convPoint": (dict(x=(2, 3, 2, 2), weight=(2, 3, 1, 1), bias=(2,)), F.conv2d),
    "groupNorm": (
        dict(MAP, **NORM),
        lambda x, weight, bias: F.group_norm(x, 2, weight, bias, 1e-6),
    ),
    "groupNormOfSequences": (
        dict(x=(2, 4, 5), **NORM),
        lambda x, weight, bias: F.group_norm(x, 4, weight, bias),
    ),
    "groupNormOfViews": (
        dict(x=(2, 5, 3, 4), **NORM),
        lambda x, weight, bias: F.group_norm(x.permute(0, 3, 1, 2), 1, weight, bias),
    ),
    "layerNorm": (
        dict(x=(2, 3, 4), **NORM),
        lambda x, weight, bias: F.layer_norm(x, [4], weight, bias),
    ),
    "silu": (X, F.silu),
    "gelu": (X, F.gelu),
    "gatedGELU": (dict(x=(3, 5, 70)), lambda x: x.chunk(2, -1)[0] * F.gelu(x.chunk(2, -1)[1])),
    "gatedGELUOfViews": (
        dict(x=(3, 6, 2)),
        lambda x: x.mT.chunk(2, -1)[0] * F.gelu(x.mT.chunk(2, -1)[1]),
    ),
    "sigmoid": (X, torch.sigmoid),
    "quickGELU": (X, quick_gelu),
    "softmax": (X, lambda x: x.softmax(-1)),
    "softmaxFirst": (X, lambda x: x.softmax(0)),
    "attention": (
        dict(q=(2, 3, 5, 4), k=(2, 3, 7, 4), v=(2, 3, 7, 4)),
        F.scaled_dot_product_attention,
    ),
    "attentionCausal": (
        dict(q=(1, 2, 5, 3), k=(1, 2, 5, 3), v=(1, 2, 5, 3)),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    ),
    "attentionWithoutBatch": (
        dict(q=(2, 5, 4), k=(2, 3, 4), v=(2, 3, 4)),
        F.scaled_dot_product_attention,
    ),
    "attentionCausalAcross": (
        dict(q=(1, 2, 3, 4), k=(1, 2, 5, 4), v=(1, 2, 5, 4)),
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    ),
    "attentionOfViews": (
        dict(q=(2, 2, 4, 3), k=(2, 2, 4, 5), v=(2, 2, 4, 5)),
        lambda *parts: F.scaled_dot_product_attention(*(part.mT for part in parts)),
    ),
    "attentionToItself": (
        dict(x=(1, 2, 4, 3)),
        lambda x: F.scaled_dot_product_attention(x, x, x),
    ),
    "upsample": (MAP, lambda x: F.interpolate(x, size=(9, 6), mode="nearest")),
    "pad": (MAP, lambda x: F.pad(x, (0, 1, 2, 3))),
    "crop": (MAP, lambda x: F.pad(x, (-1, 2, 0, -2))),
    "concatenate": (
        dict(x=(2, 3, 2), y=(2, 1, 2)),
        lambda x, y: torch.cat([x, y, x], dim=-2),
    ),
    "split": (dict(x=(2, 6)), lambda x: x.chunk(3, 1)[0] * x.chunk(3, 1)[2]),
    "narrow": (X, lambda x: x.narrow(1, -2, 2)),
    "narrowLast": (X, lambda x: x.narrow(-1, 1, 2)),
    "reshape": (X, lambda x: x.reshape(4, -1)),
    "permute": (X, lambda x: x.permute(-1, 0, 1)),
    "transpose": (X, lambda x: x.transpose(0, -1)),
    "contiguous": (X, lambda x: x.transpose(0, 1).contiguous()),
    "clone": (X, lambda x: x.clone()),
    "expand": (dict(x=(3, 1)), lambda x: x.expand(2, 3, 4)),
    "embedding": (dict(x=(5, 3)), lambda x: F.embedding(IDS, x)),
    "twice": (X, lambda x: x * x + x.transpose(1, 2).transpose(1, 2)),
    "detached": (X, lambda x: x * x.detach()),
    "network": (
        dict(
            x=(2, 4, 3, 2), time=(1, 3), attention=(3, 4, 4), final=(2, 4), last=(3, 4, 3, 3),
            **{f"a{name}": shape for name, shape in BLOCK.items()},
            **{f"b{name}": shape for name, shape in BLOCK.items()},
        ),
        network,
    ),
    "absolute": (X, lambda x: x.abs()),
}  # fmt: skip


def packed(tensor):
    return {"shape": list(tensor.shape), "values": tensor.detach().double().flatten().tolist()}


def gradients():
    """For each case the inputs, the factors of the result's elements in the loss, and gradients."""
    answers = {}
    for seed, (name, (shapes, compute)) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        # Numbers that single precision can hold, so that both precisions compute with the same.
        inputs = {
            key: torch.rand(shape) + 0.5 if key == "positive" else torch.randn(shape)
            for key, shape in shapes.items()
        }
        answer = {key: packed(value) for key, value in inputs.items()}
        factors = None
        found = {}
        for dtype in (torch.float64, torch.float32):
            leaves = {key: value.to(dtype).requires_grad_() for key, value in inputs.items()}
            result = compute(**leaves) if compute is network else compute(*leaves.values())
            factors = torch.randn(result.shape) if factors is None else factors
            (result * factors.to(dtype)).sum().backward()
            found[str(dtype).split(".")[1]] = {k: packed(v.grad) for k, v in leaves.items()}
        answers[name] = {"inputs": answer, "factors": packed(factors), "gradients": found}
    return answers


def adamw():
    """Parameters after each of some steps, with gradients that are missing or clipped at times."""
    torch.manual_seed(0)
    parameters = {"a": torch.randn(3, 2), "b": torch.randn(4), "c": torch.randn(2, 1, 5)}
    answer = {"start": {name: packed(value) for name, value in parameters.items()}, "runs": []}
    for options in (
        {},
        {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3},
        {"lr": 0.1, "weight_decay": 0},
    ):
        leaves = {name: value.clone().requires_grad_() for name, value in parameters.items()}
        optimizer = torch.optim.AdamW(leaves.values(), **options)
        steps = []
        for step in range(4):
            limit = (0.5, 100.0)[step % 2]
            for name, leaf in leaves.items():
                leaf.grad = None if (step, name) == (1, "b") else torch.randn(leaf.shape)
            given = {n: packed(v.grad) for n, v in leaves.items() if v.grad is not None}
            norm = torch.nn.utils.clip_grad_norm_(leaves.values(), limit)
            clipped = {n: packed(v.grad) for n, v in leaves.items() if v.grad is not None}
            optimizer.step()
            steps.append(
                {
                    "gradients": given,
                    "limit": limit,
                    "norm": norm.item(),
                    "clipped": clipped,
                    "parameters": {name: packed(leaf) for name, leaf in leaves.items()},
                }
            )
        defaults = optimizer.defaults
        chosen = [defaults["lr"], *defaults["betas"], defaults["eps"], defaults["weight_decay"]]
        answer["runs"].append({"isDefault": not options, "options": chosen, "steps": steps})
    return answer


def masters():
    """Parameters of 16 bits after each of some steps on masters in float32."""
    torch.manual_seed(1)
    answer = {"start": packed(torch.randn(40).bfloat16()), "steps": []}
    parameter = torch.tensor(answer["start"]["values"]).bfloat16()
    master = parameter.float().requires_grad_()
    optimizer = torch.optim.AdamW([master], lr=1e-4, fused=True)
    for _ in range(5):
        gradient = torch.randn(40).bfloat16()
        master.grad = gradient.float()
        optimizer.step()
        parameter.copy_(master.detach())
        answer["steps"].append(
            {"gradient": packed(gradient), "master": packed(master), "parameter": packed(parameter)}
        )
    return answer


AVERAGES = [
    {},
    {"decay": 0.5},
    {"decay": 0.9, "use_ema_warmup": True, "inv_gamma": 2.0, "power": 0.75},
    {"decay": 0.99, "min_decay": 0.4, "update_after_step": 3},
]


def averages():
    """What diffusers' EMAModel holds after each of some steps."""
    from diffusers.training_utils import EMAModel

    torch.manual_seed(2)
    start = {"a": torch.randn(3, 2), "b": torch.randn(4)}
    runs = []
    for options in AVERAGES:
        leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
        average = EMAModel(leaves.values(), **options)
        steps = []
        for _ in range(8):
            for leaf in leaves.values():
                leaf.data += torch.randn(leaf.shape)
            average.step(leaves.values())
            shadows = dict(zip(leaves, average.shadow_params, strict=True))
            steps.append(
                {
                    "parameters": {name: packed(leaf) for name, leaf in leaves.items()},
                    "averages": {name: packed(shadow) for name, shadow in shadows.items()},
                    "decay": average.cur_decay_value,
                }
            )
        runs.append({"options": options, "steps": steps})
    return {"start": {name: packed(value) for name, value in start.items()}, "runs": runs}


def schedules():
    """The factors of diffusers' schedules at each step up to the last."""
    from diffusers import optimization

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    answer = []
    for warmup, total in [(0, 10), (4, 10), (10, 10), (3, 4), (1, 100)]:
        made = {
            "constant": optimization.get_constant_schedule(optimizer),
            "constantWithWarmup": optimization.get_constant_schedule_with_warmup(optimizer, warmup),
            "linearWithWarmup": optimization.get_linear_schedule_with_warmup(
                optimizer, warmup, total
            ),
            "cosineWithWarmup": optimization.get_cosine_schedule_with_warmup(
                optimizer, warmup, total
            ),
        }
        factors = {
            name: [float(schedule.lr_lambdas[0](step)) for step in range(total + 1)]
            for name, schedule in made.items()
        }
        answer.append({"warmup": warmup, "total": total, "factors": factors})
    return answer


COMMANDS = {
    "gradients": gradients,
    "adamw": adamw,
    "masters": masters,
    "averages": averages,
    "schedules": schedules,
}

if __name__ == "__main__":
    json.dump(COMMANDS[sys.argv[1]](), sys.stdout)
