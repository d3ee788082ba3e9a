# SPDX-License-Identifier: Apache-2.0
"""Pages of sweeps, comparisons and lists of runs in Chromium: one design, and what each of them says."""

import json
import re
import subprocess
import time

import pytest

import pages
import program
from files import read_csv

DRAWN = "document.documentElement.dataset.drawn"
LONG = "efficientnet_lite0 stage=16 image_size=448 global=gem pooling=none"

SCRIPT = """
local im = require "imatch"
local noise = require "noise"
im.sweep {
  name = "pages", out = "runs", quiet = true, pictures = 4,
  axes = { altitude_m = { 60, 120, 240 }, backbone = { "dense_sift", "%s" }, match_th = { 0.1, 0.3, 0.5, 0.7 },
           place = im.range(1, 9) },
  best = { metric = "corner_error_px", statistic = "auc@10", over = { "place", "altitude_m" }, units = { "place" } },
  report = { line_x = "match_th", line_color = "backbone", heat_x = "match_th", heat_y = "altitude_m" },
  measure = function(p)
    if p.place == 2 and p.match_th == 0.7 then error "no matches" end
    if p.place == 3 and p.match_th == 0.7 then return { corner_error_px = 1 / 0, num_inliers = 0, time_ms = 3 } end
    local e = p.altitude_m / 30 + 20 * (p.match_th - 0.5) ^ 2 + noise(p) + (p.backbone == "dense_sift" and 0 or 3)
    return { corner_error_px = e + %s, num_inliers = math.floor(500 / e), time_ms = 20 + 100 * p.match_th }
  end,
  picture = function(p, cell) cell:save_image("matches", im.image.new(1600, 600, { 90, 120, 90 })) end,
}
"""

NOISE = "return function(p) return (p.place * 7919.377 + p.match_th * 1013.1) % 1 * {} end\n"


def sweep(folder, worse="0", noise="1.5"):
    folder.mkdir(exist_ok=True)
    (folder / "noise.lua").write_text(NOISE.format(noise))
    (folder / "pages.lua").write_text(SCRIPT % (LONG, worse))
    program.run("--quiet", "pages.lua", cwd=folder)
    (path,) = [p for p in (folder / "runs" / "pages").iterdir() if p.is_dir()]
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs: B is worse than A by half a pixel everywhere, C has another module."""
    folder = tmp_path_factory.mktemp("pages")
    return [sweep(folder / "a"), sweep(folder / "b", worse="0.5"), sweep(folder / "c", noise="1.75")]


def test_the_report_of_a_sweep(browser, runs):
    pages.check(browser, runs[0] / "report.html", "sweep")
    browser.open(runs[0] / "report.html", DRAWN)
    order = browser.evaluate("[...document.querySelectorAll('main > section')].filter((e) => !e.hidden).map((e) => e.id)")
    assert order.index("answer") < order.index("lines-section") < order.index("failed-section") < order.index("table-section")
    titles = browser.evaluate("[...document.querySelectorAll('svg .role-axis-title text')].map((e) => e.textContent)")
    assert any("[m]" in t for t in titles) and any("px" in t for t in titles)


PLAIN = """
local im = require "imatch"
im.sweep { name = "plain", quiet = true, axes = { angle_deg = { 0, 30, 60 }, match_th = { 0.3, 0.6 } }, %s
  measure = function(p) return { inliers = 300 - p.angle_deg * 4 + p.match_th * 10 } end }
