# SPDX-License-Identifier: Apache-2.0
"""What every test here may ask for. Where something that a test needs is absent, the test is skipped with the reason, and the
file's exit status is 77: CTest counts it as skipped, not as passed."""

import os
import pathlib

import pytest

import chromium

SKIPPED = 77


@pytest.fixture(scope="session")
def data():
    """The folder of real photographs and maps. Where it is set, what should be in it must be."""
    folder = os.environ.get("IMATCH_TEST_DATA")
    if not folder:
        pytest.skip("IMATCH_TEST_DATA is not set")
    assert pathlib.Path(folder).is_dir(), f"IMATCH_TEST_DATA: no such folder: {folder}"
    return pathlib.Path(folder)


def open_browser():
    if chromium.PROGRAM is None:
        pytest.skip("Chromium is not installed")
    with chromium.Chromium() as opened:
        yield opened


browser = pytest.fixture(open_browser, scope="module")
own_browser = pytest.fixture(open_browser)


def pytest_sessionfinish(session, exitstatus):
    skipped = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped")
    if skipped and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = SKIPPED
