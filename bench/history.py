# SPDX-License-Identifier: Apache-2.0
"""bench/history.csv: how much faster than their peers some rows were, commit by commit. Ratios of neighbouring turns, never
times: those depend on the machine, and on what else it does.

The file is a committed one. `bench/run --history` appends to it, and whoever commits the lines keeps them; CI, which runs on a
clean clone, prints its lines and what they are compared with, and leaves the rest to whoever reads that."""

import csv
import statistics
import subprocess

COLUMNS = ["commit", "row", "ratio"]
LAST, DROP = 7, 0.15  # a ratio is compared with the median of so many before it; the drop that is worth a warning
FEWEST = 3  # entries below which there is nothing to compare with


def read(path):
    """[(commit, row, ratio)], oldest first; none where there is no file. ValueError names a line that is no entry."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    if not lines or lines[0] != COLUMNS:
        raise ValueError(f"{path}: line 1: expected {','.join(COLUMNS)}")
    entries = []
    for number, line in enumerate(lines[1:], 2):
        try:
            commit, row, ratio = line
            entries.append((commit, row, float(ratio)))
        except ValueError:
            raise ValueError(f"{path}: line {number}: expected {','.join(COLUMNS)}, the last a number") from None
    return entries


def append(path, commit, ratios):
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerows([commit, row, f"{ratio:.3g}"] for row, ratio in ratios.items())


def told(commit, ratios, entries):
    """Lines for whoever reads the log: the new ones of the file, then each row beside its last `entries`."""
    yield "history: " + ",".join(COLUMNS)
    for row, ratio in ratios.items():
        yield f"history: {commit},{row},{ratio:.3g}"
    for row, ratio in ratios.items():
        before = [r for _, name, r in entries if name == row][-LAST:]
        if len(before) < FEWEST:
            yield f"history: {row}: {ratio:.3g}; {len(before)} before it, too few to compare with"
            continue
        usual = statistics.median(before)
        of_them = f"the median of the last {len(before)} is {usual:.3g}"
        drop = 1 - ratio / usual
        yield f"history: warning: {row}: {ratio:.3g} has dropped by {100 * drop:.0f} %: {of_them}" if drop >= DROP else (
            f"history: {row}: {ratio:.3g}; {of_them}")


def commit_of(root):
    """Short, with a + behind it where files differ from it; "unknown" outside of a repository."""
    def git(*words):
        return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
