# SPDX-License-Identifier: Apache-2.0
"""The figures of evaluate against an independent NumPy rendering of their definitions, through the whole command."""

import csv
import json
import resource
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from files import read_csv, read_json
from program import run

RADIUS = 6_371_000.0


def haversine(a, b):
    """Metres between rows of (latitude, longitude), degrees."""
    a, b = np.radians(a), np.radians(b)
    h = np.sin((b[..., 0] - a[..., 0]) / 2) ** 2 + np.cos(a[..., 0]) * np.cos(b[..., 0]) * np.sin((b[..., 1] - a[..., 1]) / 2) ** 2
    return 2 * RADIUS * np.arcsin(np.sqrt(h))


def make(folder, num_queries, num_references, k, seed=0, sparse=False):
    """Positions over about a kilometre, and answers that are near the truth more often than not."""
    rng = np.random.default_rng(seed)
    references = np.array([37.0, 127.0]) + rng.uniform(0, 0.01, (num_references, 2))
    queries = np.array([37.0, 127.0]) + rng.uniform(0, 0.01, (num_queries, 2))
    answers = rng.integers(0, num_references, (num_queries, k))
    if num_queries * num_references <= 4_000_000:
        near = np.argsort(haversine(queries[:, None], references[None]), axis=1)[:, :k]
        take = rng.random((num_queries, k)) < 0.4
        answers = np.where(take, near[np.arange(num_queries)[:, None], rng.integers(0, k, (num_queries, k))], answers)
    scores = -np.sort(-rng.random((num_queries, k)), axis=1)
    times = rng.uniform(1, 9, (num_queries, 2)).round(6)
    with open(folder / "results.json", "w") as file:
        file.write('{"weight":"w","mode":"raw","direction":"reference2db","k":%d,"results":[\n' % k)
        for q in range(num_queries):
            top = [{"rank": i + 1, "score": scores[q, i], "vector": f"v/r{answers[q, i]:06d}.npy", "meta": None,
                    "image": f"images/r{answers[q, i]:06d}.jpg"} for i in range(k if not sparse or q % 7 else q % 3)]
            row = {"search": {"vector": f"v/q{q:06d}.npy", "meta": None, "image": f"photos/q{q:06d}.jpg"}, "topk": top,
                   "timing_ms": {"embed": times[q, 0], "search": times[q, 1], "total": times[q].sum()}}
            file.write(json.dumps(row) + ("\n" if q == num_queries - 1 else ",\n"))
        file.write("]}\n")
    def table(name, prefix, positions):
        with open(folder / name, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "lat", "lon"])
            writer.writerows((f"{prefix}{i:06d}.jpg", repr(float(a)), repr(float(b))) for i, (a, b) in enumerate(positions))
    table("queries.csv", "q", queries)
    table("references.csv", "r", references)
    return queries, references, answers, times


def evaluate(folder, *options):
    run("evaluate", folder / "results.json", "--query-truth", folder / "queries.csv", "--reference-truth", folder / "references.csv",
        "--out", folder / "out", "--quiet", *options)
    (summary,) = read_json(folder / "out/summary.json").values()
    return summary, {m["name"]: m["value"] for m in summary["metrics"]}


def weighted(scores, k):
    weights = np.arange(k, 0, -1)
    padded = np.zeros((len(scores), k))
    padded[:, : min(k, scores.shape[1])] = np.nan_to_num(scores[:, :k])
    return ((weights * padded).sum(1) / weights.sum()).mean()


