# SPDX-License-Identifier: Apache-2.0
"""What the program wrote, read by Python's own readers, and what it is given."""

import csv
import json
import pathlib


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def read_json_lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


def write_json(path, value):
    pathlib.Path(path).write_text(json.dumps(value), encoding="utf-8")
    return path
