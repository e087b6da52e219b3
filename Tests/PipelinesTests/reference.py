"""What diffusers and gpi_pack compute, for the tests beside this file."""

import itertools
import json
import sys

from diffusers import DDIMScheduler


def schedule(_):
    """Where image-to-image starts and what it visits, as gpi_pack's `get_hidden_states` has it."""
    answers = []
    grid = itertools.product(
        ("leading", "trailing", "linspace"), (0, 1), (1, 2, 3, 7, 10, 20, 50, 90, 100, 999)
    )
    for spacing, offset, steps in grid:
        if steps > 100 and spacing != "leading":
            continue
        scheduler = DDIMScheduler(steps_offset=offset, timestep_spacing=spacing)
        scheduler.set_timesteps(steps)
        starts = []
        for percent in range(1, 101):
            strength = percent / 100
            # Line by line what the original does, `timesteps[-0]` included.
            initial = int(steps * strength) + offset
            initial = min(initial, steps)
            noise = int(scheduler.timesteps[-initial])
            start = max(steps - initial + offset, 0)
            visited = scheduler.timesteps[start:].tolist()
            starts.append({"strength": strength, "noise": noise, "timesteps": visited})
        answers.append({"spacing": spacing, "offset": offset, "steps": steps, "starts": starts})
    return answers


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    commands = {"schedule": schedule}
    json.dump(commands[command](folder), sys.stdout)