"""


@pytest.mark.parametrize("best, answer", [
    ("", "inliers lies between 63 (angle_deg = 60, match_th = 0.3) and 306 (angle_deg = 0, match_th = 0.6), over 6 cells."),
    ("best = { metric = 'inliers', direction = 'max' },", "Best: angle_deg = 0, match_th = 0.6, with inliers 306."),
    ("best = { metric = 'inliers', direction = 'max', over = { 'angle_deg', 'match_th' } },", "Mean inliers: 185 ("),
], ids=["without", "of cells", "of all together"])
def test_a_report_answers_and_draws_without_a_setting_that_is_best(browser, tmp_path, best, answer):
    (tmp_path / "plain.lua").write_text(PLAIN % best)
    program.run("--no-cache", "--quiet", "plain.lua", cwd=tmp_path)
    (page,) = tmp_path.glob("runs/plain/*/report.html")
    pages.check(browser, page, "plain sweep")
    browser.open(page, DRAWN)
    assert browser.evaluate("document.getElementById('answer').innerText").split("\n")[0].startswith(answer)
    # The lines go through the values, as the median of one cell is its value, and nothing is undefined.
    drawn = browser.evaluate("[...document.querySelectorAll('#lines svg [aria-roledescription=point]')].map((p) => p.getAttribute('aria-label'))")
    told = {float(re.search(r"inliers[^:]*: ([\d.]+)", label)[1]) for label in drawn}
    assert told == {303.0, 306.0, 183.0, 186.0, 63.0, 66.0}, drawn
    assert "ndefined" not in browser.evaluate("document.body.innerText")
    # Six rows and their head are all that the table takes.
    assert browser.evaluate("document.getElementById('table').clientHeight") < 300
    assert browser.evaluate("document.querySelectorAll('#table tbody tr:not(:has(.spacer))').length") == 6


def test_long_labels_lose_their_middle_and_keep_it_on_hover(browser, runs):
    browser.resize(420, 900)
    try:
        browser.open(runs[0] / "report.html", DRAWN)
        label = "[...document.querySelectorAll('#lines svg .role-legend-label text')].find((t) => t.textContent.includes('…'))"
        shown = browser.evaluate(f"{label}.firstChild.data")
        head, tail = shown.split("…")
        assert LONG.startswith(head) and LONG.endswith(tail) and len(head) > 5 and len(tail) > 4 and len(shown) < len(LONG)
        assert browser.evaluate(f"{label}.querySelector('title').textContent") == LONG
        # The mouse reaches it.
        assert browser.evaluate(f"""(() => {{ const t = {label}; t.scrollIntoView({{block: "center"}}); const b = t.getBoundingClientRect();
          const e = document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2); return e === t; }})()""")
        browser.evaluate("(() => { const x = document.querySelector('[aria-label=\"Filter backbone\"]'); x.value = 'efficient'; x.dispatchEvent(new Event('input')); })()")
        cell = "[...document.querySelectorAll('.table td')].find((t) => t.textContent.includes('…'))"
        assert browser.evaluate(f"{cell}.title") == LONG
    finally:
        browser.resize(0, 0)


def test_labels_of_many_photos_on_an_axis_are_what_tells_them_apart(browser, tmp_path):
    (tmp_path / "photos.lua").write_text("""
      local im = require "imatch"
      local names = {}
      for i = 1, 47 do names[i] = ("IMG_%04d.jpg"):format(300 + i) end
      im.sweep { name = "photos", quiet = true, axes = { photo = names }, report = { line_x = "photo" },
        measure = function(p) return { inliers = tonumber(p.photo:match "%d+") } end }
    """)
    program.run("--no-cache", "--quiet", "photos.lua", cwd=tmp_path)
    (page,) = tmp_path.glob("runs/photos/*/report.html")
    browser.open(page, DRAWN)
    labels = "[...document.querySelectorAll('#lines svg .role-axis-label text')].filter((t) => t.querySelector('title'))"
    shown = browser.evaluate(f"{labels}.map((t) => [t.firstChild.data, t.querySelector('title').textContent])")
    assert len(shown) >= 8 and len({short for short, _ in shown}) == len(shown)  # Vega leaves out labels that would overlap
    assert all(whole == f"IMG_03{short}.jpg" for short, whole in shown), shown


def test_numbers_have_three_digits_and_the_whole_on_hover(browser, runs):
    browser.open(runs[0] / "report.html", DRAWN)
    rows = read_csv(runs[0] / "results.csv")
    column = 1 + browser.evaluate("window.sweep_table.columns.findIndex((c) => c.name === 'corner_error_px')")
    shown = browser.evaluate(f"[...document.querySelectorAll('.table td:nth-child({column})')].map((t) => [t.textContent, t.title])")
    texts = [(text, title) for text, title in shown if re.match(r"\d", text)]
    assert len(texts) > 5 and all(len(text.replace(".", "").lstrip("0")) <= 3 for text, _ in texts)
    values = [float(r["corner_error_px"]) for r in rows if r["status"] == "ok"]
    text, title = next((t, w) for t, w in texts if w)
    assert float(text) == pytest.approx(float(title), rel=6e-3)
    assert min(abs(float(title) - v) for v in values) < 1e-4


def test_two_runs_by_the_statistic_of_the_metric_as_the_terminal_says(browser, runs, tmp_path):
    a, b = runs[:2]
    done = program.run("sweep", "diff", a, b, "--html", tmp_path / "d.html", status=1)
    (line,) = [t for t in done.stdout.splitlines() if t.startswith("AUC@10px of corner error")]
    of_a, of_b, change, low, high = map(float, re.findall(r"-?\d+\.\d+", line.split("corner error")[1])[:5])
    assert change == pytest.approx(of_b - of_a, abs=2e-4) and low <= change <= high < 0
    pages.check(browser, tmp_path / "d.html", "comparison")
    browser.open(tmp_path / "d.html", DRAWN)
    assert browser.evaluate("[document.getElementById('metric').value, document.getElementById('statistic').value]") == ["corner_error_px", "auc@10"]
    answer = browser.evaluate("document.getElementById('answer').innerText")
    assert answer.startswith("By AUC@10 px of corner error: B is worse than A: ")
    shown = [float(x) for x in re.findall(r"-?\d+\.\d+", answer)]
    assert shown[0] == pytest.approx(of_b, abs=6e-4) and shown[1] == pytest.approx(of_a, abs=6e-4)
    assert shown[2] == pytest.approx(change, abs=6e-4)
    # Bootstraps of two programs: the same up to their drawing.
    assert shown[3] == pytest.approx(low, abs=0.01) and shown[4] == pytest.approx(high, abs=0.01)
    # Another statistic changes what is said.
    browser.evaluate("(() => { const x = document.getElementById('statistic'); x.value = 'mean'; x.dispatchEvent(new Event('change')); })()")
    browser.wait("document.getElementById('answer').innerText.includes('By mean corner error')")
    assert "by 0.5 px" in browser.evaluate("document.getElementById('answer').innerText")


def test_a_series_has_one_colour_on_both_sides(browser, runs, tmp_path):
    program.run("sweep", "diff", *runs[:2], "--html", tmp_path / "d.html", status=1)
    browser.open(tmp_path / "d.html", DRAWN)
    colours = browser.evaluate("""[...document.querySelectorAll('#lines .panel')].map((panel) => {
      const names = [...panel.querySelectorAll('.role-legend-label text')].map((t) => t.firstChild.data);
      const symbols = [...panel.querySelectorAll('.role-legend-symbol path')].map((p) => p.getAttribute('fill'));
      const lines = [...panel.querySelectorAll('.mark-line.role-mark path')].map((p) => p.getAttribute('stroke'));
      return [names, symbols, lines.sort()]; })""")
    assert len(colours) == 2 and colours[0] == colours[1]
    assert len(set(colours[0][1])) == 2
    domains = browser.evaluate("[...document.querySelectorAll('#lines .panel')].map((p) => [...p.querySelectorAll('.role-axis-label text')].map((t) => t.textContent).join())")
    assert domains[0] == domains[1]


def test_three_runs_with_what_differs_in_code_and_options(browser, runs, tmp_path):
    done = program.run("sweep", "diff", *runs, "--html", tmp_path / "d.html", status=1)
    assert "C: " in done.stdout and "C - A [95 %]" in done.stdout
    browser.problems.clear()
    browser.open(tmp_path / "d.html", DRAWN)
    assert browser.evaluate(DRAWN) == "true" and browser.problems == []
    rows = browser.evaluate("[...document.querySelectorAll('#summary tbody tr')].map((r) => r.innerText.split('\\t'))")
    assert [r[0] for r in rows] == ["A", "B", "C"]
    assert browser.evaluate("document.querySelectorAll('#lines .panel').length") == 3
    changes = browser.evaluate("[...document.querySelectorAll('#code .added, #code .removed')].map((e) => e.textContent.trim())")
    assert [c for c in changes if "+ 0.5" in c and c.startswith("+")] and [c for c in changes if "+ 0," in c and c.startswith("-")]
    assert [c for c in changes if c.startswith("+") and "% 1 * 1.75" in c] and [c for c in changes if c.startswith("-") and "% 1 * 1.5" in c]
    options = browser.evaluate("document.getElementById('options').innerText")
    assert "noise.lua" in options and "pages.lua" in options and "axis" not in options
    browser.evaluate("(() => { const x = document.getElementById('other'); x.value = '2'; x.dispatchEvent(new Event('change')); })()")
    browser.wait("document.getElementById('scatter-title').textContent.endsWith('A and C')")


def test_changed_lines_are_the_shortest_way(browser, runs, tmp_path):
    program.run("sweep", "diff", *runs[:2], "--html", tmp_path / "d.html", status=1)
    browser.open(tmp_path / "d.html", DRAWN)
    changed = browser.evaluate("window.code_changes.line_changes(['a', 'b', 'c', 'd'], ['a', 'c', 'x', 'd'])")
    assert changed == [[" ", "a"], ["-", "b"], [" ", "c"], ["+", "x"], [" ", "d"]]


def test_the_list_of_runs_across_names(browser, tmp_path):
    first = sweep(tmp_path)
    (tmp_path / "other.lua").write_text("""
