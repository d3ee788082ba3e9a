# SPDX-License-Identifier: Apache-2.0
"""The report of a sweep in a real browser: what it draws, what it shows, and that no request leaves the file."""

import os
import shutil
import statistics
import time

import pytest

import program
from files import read_csv

DRAWN = "document.documentElement.dataset.drawn"

SCRIPT = """
local im = require "imatch"
im.sweep {
  name = "page", out = "runs", quiet = true, pictures = 6,
  axes = { altitude_m = { 60, 120, 240 }, backbone = { "dense_sift", "<b>net</b></script>" }, match_th = { 0.1, 0.3, 0.5, 0.7 },
           place = im.range(1, %d), rotation_deg = im.range(0, 315, 45) },
  best = { metric = "corner_error_px", statistic = "median", over = { "place", "rotation_deg" }, units = { "place" } },
  measure = function(p)
    if p.place == 2 and p.rotation_deg == 45 then error("<img src=x onerror=alert(1)>") end
    if p.place == 1 and p.rotation_deg == 90 then return { corner_error_px = 1 / 0, num_inliers = 0 } end
    local e = p.altitude_m / 30 + 20 * (p.match_th - 0.5) ^ 2 + math.random() + (p.backbone == "dense_sift" and 0 or 3)
    return { corner_error_px = e, num_inliers = math.floor(500 / e) }
  end,
  picture = function(p, cell) cell:save_image("matches", im.image.new(1600, 600)) end,
}
"""


def sweep(folder, num_places):
    (folder / "page.lua").write_text(SCRIPT % num_places)
    program.run("--quiet", "page.lua", cwd=folder)
    (path,) = (folder / "runs" / "page").iterdir()
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("report"), 3)


@pytest.fixture(scope="module")
def page(browser, run, tmp_path_factory):
    # From another folder: the page carries all it needs.
    path = shutil.copy(run / "report.html", tmp_path_factory.mktemp("elsewhere") / "report.html")
    browser.requests.clear()
    browser.open(path, DRAWN)
    return browser


def table(run):
    return read_csv(run / "results.csv")


def test_no_request_leaves_the_file(page):
    assert page.evaluate(DRAWN) == "true"
    outside = [url for url in page.requests if not url.startswith(("data:", "file:"))]
    files = [url for url in page.requests if url.startswith("file:")]
    assert outside == [] and len(files) == 1
    assert page.problems == []


def test_nothing_that_was_measured_becomes_markup(page):
    assert page.evaluate("document.querySelectorAll('main b, img[src=x]').length") == 0
    assert page.evaluate("document.getElementById('failed').innerText.includes('<img src=x onerror=alert(1)>')")
    assert page.evaluate("document.body.innerText.includes('<b>net</b></script>')")


def test_a_line_for_each_backbone_has_the_medians_of_the_table(page, run):
    assert page.evaluate("document.getElementById('lines-title').textContent") == "corner error [px] along match th"
    assert page.evaluate("document.querySelectorAll('#lines svg .mark-line.role-mark path').length") == 2
    drawn = page.evaluate("""(() => {
      const c = window.sweep_charts.choose();
      const spec = window.sweep_charts.line_spec(window.sweep.metric('corner_error_px'), c.line_x, c.line_color, 'median');
      return spec.data.values.map((v) => [v.color, v.x, v.y, v.cells, v.missing]);
    })()""")
    assert len(drawn) == 8
    for backbone, threshold, median, count, missing in drawn:
        cells = [r for r in table(run) if r["backbone"] == backbone and float(r["match_th"]) == threshold]
        numbers = [float(r["corner_error_px"]) for r in cells if r["status"] == "ok" and r["corner_error_px"] != "inf"]
        assert (count, missing) == (len(cells), len(cells) - len(numbers))
        assert median == pytest.approx(statistics.median(numbers), rel=1e-5)


def test_a_heat_map_of_altitude_and_rotation_for_each_backbone(page):
    assert page.evaluate("document.getElementById('heat-title').textContent") == "corner error [px] by altitude [m] and rotation [°]"
    assert page.evaluate("document.querySelectorAll('#heat .panel').length") == 2
    assert page.evaluate("document.querySelectorAll('#heat .panel:first-child svg .mark-rect.role-mark path').length") == 3 * 8


