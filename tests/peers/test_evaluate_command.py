# SPDX-License-Identifier: Apache-2.0
"""The command evaluate on files of the programs that are replaced: every value of their evaluation, by their names, against the
values that they gave and against NumPy."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import pages
from files import read_csv, read_json
from program import lua, run
from replaced import Search, archive, photo_name, positions, stem_of, write_annotation, write_label_index

HITS = (10, 30, 50, 100)


def same(given, expected):
    if expected in ("", None):
        return given in ("", None)
    try:
        return float(given) == pytest.approx(float(expected), rel=1e-12, abs=1e-12)
    except (TypeError, ValueError):
        return given == expected


def test_every_value_that_the_replaced_program_gave(data, tmp_path):
    fixture = data / "fixtures/evaluate"
    done = run("evaluate", "faiss", "--query-truth", "q.json", "--reference-truth", "r.json", "--out", tmp_path, "--all",
               cwd=fixture)
    assert "xy_recall_at_k         0.15" in done.stdout
    summary, expected = read_json(tmp_path / "summary.json"), read_json(fixture / "expected_summary.json")
    assert list(summary) == list(expected) == ["vits16"]
    for name, value in expected["vits16"].items():
        assert same(summary["vits16"][name], value), name
    for made, wanted in (("summary.csv", "expected_summary.csv"), ("details.csv", "expected_details_head.csv")):
        rows, peers = read_csv(tmp_path / made), read_csv(fixture / wanted)
        assert peers and len(rows) >= len(peers)
        for row, peer in zip(rows, peers):
            for name, value in peer.items():
                assert same(row[name], value), (made, name)
            assert set(name for name in row if name in peer) == set(peer)
    details = read_json(tmp_path / "details.json")
    assert len(details) == 20
    for row, peer in zip(details, read_csv(fixture / "expected_details_head.csv")):
        for name, value in peer.items():
            assert same(row[name], value), name


@pytest.fixture
def searched(tmp_path):
    """Eight references among thirty photos, in every form that results have, and where all of them are."""
    rng = np.random.default_rng(11)
    vectors = {"251124": rng.standard_normal((8, 24)), "251210": rng.standard_normal((30, 24))}
    places = {capture: archive(tmp_path / "embeddings", capture, rows, image=capture == "251210")
              for capture, rows in vectors.items()}
    search = Search((places["251124"], vectors["251124"]), (places["251210"], vectors["251210"]))
    truth = {capture: positions(rng, capture, len(rows)) for capture, rows in vectors.items()}
    search.write_results(tmp_path / "faiss_out")
    search.write_rows(tmp_path / "faiss_4Redis")
    search.write_aggregate(tmp_path / "faiss_out")
    write_annotation(tmp_path / "annotation.json", truth["251124"])
    write_label_index(tmp_path / "labels.json", truth["251210"])
    return tmp_path, search, truth


def evaluate(folder, *results, status=0, options=()):
    done = run("evaluate", *results, "--query-truth", folder / "annotation.json", "--reference-truth", folder / "labels.json",
               "--out", folder / "evaluation", *options, status=status)
    return done, read_json(folder / "evaluation/summary.json") if status == 0 else None


def measured(search, truth):
    """By measure: the distance of each query from each reference."""
    query = [truth["251124"][photo_name("251124", i)] for i in range(1, 9)]
    base = [truth["251210"][photo_name("251210", i)] for i in range(1, 31)]
    a, b = (np.array([[p["latitude"], p["longitude"], p["x"], p["y"]] for p in side]) for side in (query, base))
    r = np.radians
    h = (np.sin(r(b[None, :, 0] - a[:, None, 0]) / 2) ** 2
         + np.cos(r(a[:, None, 0])) * np.cos(r(b[None, :, 0])) * np.sin(r(b[None, :, 1] - a[:, None, 1]) / 2) ** 2)
    return {"haversine": 2 * 6_371_000 * np.arcsin(np.sqrt(h)),
            "xy": np.hypot(a[:, None, 2] - b[None, :, 2], a[:, None, 3] - b[None, :, 3])}


def expected_values(search, truth):
    """The figures by NumPy, as the rules say: recall, the rank of the nearest reference, metres, hits among the top k."""
    values = {"queries": 8}
    for name, metres in measured(search, truth).items():
        nearest = metres.argmin(1)
        is_it = search.best == nearest[:, None]
        found = np.take_along_axis(metres, search.best, axis=1)
        ranks = is_it.argmax(1)[is_it.any(1)] + 1
        values |= {f"{name}_recall_at_k": is_it.any(1).mean(), f"{name}_avg_rank": ranks.mean() if len(ranks) else None,
                   f"{name}_top1_mean_m": found[:, 0].mean(), f"{name}_top1_median_m": np.median(found[:, 0]),
                   f"{name}_min_topk_mean_m": found.min(1).mean(), f"{name}_min_topk_median_m": np.median(found.min(1))}
        if name == "haversine":
            values |= {f"haversine_hit_{hit}m": (found.min(1) <= hit).mean() for hit in HITS}
    return values


@pytest.mark.parametrize("form, group", [("faiss_out/vits16_raw", "vits16_raw"), ("faiss_4Redis", "vits16_raw_reference2db"),
                                         ("faiss_out/vits16_raw_reference-data_top10.json", "vits16_raw_reference-data")])
def test_each_form_of_results_gives_numpys_values(searched, form, group):
    folder, search, truth = searched
    _, summary = evaluate(folder, folder / form)
    assert list(summary) == [group]
    for name, value in expected_values(search, truth).items():
        assert same(summary[group][name], value), name
    times = {"search_ms_mean": 0.125, "search_ms_median": 0.125}
    if form != "faiss_out/vits16_raw":
        times |= {"index_build_ms_mean": 3.0}
    if form == "faiss_4Redis":
        times |= {"embed_ms_mean": 25.5, "embed_ms_median": 25.5, "total_ms_mean": 25.625}
    for name, value in times.items():
        assert same(summary[group][name], value), name
    assert (summary[group]["weight"], summary[group]["direction"]) == ("vits16", "reference2db")
    for q, row in enumerate(read_csv(folder / "evaluation/details.csv")):
        metres = measured(search, truth)["xy"][q]
        assert row["gt_xy"] == photo_name("251210", metres.argmin() + 1) and same(row["gt_xy_m"], metres.min())
        assert same(row["xy_top1_m"], metres[search.best[q, 0]]) and same(row["xy_min_topk_m"], metres[search.best[q]].min())
        assert row["topk"] == "10" and row["group"] == group and row["xy_recall"] == str(int(metres.argmin() in search.best[q]))
        assert os.path.exists(row["json"]) and same(row["top1_score"], float(np.float64(search.scores[q, 0])))


def test_the_report_is_one_of_our_pages_and_begins_with_the_answer(searched, browser):
    folder, search, truth = searched
    evaluate(folder, folder / "faiss_out/vits16_raw", folder / "faiss_4Redis", options=("--radius-m", 60))
    page, drawn = folder / "evaluation/report.html", "document.documentElement.dataset.drawn"
    pages.check(browser, page, "evaluation", drawn)
    browser.open(page, drawn)
    metres = measured(search, truth)["haversine"]
    right = np.mean(np.take_along_axis(metres, search.best[:, :1], axis=1) <= 60)
    answer = browser.evaluate("document.getElementById('answer').innerText")
    assert answer.startswith(f"The first reference lies within 60 m in {float(f'{100 * right:.3g}'):g} % (") and "compare all 2" in answer
    # The queries that are worst stand first in the table beside the map, and on the map are all that have a place.
    off = browser.evaluate("[...document.querySelectorAll('#photos tbody tr')].map((r) => r.querySelector('td.number').title)")
    assert [float(x) for x in off if x] == sorted((float(x) for x in off if x), reverse=True) and len(off) == 8
    colours = browser.evaluate("[...document.querySelectorAll('#hit svg .mark-line.role-mark path')].map((p) => p.getAttribute('stroke'))")
    assert len(set(colours)) == 2


def test_every_folder_and_aggregate_below_a_folder_is_a_group(searched):
    folder, search, truth = searched
    search.write_rows(folder / "faiss_out/vits16_raw/..")  # as `search --redis-json` does
    done, summary = evaluate(folder, folder / "faiss_out", folder / "faiss_4Redis")
    groups = ["vits16_raw", "vits16_raw_reference-data", "vits16_raw_reference2db", "vits16_raw_reference2db_2"]
    assert sorted(summary) == groups
    for group in groups:
        assert same(summary[group]["haversine_recall_at_k"], expected_values(search, truth)["haversine_recall_at_k"])
        assert (folder / "evaluation" / group / "queries.geojson").exists()
    assert sorted({row["group"] for row in read_csv(folder / "evaluation/summary.csv")}) == groups
    assert len(read_json(folder / "evaluation/details.json")) == 32
    definitions = {(row["group"], row["name"]): row["definition"] for row in read_csv(folder / "evaluation/metrics.csv")}
    assert "x and y of the label index" in definitions["vits16_raw", "xy_avg_rank"]
    assert "vits16_raw reference2db: 8 queries" in done.stdout


def test_rows_beside_results_are_left_out_and_read_where_they_stand_alone(searched):
    folder, search, _ = searched
    mixed = folder / "faiss_out/vits16_raw"
    for path in (folder / "faiss_4Redis/vits16_raw_reference2db").iterdir():
        shutil.copy(path, mixed)
    assert evaluate(folder, mixed)[1]["vits16_raw"]["queries"] == 8
    code = "print(im.io.json(require('imatch.retrieval.evaluation').groups(arg[1])))"
    (group,) = json.loads(lua(code, mixed))
    assert sorted(group) == sorted(f"{mixed}/{stem_of(place)}_top10.json" for place in search.queries)
    (rows,) = json.loads(lua(code, folder / "faiss_4Redis"))
    assert len(rows) == 8 and all(path.endswith("_reference2db_top10_redis.json") for path in rows)


def test_another_direction_in_a_folder_is_left_out_by_name_or_asked_for(searched):
    folder, search, truth = searched
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((3, 24))
    data = archive(folder / "other", "251210", vectors)
    other = Search((data, vectors), (data, vectors), direction="db2db", k=2)
    other.write_results(folder / "faiss_out")
    done, summary = evaluate(folder, folder / "faiss_out/vits16_raw")
    assert summary["vits16_raw"]["queries"] == 8 and summary["vits16_raw"]["direction"] == "reference2db"
    for place in data:
        assert f"{stem_of(place)}_top2.json: its direction is db2db, that of the others reference2db" in done.stderr
    for name in ("db2db", "data-data"):  # as results and folders call it, and as search does
        done = run("evaluate", folder / "faiss_out/vits16_raw", "--truth", folder / "labels.json", "--out", folder / "evaluation",
                   "--direction", name)
        assert "3 of 3 query pictures stand in the database themselves" in done.stderr
        # The answer in a few lines, with the interval of each recall; the rest is asked for.
        lines = done.stdout.splitlines()
        assert len(lines) <= 5 and "vits16_raw db2db: 3 queries" in lines[0]
        assert "R@1 100 % (43.9 to 100 %)" in lines[1] and "--all" in lines[-1]
    asked = read_json(folder / "evaluation/summary.json")["vits16_raw"]
    assert asked["queries"] == 3 and asked["direction"] == "db2db" and asked["haversine_top1_mean_m"] == 0
    assert asked["haversine_recall_at_k"] == 1 and asked["haversine_avg_rank"] == 1


def test_a_query_that_was_searched_with_another_k_too_counts_once(searched):
    folder, search, _ = searched
    shorter = Search((search.queries[:2], np.eye(2, 24) + 1), (search.base, np.eye(30, 24) + 1), k=5)
    shorter.write_results(folder / "faiss_out")
    done, summary = evaluate(folder, folder / "faiss_out/vits16_raw")
    assert summary["vits16_raw"]["queries"] == 8
    assert done.stderr.count("in files read before, with another k perhaps") == 2


def test_a_folder_without_results_is_named_and_does_not_stop_the_others(searched):
    folder, _, _ = searched
    (folder / "faiss_out/notes").mkdir()
    (folder / "faiss_out/notes/n.json").write_text('{"author": "x"}')
    done, summary = evaluate(folder, folder / "faiss_out")
    assert "notes" not in summary and "notes/n.json" in done.stderr
    done, _ = evaluate(folder, folder / "faiss_out/notes", status=1)
    assert len(done.stderr.strip().splitlines()) == 1 and "n.json" in done.stderr


def test_lua_reads_each_form(searched):
    folder, search, _ = searched
    code = """
      local results = assert(im.retrieval.results(arg[2] == 'dir' and require('imatch.retrieval.evaluation').groups(arg[1])[1]
        or { arg[1] }))
      local is = results:description()
      print(im.io.json { is.group, is.weight, is.direction, is.num_queries, results:names 'queries', results:names 'references' })"""
    for path, kind, queries in ((folder / "faiss_out/vits16_raw", "dir", [p["vector"] for p in search.queries]),
                                (folder / "faiss_out/vits16_raw_reference-data_top10.json", "file",
                                 [p["vector"] for p in search.queries]),
                                (folder / "faiss_4Redis", "dir", [photo_name("251124", i) for i in range(1, 9)])):
        _, weight, direction, count, names, references = json.loads(lua(code, path, kind))
        assert (weight, direction, count) == ("vits16", "reference2db", 8)
        assert names == queries
        found = {search.base[i]["image"] for i in search.best.ravel()}
        assert {name.rsplit("/", 1)[-1] for name in references} == {name.rsplit("/", 1)[-1] for name in found}


def test_references_made_of_photos_are_where_their_photos_are(tmp_path):
    """<stem>_rot<AAA>_crop<CC>, and frames with other numbers of digits."""
    rng = np.random.default_rng(5)
    truth = positions(rng, "251210", 3)
    write_label_index(tmp_path / "labels.json", truth)
    with open(tmp_path / "table.csv", "w", newline="") as file:
        csv.writer(file).writerows([["image", "lat", "lon", "x", "y"], ["251210_00001.jpg", 36, 127, 10, 20]])
    for name, found in (("251210_00002.jpg", True), ("/x/251210_0002_rot045_crop50.jpg", True), ("251210_2.png", True),
                        ("GlobalToken_res1024_raw_dinov3_vits16_LVD_251210_0002.npy", True),
                        ("GlobalToken_res1024_raw_dinov3_vits16_LVD_251210_0002_rot315_crop50.npy", True),
                        ("251210_20.jpg", False), ("251211_00002.jpg", False), ("251210_rot045_crop50.jpg", False)):
        out = lua("print(im.io.json(im.retrieval.positions(arg[1]):find(arg[2]) or {}))", tmp_path / "labels.json", name)
        assert (json.loads(out) != {}) == found, name
        if found:
            assert json.loads(out)["latitude_deg"] == truth["251210_00002.jpg"]["latitude"]


def test_a_position_without_hemisphere_is_taken_and_told(tmp_path):
    """Pillow writes the EXIF. What has no position is told as well."""
    degrees = {2: (36.0, 8.0, 0.0), 4: (81.0, 30.0, 0.0)}
    for name, gps in (("whole", {1: "N", **degrees, 3: "W"}), ("bare", degrees), ("none", {})):
        exif = Image.Exif()
        exif.get_ifd(0x8825).update(gps)
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.jpg", exif=exif)
    done = run("-e", f"""
local results = {{ names = function() return {{ '{tmp_path}/whole.jpg', '{tmp_path}/bare.jpg', '{tmp_path}/none.jpg' }} end }}
local positions = require 'imatch.retrieval.evaluation'.position_reader() ('images', results, 'queries')
for _, name in ipairs {{ 'whole', 'bare' }} do print(positions:find(name).longitude_deg) end""")
    assert [float(line) for line in done.stdout.split()] == [-81.5, 81.5]
    told = done.stderr.splitlines()
    assert [line.split(":")[0] for line in told] == ["no position", "doubtful position"]
    assert "none.jpg" in told[0] and "bare.jpg" in told[1] and "hemisphere" in told[1]
