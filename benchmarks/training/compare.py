"""Steps of training here and in PyTorch: the same model, batch and optimiser, turn by turn.

    swift build -c release --product training-benchmark
    OMP_NUM_THREADS=1 python benchmarks/training/compare.py .build/release/training-benchmark

A step: the loss of a UNet, its gradients, clipping to a norm of 1, AdamW (PyTorch's in its fused form,
the fastest). Each engine has a process of its own for every round. Time is the median over rounds of
each round's fastest step, on the clock and in seconds of processors, which other programs on the
machine hardly change; memory is what the steps take beyond what the process held before them.
"""

import argparse
import gc
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ATTENTION = dict(
    down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
)
CROSS_ATTENTION = dict(
    down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    cross_attention_dim=64,
)
#: By name: the class, its arguments, the size of the batch, channels and side.
MODELS = {
    "pictures of 32": ("UNet2DModel", dict(block_out_channels=(32, 64, 64), **ATTENTION), 8, 3, 32),
    "pictures of 64": (
        "UNet2DModel",
        dict(block_out_channels=(64, 128, 128), norm_num_groups=16, **ATTENTION),
        4,
        3,
        64,
    ),
    "latents of 16": (
        "UNet2DConditionModel",
        dict(
            block_out_channels=(64, 96, 128),
            norm_num_groups=16,
            attention_head_dim=4,
            **CROSS_ATTENTION,
        ),
        16,
        4,
        16,
    ),
}


def make(folder, name):
    import diffusers
    import torch
    from safetensors.torch import save_file

    kind, shape, count, channels, side = MODELS[name]
    torch.manual_seed(0)
    model = getattr(diffusers, kind)(
        sample_size=side, in_channels=channels, out_channels=channels, **shape
    )
    model.save_pretrained(folder)
    batch = {
        "noisy": torch.randn(count, channels, side, side),
        "noise": torch.randn(count, channels, side, side),
        "timesteps": torch.randint(0, 1000, (count,)),
    }
    if kind == "UNet2DConditionModel":
        batch["context"] = torch.randn(count, 24, 64)
    save_file(batch, folder / "batch.safetensors")


def memory(key):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) << 10
    raise ValueError(key)


def train(folder, kind, steps):
    """The steps in PyTorch; prints what `training-benchmark` prints."""
    import diffusers
    import torch
    from safetensors.torch import load_file

    model = getattr(diffusers, kind).from_pretrained(folder).train()
    batch = load_file(pathlib.Path(folder, "batch.safetensors"))
    arguments = [batch["noisy"], batch["timesteps"]]
    if "context" in batch:
        arguments.append(batch["context"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    seconds, processor, losses = [], [], []
    gc.collect()
    before = memory("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    for _ in range(steps):
        start, processor_start = time.perf_counter(), time.process_time()
        loss = torch.nn.functional.mse_loss(model(*arguments).sample, batch["noise"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        processor.append(time.process_time() - processor_start)
        seconds.append(time.perf_counter() - start)
    answer = {"seconds": seconds, "processor": processor, "losses": losses}
    json.dump(answer | {"before": before, "peak": memory("VmHWM")}, sys.stdout)


def compare(name, program, rounds, steps):
    with tempfile.TemporaryDirectory() as folder:
        make(pathlib.Path(folder), name)
        commands = {
            "here": [program, folder, str(steps)],
            "PyTorch": [sys.executable, __file__, "--train", folder, MODELS[name][0], str(steps)],
        }
        answers = {engine: [] for engine in commands}
        for turn in range(rounds):
            # Whoever goes first changes from round to round.
            for engine in list(commands)[:: 1 if turn % 2 else -1]:
                run = subprocess.run(commands[engine], capture_output=True, check=True, text=True)
                answers[engine].append(json.loads(run.stdout))
    losses = {engine: runs[0]["losses"] for engine, runs in answers.items()}
    for here, there in zip(*losses.values(), strict=True):
        assert abs(here - there) < 1e-4 * there, losses

    def median(value):
        return {engine: statistics.median(map(value, runs)) for engine, runs in answers.items()}

    def ratio(key):
        runs = zip(*answers.values(), strict=True)
        return statistics.median(min(here[key]) / min(there[key]) for here, there in runs)

    wall = median(lambda run: min(run["seconds"]))
    processor = median(lambda run: min(run["processor"]))
    extra = median(lambda run: run["peak"] - run["before"])
    whole = median(lambda run: run["peak"])
    for engine in commands:
        print(
            f"{name}, {engine}: {1000 * wall[engine]:.0f} ms a step, "
            f"{1000 * processor[engine]:.0f} ms of processors, "
            f"{extra[engine] / 2**20:.0f} MB for the steps, {whole[engine] / 2**20:.0f} MB in all"
        )
    print(
        f"{name}: time {ratio('seconds'):.2f} of PyTorch's, of processors "
        f"{ratio('processor'):.2f}, memory {extra['here'] / extra['PyTorch']:.2f}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="training-benchmark")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    arguments = parser.parse_args()
    for name in arguments.models:
        compare(name, arguments.program, arguments.rounds, arguments.steps)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
