"""One engine in a process of its own, which does what it is asked by lines of JSON.

    python -m benchmarks.worker ENGINE FOLDER MODEL THREADS

A request names what to do and what with; the answer has its result, or an `error`. Answers go where
standard output went when the process began; whatever the engine itself prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path

from benchmarks.folders import PARITY, Folders
from benchmarks.implementations import implementation
from benchmarks.inputs import Settings
from benchmarks.paths import Case


class Worker:
    def __init__(self, name: str, settings: Settings):
        self.engine = implementation(name, settings)
        self.output = None

    def load(self, case: dict) -> None:
        self.output = None
        self.engine.load(Case(**case))

    def prepare(self, case: dict) -> None:
        self.engine.prepare(Case(**case))

    def call(self) -> float:
        """The seconds that one call takes."""
        # Another one's output: this call should not wait for its memory to be given back.
        self.output = None
        start = time.perf_counter()
        output = self.engine.call()
        seconds = time.perf_counter() - start
        self.output = output
        return seconds

    def save(self, file: str) -> None:
        """Keeps the output of the last call, for `compare` in other workers."""
        import torch

        torch.save(self.output.float().contiguous().clone(), file)

    def compare(self, file: str) -> float:
        """How far the last output is from that one, in the largest magnitude of that one."""
        import torch

        other = torch.load(file, weights_only=True)
        if self.output.shape != other.shape:
            raise ValueError(f"The output is {list(self.output.shape)}, not {list(other.shape)}.")
        return float((self.output.float() - other).abs().max() / other.abs().max())

    def release(self) -> None:
        self.output = None
        self.engine.release()

    def rate(self, dtype: str) -> float:
        return self.engine.rate(dtype)

    def gflop(self, case: dict) -> float:
        return self.engine.gflop(Case(**case))


def main(name: str, folder: str, model: str, threads: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.append(str(PARITY))

    def answer(**content) -> None:
        print(json.dumps(content), file=answers, flush=True)

    try:
        worker = Worker(name, Settings(Folders(Path(folder)), model, int(threads)))
        answer(result=None)
        for line in sys.stdin:
            request = json.loads(line)
            answer(result=getattr(worker, request.pop("do"))(**request))
    except Exception as error:
        traceback.print_exc()
        answer(error=f"{type(error).__name__}: {error}".splitlines()[0])
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
