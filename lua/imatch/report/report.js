// Puts the page together.
"use strict";
(() => {
  const s = window.sweep, charts = window.sweep_charts;
  const {$, make, plural, card, draw, labelled, number: round} = window.look;
  const {params_text, example, show_selection, show_failures, show_progress} = window.sweep_page;

  // ---- Head and summary ------------------------------------------------------------------------------------------------

  const num_failed = s.status.filter((x) => x === s.FAILED).length;
  const num_pending = s.status.filter((x) => x === s.PENDING).length;
  const num_ok = s.num_cells - num_failed - num_pending;

  function show_head() {
    const p = s.provenance;
    const parts = [plural(s.num_cells, "cell")];
    if (num_pending) parts.push(`${num_pending} not measured yet`);
    if (p.started) parts.push(p.started.slice(0, 16).replace("T", " ") + " UTC");
    if (p.git && p.git.commit) parts.push(`commit ${p.git.commit.slice(0, 10)}${p.git.dirty ? " with changes" : ""}`);
    if (p.program) parts.push(`imatch-lua ${p.program}`);
    const {reload_s, written} = s.options, is_live = reload_s && num_pending > 0 && Date.now() / 1000 - written < 60 + 10 * reload_s;
    if (is_live) window.look.reload_every(reload_s);
    if (written) parts.push(`${is_live ? "live, " : ""}written at ${new Date(1000 * written).toLocaleTimeString("en-GB")}`);
    $("subtitle").textContent = parts.join(" · ");
  }

  /** Time of measuring that finished cells and kept features spared all processes that worked on this run. */
  function saved_s() {
    const sessions = s.provenance.sessions ?? [];
    const sum = (read) => sessions.reduce((total, session) => total + Math.max(0, read(session) ?? 0), 0);
    return {cells: sum((p) => p.cached_s), features: sum((p) => p.feature_cache && p.feature_cache.saved_s)};
  }

  const is_share = (statistic) => statistic.startsWith("share@");
  /** "61 %", "3.2 px", "0.34": a value of a statistic with its unit. */
  function quantity(value, statistic, metric) {
    if (typeof value !== "number") return "–";
    if (is_share(statistic)) return `${round(100 * value)} %`;
    const unit = window.sweep_statistics.is_share(statistic) ? "" : (s.metric(metric) ?? {}).unit;
    return unit ? `${round(value)} ${unit}` : round(value);
  }
  const interval_text = (g, statistic, metric) => g.low === null || g.low === undefined ? "" : ` (${quantity(g.low, statistic, metric)} to ${quantity(g.high, statistic, metric)})`;

  /** The best setting, and behind it that of each other value compared. */
  const settings_of = (best) => [best.setting, ...(best.settings ?? []).filter((o) => JSON.stringify(o.params) !== JSON.stringify(best.setting.params))];

  /** Below this many units a bootstrap interval says little. */
  const FEW_UNITS = 8;
  function units_text(best) {
    const n = best.setting.num_units, what = best.units.length ? best.units.join(", ") : "cells";
    if (n === undefined) return "";
    return n < FEW_UNITS ? `Intervals (95 %) are drawn from only ${n} values of ${what}: a rough guess.` : `Intervals (95 %) are drawn from ${n} values of ${what}.`;
  }

  /** A setting with each statistic that is told of it. */
  function setting_card(best, setting) {
    const is_best = setting === best.setting;
    const title = is_best ? "Best setting" : `Best with ${charts.title_of(best.compare)} ${s.label(setting.params[best.compare])}`;
    const spread = best.statistic === "mean" && setting.num_cells > 1 ? ` ± ${round(setting.std)}` : "";
    const element = card(`${title}: ${best.title}`, quantity(setting.value, best.statistic, best.metric) + spread,
                         `${interval_text(setting, best.statistic, best.metric).trim()} ${params_text(setting.params)}`, true);
    const list = make("dl", {class: "statistics"});
    for (const also of setting.also ?? []) {
      list.append(make("dt", {}, also.title), make("dd", {}, quantity(also.value, also.statistic, best.metric) + interval_text(also, also.statistic, best.metric)));
    }
    list.append(make("dt", {}, "cells with a value"), make("dd", {}, `${setting.num_cells - setting.num_missing} of ${setting.num_cells}`));
    element.append(list);
    return element;
  }

  /** What can be said where the script does not say what is best: between which values the first metric lies, and where. */
  function range_text() {
    const metric = [s.metric(s.options.metric ?? ""), ...s.metrics].find((m) => m && m.is_number);
    const cells = metric ? s.keys.map((_, c) => c).filter((c) => s.status[c] === s.OK && Number.isFinite(metric.values[c]) && metric.values[c] !== null) : [];
    if (cells.length === 0) return "";
    const [least, most] = [1, -1].map((sign) => cells.reduce((a, b) => sign * (metric.values[b] - metric.values[a]) < 0 ? b : a));
    const at = (c) => s.params(c).map(([name, value]) => `${name} = ${value}`).join(", ");
    const told = (c) => `${quantity(metric.values[c], "", metric.name)}${at(c) ? ` (${at(c)})` : ""}`;
    return metric.values[least] === metric.values[most] ? `${charts.title_of(metric.name)} is ${quantity(metric.values[least], "", metric.name)} in ${plural(cells.length, "cell")}.`
        : `${charts.title_of(metric.name)} lies between ${told(least)} and ${told(most)}, over ${plural(cells.length, "cell")}.`;
  }

  /** What the sweep says: the script's own words, the best setting or cell, or else what there is. */
  function show_answer() {
    const best = s.best;
    let text = s.options.answer;
    if (!text && best && best.setting && best.over.length) {
      const setting = params_text(best.setting.params);
      text = `${setting ? `Best: ${setting}, with ${best.title}` : `${best.title[0].toUpperCase()}${best.title.slice(1)}:`} ${quantity(best.setting.value, best.statistic, best.metric)}${interval_text(best.setting, best.statistic, best.metric)} over ${plural(best.setting.num_cells, "cell")}.`;
    } else if (!text && best && best.cell) {
      text = `Best: ${params_text(best.cell.params)}, with ${charts.title_of(best.metric)} ${quantity(best.cell.metrics[best.metric], "", best.metric)}.`;
    } else if (!text) {
      text = range_text();
    }
    $("answer").hidden = !text;
    const units = best && best.setting && best.over.length ? units_text(best) : "";
    $("answer").replaceChildren(make("p", {class: "answer"}, text ?? ""), ...(units ? [make("p", {class: "caption"}, units)] : []));
  }

  function show_summary() {
    const cards = [];
    const best = s.best;
    if (best && best.setting) {
      for (const setting of best.over.length ? settings_of(best) : []) cards.push(setting_card(best, setting));
      cards.push(card(`Best cell: ${charts.title_of(best.metric)}`, quantity(best.cell.metrics[best.metric], "", best.metric), params_text(best.cell.params)));
    }
    const times = s.time_ms.filter((t, i) => s.status[i] === s.OK && Number.isFinite(t)).sort((a, b) => a - b);
    cards.push(card("Cells", num_ok.toLocaleString("en"), num_failed ? `measured; ${plural(num_failed, "cell")} failed` : "measured, none failed"));
    if (times.length) {
      const total = times.reduce((a, b) => a + b, 0) / 1000;
      cards.push(card("Time of a cell", `${round(times[times.length >> 1])} ms`, `median, as if nothing had come from a cache; ${round(total)} s in all`));
    }
    const saved = saved_s();
    if (saved.cells + saved.features > 0) {
      cards.push(card("Saved by the cache", `${round((saved.cells + saved.features))} s`,
                      `${round(saved.cells)} s of cells, ${round(saved.features)} s of features that were there`));
    }
    $("summary").replaceChildren(...cards);
  }

  // ---- Charts ------------------------------------------------------------------------------------------------------------

  const chosen = charts.choose();
  const numeric_metrics = s.metrics.filter((m) => m.is_number);
  let table;

  function fill_select(id, entries, selected, none) {
    const select = $(id);
    select.replaceChildren(...(none ? [make("option", {value: ""}, none)] : []),
                           ...entries.map((e) => make("option", {value: e.name}, charts.title_of(e.name))));
    select.value = selected ? selected.name : "";
    select.addEventListener("change", draw_charts);
  }

  function set_up_charts() {
    if (numeric_metrics.length === 0 || num_ok === 0 || charts.varied.length === 0) return;
    const metric = s.metric(s.options.metric ?? "") ?? s.metric(s.best ? s.best.metric : "") ?? numeric_metrics[0];
    fill_select("metric", numeric_metrics, metric);
    fill_select("line-x", charts.varied, chosen.line_x);
    fill_select("line-color", charts.varied, chosen.line_color, "one line");
    fill_select("heat-x", charts.varied, chosen.heat_x);
    fill_select("heat-y", charts.varied, chosen.heat_y);
    fill_select("heat-facet", charts.varied, chosen.heat_facet, "one panel");
    const wanted = s.best?.statistic ? [s.best.statistic, s.best.along_statistic || s.best.statistic] : ["median"];
    const statistic = s.options.statistic ?? wanted.at(-1);
    for (const name of new Set([...wanted, statistic])) {
      if (!["median", "mean"].includes(name)) $("statistic").append(make("option", {value: name}, `${name} and 95 % interval`));
    }
    $("statistic").value = statistic;
    $("statistic").addEventListener("change", draw_charts);
    $("lines-section").hidden = false;
    $("heat-section").hidden = charts.varied.length < 2;
  }

  /** The cells with these axis values: their pairs, and their rows in the table. */
  const show_cells = (wanted) => {
    const cells = table.filter(wanted);
    const title = Object.entries(wanted).map(([name, value]) => `${name} = ${value}`).join(", ");
    show_selection(cells, `${plural(cells.length, "cell")} with ${title}`);
    $("selection-section").scrollIntoView({behavior: "smooth"});
  };

  async function draw_charts() {
    if ($("lines-section").hidden) return;
    const metric = s.metric($("metric").value), asked = $("statistic").value;
    // An area or a share up to a limit is of the metric that the limit was chosen for.
    const statistic = window.sweep_statistics.is_share(asked) && metric.name !== s.best?.metric ? "mean" : asked;
    const x = s.axis($("line-x").value), color = s.axis($("line-color").value);
    const by = color && color !== x ? color : undefined;
    const drawn_over = charts.units.length ? " over " + charts.units.map((a) => a.name).join(", ") : "";
    const spread = statistic === "interval" ? `the bootstrap 95 % interval of the mean${drawn_over}` : statistic !== "mean" && statistic !== "median" ? `its bootstrap 95 % interval${drawn_over}` : statistic === "mean" ? "one standard deviation to each side, within the range of the values" : "the middle half of the cells (first to third quartile)";
    const others = charts.varied.filter((a) => a !== x && a !== by).map((a) => charts.title_of(a.name));
    const missing = metric.values.filter((v, i) => s.status[i] !== s.PENDING && !(v !== null && Number.isFinite(+v))).length;
    const is_plain = ["median", "mean", "interval"].includes(statistic);
    const missing_text = missing ? ` ${plural(missing, "cell")} without a finite value ${is_plain ? "left out" : "counted as the worst"}.` : "";
    const shown = is_plain ? charts.title_of(metric.name) : charts.name_of(metric, statistic);
    $("lines-title").textContent = `${shown} along ${charts.title_of(x.name)}`;
    const word = is_plain ? (statistic === "median" ? "Median" : "Mean") : shown[0].toUpperCase() + shown.slice(1);
    $("lines-caption").textContent = word +
        (others.length ? ` over ${others.join(", ")}` : "") + `; the band holds ${spread}.` + missing_text;
    const drawing = [draw($("lines"), charts.line_spec(metric, x, by, statistic), (d) => {
      if (d.x_code === undefined) return;
      show_cells({[x.name]: x.labels[d.x_code], ...(by ? {[by.name]: by.labels[d.color_code]} : {})});
    })];

    const heat_x = s.axis($("heat-x").value), heat_y = s.axis($("heat-y").value), facet = s.axis($("heat-facet").value);
    if (!$("heat-section").hidden) {
      const panels_by = facet && facet !== heat_x && facet !== heat_y ? facet : undefined;
      $("heat-title").textContent = `${shown} by ${charts.title_of(heat_y.name)} and ${charts.title_of(heat_x.name)}`;
      const panels = heat_x === heat_y ? [] : charts.heat_specs(metric, heat_x, heat_y, panels_by, statistic);
      $("heat-caption").textContent = panels.length
          ? `${word} over the other axes; bright is good.${missing_text}`
          : "Choose two different axes.";
      $("heat").replaceChildren(...panels.map((panel) => {
        const chart = make("div", {class: "chart"});
        drawing.push(Promise.resolve().then(() => draw(chart, panel.spec, (d) => {
          if (d.x_code === undefined) return;
          show_cells({[heat_x.name]: heat_x.labels[d.x_code], [heat_y.name]: heat_y.labels[d.y_code],
                      ...(panels_by ? {[panels_by.name]: panels_by.labels[panel.facet_code]} : {})});
        })));
        return make("div", {class: "panel"}, labelled("h3", panels_by ? panel.name : "", 44), chart);
      }));
    }

    const over = s.best ? s.best.over : [];
    const cost = charts.cost_spec(metric, over, color, statistic);
    $("cost-section").hidden = !cost;
    if (cost) {
      $("cost-caption").textContent = `No setting is better in both than those on the line (the Pareto set). Each point is a setting of ${cost.axes.map((a) => a.name).join(", ")}` +
          (over.length ? `, summed up over ${over.join(", ")}.` : ".");
      drawing.push(draw($("cost"), cost.spec, (d) => {
        if (d.codes) show_cells(Object.fromEntries(cost.axes.map((a, i) => [a.name, a.labels[d.codes[i]]])));
      }));
    }
    const parallel = charts.parallel_spec(metric, over, statistic);
    $("parallel-section").hidden = !parallel;
    if (parallel) {
      $("parallel-caption").textContent = `Each line is a setting, coloured by its ${parallel.title}; bright is good.` +
          (parallel.num_left_out ? ` The ${parallel.num_shown} best and evenly chosen ones of ${parallel.num_shown + parallel.num_left_out}.` : "");
      drawing.push(draw($("parallel"), parallel.spec, (d) => {
        if (d.codes) show_cells(Object.fromEntries(parallel.axes.map((a, i) => [a.name, a.labels[d.codes[i]]])));
      }));
    }
    await Promise.all([...drawing, ...show_along()]);
    document.documentElement.dataset.drawn = "true";
  }

  // ---- The best settings along axes --------------------------------------------------------------------------------------

  function show_along() {
    const along = s.best && s.best.setting && s.best.setting.along || [];
    $("along-section").hidden = along.length === 0;
    if (along.length === 0) return [];
    $("along-title").textContent = `Best ${s.best.settings ? `setting of each ${charts.title_of(s.best.compare)}` : "setting"}: ${along[0].title}`;
    const settings = s.best.settings ?? [s.best.setting];
    $("along-caption").textContent = `${settings.map((setting) => params_text(setting.params)).join("; ")}. Bars: all cells of the setting; lines: bootstrap 95 % interval` +
        (s.best.units.length ? ` over ${s.best.units.join(", ")}.` : ".");
    const panels = along.map((entry) => make("div", {class: "panel"}, make("h3", {}, `by ${charts.title_of(entry.axis)}`), make("div", {class: "chart"})));
    $("along").replaceChildren(...panels);
    return panels.map((panel, i) => draw(panel.lastChild, charts.along_spec(i), (d) => {
      if (d.x !== undefined) show_cells({[along[i].axis]: d.x});
    }));
  }

  // ---- Examples ------------------------------------------------------------------------------------------------------------

  function show_examples() {
    const pictured = Object.keys(s.pictures).map(Number);
    const metric = s.metric(s.best ? s.best.metric : "");
    let shown = [];
    if (metric && metric.is_number) {
      const sign = s.best.direction === "min" ? 1 : -1;
      const cost = (cell) => Number.isFinite(+metric.values[cell]) ? sign * metric.values[cell] : Infinity;
      const order = s.keys.map((_, cell) => cell).filter((c) => s.status[c] === s.OK && metric.values[c] !== null)
          .sort((a, b) => cost(a) - cost(b) || a - b);
      const place = new Map(order.map((cell, i) => [cell, i]));
      const ends = new Set(order.length > 6 ? [...order.slice(0, 3), ...order.slice(-3)] : order);
      // Pictures first; without any, the metrics of the three best and the three worst.
      const cells = [...new Set([...pictured.filter((c) => place.has(c)), ...(pictured.length ? [] : ends)])];
      shown = cells.sort((a, b) => place.get(a) - place.get(b)).map((cell) => {
        const rank = place.get(cell), share = rank / Math.max(1, order.length - 1);
        const kind = share < 1 / 3 ? "good" : share > 2 / 3 ? "bad" : "";
        const words = rank === 0 ? "Best" : rank === order.length - 1 ? "Worst" : `Place ${(rank + 1).toLocaleString("en")} of ${order.length.toLocaleString("en")}`;
        return example(cell, `${words}: ${metric.name} ${s.format(metric.values[cell])}`, kind);
      });
    } else {
      shown = pictured.map((cell) => example(cell, `Cell ${cell + 1}`, ""));
    }
    $("examples-section").hidden = shown.length === 0;
    $("examples").replaceChildren(...shown);
  }

  // ---- Failures, provenance ------------------------------------------------------------------------------------------------

  /** What each metric means, as the program defines it. */
  function show_definitions() {
    const known = s.metrics.filter((m) => m.definition);
    $("definitions-section").hidden = known.length === 0;
    $("definitions").replaceChildren(make("table", {class: "plain-table"},
      make("thead", {}, make("tr", {}, ...["metric", "unit", "better", "definition"].map((text) => make("th", {}, text)))),
      make("tbody", {}, ...known.map((m) => make("tr", {}, make("td", {}, m.name), make("td", {}, m.unit || "–"), make("td", {}, m.better ?? "–"), make("td", {}, m.definition))))));
  }

  function show_provenance() {
    const {identity, sessions, ...latest} = s.provenance;
    const rows = [];
    const add = (name, value) => {
      if (value === null || value === undefined || value === "") return;
      if (Array.isArray(value) && value.some((entry) => entry !== null && typeof entry === "object"))
        rows.push([name, value.map((entry) => `${entry.name ?? JSON.stringify(entry)}${entry.hash ? ` ${String(entry.hash).slice(0, 10)}` : ""}`).join(", ")]);
      else if (Array.isArray(value)) rows.push([name, value.join(" ")]);
      else if (typeof value === "object") for (const [key, entry] of Object.entries(value)) add(name === "versions" ? key : `${name}.${key}`, entry);
      else rows.push([name, String(value)]);
    };
    for (const [name, value] of Object.entries(latest)) add(name, value);
    if (sessions && sessions.length > 1) rows.push(["sessions", `${sessions.length} processes measured cells of this run; shown is the latest`]);
    const body = make("tbody", {}, ...rows.map(([name, value]) => make("tr", {}, labelled("td", name, 48), make("td", {}, value))));
    $("provenance").replaceChildren(make("table", {class: "plain-table"}, body),
      make("details", {}, make("summary", {}, "What the run folder stands for, and every session"),
           make("pre", {}, JSON.stringify({identity, sessions}, null, 2))));
  }

  window.look.on_theme(draw_charts);
  show_head();
  show_answer();
  show_summary();
  set_up_charts();
  show_examples();
  show_progress();
  show_failures();
  show_definitions();
  show_provenance();
  const show_row = (cell) => {
    show_selection([cell], `Cell ${s.keys[cell]}`);
    $("selection-section").scrollIntoView({behavior: "smooth"});
  };
  table = window.sweep_table.make_table($("table"), show_row, (n) => {
    $("table-count").textContent = n === s.num_cells ? `${plural(n, "row")}` : `${n.toLocaleString("en")} of ${plural(s.num_cells, "row")}`;
  });
  $("clear-filters").addEventListener("click", () => table.filter({}));
  draw_charts().catch((error) => {
    $("lines-caption").textContent = `The charts could not be drawn: ${error.message}`;
    document.documentElement.dataset.drawn = "failed";
  });
})();
