# SPDX-License-Identifier: Apache-2.0
"""Statistics and their intervals against NumPy and SciPy; GeoJSON and KML against readers that are not ours."""

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import scipy.stats

import program
from files import read_json, write_json


def auc(errors, limit):
    """As the evaluations of SuperGlue, LoFTR and hloc compute it."""
    errors = np.r_[0, np.sort(errors)]
    recall = np.arange(len(errors)) / (len(errors) - 1)
    last = np.searchsorted(errors, limit)
    e, r = np.r_[errors[:last], limit], np.r_[recall[:last], recall[last - 1]]
    return np.trapezoid(r, x=e) / limit


STATISTICS = {
    "mean": np.mean,
    "median": np.median,
    "quantile@0.9": lambda x: np.quantile(x, 0.9),
    "share@3": lambda x: np.mean(x <= 3),
    "auc@1": lambda x: auc(x, 1),
    "auc@3": lambda x: auc(x, 3),
    "auc@5": lambda x: auc(x, 5),
    "auc@10": lambda x: auc(x, 10),
}


def lua(tmp_path, code, job):
    program.lua("local job = im.io.read_json(arg[1])\n" + code, write_json(tmp_path / "job.json", job), tmp_path / "out.json")
    return read_json(tmp_path / "out.json")


def test_statistics_and_intervals_over_places(tmp_path):
    rng = np.random.default_rng(8)
    of_place = rng.gamma(2, 1.5, 40)
    values = np.concatenate([place + rng.exponential(1, 6) for place in of_place])
    places = np.repeat(np.arange(40), 6)
    out = lua(tmp_path, """
      local out = {}
      for _, name in ipairs(job.names) do
        out[name] = im.evaluate.statistic(job.values, job.places, { statistic = name, num_resamples = 8000 })
      end
      im.io.write_json(arg[2], out)
    """, {"values": values.tolist(), "places": places.tolist(), "names": list(STATISTICS)})
    by_place = values.reshape(40, 6)
    for name, of in STATISTICS.items():
        assert out[name]["value"] == pytest.approx(of(values), rel=1e-12), name
        peer = scipy.stats.bootstrap((np.arange(40),), lambda drawn, of=of: of(by_place[drawn].ravel()), vectorized=False,
                                     n_resamples=8000, method="percentile", rng=2).confidence_interval
        width = peer.high - peer.low
        assert out[name]["low"] == pytest.approx(peer.low, abs=0.08 * width), name
        assert out[name]["high"] == pytest.approx(peer.high, abs=0.08 * width), name
    assert out["mean"]["std"] == pytest.approx(np.std(values, ddof=1), rel=1e-12)


def test_areas_and_shares_of_pairs(tmp_path):
    rng = np.random.default_rng(9)
    errors = np.r_[rng.exponential(4, 50), [800.0, 800.0]]
    metrics = lua(tmp_path, "im.io.write_json(arg[2], im.evaluate.pair_errors(job.errors, job.places))",
                  {"errors": errors.tolist(), "places": (np.arange(52) // 4).tolist()})
    by_name = {m["name"]: m for m in metrics}
    for limit in (1, 3, 5, 10):
        for name, expected in ((f"auc@{limit}px", auc(errors, limit)), (f"share@{limit}px", np.mean(errors <= limit))):
            m = by_name[name]
            assert m["value"] == pytest.approx(expected, rel=1e-12)
            assert m["low"] <= m["value"] <= m["high"] and m["better"] == "higher"


QUERIES = [
    {"query": "a <b> & \"c\" é.jpg", "truth": {"latitude_deg": 46.5, "longitude_deg": 8.25},
     "predicted": {"latitude_deg": 46.501, "longitude_deg": 8.251}, "error_m": 135.2, "properties": {"found": True}},
    {"query": "line\nbreak\u0007.jpg", "predicted": {"latitude_deg": -10.5, "longitude_deg": -170.25}},
]


def test_geojson_and_kml_are_read_by_others(tmp_path):
    lua(tmp_path, """
      assert(im.evaluate.write_geojson(arg[2] .. ".geojson", job))
      assert(im.evaluate.write_kml(arg[2] .. ".kml", job))
      im.io.write_json(arg[2], true)
    """, QUERIES)
    features = read_json(tmp_path / "out.json.geojson")["features"]
    assert [f["properties"]["kind"] for f in features] == ["query", "prediction", "error", "prediction"]
    assert [f["properties"]["query"] for f in features] == [QUERIES[0]["query"]] * 3 + [QUERIES[1]["query"]]
    assert features[2]["geometry"]["coordinates"] == [[8.25, 46.5], [8.251, 46.501]]
    marks = ElementTree.parse(tmp_path / "out.json.kml").getroot()[0].findall("{*}Placemark")
    names = [m.find("{*}name").text for m in marks]
    assert names[0] == QUERIES[0]["query"] and names[2] == QUERIES[0]["query"] + ": 135.2 m"
    assert names[3] == QUERIES[1]["query"].replace("\u0007", "\ufffd")
    assert marks[0].find("{*}Point/{*}coordinates").text == "8.25,46.5,0"
    if not shutil.which("ogrinfo"):
        pytest.skip("ogrinfo is not installed")
    for ending in ("geojson", "kml"):
        text = subprocess.run(["ogrinfo", "-al", "-ro", tmp_path / f"out.json.{ending}"], capture_output=True, text=True, check=True).stdout
        assert "Feature Count: 4" in text and "LINESTRING" in text and "POINT" in text