def test_the_table_sorts_and_filters(page, run):
    rows = table(run)
    assert page.evaluate("document.getElementById('table-count').textContent") == f"{len(rows)} rows"
    page.evaluate("[...document.querySelectorAll('.table th button')].find((b) => b.textContent.startsWith('corner_error_px')).click()")
    least = min(float(r["corner_error_px"]) for r in rows if r["corner_error_px"])
    column = list(rows[0]).index("corner_error_px")
    first = page.evaluate(f"document.querySelectorAll('.table tbody tr')[1].cells[{column - 1}].textContent")
    assert float(first) == pytest.approx(least, rel=5e-3)  # three digits
    for typed, wanted in [(">100", lambda r: float(r["altitude_m"]) > 100), ("60..120", lambda r: float(r["altitude_m"]) <= 120),
                          ("=60", lambda r: r["altitude_m"] == "60"), ("", lambda r: True)]:
        page.evaluate(f"""(() => {{ const input = document.querySelector('.table th input');
          input.value = '{typed}'; input.dispatchEvent(new Event('input')); }})()""")
        count = sum(map(wanted, rows))
        text = page.evaluate("document.getElementById('table-count').textContent")
        assert text == (f"{count} rows" if count == len(rows) else f"{count} of {len(rows)} rows")


def test_best_and_worst_cells_come_with_their_pictures(page, run):
    assert page.evaluate("document.querySelectorAll('#examples .example img').length") == 6
    assert page.evaluate("[...document.querySelectorAll('#examples img')].every((i) => i.src.startsWith('data:image/jpeg;base64,'))")
    assert page.evaluate("Promise.all([...document.querySelectorAll('#examples img')].map((i) => i.decode()))"
                         ".then(() => document.querySelector('#examples img').naturalWidth)") == 960
    best = min(float(r["corner_error_px"]) for r in table(run) if r["corner_error_px"])
    text = page.evaluate("document.querySelector('#examples .rank').textContent")
    assert text.startswith("Best: corner_error_px ") and float(text.split()[-1]) == pytest.approx(best, rel=5e-3)


def test_another_metric_is_drawn_on_request(page):
    page.evaluate("""(() => { const select = document.getElementById('metric'); select.value = 'num_inliers';
      select.dispatchEvent(new Event('change')); })()""")
    assert page.evaluate("document.getElementById('lines-title').textContent") == "num inliers along match th"


def test_all_axes_at_once(page, run):
    assert page.evaluate("document.querySelectorAll('#parallel svg .mark-line.role-mark path').length") == 3 * 2 * 4
    titles = page.evaluate("[...document.querySelectorAll('#parallel svg .role-axis-label text')].map((t) => t.textContent)")
    assert titles[:3] == ["altitude [m]", "backbone", "match th"] and titles[3] in ("corner error [px]", "num inliers")


def test_the_pareto_set_is_on_a_line(page):
    front = page.evaluate("""(() => {
      const s = window.sweep, spec = window.sweep_charts.cost_spec(s.metric("corner_error_px"), s.best.over, undefined, "mean");
      const key = (v) => [v.x, v.y];
      return {front: spec.front.map(key), all: spec.spec.data.values.map(key)};
    })()""")
    beaten = [p for p in front["all"] if any(q[0] <= p[0] and q[1] <= p[1] and q != p for q in front["all"])]
    assert sorted(front["front"]) == sorted(p for p in front["all"] if p not in beaten)
    assert page.evaluate("document.querySelectorAll('#cost svg .mark-line.role-mark path').length") == 1


def test_intervals_are_drawn_over_places(page, run):
    drawn = page.evaluate("""(() => {
      const s = window.sweep, c = window.sweep_charts;
      return c.line_spec(s.metric("corner_error_px"), s.axis("match_th"), s.axis("backbone"), "interval").data.values.map((v) => [v.color, v.x, v.y, v.low, v.high]);
    })()""")
    for backbone, threshold, mean, low, high in drawn:
        means = []
        for place in "123":
            numbers = [float(r["corner_error_px"]) for r in table(run) if r["backbone"] == backbone and float(r["match_th"]) == threshold
                       and r["place"] == place and r["status"] == "ok" and r["corner_error_px"] != "inf"]
            means.append(statistics.mean(numbers))
        # Three places: the interval reaches from about the least mean of a place to the largest.
        assert min(means) - 1e-4 <= low < mean < high <= max(means) + 1e-4
    page.evaluate("(() => { const x = document.getElementById('statistic'); x.value = 'interval'; x.dispatchEvent(new Event('change')); })()")
    assert "bootstrap 95 % interval of the mean over place" in page.evaluate("document.getElementById('lines-caption').textContent")


