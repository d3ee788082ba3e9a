# SPDX-License-Identifier: Apache-2.0
"""The Jupyter kernel, run by nbclient as a notebook is."""

import base64
import io
import sys
import time

import pytest

from program import PROGRAM, run

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    """What `imatch-lua kernel` installs, where Jupyter looks for it."""
    prefix = tmp_path_factory.mktemp("jupyter")
    said = run("kernel", "--python", sys.executable, "--prefix", prefix).stdout
    assert str(prefix / "share/jupyter/kernels/imatch-lua/kernel.json") in said
    return prefix


def execute(kernels, monkeypatch, *cells, **options):
    monkeypatch.setenv("JUPYTER_PATH", str(kernels / "share/jupyter"))
    monkeypatch.setenv("IMATCH_LUA", PROGRAM)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="imatch-lua", **options).execute()
    return [cell.outputs for cell in notebook.cells]


def text(outputs, kind="text/plain"):
    return "".join(output.data[kind] for output in outputs if output.output_type == "execute_result")


def test_cells_share_their_variables_and_show_what_they_give(kernels, monkeypatch):
    from PIL import Image

    first, printed, picture, table, shown, silent, help_text = execute(
        kernels, monkeypatch, "local im = require 'imatch'\nlocal x = 20", "print('written', x)\nx * 2.1",
        "im.image.new(30, 20, { 255, 0, 0 })", "{ { name = 'a<b', value = 1 }, { name = 'c', value = 0.5 } }",
        "for i = 1, 2 do im.preview(im.image.new(4 + i, 4)) end", "x;", "?image.new")
    assert first == [] and silent == []
    assert [o.text for o in printed if o.output_type == "stream"] == ["written\t20\n"] and text(printed) == "42"
    red = Image.open(io.BytesIO(base64.b64decode(text(picture, "image/png"))))
    assert red.size == (30, 20) and red.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    assert "Image(30x20)" in text(picture)
    html = text(table, "text/html")
    assert html.startswith("<table><tr><th>name</th><th>value</th></tr>") and "a&lt;b" in html and "<td>0.5</td>" in html
    sizes = [Image.open(io.BytesIO(base64.b64decode(o.data["image/png"]))).size for o in shown]
    assert sizes == [(5, 4), (6, 4)]
    assert "image.new(" in text(help_text)


def test_errors_are_told_and_the_session_goes_on(kernels, monkeypatch):
    outputs = execute(kernels, monkeypatch, "y = 1", "im.imge", "local function f() return undefined_thing end\nf()", "y + 1",
                      "x = = 1", "os.exit(3)", "y", allow_errors=True)
    assert "im has no 'imge'; did you mean 'image'?" in outputs[1][0].evalue
    assert any("undefined variable 'undefined_thing'" in o.text for o in outputs[2] if o.output_type == "stream")
    assert text(outputs[3]) == "2"
    assert "unexpected symbol" in outputs[4][0].evalue
    assert "ended with exit status 3; a new one has been started" in outputs[5][0].evalue
    assert text(outputs[6]) == "nil"


def test_interrupting_stops_the_cell_alone(kernels, monkeypatch):
    """A cell that runs too long is interrupted, as the stop button does it."""
    from jupyter_client.manager import start_new_kernel

    monkeypatch.setenv("JUPYTER_PATH", str(kernels / "share/jupyter"))
    manager, client = start_new_kernel(kernel_name="imatch-lua", startup_timeout=120)
    try:
        client.execute_interactive("z = 5", timeout=60)
        # A kernel that has told of an error drops what comes next for a moment, unless it is asked not to.
        client.execute("while true do end", stop_on_error=False)
        while client.get_iopub_msg(timeout=60)["content"].get("execution_state") != "busy":
            pass
        time.sleep(3)  # a kernel says that it is busy before it hands the cell over
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=60)
        assert reply["content"]["ename"] == "interrupted"
        seen = []
        reply = client.execute_interactive("z + 1", timeout=60, output_hook=seen.append)
        assert reply["content"]["status"] == "ok", reply["content"]
        assert any(m["content"].get("data", {}).get("text/plain") == "6" for m in seen), seen
        client.complete("im.image.ne", 11)
        while (reply := client.get_shell_msg(timeout=60))["msg_type"] != "complete_reply":
            pass
        assert "new(" in reply["content"]["matches"] and reply["content"]["cursor_start"] == 9
        client.inspect("im.image.new(3)", 8)
        while (reply := client.get_shell_msg(timeout=60))["msg_type"] != "inspect_reply":
            pass
        assert reply["content"]["found"] and "image.new(" in reply["content"]["data"]["text/plain"]
        for code, status in {"x = 1": "complete", "for i = 1, 2 do": "incomplete", "x = = 1": "invalid"}.items():
            client.is_complete(code)
            while (reply := client.get_shell_msg(timeout=60))["msg_type"] != "is_complete_reply":
                pass
            assert reply["content"]["status"] == status
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
