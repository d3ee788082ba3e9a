// The page of an evaluation: charts by Vega-Lite, the map by Leaflet, the metrics as a table.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const runs = data.runs;
  const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8B6FC0", "#7F7F7F"];
  const list = (x) => Array.isArray(x) ? x : [];
  const by_name = (run) => new Map(list(run.metrics).map((m) => [m.name, m]));
  const text = (m) => !m || m.value === null || m.value === undefined ? "–"
      : ["m", "ms", "deg"].includes(m.unit) ? `${m.value.toPrecision(4)} ${m.unit}`
      : Number.isInteger(m.value) && m.value > 1 ? String(m.value) : m.value.toFixed(4);
  const element = (name, content, attributes = {}) => {
    const e = document.createElement(name);
    if (content !== undefined) e.textContent = content;
    Object.assign(e, attributes);
    return e;
  };

  document.getElementById("subtitle").textContent = runs.map((r) => r.name).join(" · ");

  // ---- Cards and warnings ----------------------------------------------------------------------------------------------
  const first = by_name(runs[0]);
  const cards = document.getElementById("summary");
  const shown = ["n_all", "found_rate", "hit@5m", "top1_median_m", "heading_median_deg", "R@1_all", "R@10_all", "hit@25m",
                 "failure_rate"];
  for (const metric of shown.map((name) => first.get(name)).filter(Boolean).slice(0, 6)) {
    const name = metric.name;
    const card = element("div", undefined, {className: "card"});
    card.append(element("h3", name), element("div", text(metric), {className: "value"}), element("p", metric.definition));
    cards.append(card);
  }
  const warnings = runs.flatMap((r) => list(r.warnings).map((w) => `${r.name}: ${w}`));
  document.getElementById("warnings-section").hidden = warnings.length === 0;
  document.getElementById("warnings").append(...warnings.map((w) => element("li", w)));

  // ---- Charts ----------------------------------------------------------------------------------------------------------
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const config = {
    background: "transparent", font: getComputedStyle(document.body).fontFamily, view: {stroke: null}, range: {category: COLORS},
    axis: {labelColor: css("--muted"), titleColor: css("--ink"), gridColor: css("--line"), labelFontSize: 12, titleFontSize: 12},
    legend: {labelFontSize: 12, title: null, orient: "bottom", labelLimit: 400},
  };
  /// A chart without values is left out with its heading.
  const draw = (id, specification) => specification.data.values.length === 0
      ? document.getElementById(id).closest("section").remove() : vegaEmbed(`#${id}`, {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", height: 260, config, ...specification,
  }, {actions: {export: true, source: false, compiled: false, editor: false}, renderer: "svg"});
  const names = runs.map((r) => r.name);
  const color = {field: "run", type: "nominal", sort: names, legend: runs.length > 1 ? {} : null};

  draw("hit", {
    data: {values: runs.flatMap((r) => list(r.curves.hit).map((share, m) => ({run: r.name, m, share})))},
    mark: {type: "line", interpolate: "step-after", strokeWidth: 2},
    encoding: {x: {field: "m", type: "quantitative", title: "distance [m]"},
               y: {field: "share", type: "quantitative", title: "share of queries", scale: {domain: [0, 1]}, axis: {format: "%"}}, color},
  });
  const recalls = runs.flatMap((r) => list(r.metrics).filter((m) => /^R@\d+_all$/.test(m.name) && typeof m.value === "number")
      .map((m) => ({run: r.name, k: Number(m.name.match(/\d+/)[0]), share: m.value, low: m.low, high: m.high})));
  const at_k = {field: "k", type: "quantitative", title: "K", axis: {values: [...new Set(recalls.map((r) => r.k))], format: "d"}};
  draw("recall", {
    data: {values: recalls},
    layer: [
      {mark: {type: "rule", strokeWidth: 2}, encoding: {x: at_k, y: {field: "low", type: "quantitative"}, y2: {field: "high"}, color}},
      {mark: {type: "line", point: true, strokeWidth: 2}, encoding: {x: at_k, color,
        y: {field: "share", type: "quantitative", title: "share of queries", scale: {domain: [0, 1]}, axis: {format: "%"}}}},
    ],
  });
  const FARTHEST_M = 100;
  draw("histogram", {
    data: {values: list(data.points).filter((p) => typeof p.error_m === "number").map((p) => ({m: Math.min(p.error_m, FARTHEST_M)}))},
    mark: {type: "bar", color: COLORS[0]},
    encoding: {x: {field: "m", type: "quantitative", bin: {maxbins: 30}, title: "error [m]"},
               y: {aggregate: "count", type: "quantitative", title: "queries"}},
  });
  const boxes = (id, values, x, y, scale) => draw(id, {
    data: {values},
    layer: [
      {mark: {type: "rule"}, encoding: {y: {field: "p5", type: "quantitative", title: y, scale}, y2: {field: "p95"}}},
      {mark: {type: "bar", size: 16, fillOpacity: 0.6}, encoding: {y: {field: "q1", type: "quantitative", scale}, y2: {field: "q3"}, color}},
      {mark: {type: "tick", thickness: 2, size: 16, color: css("--ink")}, encoding: {y: {field: "median", type: "quantitative", scale}}},
    ],
    encoding: {x: {field: x, type: "ordinal", title: x === "k" ? "K" : null, sort: null, axis: {labelAngle: 0}}, xOffset: {field: "run", sort: names}},
  });
  // A logarithm has no zero: what is nearer than a centimetre stands at a centimetre.
  const at_least = (q) => Object.fromEntries(Object.entries(q).map(([key, v]) => [key, key === "k" ? v : Math.max(v, 0.01)]));
  boxes("top-k", runs.flatMap((r) => list(r.curves.top_k).map((q) => ({run: r.name, ...at_least(q)}))), "k", "distance [m]", {type: "log"});
  boxes("latency", runs.flatMap((r) => Object.entries(r.curves.latency_ms ?? {}).map(([what, q]) => ({run: r.name, what, ...q}))),
        "what", "time [ms]", {});
  const speed = runs.map((r) => ({run: r.name, ms: r.curves.latency_ms?.total?.median, share: by_name(r).get("hit@25m")?.value}))
      .filter((p) => typeof p.ms === "number" && typeof p.share === "number");
  if (speed.length > 1) {
    document.getElementById("speed-section").hidden = false;
    draw("speed", {
      data: {values: speed}, mark: {type: "point", filled: true, size: 120},
      encoding: {x: {field: "ms", type: "quantitative", title: "median time a query [ms]", scale: {zero: false}},
                 y: {field: "share", type: "quantitative", title: "hit@25m", axis: {format: "%"}, scale: {domain: [0, 1]}}, color},
    });
  }

  // ---- Map -------------------------------------------------------------------------------------------------------------
  const points = list(data.points).filter((p) => p.truth || p.predicted);
  if (points.length > 0) {
    document.getElementById("map-section").hidden = false;
    const map = L.map("map", {attributionControl: false, maxZoom: 24, preferCanvas: true, zoomSnap: 0.25});
    const at = (p) => [p.latitude_deg, p.longitude_deg];
    const bounds = L.latLngBounds(points.flatMap((p) => [p.truth, p.predicted].filter(Boolean).map(at)));
    if (data.background) {
      L.imageOverlay(data.background.url, data.background.bounds).addTo(map);
      bounds.extend(data.background.bounds);
    }
    const [query, prediction, line] = ["#0b6e99", "#1a7f4b", "#b42318"];
    for (const p of points) {
      const is_measured = typeof p.error_m === "number";
      const found = p.found === false ? ", not found" : "";
      const label = `${p.query}: ${is_measured ? p.error_m.toFixed(1) + " m" : p.predicted ? "position not known" : "no prediction"}${found}`;
      const tip = () => element("span", label);
      const right = is_measured ? p.error_m <= data.radius_m : p.found !== false;
      if (p.truth && p.predicted) L.polyline([at(p.truth), at(p.predicted)], {color: right ? prediction : line, weight: 2}).bindTooltip(tip).addTo(map);
      if (p.predicted) L.circleMarker(at(p.predicted), {radius: 4, color: right ? prediction : line, weight: 2, fillOpacity: 0.4}).bindTooltip(tip).addTo(map);
      if (p.truth) L.circleMarker(at(p.truth), {radius: 4, color: query, weight: 2, fillOpacity: 0.9}).bindTooltip(tip).addTo(map);
    }
    L.control.scale({imperial: false}).addTo(map);
    map.fitBounds(bounds.pad(0.05));
    const meaning = points.some((p) => p.truth) ? `Blue: true positions; green: predictions within ${data.radius_m} m; red: the others. `
        : "Green: found; red: positions below the confidence asked for. ";
    document.getElementById("map-caption").textContent = meaning
        + (points.length < data.num_queries ? `${points.length} of ${data.num_queries} queries, evenly spaced. ` : "")
        + `From ${runs[0].name}.`;
  }

  // ---- Table -----------------------------------------------------------------------------------------------------------
  const table = element("table", undefined, {className: "metrics"});
  const head = table.createTHead().insertRow();
  head.append(element("th", "metric"), ...names.map((n) => element("th", n)), element("th", "definition"));
  const body = table.createTBody();
  for (const metric of list(runs[0].metrics)) {
    const row = body.insertRow();
    row.append(element("td", metric.name));
    for (const run of runs) row.append(element("td", text(by_name(run).get(metric.name)), {className: "number"}));
    row.append(element("td", metric.definition));
  }
  document.getElementById("metrics").append(table);
})();
