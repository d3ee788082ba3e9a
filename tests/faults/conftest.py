# SPDX-License-Identifier: Apache-2.0
"""Tests of what hostile files, full disks and signals do; they run the program as tests/peers does."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))
