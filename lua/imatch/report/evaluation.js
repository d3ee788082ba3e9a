// The page of an evaluation or a localisation: the answer, charts by Vega-Lite, the metrics as a table. The map is in places.js.
"use strict";
(() => {
  const {$, make, number, quantity, plural, card, colors, css, draw, digits, labelled, plain_table, short} = window.look;
  const data = JSON.parse($("data").textContent);
  const runs = data.runs, names = runs.map((r) => r.name), list = (x) => Array.isArray(x) ? x : [];
  const by_name = (run) => new Map(list(run.metrics).map((m) => [m.name, m]));
  const first = by_name(runs[0]);
  const is_share = (m) => /^(R@|hit@|found_rate|failure_rate|coverage_)/.test(m.name);
  const text = (m) => !m ? "–" : quantity(m.value, is_share(m) ? "%" : m.unit);
  const interval = (m) => m && typeof m.low === "number" && typeof m.high === "number" ? ` (${text({...m, value: m.low})} to ${text({...m, value: m.high})})` : "";
  const value = (name) => first.get(name)?.value;

  $("subtitle").textContent = `${names.map((n) => short(n, 40)).join(" · ")} · ${plural(data.num_queries ?? value("n_all") ?? 0, data.is_localization ? "photo" : "query").replace("querys", "queries")}`;

  // ---- Answer --------------------------------------------------------------------------------------------------------------

  function answer() {
    const of = (name) => text(first.get(name)), has = (name) => typeof value(name) === "number";
    if (data.is_localization) {
      const found = Math.round(value("found_rate") * value("n_all"));
      const off = has("top1_median_m") ? `; they lie ${of("top1_median_m")} off in the median and ${of("top1_p90_m")} in 90 %` : "";
      const wrong = has("false_positives") ? `; ${value("false_positives") === 0 ? "none" : number(value("false_positives"))} of those found ${value("false_positives") === 1 ? "is" : "are"} farther than ${number(data.radius_m)} m off` : "";
      const claimed = has("coverage_95") ? ` Their 95 % ellipses hold the true position for ${of("coverage_95")}, the 68 % ones for ${of("coverage_68")}, with ${of("map_sigma_m")} along each axis for the map's own error.` : "";
      return `${found} of ${plural(value("n_all"), "photo")} were found${off}${wrong}.${claimed}`;
    }
    const recalls = list(runs[0].metrics).filter((m) => /^R@\d+_all$/.test(m.name) && typeof m.value === "number");
    const told = recalls.length ? `The first reference lies within ${number(data.radius_m)} m in ${text(recalls[0])}${interval(recalls[0])} of queries` +
        (recalls.length > 1 ? `, one of the first ${recalls[recalls.length - 1].name.match(/\d+/)[0]} in ${text(recalls[recalls.length - 1])}` : "") : "";
    return `${told}${has("top1_median_m") ? `; the first one is ${of("top1_median_m")} off in the median` : ""}${runs.length > 1 ? ` (${short(names[0], 40)}; the charts compare all ${runs.length})` : ""}.`;
  }
  $("answer").replaceChildren(make("p", {class: "answer"}, answer()));

  const shown = ["n_all", "found_rate", "hit@5m", "top1_median_m", "heading_median_deg", "sigma_median_m", "R@1_all", "R@10_all", "hit@25m", "failure_rate"];
  /** What a metric is called on a card: "Within 25 m". */
  const title_of = (name) => ({n_all: data.is_localization ? "Photos" : "Queries", found_rate: "Found", top1_median_m: "Median error", heading_median_deg: "Median error of the heading",
    sigma_median_m: "Median claimed deviation", failure_rate: "Failed"})[name] ?? name.replace(/^hit@(\d+)m$/, "Within $1 m").replace(/^R@1_all$/, "Right at the first place").replace(/^R@(\d+)_all$/, "Right among the first $1");
  for (const metric of shown.map((name) => first.get(name)).filter(Boolean).slice(0, 6)) $("summary").append(card(title_of(metric.name), text(metric), `${metric.name}: ${metric.definition}${interval(metric)}`));
  const warnings = runs.flatMap((r) => list(r.warnings).map((w) => `${r.name}: ${w}`));
  $("warnings-section").hidden = warnings.length === 0;
  $("warnings").append(...warnings.map((w) => make("li", {}, w)));

  // ---- Charts --------------------------------------------------------------------------------------------------------------

  const series = () => ({field: "run", type: "nominal", sort: names, scale: {domain: names, range: names.map((_, i) => colors()[i % colors().length])}, title: null,
                         legend: runs.length > 1 ? {orient: "bottom", columns: 2, symbolOpacity: 1} : null});
  const share_axis = (field = "share") => ({field, type: "quantitative", title: "share of queries [%]", scale: {domain: [0, 1]}, axis: {format: "%"}});
  /** A chart without values is left out with its heading. */
  const chart = (id, spec) => {
    const has_values = (part) => (part.data?.values ?? []).length > 0;
    $(`${id}-section`).hidden = !has_values(spec);
    return has_values(spec) ? draw($(id), {width: "container", height: 260, ...spec}) : Promise.resolve();
  };
  const recalls = runs.flatMap((r) => list(r.metrics).filter((m) => /^R@\d+_all$/.test(m.name) && typeof m.value === "number")
      .map((m) => ({run: r.name, k: Number(m.name.match(/\d+/)[0]), share: m.value, low: m.low, high: m.high})));
  const FARTHEST_M = 100;
  const points = list(data.points);
  const boxes = (id, values, x, y, scale) => chart(id, {
    data: {values},
    layer: [
      {mark: {type: "rule", color: css("--muted")}, encoding: {y: {field: "p5", type: "quantitative", title: y, scale}, y2: {field: "p95"}}},
      {mark: {type: "bar", size: 16, fillOpacity: 0.6}, encoding: {y: {field: "q1", type: "quantitative", scale}, y2: {field: "q3"}, color: series()}},
      {mark: {type: "tick", thickness: 2, size: 16, color: css("--ink")}, encoding: {y: {field: "median", type: "quantitative", scale}, tooltip: [{field: "run"}, digits("p5"), digits("q1"), digits("median"), digits("q3"), digits("p95")]}},
    ],
    encoding: {x: {field: x, type: "ordinal", title: x === "k" ? "K" : null, sort: null, axis: {labelAngle: 0}}, xOffset: {field: "run", sort: names}},
  });
  // A logarithm has no zero: what is nearer than a centimetre stands at a centimetre.
  const at_least = (q) => Object.fromEntries(Object.entries(q).map(([key, v]) => [key, key === "k" ? v : Math.max(v, 0.01)]));

  async function draw_charts() {
    const at_k = {field: "k", type: "quantitative", title: "K", axis: {values: [...new Set(recalls.map((r) => r.k))], format: "d"}};
    const speed = runs.map((r) => ({run: r.name, ms: r.curves.latency_ms?.total?.median, share: by_name(r).get("hit@25m")?.value}))
        .filter((p) => typeof p.ms === "number" && typeof p.share === "number");
    const sigmas = points.filter((p) => typeof p.error_m === "number" && typeof p.position_sigma_m === "number").map((p) => ({photo: p.query, sigma: p.position_sigma_m, error: p.error_m, found: p.found === false ? "not found" : "found"}));
    const most = Math.max(...sigmas.map((p) => p.sigma), 0);
    const errors = points.filter((p) => typeof p.error_m === "number").map((p) => ({m: Math.min(p.error_m, FARTHEST_M)}));
    await Promise.all([
      chart("hit", {
        data: {values: runs.flatMap((r) => list(r.curves.hit).map((share, m) => ({run: r.name, m, share})))},
        mark: {type: "line", interpolate: "step-after", strokeWidth: 2},
        encoding: {x: {field: "m", type: "quantitative", title: "distance [m]"}, y: share_axis(), color: series(), ...(runs.length > 1 ? {strokeDash: {field: "run", sort: names, legend: null}} : {})},
      }),
      chart("recall", {data: {values: recalls}, layer: [
        {mark: {type: "rule", strokeWidth: 2}, encoding: {x: at_k, y: share_axis("low"), y2: {field: "high"}, color: series()}},
        {mark: {type: "line", point: true, strokeWidth: 2}, encoding: {x: at_k, color: series(), ...(runs.length > 1 ? {strokeDash: {field: "run", sort: names, legend: null}} : {}), y: share_axis(), tooltip: [{field: "run"}, {field: "k"}, digits("share"), digits("low"), digits("high")]}},
      ]}),
      chart("histogram", {
        data: {values: errors}, mark: {type: "bar", color: colors()[0]},
        encoding: {x: {field: "m", type: "quantitative", bin: {maxbins: 30, extent: [0, Math.max(1, ...errors.map((e) => e.m))]}, title: "error [m]"}, y: {aggregate: "count", type: "quantitative", title: "queries"}},
      }),
      chart("sigma", {data: {values: sigmas}, layer: [
        {mark: {type: "point", filled: true, size: 55, opacity: 0.8},
         encoding: {x: {field: "sigma", type: "quantitative", title: "predicted standard deviation, both axes together [m]"}, y: {field: "error", type: "quantitative", title: "error [m]"},
                    shape: {field: "found", type: "nominal", scale: {domain: ["found", "not found"], range: ["circle", "cross"]}, title: null, legend: sigmas.some((p) => p.found === "not found") ? {orient: "top"} : null}, color: {value: colors()[0]},
                    tooltip: [{field: "photo"}, digits("sigma", "predicted [m]"), digits("error", "error [m]")]}},
        {data: {values: [{sigma: 0, error: 0}, {sigma: most, error: most * Math.sqrt(Math.log(2))}]}, mark: {type: "line", strokeDash: [4, 3], color: css("--muted"), tooltip: null},
         encoding: {x: {field: "sigma", type: "quantitative"}, y: {field: "error", type: "quantitative"}}},
      ]}),
      boxes("top-k", runs.flatMap((r) => list(r.curves.top_k).map((q) => ({run: r.name, ...at_least(q)}))), "k", "distance [m]", {type: "log"}),
      boxes("latency", runs.flatMap((r) => Object.entries(r.curves.latency_ms ?? {}).map(([what, q]) => ({run: r.name, what, ...q}))), "what", "time [ms]", {}),
      chart("speed", {
        data: {values: speed.length > 1 ? speed : []}, mark: {type: "point", filled: true, size: 120},
        encoding: {x: {field: "ms", type: "quantitative", title: "median time a query [ms]", scale: {zero: false}},
                   y: {field: "share", type: "quantitative", title: "share within 25 m [%]", axis: {format: "%"}, scale: {domain: [0, 1]}}, color: series(), shape: {field: "run", sort: names, legend: null}},
      }),
    ]);
    document.documentElement.dataset.drawn = "true";
  }

  // ---- Table ---------------------------------------------------------------------------------------------------------------

  $("metrics").append(plain_table(["metric", ...names.map((n) => short(n, 30)), "definition"], list(runs[0].metrics).map((metric) => [
    metric.name, ...runs.map((run) => { const m = by_name(run).get(metric.name); return text(m) + interval(m); }), metric.definition])));

  const redraw = () => draw_charts().catch((error) => { $("answer").append(make("p", {class: "caption"}, `The charts could not be drawn: ${error.message}`)); document.documentElement.dataset.drawn = "failed"; });
  window.look.on_theme(redraw);
  redraw();
  window.places.show(data);
})();
