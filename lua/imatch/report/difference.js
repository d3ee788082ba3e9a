// Puts the page of two runs together.
"use strict";
(() => {
  const s = window.sweep, charts = window.sweep_charts;
  const {$, make, plural, card, example, show_selection, show_failures} = window.sweep_page;
  const SIDES = ["A", "B", "B - A"];
  const title_of = (metric) => charts.title_of(`${metric} (A)`).replace(" (A)", "");
  const column = (metric, side) => s.metric(`${metric} (${side})`);
  const compared = s.options.compared;
  const is_small_good = (metric) => s.is_small_good(`${metric} (A)`);

  /** Differences of the cells where both runs have a finite value. */
  function differences(metric) {
    const [a, b] = SIDES.map((side) => column(metric, side).values);
    const cells = s.keys.map((_, cell) => cell).filter((c) => a[c] !== null && b[c] !== null && Number.isFinite(+a[c]) && Number.isFinite(+b[c]));
    return {cells, a, b, values: cells.map((c) => b[c] - a[c])};
  }

  function show_head() {
    $("subtitle").textContent = `A: ${s.options.runs[0]} · B: ${s.options.runs[1]} · ${plural(s.num_cells, "cell")} in both` +
        (s.options.only[0] ? ` · ${plural(s.options.only[0], "cell")} only in A` : "") + (s.options.only[1] ? ` · ${plural(s.options.only[1], "cell")} only in B` : "");
  }

  function show_summary() {
    $("summary").replaceChildren(...compared.map((metric) => {
      const {cells, a, b, values} = differences(metric);
      const {mean} = window.sweep_statistics;
      if (values.length === 0) return card(title_of(metric), "–", "no cell where both are finite");
      const [low, high] = charts.interval({units: values.map((v) => [v])}).map((x) => s.format(Number(x.toPrecision(3))));
      const sign = is_small_good(metric) ? -1 : 1;
      const better = values.filter((v) => sign * v > 0).length, worse = values.filter((v) => sign * v < 0).length;
      const show = (x) => s.format(Number(x.toPrecision(4)));
      return card(`${title_of(metric)}, B − A`, show(mean(values)),
                  `95 % interval ${low} … ${high}. Means ${show(mean(cells.map((c) => +a[c])))} and ${show(mean(cells.map((c) => +b[c])))}; B is better in ${better}, worse in ${worse}, the same in ${values.length - better - worse}.`);
    }));
  }

  const MOST_POINTS = 5000;

  function scatter_spec(metric, color) {
    const {cells, a, b} = differences(metric);
    const step = Math.max(1, Math.ceil(cells.length / MOST_POINTS));
    const values = cells.filter((_, i) => i % step === 0).map((c) => ({
      a: +a[c], b: +b[c], cell: c, color: color ? color.labels[color.codes[c]] : "all",
      text: s.params(c).map(([name, value]) => `${name} ${value}`).join(", "),
    }));
    const all = values.flatMap((v) => [v.a, v.b]);
    const ends = [Math.min(...all), Math.max(...all)];
    const scale = {domain: ends[0] === ends[1] ? [ends[0] - 1, ends[1] + 1] : ends, nice: true, zero: false};
    return {
      left_out: cells.length - values.length, spec: {
        width: "container", height: 360,
        layer: [
          {data: {values: [{a: scale.domain[0], b: scale.domain[0]}, {a: scale.domain[1], b: scale.domain[1]}]},
           mark: {type: "line", strokeDash: [4, 3], strokeWidth: 1.5, tooltip: null}, encoding: {x: {field: "a", type: "quantitative"}, y: {field: "b", type: "quantitative"}, color: {value: charts.css("--muted")}}},
          {data: {values}, mark: {type: "point", filled: true, size: values.length > 500 ? 18 : 46, opacity: 0.6},
           encoding: {x: {field: "a", type: "quantitative", title: `A: ${title_of(metric)}`, scale, axis: {grid: false}},
                      y: {field: "b", type: "quantitative", title: `B: ${title_of(metric)}`, scale, axis: {grid: false}},
                      color: color ? {field: "color", type: "nominal", sort: color.labels, title: charts.title_of(color.name), legend: {orient: "top", columns: 4, symbolOpacity: 1}} : {value: charts.colors()[0]},
                      tooltip: [{field: "text", title: "cell"}, {field: "a", title: "A", format: ".5~g"}, {field: "b", title: "B", format: ".5~g"}]}},
        ],
      },
    };
  }

  function axis_spec(metric, axis) {
    const change = column(metric, "B - A");
    const values = charts.aggregate(change, [axis]).filter((g) => g.mean !== undefined)
        .map((g) => ({x: axis.labels[g.codes[0]], code: g.codes[0], y: g.mean, low: charts.interval(g)[0], high: charts.interval(g)[1], cells: g.count}));
    const x = {field: "x", type: "ordinal", sort: axis.labels, title: charts.title_of(axis.name), axis: {labelAngle: 0}};
    const y = (field) => ({field, type: "quantitative", title: `B − A, ${title_of(metric)}`, scale: {zero: true, nice: true}});
    return {data: {values}, width: "container", height: 360, layer: [
      {mark: {type: "rule", strokeWidth: 2, tooltip: null}, encoding: {x, y: y("low"), y2: {field: "high"}, color: {value: charts.colors()[1]}}},
      {mark: {type: "point", filled: true, size: 80}, encoding: {x, y: y("y"), color: {value: charts.colors()[1]},
        tooltip: [{field: "x", title: axis.name}, {field: "y", title: "B − A", format: ".5~g"}, {field: "low", format: ".5~g"}, {field: "high", format: ".5~g"}, {field: "cells"}]}},
      {data: {values: [{zero: 0}]}, mark: {type: "rule", strokeDash: [4, 3], tooltip: null}, encoding: {y: {field: "zero", type: "quantitative"}, color: {value: charts.css("--muted")}}},
    ]};
  }

  function show_examples(metric) {
    const {cells, values} = differences(metric);
    const order = cells.map((c, i) => [Math.abs(values[i]), c]).filter(([change]) => change > 0).sort((x, y) => y[0] - x[0] || x[1] - y[1]);
    const pictured = order.filter(([, c]) => s.pictures[c]);
    const shown = (pictured.length ? pictured : order).slice(0, 6).map(([, c]) => {
      const [a, b] = SIDES.map((side) => column(metric, side).values[c]);
      const is_better = (is_small_good(metric) ? a - b : b - a) > 0;
      return example(c, `${metric}: ${s.format(a)} → ${s.format(b)}`, is_better ? "good" : "bad");
    });
    $("examples-section").hidden = shown.length === 0;
    $("examples").replaceChildren(...shown);
  }

  async function draw() {
    const metric = $("metric").value, axis = s.axis($("color").value);
    if (!metric) { document.documentElement.dataset.drawn = "true"; return; }
    $("scatter-title").textContent = title_of(metric);
    const scatter = scatter_spec(metric, axis && axis.labels.length <= 12 ? axis : undefined);
    $("scatter-caption").textContent = `Cells on the dashed line are the same in both runs. A click shows a cell.` +
        (scatter.left_out ? ` ${plural(scatter.left_out, "cell")} are not drawn.` : "");
    show_examples(metric);
    await Promise.all([
      charts.draw($("scatter"), scatter.spec, (d) => { if (d.cell !== undefined) show_row(d.cell); }),
      axis ? charts.draw($("by-axis"), axis_spec(metric, axis)) : Promise.resolve(),
    ]);
    document.documentElement.dataset.drawn = "true";
  }

  const show_row = (cell) => {
    show_selection([cell], `Cell ${s.keys[cell]}`);
    $("selection-section").scrollIntoView({behavior: "smooth"});
  };

  /** What the records of the two runs say differently. */
  function show_provenance() {
    const flat = (value, name, out) => {
      if (value !== null && typeof value === "object") for (const [key, entry] of Object.entries(value)) flat(entry, name ? `${name}.${key}` : key, out);
      else out.set(name, String(value));
      return out;
    };
    const [a, b] = ["A", "B"].map((side) => {
      const {sessions, ...latest} = s.provenance[side] ?? {};
      return flat(latest, "", new Map());
    });
    const names = [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name)).sort();
    $("provenance").replaceChildren(make("table", {class: "plain-table"},
      make("thead", {}, make("tr", {}, make("th", {}, ""), make("th", {}, "A"), make("th", {}, "B"))),
      make("tbody", {}, ...names.map((name) => make("tr", {}, make("td", {}, name), make("td", {}, a.get(name) ?? "–"), make("td", {}, b.get(name) ?? "–"))))));
  }

  show_head();
  show_summary();
  show_failures();
  show_provenance();
  const table = window.sweep_table.make_table($("table"), show_row, (n) => {
    $("table-count").textContent = n === s.num_cells ? plural(n, "row") : `${n.toLocaleString("en")} of ${plural(s.num_cells, "row")}`;
  });
  $("clear-filters").addEventListener("click", () => table.filter({}));
  $("metric").replaceChildren(...compared.map((name) => make("option", {value: name}, title_of(name))));
  $("color").replaceChildren(...charts.varied.map((axis) => make("option", {value: axis.name}, charts.title_of(axis.name))));
  if (charts.choose().line_color) $("color").value = charts.choose().line_color.name;
  for (const id of ["metric", "color"]) $(id).addEventListener("change", draw);
  $("scatter-section").hidden = compared.length === 0;
  window.sweep_page.on_theme(draw);
  draw().catch((error) => {
    $("scatter-caption").textContent = `The charts could not be drawn: ${error.message}`;
    document.documentElement.dataset.drawn = "failed";
  });
})();