def test_areas_and_shares_are_those_of_the_program(tmp_path, own_browser):  # the others go on with the page that they have open
    browser = own_browser
    best = """best = { metric = "corner_error_px", statistic = "auc@10", over = { "place", "rotation_deg", "altitude_m" }, units = { "place" },
      compare = "backbone", along = { "altitude_m", "rotation_deg" }, along_statistic = "share@6" },"""
    script = (SCRIPT % 3).splitlines()
    script[[i for i, line in enumerate(script) if line.startswith("  best = ")][0]] = best
    (tmp_path / "page.lua").write_text("\n".join(script))
    program.run("--quiet", "page.lua", cwd=tmp_path)
    (run,) = (tmp_path / "runs" / "page").iterdir()
    browser.open(run / "report.html", DRAWN)
    assert browser.evaluate(DRAWN) == "true" and browser.problems == []
    rows = table(run)
    chosen = browser.evaluate("window.sweep.best")
    assert len(chosen["settings"]) == 2 and chosen["title"] == "AUC@10px of corner error"
    for setting in chosen["settings"]:
        cells = [r for r in rows if r["backbone"] == setting["params"]["backbone"] and float(r["match_th"]) == setting["params"]["match_th"]]
        errors = [float(r["corner_error_px"]) if r["status"] == "ok" else float("inf") for r in cells]
        assert setting["num_cells"] == len(errors) and setting["low"] <= setting["value"] <= setting["high"]
        for part in setting["along"][0]["values"]:
            those = [e for e, r in zip(errors, cells, strict=True) if float(r["altitude_m"]) == part["altitude_m"]]
            assert part["value"] == pytest.approx(sum(e <= 6 for e in those) / len(those))
    # The page computes what it draws by the same definitions: each setting's area, from its own copy of the results.
    drawn = browser.evaluate("""(() => {
      const s = window.sweep, c = window.sweep_charts, metric = s.metric("corner_error_px");
      return c.aggregate(metric, [s.axis("backbone"), s.axis("match_th")]).map((g) =>
          [s.axis("backbone").labels[g.codes[0]], s.axis("match_th").values[g.codes[1]], c.centre(g, "auc@10"), ...c.interval(g, "auc@10")]);
    })()""")
    by_setting = {(b, t): values for b, t, *values in drawn}
    for setting in chosen["settings"]:
        area, low, high = by_setting[setting["params"]["backbone"], setting["params"]["match_th"]]
        assert area == pytest.approx(setting["value"], rel=1e-4)
        assert low == pytest.approx(setting["low"], abs=0.02) and high == pytest.approx(setting["high"], abs=0.02)
    assert max(v[0] for v in by_setting.values()) == pytest.approx(chosen["setting"]["value"], rel=1e-4)
    # Two backbones at three altitudes and at eight headings.
    assert browser.evaluate("[...document.querySelectorAll('#along .panel')].map((p) => p.querySelectorAll('svg .mark-rect.role-mark path').length)") == [6, 16]
    assert "share with corner error at most 6 px" in browser.evaluate("document.getElementById('along-title').textContent")
    assert "four corners" in browser.evaluate("document.getElementById('definitions').textContent")
    text = program.run("sweep", "best", run, "--statistic", "quantile@0.9").stdout
    assert "0.9 quantile of corner error [px]: " in text and "share with corner error at most 6 px, by altitude_m:" in text


ODD_NAMES = """
local im = require "imatch"
im.sweep { name = "odd", out = "runs", quiet = true,
  axes = { ["__proto__"] = { 1, 2, 3 }, constructor = { "constructor", "__proto__", "a\\nb" },
    ["line\\nbreak"] = { "x\\226\\128\\168y", "toString" } },
  best = { metric = "a.b[0]" },
  measure = function(p) return { ["a.b[0]"] = p["__proto__"] * 2, hasOwnProperty = 3, ["m\\nn"] = p["__proto__"] } end }
"""


