// The charts: which axes they show, the numbers they show, and their Vega-Lite specifications.
"use strict";
(() => {
  const s = window.sweep, statistics = window.sweep_statistics;
  const {css, colors, digits, short, told} = window.look;

  // ---- Which axes ----------------------------------------------------------------------------------------------------

  const varied = s.axes.filter((a) => a.values.length > 1);
  const pick = (candidates, ...patterns) => {
    for (const pattern of patterns) {
      const found = candidates.find((a) => pattern.test(a.name));
      if (found) return found;
    }
    return undefined;
  };
  const most_values = (list) => list.reduce((a, b) => !a || b.values.length > a.values.length ? b : a, undefined);
  const ANGLE = /rotation|heading|yaw|angle|azimuth|_deg$/i;
  const THRESHOLD = /(^|_)(th|thr|thresh|threshold)(_|$)/i;
  const METHOD = /backbone|model|method|matcher|network/i;
  const ALTITUDE = /altitude|height|scale|distance|gsd/i;

  /** Axes that suit the sweep; the page's options come first. */
  function choose() {
    const chosen = {};
    const option = (name) => s.axis(s.options[name] ?? "");
    const numeric = varied.filter((a) => a.is_number);
    const words = varied.filter((a) => !a.is_number);
    chosen.line_x = option("line_x") ?? pick(numeric, THRESHOLD) ?? most_values(numeric.filter((a) => !ANGLE.test(a.name))) ??
        numeric[0] ?? most_values(words);
    const rest = varied.filter((a) => a !== chosen.line_x);
    chosen.line_color = option("line_color") ?? pick(rest.filter((a) => a.values.length <= 12), METHOD) ??
        rest.find((a) => !a.is_number && a.values.length <= 10) ?? rest.find((a) => a.values.length <= 6);
    const free = rest.filter((a) => a !== chosen.line_color);
    const pool = free.length >= 2 ? free : varied;
    chosen.heat_x = option("heat_x") ?? pick(pool, ANGLE) ?? most_values(pool);
    const others = pool.filter((a) => a !== chosen.heat_x);
    chosen.heat_y = option("heat_y") ?? pick(others, ALTITUDE) ?? most_values(others.filter((a) => a.is_number)) ?? most_values(others);
    chosen.heat_facet = option("heat_facet") ?? [chosen.line_color].find(
        (a) => a && a !== chosen.heat_x && a !== chosen.heat_y && a.values.length <= 12);
    return chosen;
  }

  // ---- Numbers -------------------------------------------------------------------------------------------------------

  /** The metric over the finished cells that agree in `axes`: [{codes, count, missing, mean, std, min, max, q1, median, q3}]. */
  function aggregate(metric, axes) {
    const unit_of = (cell) => units.length ? units.reduce((id, axis) => id * axis.values.length + axis.codes[cell], 0) : cell;
    const groups = new Map(), worst = s.is_small_good(metric.name) ? Infinity : -Infinity;
    for (let cell = 0; cell < s.num_cells; ++cell) {
      if (s.status[cell] === s.PENDING) continue;
      let id = 0;
      for (const axis of axes) id = id * axis.values.length + axis.codes[cell];
      let group = groups.get(id);
      if (!group) groups.set(id, group = {codes: axes.map((a) => a.codes[cell]), count: 0, numbers: [], by_unit: new Map()});
      group.count += 1;
      const value = metric.values[cell], is_finite = value !== null && Number.isFinite(+value);
      if (is_finite) group.numbers.push(+value);
      const unit = unit_of(cell);
      if (!group.by_unit.has(unit)) group.by_unit.set(unit, []);
      group.by_unit.get(unit).push(is_finite ? +value : worst);
    }
    return [...groups.values()].map(({codes, count, numbers, by_unit}) => {
      const group = {codes, count, missing: count - numbers.length, numbers, units: [...by_unit.values()], worst};
      if (numbers.length === 0) return group;
      numbers.sort((a, b) => a - b);
      group.mean = statistics.mean(numbers);
      const squares = numbers.reduce((sum, x) => sum + (x - group.mean) ** 2, 0);
      group.std = numbers.length > 1 ? Math.sqrt(squares / (numbers.length - 1)) : 0;
      [group.min, group.max] = [numbers[0], numbers[numbers.length - 1]];
      [group.q1, group.median, group.q3] = [0.25, 0.5, 0.75].map((q) => statistics.quantile(numbers, q));
      return group;
    });
  }

  /** Axes whose values the bootstrap draws from: what is independent of each other. */
  const units = (s.best && s.best.units ? s.best.units : []).map((name) => s.axis(name)).filter(Boolean);

  // What can be shown: the median with quartiles, the mean with its deviation ("mean") or its interval ("interval"), and any
  // other statistic with its interval.
  const finite_units = (group) => group.units.map((unit) => unit.filter(Number.isFinite)).filter((unit) => unit.length > 0);

  /** Bootstrap 95 % interval of what is shown: [low, high]. */
  function interval(group, statistic = "interval") {
    group.intervals ??= {};
    return group.intervals[statistic] ??= statistic === "interval" ? statistics.interval_of("mean", finite_units(group), true)
        : statistics.interval_of(statistic, group.units, group.worst > 0);
  }

  function centre(group, statistic) {
    if (statistic === "median") return group.median;
    if (statistic === "mean" || statistic === "interval") return group.mean;
    const missing = new Array(group.missing).fill(group.worst);
    return statistics.of_sorted(statistic, group.worst > 0 ? [...group.numbers, ...missing] : [...missing, ...group.numbers], group.worst > 0);
  }
  const low = (group, statistic) => statistic === "mean" ? Math.max(group.min, group.mean - group.std) : statistic === "median" ? group.q1 : interval(group, statistic)[0];
  const high = (group, statistic) => statistic === "mean" ? Math.min(group.max, group.mean + group.std) : statistic === "median" ? group.q3 : interval(group, statistic)[1];
  /** Whether small values of what is shown are good. */
  const is_small_good = (metric, statistic) => !statistics.is_share(statistic) && s.is_small_good(metric.name);

  /** "corner error [px] (mean)", "AUC@10px of corner error". */
  function name_of(metric, statistic) {
    if (statistic === "median" || statistic === "mean" || statistic === "interval") return `${title_of(metric.name)} (${word_of(statistic)})`;
    const [kind, parameter] = statistic.split("@"), label = metric.label ?? metric.name, unit = metric.unit ?? "";
    if (kind === "auc") return `AUC@${parameter}${unit} of ${label}`;
    if (kind === "share") return `share with ${label} at ${s.is_small_good(metric.name) ? "most" : "least"} ${parameter} ${unit}`.trimEnd();
    return `${parameter} quantile of ${title_of(metric.name)}`;
  }
  const spread_words = (statistic) => ({mean: "± std", median: "quartiles"})[statistic] ?? "95 %";

  // ---- Words -----------------------------------------------------------------------------------------------------------

  /** An axis or a metric in words, with its unit: core/evaluation/metric.h says them. */
  const title_of = (name) => {
    const column = s.axis(name) ?? s.metric(name);
    const unit = column?.unit === "deg" ? "°" : column?.unit;
    return column ? `${column.label}${unit ? ` [${unit}]` : ""}` : name.replaceAll("_", " ");
  };

  const is_logarithmic = (values) => {
    const least = Math.min(...values), most = Math.max(...values);
    return least > 0 && most / least >= 50;
  };

  const x_encoding = (axis) => axis.is_number
      ? {field: "x", type: "quantitative", title: title_of(axis.name),
         scale: is_logarithmic(axis.values) ? {type: "log"} : {zero: false, nice: false, padding: 12},
         axis: {grid: false, format: "~g", ...(axis.values.length <= 16 ? {values: axis.values} : {})}}
      : {field: "x", type: "nominal", title: title_of(axis.name), sort: axis.labels, axis: {labelAngle: 0}};

  const word_of = (statistic) => statistic === "interval" ? "mean" : statistic;

  // ---- Specifications ------------------------------------------------------------------------------------------------

  function line_spec(metric, x, color, statistic) {
    const axes = color ? [x, color] : [x];
    const values = aggregate(metric, axes).filter((g) => g.mean !== undefined).map((g) => ({
      x: x.is_number ? x.values[g.codes[0]] : x.labels[g.codes[0]], x_code: g.codes[0],
      color: color ? color.labels[g.codes[1]] : "all", color_code: color ? g.codes[1] : 0,
      y: centre(g, statistic), low: low(g, statistic), high: high(g, statistic),
      spread: `${s.format(low(g, statistic))} … ${s.format(high(g, statistic))}`, cells: g.count, missing: g.missing,
    })).sort((a, b) => a.color_code - b.color_code || a.x_code - b.x_code);
    const spread = values.some((v) => v.high > v.low);
    const color_encoding = color
        ? {field: "color", type: "nominal", sort: color.labels, title: title_of(color.name),
           legend: {orient: "top", direction: "horizontal", columns: 4, symbolOpacity: 1}}
        : {value: colors()[0]};
    const x_part = x_encoding(x);
    const y_title = name_of(metric, statistic);
    const tooltip = [{field: "x", title: told(x.name)}, ...(color ? [{field: "color", title: told(color.name)}] : []),
                     digits("y", word_of(statistic)), {field: "spread", title: spread_words(statistic)},
                     {field: "cells"}, {field: "missing", title: "without a value"}];
    const layer = [];
    const y = (field) => ({field, type: "quantitative", title: y_title, scale: {zero: false, nice: true}});
    if (spread && x.is_number) {
      layer.push({mark: {type: "area", fillOpacity: 0.14, tooltip: null},
                  encoding: {x: x_part, y: y("low"), y2: {field: "high"}, color: color_encoding}});
    }
    if (spread && !x.is_number) {
      layer.push({mark: {type: "rule", opacity: 0.5, strokeWidth: 2},
                  encoding: {x: x_part, y: y("low"), y2: {field: "high"}, color: color_encoding,
                             ...(color ? {xOffset: {field: "color", sort: color.labels}} : {})}});
    }
    const mark = x.is_number ? {type: "line", strokeWidth: 2, point: {filled: true, size: 46}} : {type: "point", filled: true, size: 90};
    layer.push({mark, encoding: {x: x_part, y: y("y"), color: color_encoding, tooltip, order: {field: "x_code"},
                                 ...(color && !x.is_number ? {xOffset: {field: "color", sort: color.labels}} : {}),
                                 ...(color ? {shape: {field: "color", sort: color.labels, title: title_of(color.name)}} : {})}});
    return {data: {values}, width: "container", height: 320, layer, resolve: {scale: {color: "shared"}}};
  }

  /** One panel per value of `facet`, all with the same colour scale. */
  function heat_specs(metric, x, y, facet, statistic) {
    const axes = facet ? [x, y, facet] : [x, y];
    const groups = aggregate(metric, axes).filter((g) => g.mean !== undefined);
    if (groups.length === 0) return [];
    const values = groups.map((g) => ({
      x: x.labels[g.codes[0]], x_code: g.codes[0], y: y.labels[g.codes[1]], y_code: g.codes[1], facet_code: facet ? g.codes[2] : 0,
      value: centre(g, statistic), text: s.format(centre(g, statistic)), cells: g.count, missing: g.missing,
    }));
    const numbers = values.map((v) => v.value);
    const domain = [Math.min(...numbers), Math.max(...numbers)];
    const middle = (domain[0] + domain[1]) / 2;
    // Bright is good: viridis runs from dark to bright.
    const reverse = is_small_good(metric, statistic);
    const order = (axis) => axis.values.map((v, i) => i).sort((a, b) => axis.is_number ? axis.values[a] - axis.values[b] : a - b)
        .map((i) => axis.labels[i]);
    const show_text = x.values.length <= 16 && y.values.length <= 16;
    return (facet ? facet.labels : [""]).map((name, code) => {
      const panel = values.filter((v) => v.facet_code === code);
      const base = {
        x: {field: "x", type: "ordinal", sort: order(x), title: title_of(x.name), axis: {labelAngle: 0}},
        y: {field: "y", type: "ordinal", sort: order(y).reverse(), title: title_of(y.name)},
      };
      const layer = [{
        mark: {type: "rect", stroke: css("--paper"), strokeWidth: 1},
        encoding: {
          ...base,
          color: {field: "value", type: "quantitative", title: name_of(metric, statistic),
                  scale: {scheme: "viridis", domain: domain[0] === domain[1] ? [domain[0], domain[0] + 1] : domain, reverse},
                  legend: {orient: "bottom", gradientLength: 220, gradientThickness: 10, direction: "horizontal"}},
          tooltip: [{field: "x", title: told(x.name)}, {field: "y", title: told(y.name)}, digits("value", word_of(statistic)),
                    {field: "cells"}, {field: "missing", title: "without a value"}],
        },
      }];
      if (show_text) {
        const dark_side = reverse ? `datum.value > ${middle}` : `datum.value < ${middle}`;
        layer.push({mark: {type: "text", fontSize: 11, tooltip: null},
                    encoding: {...base, text: {field: "text"},
                               color: {condition: {test: dark_side, value: "#ffffff"}, value: "#14171a"}}});
      }
      return {name, spec: {data: {values: panel}, width: "container", height: Math.max(120, Math.min(420, 34 * y.values.length)), layer},
              is_empty: panel.length === 0, facet_code: code};
    }).filter((panel) => !panel.is_empty);
  }

  /** Every setting (the axes but those in `over`) as a point: its metric against its median time. */
  function cost_spec(metric, over, color, statistic) {
    const axes = varied.filter((a) => !over.includes(a.name));
    if (axes.length === 0 || metric.name === "time_ms" || !s.metric("time_ms")) return null;
    const quality = aggregate(metric, axes), time = aggregate(s.metric("time_ms"), axes);
    const in_color = color && axes.includes(color) ? color : undefined;
    const values = quality.map((g, i) => ({g, t: time[i]})).filter(({g, t}) => g.mean !== undefined && t.mean !== undefined)
        .map(({g, t}) => ({
          x: t.median, y: centre(g, statistic), cells: g.count,
          color: in_color ? in_color.labels[g.codes[axes.indexOf(in_color)]] : "all",
          setting: axes.map((a, i) => `${a.name} ${a.labels[g.codes[i]]}`).join(", "), codes: g.codes,
        })).filter((v) => v.x > 0);
    if (values.length < 2 || values.length > 3000) return null;
    const sign = is_small_good(metric, statistic) ? 1 : -1;
    let least = Infinity;
    const front = [...values].sort((a, b) => a.x - b.x || sign * (a.y - b.y)).filter((v) => {
      const is_better = sign * v.y < least;
      if (is_better) least = sign * v.y;
      return is_better;
    });
    return {
      axes, front, spec: {
        data: {values}, width: "container", height: 280,
        layer: [
          {data: {values: front}, mark: {type: "line", interpolate: "step-after", color: css("--muted"),
                                         strokeWidth: 1.5, strokeDash: [4, 3], tooltip: null},
           encoding: {order: {field: "x"}, color: {value: css("--muted")}}},
          {mark: {type: "point", filled: true, size: values.length > 300 ? 20 : 55, opacity: 0.75}},
        ],
        encoding: {
          x: {field: "x", type: "quantitative", title: "time of a cell [ms] (median)",
              scale: is_logarithmic(values.map((v) => v.x)) ? {type: "log"} : {zero: false, nice: true}, axis: {grid: false}},
          y: {field: "y", type: "quantitative", title: name_of(metric, statistic), scale: {zero: false, nice: true}},
          color: in_color ? {field: "color", type: "nominal", sort: in_color.labels, title: title_of(in_color.name),
                             legend: {orient: "top", columns: 4, symbolOpacity: 1}} : {value: colors()[0]},
          tooltip: [{field: "setting"}, digits("y", metric.name), digits("x", "time_ms"), {field: "cells"}],
        },
      },
    };
  }

  const MOST_LINES = 600;

  /** Every setting (the axes but those in `over`) as a line through its values; null for fewer than four axes. */
  function parallel_spec(metric, over, statistic) {
    if (varied.length < 4) return null;
    const axes = varied.filter((a) => !over.includes(a.name)).length >= 3 ? varied.filter((a) => !over.includes(a.name)) : varied;
    let groups = aggregate(metric, axes).filter((g) => g.mean !== undefined);
    if (groups.every((g) => g.count === 1)) statistic = "mean";  // a single cell is its own value
    const sign = is_small_good(metric, statistic) ? 1 : -1;
    groups.sort((a, b) => sign * (centre(a, statistic) - centre(b, statistic)));
    if (groups.length < 2) return null;
    const num_all = groups.length;
    if (num_all > MOST_LINES) {
      const step = (num_all - MOST_LINES / 2) / (MOST_LINES / 2);
      groups = groups.filter((g, i) => i < MOST_LINES / 2 || Math.floor((i - MOST_LINES / 2) / step) !== Math.floor((i - 1 - MOST_LINES / 2) / step));
    }
    // By rank of the values, so that neighbours stay apart on any scale.
    const place = axes.map((axis) => {
      const order = axis.values.map((v, i) => i).sort((a, b) => axis.is_number ? axis.values[a] - axis.values[b] : a - b);
      const places = new Array(order.length);
      order.forEach((code, rank) => { places[code] = order.length > 1 ? rank / (order.length - 1) : 0.5; });
      return places;
    });
    const numbers = groups.map((g) => centre(g, statistic));
    const domain = [Math.min(...numbers), Math.max(...numbers)];
    const height_of = (value) => domain[1] > domain[0] ? (value - domain[0]) / (domain[1] - domain[0]) : 0.5;
    const titles = [...axes.map((a) => title_of(a.name)), title_of(metric.name)];
    const values = groups.flatMap((g, id) => titles.map((name, i) => ({
      id, name, y: i < axes.length ? place[i][g.codes[i]] : height_of(numbers[id]), value: numbers[id], codes: g.codes,
      text: axes.map((a, k) => `${a.name} ${a.labels[g.codes[k]]}`).join(", "),
    })));
    const ticks = axes.flatMap((axis, i) => {
      const skip = Math.ceil(axis.values.length / 12);
      return axis.labels.map((label, code) => ({name: titles[i], y: place[i][code], label: short(label, 18), rank: Math.round(place[i][code] * (axis.values.length - 1))}))
          .filter((tick) => tick.rank % skip === 0);
    });
    for (const share of [0, 0.5, 1]) {
      ticks.push({name: titles[axes.length], y: share, label: s.format(domain[0] + share * (domain[1] - domain[0]))});
    }
    const x = {field: "name", type: "nominal", sort: titles, title: null, axis: {orient: "top", labelAngle: 0, labelFontWeight: 600, domain: false, ticks: false, grid: true, labelLimit: 130}};
    const y = {field: "y", type: "quantitative", axis: null, scale: {domain: [-0.04, 1.04], nice: false}};
    return {
      axes, title: name_of(metric, statistic), num_shown: groups.length, num_left_out: num_all - groups.length, spec: {
        width: "container", height: 340,
        layer: [
          {data: {values},
           mark: {type: "line", strokeWidth: groups.length > 150 ? 0.9 : 1.6, opacity: groups.length > 150 ? 0.45 : 0.75, interpolate: "monotone"},
           encoding: {x, y, detail: {field: "id"}, 
                      color: {field: "value", type: "quantitative", title: name_of(metric, statistic),
                              scale: {scheme: "viridis", domain: domain[0] === domain[1] ? [domain[0], domain[0] + 1] : domain, reverse: sign > 0},
                              legend: {orient: "bottom", gradientLength: 220, gradientThickness: 10, direction: "horizontal"}},
                      tooltip: [{field: "text", title: "setting"}, digits("value", metric.name)]}},
          {data: {values: ticks}, mark: {type: "text", align: "left", dx: 5, fontSize: 11, color: css("--ink"), stroke: css("--paper"), strokeWidth: 3, strokeOpacity: 0.85, tooltip: null},
           encoding: {x, y, text: {field: "label"}}},
          {data: {values: ticks}, mark: {type: "text", align: "left", dx: 5, fontSize: 11, color: css("--ink"), tooltip: null},
           encoding: {x, y, text: {field: "label"}}},
        ],
      },
    };
  }

  /** The best settings along one axis (an entry of `along` in best.json): the statistic and its interval, made by the program. */
  function along_spec(index) {
    const settings = s.best.settings ?? [s.best.setting], {axis: name, title} = settings[0].along[index];
    const axis = s.axis(name), compared = s.best.settings ? s.axis(s.best.compare) : undefined;
    const code_of = (value) => axis.values.findIndex((v) => JSON.stringify(v) === JSON.stringify(value));
    const values = settings.flatMap((setting) => setting.along[index].values.map((group) => ({
      code: code_of(group[name]), x: axis.labels[code_of(group[name])], y: group.value, low: group.low ?? group.value, high: group.high ?? group.value,
      color: compared ? s.label(setting.params[compared.name]) : "best setting", cells: group.num_cells, missing: group.num_missing,
      setting: Object.entries(setting.params).map(([key, value]) => `${key} ${s.label(value)}`).join(", "),
    }))).filter((v) => typeof v.y === "number");
    const x = {field: "x", type: "ordinal", sort: axis.values.map((v, i) => i).sort((a, b) => axis.is_number ? axis.values[a] - axis.values[b] : a - b).map((i) => axis.labels[i]),
               title: title_of(name), axis: {labelAngle: 0}};
    const is_share = /^(share|auc)@/.test(s.best.along_statistic || s.best.statistic);
    const y = (field) => ({field, type: "quantitative", title, scale: is_share ? {domain: [0, 1]} : {zero: false, nice: true}});
    const offset = compared ? {xOffset: {field: "color", sort: compared.labels}} : {};
    const color = {field: "color", type: "nominal", sort: compared ? compared.labels : undefined, title: compared ? title_of(compared.name) : null,
                   legend: compared ? {orient: "top", direction: "horizontal", columns: 4, symbolOpacity: 1} : null};
    return {data: {values}, width: "container", height: 260, layer: [
      {mark: {type: "bar", tooltip: true}, encoding: {x, y: y("y"), color, ...offset,
        tooltip: [{field: "setting"}, {field: "x", title: told(name)}, digits("y", "value"), digits("low"), digits("high"), {field: "cells"}]}},
      {mark: {type: "rule", strokeWidth: 1.5, tooltip: null}, encoding: {x, y: y("low"), y2: {field: "high"}, ...offset, detail: {field: "color"}, color: {value: css("--ink")}}},
    ]};
  }

  window.sweep_charts = {varied, units, choose, aggregate, centre, interval, name_of, x_encoding, along_spec, line_spec, heat_specs, cost_spec, parallel_spec, title_of};
})();
