# SPDX-License-Identifier: Apache-2.0
"""What bench/run makes of ratios: the file of their history, its warnings, and the share of what the machine can do."""

import importlib.util
import pathlib
import subprocess

import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"


def module(name):
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


history, work = module("history"), module("work")


def test_lines_are_appended_and_read_back(tmp_path):
    path = tmp_path / "history.csv"
    assert history.read(path) == []
    history.append(path, "aaa", {"matching": 1.0, "call": 0.75})
    history.append(path, "bbb", {"matching": 1.25})
    assert path.read_text() == "commit,row,ratio\naaa,matching,1\naaa,call,0.75\nbbb,matching,1.25\n"
    assert history.read(path) == [("aaa", "matching", 1.0), ("aaa", "call", 0.75), ("bbb", "matching", 1.25)]


@pytest.mark.parametrize("text, line", [("commit,ratio\n", 1), ("commit,row,ratio\na,b\n", 2), ("commit,row,ratio\na,b,1\na,b,fast\n", 3)])
def test_a_damaged_line_is_named(text, line, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"line {line}:"):
        history.read(path)


def told(ratio, before):
    entries = [(f"c{i}", "matching", r) for i, r in enumerate(before)] + [("c0", "call", 100.0)]
    return list(history.told("new", {"matching": ratio}, entries))


def test_a_drop_of_15_percent_below_the_median_of_the_last_entries_is_a_warning():
    assert told(0.86, [1.0, 1.0, 1.0])[:2] == ["history: commit,row,ratio", "history: new,matching,0.86"]
    assert "warning" not in told(0.86, [1.0, 1.0, 1.0])[-1]
    assert told(0.84, [1.0, 1.0, 1.0])[-1] == "history: warning: matching: 0.84 has dropped by 16 %: the median of the last 3 is 1"
    # One slow commit among them changes nothing, old entries do not count, and a faster one is no warning.
    assert "warning" in told(0.84, [0.5, 1.0, 1.0, 1.0])[-1]
    assert "warning" not in told(0.84, [1.0] * 9 + [0.8] * 7)[-1]
    assert "warning" not in told(3.0, [1.0, 1.0, 1.0])[-1]
    assert "too few" in told(0.1, [1.0, 1.0])[-1]


def test_operations_of_networks_are_those_of_their_modules():
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.Dinov2Config(hidden_size=384, num_attention_heads=6, num_hidden_layers=12, image_size=336, patch_size=14)
    model = transformers.Dinov2Model(config).eval()
    model.set_attn_implementation("eager")  # what is counted are matrix products
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, 336, 336))
    assert work.dinov2_operations(384) == pytest.approx(counter.get_total_flops(), rel=0.01)

    from efficientnet_lite_pytorch import EfficientNet

    lite = EfficientNet.from_name("efficientnet-lite0").eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        x = lite._swish(lite._bn0(lite._conv_stem(torch.zeros(1, 3, 224, 224))))
        for block in lite._blocks:
            x = block(x)
    assert work.lite0_operations(224, 224) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_limits_are_those_of_a_processor(tmp_path):
    rates = work.Limits(BENCH, tmp_path).measure()
    assert 1e9 < rates["fp32"] < 1e14 and 1e8 < rates["memory"] < 1e13
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    assert (rates["int8"] > rates["fp32"]) == ("avx512_vnni" in flags or "avx_vnni" in flags)


def test_without_a_compiler_there_are_no_limits(tmp_path, monkeypatch, capsys):
    def fails(command, **_):
        raise subprocess.CalledProcessError(1, command, stderr="no such thing")

    monkeypatch.setattr(subprocess, "run", fails)
    assert work.Limits(BENCH, tmp_path).measure() == {}
    assert "no such thing" in capsys.readouterr().out
