// Puts the page together.
"use strict";
(() => {
  const s = window.sweep, charts = window.sweep_charts;
  const $ = (id) => document.getElementById(id);

  /** An element with text, never markup: results may hold anything. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
  const params_text = (params) => Object.entries(params).map(([name, value]) => `${name} = ${s.label(value)}`).join(", ");

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
    $("subtitle").textContent = parts.join(" · ");
  }

  function card(title, value, text, is_wide) {
    return make("div", {class: is_wide ? "card wide" : "card"}, make("h3", {}, title), make("div", {class: "value"}, value), make("p", {}, text));
  }

  function show_summary() {
    const cards = [];
    const best = s.best;
    if (best && best.setting) {
      const value = best.setting[best.statistic];
      const spread = best.statistic === "mean" && best.setting.num_cells > 1 ? ` ± ${s.format(best.setting.std)}` : "";
      const over = best.over.length ? `over ${best.over.join(", ")}: ${best.setting.num_cells - best.setting.num_missing} of ${best.setting.num_cells} cells have a value. ` : "";
      if (best.over.length) {
        cards.push(card(`Best setting by ${best.metric}`, s.format(value) + spread,
                        `${params_text(best.setting.params)}. ${best.statistic[0].toUpperCase()}${best.statistic.slice(1)} ${over}`, true));
      }
      cards.push(card("Best cell", s.format(best.cell.metrics[best.metric]), params_text(best.cell.params)));
    }
    const times = s.time_ms.filter((t, i) => s.status[i] === s.OK && Number.isFinite(t)).sort((a, b) => a - b);
    cards.push(card("Cells", num_ok.toLocaleString("en"), num_failed ? `measured; ${plural(num_failed, "cell")} failed` : "measured, none failed"));
    if (times.length) {
      const total = times.reduce((a, b) => a + b, 0) / 1000;
      cards.push(card("Time of a cell", `${s.format(Number(times[times.length >> 1].toPrecision(3)))} ms`, `median; ${s.format(Number(total.toPrecision(3)))} s in all`));
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
    $("statistic").value = s.best ? s.best.statistic : "median";
    $("statistic").addEventListener("change", draw_charts);
    $("lines-section").hidden = false;
    $("heat-section").hidden = charts.varied.length < 2;
  }

  const show_cells = (wanted) => {
    table.filter(wanted);
    $("table-section").scrollIntoView({behavior: "smooth"});
  };

  async function draw_charts() {
    if ($("lines-section").hidden) return;
    const metric = s.metric($("metric").value), statistic = $("statistic").value;
    const x = s.axis($("line-x").value), color = s.axis($("line-color").value);
    const by = color && color !== x ? color : undefined;
    const spread = statistic === "mean" ? "one standard deviation to each side, within the range of the values" : "the middle half of the cells (first to third quartile)";
    const others = charts.varied.filter((a) => a !== x && a !== by).map((a) => charts.title_of(a.name));
    const missing = metric.values.filter((v, i) => s.status[i] !== s.PENDING && !(v !== null && Number.isFinite(+v))).length;
    const missing_text = missing ? ` ${plural(missing, "cell")} without a finite value left out.` : "";
    $("lines-title").textContent = `${charts.title_of(metric.name)} along ${charts.title_of(x.name)}`;
    $("lines-caption").textContent = (statistic === "mean" ? "Mean" : "Median") +
        (others.length ? ` over ${others.join(", ")}` : "") + `; the band holds ${spread}.` + missing_text;
    const drawing = [charts.draw($("lines"), charts.line_spec(metric, x, by, statistic), (d) => {
      if (d.x_code === undefined) return;
      show_cells({[x.name]: x.labels[d.x_code], ...(by ? {[by.name]: by.labels[d.color_code]} : {})});
    })];

    const heat_x = s.axis($("heat-x").value), heat_y = s.axis($("heat-y").value), facet = s.axis($("heat-facet").value);
    if (!$("heat-section").hidden) {
      const panels_by = facet && facet !== heat_x && facet !== heat_y ? facet : undefined;
      $("heat-title").textContent = `${charts.title_of(metric.name)} by ${charts.title_of(heat_y.name)} and ${charts.title_of(heat_x.name)}`;
      const panels = heat_x === heat_y ? [] : charts.heat_specs(metric, heat_x, heat_y, panels_by, statistic);
      $("heat-caption").textContent = panels.length
          ? `${statistic === "mean" ? "Mean" : "Median"} over the other axes; bright is good.${missing_text}`
          : "Choose two different axes.";
      $("heat").replaceChildren(...panels.map((panel) => {
        const chart = make("div", {class: "chart"});
        drawing.push(Promise.resolve().then(() => charts.draw(chart, panel.spec, (d) => {
          if (d.x_code === undefined) return;
          show_cells({[heat_x.name]: heat_x.labels[d.x_code], [heat_y.name]: heat_y.labels[d.y_code],
                      ...(panels_by ? {[panels_by.name]: panels_by.labels[panel.facet_code]} : {})});
        })));
        return make("div", {class: "panel"}, make("h3", {}, panels_by ? panel.name : ""), chart);
      }));
    }

    const over = s.best ? s.best.over : [];
    const cost = charts.cost_spec(metric, over, color, statistic);
    $("cost-section").hidden = !cost;
    if (cost) {
      $("cost-caption").textContent = `Each point is a setting of ${cost.axes.map((a) => a.name).join(", ")}` +
          (over.length ? `, summed up over ${over.join(", ")}.` : ".");
      drawing.push(charts.draw($("cost"), cost.spec, (d) => {
        if (d.codes) show_cells(Object.fromEntries(cost.axes.map((a, i) => [a.name, a.labels[d.codes[i]]])));
      }));
    }
    await Promise.all(drawing);
    document.documentElement.dataset.drawn = "true";
  }

  // ---- Examples ------------------------------------------------------------------------------------------------------------

  /** The whole picture, from the run folder where the page still stands in it; else what the page carries. */
  function show_large(picture) {
    const image = make("img", {src: picture.file, alt: picture.name, onerror: () => { image.src = picture.source; }});
    const dialog = make("dialog", {onclick: () => dialog.remove()}, image);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  function example(cell, rank, kind) {
    const pictures = (s.pictures[cell] ?? []).map((picture) =>
      make("img", {src: picture.source, alt: picture.name, title: picture.name, onclick: () => show_large(picture)}));
    const list = make("dl");
    for (const [name, value] of s.params(cell)) list.append(make("dt", {}, name), make("dd", {}, value));
    for (const metric of s.metrics) list.append(make("dt", {}, metric.name), make("dd", {}, s.format(metric.values[cell])));
    return make("article", {class: "example"}, ...pictures,
                make("div", {class: "text"}, make("span", {class: `rank ${kind}`}, rank), list));
  }

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
      // Pictures first; without any, the figures of the three best and the three worst.
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

  function show_failures() {
    const by_message = new Map();
    for (const [cell, message] of Object.entries(s.errors)) {
      const first_line = message.split("\n")[0];
      if (!by_message.has(first_line)) by_message.set(first_line, []);
      by_message.get(first_line).push(Number(cell));
    }
    $("failed-section").hidden = by_message.size === 0;
    const body = make("tbody");
    for (const [message, cells] of [...by_message].sort((a, b) => b[1].length - a[1].length).slice(0, 100)) {
      body.append(make("tr", {}, make("td", {}, String(cells.length)), make("td", {}, message),
                       make("td", {}, s.params(cells[0]).map(([name, value]) => `${name} = ${value}`).join(", "))));
    }
    $("failed").replaceChildren(make("table", {class: "plain-table"},
      make("thead", {}, make("tr", {}, make("th", {}, "cells"), make("th", {}, "message"), make("th", {}, "for example"))), body));
  }

  function show_provenance() {
    const {identity, sessions, ...latest} = s.provenance;
    const rows = [];
    const add = (name, value) => {
      if (value === null || value === undefined || value === "") return;
      if (Array.isArray(value)) rows.push([name, value.join(" ")]);
      else if (typeof value === "object") for (const [key, entry] of Object.entries(value)) add(name === "versions" ? key : `${name}.${key}`, entry);
      else rows.push([name, String(value)]);
    };
    for (const [name, value] of Object.entries(latest)) add(name, value);
    if (sessions && sessions.length > 1) rows.push(["sessions", `${sessions.length} processes measured cells of this run; shown is the latest`]);
    const body = make("tbody", {}, ...rows.map(([name, value]) => make("tr", {}, make("td", {}, name), make("td", {}, value))));
    $("provenance").replaceChildren(make("table", {class: "plain-table"}, body),
      make("details", {}, make("summary", {}, "What the run folder stands for, and every session"),
           make("pre", {}, JSON.stringify({identity, sessions}, null, 2))));
  }

  // ---- Light and dark ------------------------------------------------------------------------------------------------------

  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let theme_choice = "";
  function set_theme() {
    const theme = theme_choice || (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    $("theme").textContent = theme === "dark" ? "Light" : "Dark";
  }
  $("theme").addEventListener("click", () => {
    theme_choice = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    set_theme();
    draw_charts();
  });
  system.addEventListener("change", () => { set_theme(); draw_charts(); });

  set_theme();
  show_head();
  show_summary();
  set_up_charts();
  show_examples();
  show_failures();
  show_provenance();
  table = window.sweep_table.make_table($("table"), (n) => {
    $("table-count").textContent = n === s.num_cells ? `${plural(n, "row")}` : `${n.toLocaleString("en")} of ${plural(s.num_cells, "row")}`;
  });
  $("clear-filters").addEventListener("click", () => table.filter({}));
  draw_charts().catch((error) => {
    $("lines-caption").textContent = `The charts could not be drawn: ${error.message}`;
    document.documentElement.dataset.drawn = "failed";
  });
})();
