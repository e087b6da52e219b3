"""The machine that is measured on, and how its processes are kept apart."""

from __future__ import annotations

import ctypes
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

#: From Linux's prctl.h.
PR_SET_PDEATHSIG = 1


def describe() -> dict[str, str]:
    """Processor, memory, and how busy the machine is before anything begins."""
    info = Path("/proc/cpuinfo").read_text()

    def field(name: str) -> str:
        found = re.search(rf"^{name}\s*:\s*(.*)$", info, re.MULTILINE)
        return found[1] if found else "unknown"

    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return {
        "processor": f"{field('model name')} (family {field('cpu family')}, model {field('model')})",
        "CPUs": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(memory[1]) / 2**20:.0f} GiB" if memory else "unknown",
        "load before the run": f"{os.getloadavg()[0]:.2f}",
    }


def cpus(count: int) -> list[int]:
    """That many of the CPUs that this process may use, on cores of their own as far as there are."""
    allowed = sorted(os.sched_getaffinity(0))
    first: dict[str, int] = {}
    for cpu in allowed:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        core = siblings.read_text().strip() if siblings.exists() else str(cpu)
        first.setdefault(core, cpu)
    own = list(first.values())
    return (own + [cpu for cpu in allowed if cpu not in own])[:count]


def settle(threads: int) -> Callable[[], None]:
    """For a new process before its program: that many CPUs, and no life after this one's."""
    chosen = cpus(threads)
    prctl = ctypes.CDLL(None).prctl

    def settle() -> None:
        os.sched_setaffinity(0, chosen)
        # A worker that is stopped when this process dies would otherwise stay so for ever.
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    return settle


def surroundings(threads: int, *first_in_path: Path) -> dict[str, str]:
    """Environment variables of a process that is measured."""
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, first_in_path)),
        "OMP_NUM_THREADS": str(threads),
        # Models are folders here; nobody may go looking for one in the network.
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "DIFFUSERS_VERBOSITY": "error",
        "TQDM_DISABLE": "1",
    }