@pytest.mark.parametrize("sparse", [False, True])
def test_every_figure_is_numpys(tmp_path, sparse):
    n, m, k = 300, 1200, 20
    queries, references, answers, times = make(tmp_path, n, m, k, seed=5, sparse=sparse)
    summary, figure = evaluate(tmp_path, "--tile-width-m", "60", "--failure-m", "80")
    d = haversine(queries[:, None], references[answers])
    deg = np.hypot(*np.moveaxis(queries[:, None] - references[answers], -1, 0))
    if sparse:
        for q in range(0, n, 7):
            d[q, q % 3 :] = deg[q, q % 3 :] = np.nan
    to_all = haversine(queries[:, None], references[None])
    truth = to_all.argmin(1)
    positives = (to_all <= 25).sum(1)
    with np.errstate(invalid="ignore"):
        right = d <= 25
    has_answer = ~np.isnan(d)
    is_truth = (answers == truth[:, None]) & has_answer
    assert figure["n_all"] == n and figure["n_with_positive"] == (positives > 0).sum()
    for top in (1, 5, 10, 20):
        assert figure[f"recall@{top}"] == pytest.approx(is_truth[:, :top].any(1).mean())
        assert figure[f"R@{top}_all"] == pytest.approx(right[:, :top].any(1).mean())
        assert figure[f"R@{top}_with_positive"] == pytest.approx(right[:, :top].any(1).sum() / (positives > 0).sum())
        assert figure[f"sdm_deg@{top}"] == pytest.approx(weighted(np.exp(-5000 * deg), top))
        assert figure[f"sdm_m@{top}"] == pytest.approx(weighted(np.exp(-0.001 * d), top))
        assert figure[f"pdm@{top}"] == pytest.approx(weighted(1 / (1 + np.exp(6 * (d / 60 - 0.9))), top))
    ranks = is_truth.argmax(1)[is_truth.any(1)] + 1
    assert figure["rank_mean"] == pytest.approx(ranks.mean()) and figure["rank_median"] == pytest.approx(np.median(ranks))
    top1 = d[:, 0]
    for metres in (1, 3, 5, 10, 20, 25, 30, 50, 100):
        assert figure[f"hit@{metres}m"] == pytest.approx((top1 <= metres).mean())
    least = np.nanmin(np.where(has_answer, d, np.inf), axis=1)
    least = least[np.isfinite(least)]
    for name, values in (("top1", top1[~np.isnan(top1)]), ("least", least)):
        assert figure[f"{name}_mean_m"] == pytest.approx(values.mean())
        assert figure[f"{name}_median_m"] == pytest.approx(np.median(values))
        assert figure[f"{name}_p90_m"] == pytest.approx(np.quantile(values, 0.9))
    good = top1[top1 <= 80]
    assert figure["failure_rate"] == pytest.approx(1 - len(good) / n)
    assert figure["success_median_m"] == pytest.approx(np.median(good))
    for i, name in enumerate(("embed", "search")):
        assert figure[f"{name}_p95_ms"] == pytest.approx(np.quantile(times[:, i], 0.95))
    precisions = []
    for q in np.flatnonzero(positives > 0):
        area, ranks = 0.0, np.flatnonzero(right[q])
        for i, rank in enumerate(ranks):  # University-1652's compute_mAP
            old = i / rank if rank > 0 else 1.0
            area += (old + (i + 1) / (rank + 1)) / 2 / positives[q]
        precisions.append(area)
    assert figure["AP"] == pytest.approx(np.mean(precisions))
    assert all(m["definition"] for m in summary["metrics"])

    rows = read_csv(tmp_path / "out/details.csv")
    details = read_json(tmp_path / "out/details.json")
    assert len(rows) == len(details) == n
    for q in (1, 50, 299):
        assert float(rows[q]["top1_m"]) == pytest.approx(top1[q]) == details[q]["top1_m"]
        assert details[q]["true_reference"] == f"r{truth[q]:06d}.jpg"
    features = read_json(tmp_path / "out/queries.geojson")["features"]
    assert features[0]["geometry"]["coordinates"] == pytest.approx(queries[0][::-1])
    assert sum(f["properties"]["kind"] == "error" for f in features) == (~np.isnan(top1)).sum()
    marks = ElementTree.parse(tmp_path / "out/queries.kml").getroot()[0].findall("{*}Placemark")
    assert len(marks) == len(features)
    assert (tmp_path / "out/report.html").stat().st_size > 500_000


def test_a_hundred_thousand_queries_in_ten_seconds(tmp_path):
    make(tmp_path, 100_000, 20_000, 20)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _, figure = evaluate(tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time: what others do on the machine does not count.
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"evaluate, 100,000 queries x top 20: {seconds:.1f} s")
    assert figure["n_all"] == 100_000
    assert seconds < 10


BAD = {
    "no coordinates": ("t.json", '{"images": [{"imageref": "a.jpg"}]}', ["t.json: images[1]", "position"]),
    "latitude 91": ("t.json", '{"a.jpg": {"lat": 91, "lon": 3}}', ["t.json: a.jpg", "91"]),
    "latitude in a table": ("t.csv", "image,lat,lon\na.jpg,95,3\n", ["t.csv: row 1", "95"]),
    "no column": ("t.csv", "image,x,y\na.jpg,5,3\n", ["t.csv", "latitude"]),
    "no number": ("t.csv", "image,lat,lon\na.jpg,north,3\n", ["t.csv: row 1", "north"]),
    "not JSON": ("t.json", "{", ["t.json"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_truth_is_named_in_one_line(tmp_path, case):
    make(tmp_path, 3, 10, 2)
    name, text, wanted = BAD[case]
    (tmp_path / name).write_text(text)
    done = run("evaluate", tmp_path / "results.json", "--truth", tmp_path / name, "--out", tmp_path / "out", status=1)
    assert len(done.stderr.strip().splitlines()) == 1
    for part in wanted:
        assert part in done.stderr