local im = require "imatch"
im.sweep { name = "other", quiet = true, axes = { i = { 1, 2 } }, measure = function(p) return { y = p.i } end }""")
    program.run("other.lua", cwd=tmp_path)
    done = program.run("sweep", "list", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[1].startswith("runs/other/") and lines[2].startswith("runs/pages/") and "AUC@10px of corner error 0." in lines[2]
    assert "216 of 216" in lines[2] and lines[-1] == "page: runs/index.html"
    page = tmp_path / "runs/index.html"
    pages.check(browser, page, "runs", "document.querySelectorAll('#runs tbody tr').length == 2")
    browser.open(page, "document.querySelectorAll('#runs tbody tr').length == 2")
    href = browser.evaluate("document.querySelectorAll('#runs tbody tr')[1].querySelector('a').href")
    assert href == (first / "report.html").resolve().as_uri()
    browser.evaluate("document.querySelectorAll('#runs input').forEach((box) => box.click())")
    command = browser.evaluate("document.querySelector('#compare code').textContent")
    assert command == f"imatch-lua sweep diff runs/pages/{first.name} {lines[1].split()[0]} --html comparison.html"
    browser.evaluate("(() => { const x = document.getElementById('text'); x.value = 'dense_sift'; x.dispatchEvent(new Event('input')); })()")
    assert browser.evaluate("document.querySelectorAll('#runs tbody tr').length") == 1


SLOW = """
local im = require "imatch"
im.sweep { name = "slow", quiet = true, axes = { i = im.range(1, 30) }, best = { metric = "y", direction = "max" },
  measure = function(p) im.sleep(0.25); return { y = p.i } end }
