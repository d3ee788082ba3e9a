// Puts the page of several runs together: A is the first, the others are compared with it.
"use strict";
(() => {
  const s = window.sweep, charts = window.sweep_charts, statistics = window.sweep_statistics;
  const {$, make, plural, number, quantity, labelled, css, colors, draw, digits, told, plain_table} = window.look;
  const {example, show_selection, show_failures} = window.sweep_page;
  const runs = s.options.runs, compared = s.options.compared;
  const name_of_run = (run) => run.path.split("/").slice(-2).join("/");
  const column = (metric, run) => s.metric(`${metric} (${run.letter})`);
  const description = (metric) => column(metric, runs[0]);
  const label_of = (metric) => description(metric).label.replace(" (A)", "");
  const unit_of = (metric) => description(metric).unit === "deg" ? "°" : description(metric).unit ?? "";
  const title_of = (metric) => label_of(metric) + (unit_of(metric) ? ` [${unit_of(metric)}]` : "");

  // ---- Statistics --------------------------------------------------------------------------------------------------------

  /** What the runs say of the metric that they decide by: the first one's `best`. */
  const best = runs.map((run) => run.best).find((b) => b && b.metric) ?? {};
  const is_small_good = (metric) => best.metric === metric && best.direction ? best.direction === "min" : description(metric).better === "lower";
  const statistic_of = (metric) => s.options.statistic ?? (best.metric === metric && best.statistic ? best.statistic : "mean");
  const units = (best.units ?? []).map((name) => s.axis(name)).filter(Boolean);
  const words_of = (metric, statistic) => {
    const [kind, parameter] = statistic.split("@"), unit = unit_of(metric);
    if (kind === "auc") return `AUC@${parameter}${unit ? ` ${unit}` : ""} of ${label_of(metric)}`;
    if (kind === "share") return `share with ${label_of(metric)} at ${is_small_good(metric) ? "most" : "least"} ${parameter} ${unit}`.trimEnd();
    if (kind === "quantile") return `${parameter} quantile of ${label_of(metric)}`;
    return `${kind} ${label_of(metric)}`;
  };
  /** A value of the statistic with its unit; a difference of shares is one of percent points. */
  const shown = (x, metric, statistic) => quantity(x, statistic.startsWith("share@") ? "%" : statistics.is_share(statistic) ? "" : unit_of(metric));
  const is_less_better = (metric, statistic) => !statistics.is_share(statistic) && is_small_good(metric);

  /** The cells that count, in the units that the bootstrap draws from: of a mean those that are finite in all of `of`, of
      anything else all, and what is missing is as bad as can be. The program's `sweep diff` counts in the same way. */
  function counted(metric, statistic, of, cells = s.keys.map((_, cell) => cell)) {
    const worst = is_small_good(metric) ? Infinity : -Infinity, groups = new Map();
    let left_out = 0;
    for (const cell of cells) {
      const values = of.map((run) => column(metric, run).values[cell]).map((v) => v !== null && Number.isFinite(+v) ? +v : worst);
      if (statistic === "mean" && !values.every(Number.isFinite)) { ++left_out; continue; }
      const unit = units.length ? units.reduce((id, axis) => id * axis.values.length + axis.codes[cell], 0) : cell;
      if (!groups.has(unit)) groups.set(unit, []);
      groups.get(unit).push(values);
    }
    const list = [...groups.values()];
    list.forEach((rows, i) => { rows.unit = i; });
    return {units: list, left_out};
  }
  /** function(drawn units) -> the statistic of one side: sorted once, however often units are drawn. */
  function side_of(groups, side, metric, statistic) {
    const sorted = groups.flatMap((rows) => rows.map((row) => [row[side], rows.unit])).sort((x, y) => x[0] === y[0] ? 0 : x[0] - y[0]);
    return (drawn) => {
      const times = new Uint16Array(groups.length);
      for (const rows of drawn) ++times[rows.unit];
      const values = [];
      for (const [value, unit] of sorted) for (let k = 0; k < times[unit]; ++k) values.push(value);
      return statistics.of_sorted(statistic, values, is_small_good(metric));
    };
  }
  const of_side = (rows, side, metric, statistic) => statistics.of_sorted(statistic, rows.map((row) => row[side]).sort((x, y) => x - y), is_small_good(metric));
  function difference_of(metric, statistic, run, cells) {
    const {units: groups, left_out} = counted(metric, statistic, [runs[0], run], cells);
    if (groups.length === 0) return {left_out};
    const [of_a, of_b] = [0, 1].map((side) => side_of(groups, side, metric, statistic));
    const change = (drawn) => of_b(drawn) - of_a(drawn);
    const [low, high] = statistics.interval(groups, change);
    return {value: change(groups), low, high, num_units: groups.length, left_out};
  }
  function value_of(metric, statistic, run) {
    const {units: groups, left_out} = counted(metric, statistic, [run]);
    if (groups.length === 0) return {left_out};
    const own = side_of(groups, 0, metric, statistic), [low, high] = statistics.interval(groups, own);
    return {value: own(groups), low, high, num_units: groups.length, left_out};
  }

  // ---- Head, answer, table of runs ---------------------------------------------------------------------------------------

  $("subtitle").textContent = `${runs.map((run) => `${run.letter}: ${name_of_run(run)}`).join(" · ")} · ${plural(s.num_cells, "cell")} in all of them` +
      runs.filter((run) => run.num_only_here > 0).map((run) => ` · ${plural(run.num_only_here, "cell")} of ${run.letter} not in all`).join("");

  const is_known = (d) => typeof d.value === "number" && Number.isFinite(d.low) && Number.isFinite(d.high);
  function verdict(metric, statistic, run, d) {
    if (typeof d.value !== "number") return `${run.letter} cannot be compared with A`;
    if (!is_known(d) || (d.low <= 0 && d.high >= 0)) return `${run.letter} and A cannot be told apart`;
    return `${run.letter} is ${(d.value < 0) === is_less_better(metric, statistic) ? "better" : "worse"} than A`;
  }

  function show_answer(metric, statistic) {
    const first = value_of(metric, statistic, runs[0]);
    const rows = runs.map((run, i) => {
      const own = i ? value_of(metric, statistic, run) : first, d = i ? difference_of(metric, statistic, run) : undefined;
      const [a, b] = [column(metric, runs[0]).values, column(metric, run).values], sign = is_small_good(metric) ? -1 : 1;
      const change = i ? s.keys.map((_, c) => a[c] !== null && b[c] !== null ? sign * (+b[c] - +a[c]) : NaN) : [];
      return {run, own, d, better: change.filter((x) => x > 0).length, worse: change.filter((x) => x < 0).length, same: change.filter((x) => x === 0).length};
    });
    const interval = (e) => is_known(e) ? `${shown(e.low, metric, statistic)} to ${shown(e.high, metric, statistic)}` : "–";
    const texts = rows.slice(1).map(({run, own, d}) => `${verdict(metric, statistic, run, d)}: ${shown(own.value, metric, statistic)} against ${shown(first.value, metric, statistic)}` +
        (is_known(d) ? `, by ${shown(d.value, metric, statistic)} (95 % interval ${interval(d)})` : ""));
    const words = words_of(metric, statistic);
    $("answer").replaceChildren(make("p", {class: "answer"}, compared.length === 0 ? "The runs have no metric in common." : `By ${words}: ${texts.slice(0, 4).join("; ")}${texts.length > 4 ? "; …" : "."}`));
    $("summary").replaceChildren(plain_table(["", "run", "started", words + (unit_of(metric) && !statistics.is_share(statistic) ? ` [${unit_of(metric)}]` : ""), "95 % interval", "minus A", "95 % interval", "cells better / worse / same"],
      rows.map(({run, own, d, better, worse, same}) => [run.letter, labelled("td", name_of_run(run), 40), (run.provenance?.started ?? "–").slice(0, 16).replace("T", " "),
        shown(own.value, metric, statistic), interval(own), d ? shown(d.value, metric, statistic) : "–", d ? interval(d) : "–", d ? `${better} / ${worse} / ${same}` : "–"])));
    const n = first.num_units ?? 0, left_out = Math.max(...rows.map(({d}) => d?.left_out ?? 0));
    $("summary-caption").textContent = `Intervals are a bootstrap over ${n} ${units.length ? `values of ${units.map((a) => a.name).join(", ")}` : n === 1 ? "cell" : "cells"}, drawn for both runs together.` +
        (n < 8 ? " So few units make them a rough guess." : "") + (left_out ? ` ${plural(left_out, "cell")} without a finite value in both runs left out.` : statistic === "mean" ? "" : " What has no value counts as the worst.");
  }

  // ---- Charts ------------------------------------------------------------------------------------------------------------

  /** One panel a run: the statistic along an axis, a line for each series. One scale and one set of colours for all. */
  function line_specs(metric, statistic, x, color) {
    const axes = color ? [x, color] : [x];
    const values = runs.map((run) => charts.aggregate(column(metric, run), axes).map((g) => ({
      x: x.is_number ? x.values[g.codes[0]] : x.labels[g.codes[0]], x_code: g.codes[0], color: color ? color.labels[g.codes[1]] : "all", color_code: color ? g.codes[1] : 0,
      y: of_side([...g.numbers.map((v) => [v]), ...(statistic === "mean" ? [] : Array.from({length: g.missing}, () => [is_small_good(metric) ? Infinity : -Infinity]))], 0, metric, statistic), cells: g.count, missing: g.missing,
    })).filter((v) => Number.isFinite(v.y)).sort((p, q) => p.color_code - q.color_code || p.x_code - q.x_code));
    const all = values.flat().map((v) => v.y);
    const domain = statistics.is_share(statistic) ? [0, 1] : [Math.min(...all), Math.max(...all)];
    const mark = x.is_number ? {type: "line", strokeWidth: 2, point: {filled: true, size: 46}} : {type: "point", filled: true, size: 90};
    return runs.map((run, i) => ({run, spec: {
      data: {values: values[i]}, width: "container", height: 260, mark,
      encoding: {
        x: charts.x_encoding(x),
        y: {field: "y", type: "quantitative", title: words_of(metric, statistic) + (unit_of(metric) && !statistics.is_share(statistic) ? ` [${unit_of(metric)}]` : ""), scale: {domain: domain[0] === domain[1] ? [domain[0] - 1, domain[0] + 1] : domain, zero: false, nice: true}},
        color: color ? {field: "color", type: "nominal", scale: {domain: color.labels, range: color.labels.map((_, k) => colors()[k % colors().length])}, title: charts.title_of(color.name),
                        legend: {orient: "top", direction: "horizontal", columns: 4, symbolOpacity: 1}} : {value: colors()[0]},
        ...(color ? {shape: {field: "color", type: "nominal", scale: {domain: color.labels}, title: charts.title_of(color.name)}} : {}),
        order: {field: "x_code"},
        tooltip: [{field: "x", title: told(x.name)}, ...(color ? [{field: "color", title: told(color.name)}] : []), digits("y", statistic), {field: "cells"}, {field: "missing", title: "without a value"}],
      },
    }}));
  }

  const MOST_POINTS = 5000;

  function scatter_spec(metric, run, color) {
    const [a, b] = [column(metric, runs[0]).values, column(metric, run).values];
    const cells = s.keys.map((_, cell) => cell).filter((c) => a[c] !== null && b[c] !== null && Number.isFinite(+a[c]) && Number.isFinite(+b[c]));
    const step = Math.max(1, Math.ceil(cells.length / MOST_POINTS));
    const values = cells.filter((_, i) => i % step === 0).map((c) => ({
      a: +a[c], b: +b[c], cell: c, color: color ? color.labels[color.codes[c]] : "all", text: s.params(c).map(([name, value]) => `${name} ${value}`).join(", "),
    }));
    const all = values.flatMap((v) => [v.a, v.b]), ends = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
    const scale = {domain: ends[0] === ends[1] ? [ends[0] - 1, ends[1] + 1] : ends, nice: true, zero: false};
    return {left_out: cells.length - values.length, spec: {width: "container", height: 340, layer: [
      {data: {values: [{a: scale.domain[0], b: scale.domain[0]}, {a: scale.domain[1], b: scale.domain[1]}]},
       mark: {type: "line", strokeDash: [4, 3], strokeWidth: 1.5, tooltip: null}, encoding: {x: {field: "a", type: "quantitative"}, y: {field: "b", type: "quantitative"}, color: {value: css("--muted")}}},
      {data: {values}, mark: {type: "point", filled: true, size: values.length > 500 ? 18 : 46, opacity: 0.6},
       encoding: {x: {field: "a", type: "quantitative", title: `A: ${title_of(metric)}`, scale, axis: {grid: false}}, y: {field: "b", type: "quantitative", title: `${run.letter}: ${title_of(metric)}`, scale, axis: {grid: false}},
                  color: color ? {field: "color", type: "nominal", scale: {domain: color.labels, range: color.labels.map((_, k) => colors()[k % colors().length])}, title: charts.title_of(color.name), legend: {orient: "top", columns: 4, symbolOpacity: 1}} : {value: colors()[0]},
                  tooltip: [{field: "text", title: "cell"}, digits("a", "A"), digits("b", run.letter)]}},
    ]}};
  }

  function axis_spec(metric, statistic, run, axis) {
    const values = axis.values.map((_, code) => code).map((code) => ({code, d: difference_of(metric, statistic, run, s.keys.map((_, c) => c).filter((c) => axis.codes[c] === code))}))
        .filter(({d}) => Number.isFinite(d.value)).map(({code, d}) => ({x: axis.labels[code], y: d.value, low: Number.isFinite(d.low) ? d.low : d.value, high: Number.isFinite(d.high) ? d.high : d.value}));
    const x = {field: "x", type: "ordinal", sort: axis.labels, title: charts.title_of(axis.name), axis: {labelAngle: 0}};
    const y = (field) => ({field, type: "quantitative", title: `${run.letter} − A, ${words_of(metric, statistic)}` + (unit_of(metric) && !statistics.is_share(statistic) ? ` [${unit_of(metric)}]` : ""), scale: {zero: true, nice: true}});
    return {data: {values}, width: "container", height: 340, layer: [
      {mark: {type: "rule", strokeWidth: 2, tooltip: null}, encoding: {x, y: y("low"), y2: {field: "high"}, color: {value: css("--ink")}}},
      {mark: {type: "point", filled: true, size: 80}, encoding: {x, y: y("y"), color: {value: css("--ink")}, tooltip: [{field: "x", title: told(axis.name)}, digits("y", `${run.letter} − A`), digits("low"), digits("high")]}},
      {data: {values: [{zero: 0}]}, mark: {type: "rule", strokeDash: [4, 3], tooltip: null}, encoding: {y: {field: "zero", type: "quantitative"}, color: {value: css("--muted")}}},
    ]};
  }

  function show_examples(metric, run) {
    const [a, b] = [column(metric, runs[0]).values, column(metric, run).values], sign = is_small_good(metric) ? -1 : 1;
    const order = s.keys.map((_, c) => c).filter((c) => a[c] !== null && b[c] !== null && +a[c] !== +b[c])
        .map((c) => [Math.abs(+b[c] - +a[c]), c]).sort((x, y) => y[0] - x[0] || x[1] - y[1]);
    const pictured = order.filter(([, c]) => s.pictures[c]);
    const cards = (pictured.length ? pictured : order).slice(0, 6).map(([, c]) => {
      const is_better = sign * (+b[c] - +a[c]) > 0;
      return example(c, `${is_better ? "Better" : "Worse"} in ${run.letter}: ${metric} ${number(a[c])} → ${number(b[c])}`, is_better ? "good" : "bad");
    });
    $("examples-section").hidden = cards.length === 0;
    $("examples").replaceChildren(...cards);
  }

  async function draw_page() {
    const metric = $("metric").value;
    if (!metric) { document.documentElement.dataset.drawn = "true"; return; }
    const statistic = $("statistic").value, x = s.axis($("line-x").value), color = s.axis($("color").value), run = runs[Number($("other").value)];
    const series = color && color !== x && color.labels.length <= 12 ? color : undefined;
    show_answer(metric, statistic);
    show_examples(metric, run);
    const drawing = [];
    $("lines-section").hidden = !x;
    if (x) {
      $("lines-title").textContent = `${words_of(metric, statistic)} along ${charts.title_of(x.name)}`;
      const panels = line_specs(metric, statistic, x, series).map(({run: of, spec}) => ({element: make("div", {class: "panel"}, make("h3", {title: of.path}, `${of.letter}: ${window.look.short(name_of_run(of), 40)}`), make("div", {class: "chart"})), spec}));
      $("lines").replaceChildren(...panels.map((p) => p.element));
      drawing.push(...panels.map((p) => draw(p.element.lastChild, p.spec)));
    }
    const scatter = scatter_spec(metric, run, color && color.labels.length <= 12 ? color : undefined);
    $("scatter-title").textContent = `${title_of(metric)}: A and ${run.letter}`;
    $("scatter-head").textContent = `Each cell, A across and ${run.letter} up`;
    $("by-axis-head").textContent = color ? `${run.letter} − A by ${charts.title_of(color.name)}, with its 95 % interval` : "";
    $("scatter-caption").textContent = "Cells on the dashed line are the same in both runs. A click shows a cell." + (scatter.left_out ? ` ${plural(scatter.left_out, "cell")} are not drawn.` : "");
    drawing.push(draw($("scatter"), scatter.spec, (d) => { if (d.cell !== undefined) show_row(d.cell); }));
    if (color) drawing.push(draw($("by-axis"), axis_spec(metric, statistic, run, color)));
    await Promise.all(drawing);
    document.documentElement.dataset.drawn = "true";
  }

  const show_row = (cell) => {
    show_selection([cell], `Cell ${s.keys[cell]}`);
    $("selection-section").scrollIntoView({behavior: "smooth"});
  };

  // ---- Controls ----------------------------------------------------------------------------------------------------------

  const options = (entries) => entries.map(([value, text]) => make("option", {value}, text));
  function fill_statistics() {
    const metric = $("metric").value, wanted = statistic_of(metric);
    $("statistic").replaceChildren(...options([...new Set([wanted, "mean", "median"])].map((name) => [name, name])));
    $("statistic").value = wanted;
  }
  $("metric").replaceChildren(...options(compared.map((name) => [name, title_of(name)])));
  const wanted = s.options.metric ?? best.metric;
  if (compared.includes(wanted)) $("metric").value = wanted;
  if (compared.length) fill_statistics();
  $("metric").addEventListener("change", fill_statistics);
  $("other").replaceChildren(...options(runs.slice(1).map((run, i) => [i + 1, `${run.letter}: ${name_of_run(run)}`])));
  $("color").replaceChildren(...options(charts.varied.map((axis) => [axis.name, charts.title_of(axis.name)])));
  $("line-x").replaceChildren(...options(charts.varied.map((axis) => [axis.name, charts.title_of(axis.name)])));
  const chosen = charts.choose();
  if (chosen.line_color) $("color").value = chosen.line_color.name;
  if (chosen.line_x) $("line-x").value = chosen.line_x.name;
  const redraw = () => draw_page().catch((error) => {
    $("scatter-caption").textContent = `The charts could not be drawn: ${error.message}`;
    document.documentElement.dataset.drawn = "failed";
  });
  for (const id of ["metric", "statistic", "color", "line-x", "other"]) $(id).addEventListener("change", redraw);
  $("scatter-section").hidden = $("summary-section").hidden = compared.length === 0;

  show_failures();
  $("options").replaceChildren(window.code_changes.options_table(runs));
  $("code").replaceChildren(...runs.slice(1).flatMap((run) => [...(runs.length > 2 ? [make("h3", {}, `A → ${run.letter}`)] : []), ...window.code_changes.code_of(runs[0], run)]));
  const table = window.sweep_table.make_table($("table"), show_row, (n) => {
    $("table-count").textContent = n === s.num_cells ? plural(n, "row") : `${n.toLocaleString("en")} of ${plural(s.num_cells, "row")}`;
  });
  $("clear-filters").addEventListener("click", () => table.filter({}));
  window.look.on_theme(redraw);
  redraw();
})();