def test_names_with_line_breaks_and_those_of_javascript_itself_are_drawn(tmp_path, own_browser):
    (tmp_path / "odd.lua").write_text(ODD_NAMES)
    program.run("--quiet", "odd.lua", cwd=tmp_path)
    (path,) = (tmp_path / "runs/odd").iterdir()
    own_browser.open(path / "report.html", DRAWN)
    assert own_browser.evaluate("document.querySelectorAll('svg').length") >= 4
    assert "could not be drawn" not in own_browser.evaluate("document.body.innerText") and not own_browser.problems
    points = own_browser.evaluate("[...document.querySelectorAll('svg [aria-label]')].map((e) => e.getAttribute('aria-label')).join()")
    assert "constructor" in points and "__proto__" in points


def test_a_click_shows_the_pair(page):
    page.evaluate("document.querySelectorAll('.table tbody tr')[1].click()")
    assert page.evaluate("document.getElementById('selection-section').hidden") is False
    assert page.evaluate("document.querySelectorAll('#selection img').length") >= 1
    for _ in range(20):  # the page may still be scrolling, or drawing anew
        time.sleep(0.2)
        point = page.evaluate("""(() => { const mark = document.querySelector('#cost svg .mark-symbol.role-mark path');
          mark.scrollIntoView({block: "center", behavior: "instant"});
          const box = mark.getBoundingClientRect();
          return [box.left + box.width / 2, box.top + box.height / 2]; })()""")
        for kind in ("mousePressed", "mouseReleased"):
            page.call("Input.dispatchMouseEvent", type=kind, x=point[0], y=point[1], button="left", clickCount=1)
        title = page.evaluate("document.getElementById('selection-title').textContent")
        if title.startswith("24 cells"):
            break
    assert title.startswith("24 cells with altitude_m = ") and "backbone = " in title and "match_th = " in title
    assert page.evaluate("document.getElementById('table-count').textContent").startswith("24 of ")


def test_two_runs_side_by_side(browser, run, tmp_path):
    (tmp_path / "page.lua").write_text((SCRIPT % 3).replace("num_inliers = math", "num_inliers = 7 + math"))
    program.run("--quiet", "page.lua", cwd=tmp_path)
    (other,) = (tmp_path / "runs" / "page").iterdir()
    program.run("sweep", "diff", run, other, "--metric", "num_inliers", "--html", "d.html", cwd=tmp_path, status=1)
    browser.requests.clear()
    browser.problems.clear()
    browser.open(tmp_path / "d.html", DRAWN)
    assert browser.evaluate(DRAWN) == "true" and browser.problems == []
    assert [url for url in browser.requests if not url.startswith(("data:", "file:"))] == []
    assert browser.evaluate("document.querySelectorAll('main b, img[src=x]').length") == 0
    assert browser.evaluate("document.getElementById('metric').value") == "num_inliers"
    (line,) = browser.evaluate("[...document.querySelectorAll('#summary tbody tr')].slice(1).map((r) => r.innerText.split('\\t'))")
    # 24 of 552 cells found nothing in both runs.
    assert float(line[5]) == pytest.approx(7 * 528 / 552, abs=5e-3)
    assert line[7].split(" / ") == ["528", "0", "24"]
    assert browser.evaluate("document.querySelectorAll('#scatter svg .mark-symbol.role-mark path').length") > 500
    assert browser.evaluate("document.querySelectorAll('#examples .example').length") > 0
    text = browser.evaluate("document.querySelector('#examples .rank').textContent")
    before, after = map(int, text.split("num_inliers ")[1].split(" → "))
    assert after - before == 7


def test_it_follows_the_dark_scheme(browser, run):
    browser.prefer_scheme("dark")
    try:
        browser.open(run / "report.html", DRAWN)
        background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        assert sum(int(c) for c in background[4:-1].split(",")) < 150
        browser.evaluate("document.getElementById('theme').click()")
        assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    finally:
        browser.prefer_scheme("")


def test_50000_rows_open_quickly(browser, tmp_path):
    run = sweep(tmp_path, 261)
    seconds = browser.open(run / "report.html", DRAWN)
    assert browser.evaluate(DRAWN) == "true"
    assert browser.evaluate("window.sweep.num_cells") == 3 * 2 * 4 * 261 * 8
    assert browser.evaluate("document.querySelectorAll('.table tbody tr').length") < 100
    print(f"a report of 50,112 cells opens in {seconds:.2f} s")
    assert seconds < 3 * max(1, os.getloadavg()[0] / os.cpu_count())
