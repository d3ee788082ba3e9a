# SPDX-License-Identifier: Apache-2.0
"""What all pages have in common, asked of each in a real browser: nothing leaves the file, nothing is wider than the window,
light and dark can be read, numbers are short, long names lose their middle and keep it on hover. With IMATCH_SCREENSHOTS each
page is also left there as a picture, for eyes."""

import os
import pathlib
import re

# The contrast of text and ground by WCAG 2, of every text that is seen.
LEAST_CONTRAST = """(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
                         return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.9) return c; }
                          return [255, 255, 255]; };
  let least = [99, ""];
  for (const e of document.querySelectorAll("h1, h2, h3, p, td, th, dt, dd, label, .value, summary, a, button")) {
    if (!e.textContent.trim() || e.offsetParent === null || e.closest(".leaflet-container, .vega-embed details")) continue;
    const [a, b] = [light(channels(getComputedStyle(e).color)), light(ground(e))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < least[0]) least = [contrast, e.tagName + " " + e.className + ": " + e.textContent.slice(0, 40)];
  }
  return least;
})()"""

WIDER = """[...document.querySelectorAll("body *")].filter((e) => {
  if (e.closest(".wide-table, .table, pre, .leaflet-container, svg") || e.offsetParent === null) return false;
  const box = e.getBoundingClientRect();
  return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).slice(0, 5).map((e) => e.tagName + "#" + e.id + "." + e.className + " " + Math.round(e.getBoundingClientRect().right))"""


def too_long(text):
    """Numbers in a text with more than three significant digits behind a point."""
    found = re.findall(r"(?<![\w.\-])\d+\.\d+(?![\w.])", text)
    return [n for n in found if len(n.replace(".", "").lstrip("0")) > 3]


def check(browser, path, name, drawn="document.documentElement.dataset.drawn"):
    """Opens the page in four ways and asserts what is true of every page."""
    try:
        for width, height in ((1400, 1000), (420, 900)):
            for scheme in ("light", "dark"):
                browser.resize(width, height)
                browser.prefer_scheme(scheme)
                browser.requests.clear()
                browser.problems.clear()
                browser.open(path, drawn)
                browser.wait("[...document.images].every((i) => i.loading === 'lazy' || i.complete)")
                where = f"{name} {width} {scheme}"
                assert browser.evaluate("document.documentElement.dataset.drawn") != "failed", where
                assert browser.problems == [], where
                assert [u for u in browser.requests if not u.startswith(("data:", "file:", "blob:"))] == [], where
                assert browser.evaluate("document.documentElement.scrollWidth") <= width, (where, browser.evaluate(WIDER))
                assert browser.evaluate(WIDER) == [], where
                contrast, what = browser.evaluate(LEAST_CONTRAST)
                assert contrast >= 4.5, (where, what, contrast)
                assert browser.evaluate("document.documentElement.dataset.theme") == scheme, where
                shown = browser.evaluate("[...document.querySelectorAll('.answer, .value, .statistics dd')].map((e) => e.innerText).join('\\n')")
                assert too_long(shown) == [], where
                if os.environ.get("IMATCH_SCREENSHOTS"):
                    height = min(9000, browser.evaluate("document.documentElement.scrollHeight"))
                    browser.resize(width, height)
                    browser.evaluate("new Promise((r) => setTimeout(r, 700))")
                    folder = pathlib.Path(os.environ["IMATCH_SCREENSHOTS"])
                    folder.mkdir(parents=True, exist_ok=True)
                    browser.screenshot(folder / f"{name}_{width}_{scheme}.png")
    finally:
        browser.resize(0, 0)
        browser.prefer_scheme("")