"""


def test_a_running_sweep_is_seen_while_it_runs(browser, tmp_path):
    (tmp_path / "slow.lua").write_text(SLOW)
    sweep_process = program.start("slow.lua", cwd=tmp_path)
    while not list(tmp_path.glob("runs/slow/*/cells/*.json")):
        time.sleep(0.05)
    watch = program.start("sweep", "watch", "--every", "0.5", "runs/slow", cwd=tmp_path)
    page = watch.stdout.readline().split(": ")[1].strip()
    assert page.endswith("/live.html")
    browser.problems.clear()
    browser.open(tmp_path / page, "document.getElementById('subtitle').textContent.includes('live')")
    pending = browser.evaluate("window.sweep.status.filter((x) => x === 0).length")
    assert pending > 0
    # The page loads itself anew until the sweep is over, and then no more.
    browser.wait(f"window.sweep.status.filter((x) => x === 0).length < {pending}")
    browser.wait("window.sweep.status.every((x) => x === 1) && !document.getElementById('subtitle').textContent.includes('live')", 60)
    out, _ = program.finish(watch)
    program.finish(sweep_process)
    assert re.search(r"\d+ of 30 cells, 1 process at work", out) and "30 of 30 cells" in out
    assert browser.problems == []


def test_interrupted_says_how_to_go_on_and_a_watch_ends(tmp_path):
    (tmp_path / "slow.lua").write_text(SLOW)
    process = program.start("slow.lua", cwd=tmp_path)
    while len(list(tmp_path.glob("runs/slow/*/cells/*.json"))) < 2:
        time.sleep(0.05)
    process.send_signal(subprocess.signal.SIGINT)
    _, err = program.finish(process, 130)
    found = re.search(r"interrupted; (\d+) of 30 cells are finished and kept in (runs/slow/\w+); the same command goes on", err)
    assert found and int(found[1]) >= 2, err
    done = program.run("sweep", "watch", "--every", "0.2", "runs/slow", cwd=tmp_path)
    assert "nobody at work" in done.stdout and "`imatch-lua sweep resume runs/slow` goes on" in done.stdout


def test_what_another_process_measured_is_not_cached(tmp_path):
    (tmp_path / "slow.lua").write_text(SLOW.replace("quiet = true, ", ""))
    first, second = (program.start("--quiet", "slow.lua", cwd=tmp_path) for _ in range(2))
    texts = [program.finish(p)[0] for p in (first, second)]
    counts = [re.search(r"30 cells, (\d+) measured, (\d+) by other processes meanwhile, (\d+) cached", t) for t in texts]
    assert all(counts), texts
    assert sum(int(c[1]) for c in counts) == 30
    assert all(int(c[1]) + int(c[2]) + int(c[3]) == 30 for c in counts)


def test_the_last_line_of_progress_counts_what_others_finished(tmp_path):
    (tmp_path / "slow.lua").write_text(SLOW.replace("quiet = true, ", ""))
    done = program.run("sweep", "run", "-j", "2", "slow.lua", cwd=tmp_path)
    assert "slow: 30 of 30 cells (100%)" in done.stderr.strip().splitlines()[-1], done.stderr


OVERRIDDEN = """
local im = require "imatch"
local parser = im.arguments("x.lua", "X.")
parser:option "--title"
local args = parser:parse { ... }
local params = im.params { factor = 2, offsets = { 0 } }
local result = im.sweep { name = "x", quiet = true, report = false, axes = { match_th = { 0.1, 0.2 }, mode = { "a", "b" } },
  measure = function(p) return { y = p.match_th * params.factor + params.offsets[#params.offsets] } end }
for _, row in ipairs(result.rows) do io.write(row.match_th, row.mode, ":", row.y, " ") end
print(result:path(), result.num_run, args.title)
"""


def test_words_on_the_command_line_take_the_place_of_axes_and_parameters(tmp_path):
    (tmp_path / "x.lua").write_text(OVERRIDDEN)

    def run(*words, status=0):
        done = program.run("x.lua", *words, cwd=tmp_path, status=status)
        return done.stdout.split() if status == 0 else done.stderr

    plain = run()
    assert plain[:4] == ["0.1a:0.2", "0.1b:0.2", "0.2a:0.4", "0.2b:0.4"] and plain[5] == "4"
    wider = run("match_th=0.1,0.2,0.5", "mode=b")
    assert wider[:3] == ["0.1b:0.2", "0.2b:0.4", "0.5b:1"]
    assert wider[3] != plain[4] and wider[4] == "1"  # a folder of its own; cells that the other one has are not measured again
    assert run("match_th=0.1:0.3:0.1", "mode=a")[:3] == ["0.1a:0.2", "0.2a:0.4", "0.3a:0.6"]
    other = run("factor=10", "offsets=1,2", "mode=a", "--title", "a=b")
    assert other[:2] == ["0.1a:3", "0.2a:4"] and other[2] != plain[4] and other[4] == "a=b"
    assert "did you mean 'match_th'" in run("match_thr=0.5", status=1)
    assert "factor=x: expected a number" in run("factor=x", status=1)
    assert "match_th=high: expected numbers" in run("match_th=high", status=1)
    plan = program.run("sweep", "plan", "x.lua", "match_th=0.9", cwd=tmp_path).stdout
    assert "x with match_th = 0.9: 2 cells, 0 cached" in plan and "match_th (1): 0.9" in plan
    assert run("match_th=0.1,0.2")[4:6] == [plain[4], "0"]  # the script's own values, so its own folder


WHOLE = """
local im = require "imatch"
im.sweep { name = "x", axes = { a = { 1, 2, 3 }, b = { 1, 2 } }, best = { metric = "y", direction = "max" }, pictures = 2,
  setup = function() assert(io.open "input.txt"):close() end,
  measure = function(p, cell)
    if cell.picture then cell:save_image("p", im.image.new(40, 30, { 9, 90, 200 })) end
    io.open("log.txt", "a"):write(p.a, p.b, " ")
    return { y = p.a + p.b }
  end }
"""


def test_words_of_axes_leave_plan_and_report_of_the_whole_sweep_alone(tmp_path, browser):
    (tmp_path / "x.lua").write_text(WHOLE)
    (tmp_path / "input.txt").write_text("1")

    def run(*words):
        out = program.run(*words, cwd=tmp_path).stdout
        counts = re.search(r"^(x.*): (\d+) cells, (\d+) measured, (\d+) cached", out, re.M)
        return counts[1], *map(int, counts.groups()[1:]), tmp_path / re.search(r"^report: (.*)/report.html$", out, re.M)[1]

    def files(folder):
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    *_, whole = run("x.lua")
    before = files(whole)
    # A part of it: nothing is measured, and it has all that a run folder has.
    title, cells, measured, cached, part = run("x.lua", "a=2,3", "b=2")
    assert (title, cells, measured, cached) == ("x with a = 2, 3, b = 2", 2, 0, 2) and part.parent == whole.parent and part != whole
    assert len(read_csv(part / "results.csv")) == 2 and len(list((part / "cells").glob("*.json"))) == 2
    browser.open(part / "report.html", DRAWN)
    assert browser.evaluate("document.title") == title and browser.evaluate("window.sweep.keys.length") == 2
    assert json.loads((part / "provenance.json").read_text())["arguments"] == ["a=2,3", "b=2"]
    # More than it: the new cell is measured, once for both, and by `resume` of its folder as well.
    assert run("x.lua", "a=3,4", "b=1")[1:4] == (2, 1, 1)
    assert files(whole) == before
    assert "x with a = 2, 3, b = 2: 2 cells, 0 measured" in program.run("sweep", "resume", part, cwd=tmp_path).stdout
    (tmp_path / "x.lua").write_text(WHOLE.replace("{ 1, 2, 3 }", "{ 1, 2, 3, 4 }"))
    assert run("x.lua") == ("x", 8, 1, 7, whole)
    assert len((tmp_path / "log.txt").read_text().split()) == 8
    # What the shown pictures are of lies in each folder.
    assert {p.parent.name for p in part.glob("pictures/*/p.png")} <= {p.stem for p in part.glob("cells/*.json")}
    # `sample` chooses cells as well; what is chosen by --sample is no other experiment.
    assert run("x.lua", "sample=3")[:4] == ("x with sample = 3", 3, 0, 3)
    # What setup read has changed: neither folder may give the old numbers.
    (tmp_path / "input.txt").write_text("2")
    assert run("x.lua", "a=1", "b=1")[1:4] == (1, 1, 0)
    names = program.run("sweep", "list", cwd=tmp_path).stdout
    assert names.count("runs/x/") == 5


def test_code_is_kept_with_the_run(runs):
    kept = {entry["name"].split("/")[-1]: entry["text"] for entry in json.loads((runs[0] / "code.json").read_text())}
    assert set(kept) == {"pages.lua", "noise.lua"} and kept["noise.lua"] == NOISE.format("1.5")
