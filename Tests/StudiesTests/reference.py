"""What NumPy and Python's csv make of a study's array. Run as `reference.py COMMAND FOLDER`; prints
its answer as JSON.
"""

import csv
import json
import math
import sys
from pathlib import Path

import numpy


def stacked(folder):
    array = numpy.load(folder / "latents.npy", mmap_mode="r")
    with open(folder / "latents.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(len(rows)))

    def numbers(column):
        return [None if math.isnan(number) else number for number in map(float, column)]

    flat = array.reshape(len(array), -1)
    for row, values in zip(rows, flat, strict=True):
        assert numpy.isnan(values).all() == (row["status"] == "failed")
    return {
        "shape": array.shape,
        "dtype": array.dtype.str,
        "offset": array.offset,
        "names": [row["name"] for row in rows],
        "status": [row["status"] for row in rows],
        "first": numbers(flat[:, 0]),
        "last": numbers(flat[:, -1]),
    }


if __name__ == "__main__":
    commands = {"stacked": stacked}
    print(json.dumps(commands[sys.argv[1]](Path(sys.argv[2]))))
