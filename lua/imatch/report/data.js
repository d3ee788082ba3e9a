// Reads the results that the page carries: window.sweep = {name, num_cells, axes, metrics, columns, ...}.
"use strict";
(() => {
  const raw = JSON.parse(document.getElementById("data").textContent);
  const PENDING = 0, OK = 1, FAILED = 2;

  const number = (value) => value === "inf" ? Infinity : value === "-inf" ? -Infinity : value;

  /** Short text of an axis value; tables show their label or name. */
  const label = (value) => {
    if (value !== null && typeof value === "object") return String(value.label ?? value.name ?? JSON.stringify(value));
    // As many digits as tell the values of an axis apart.
    return typeof value === "number" && Number.isFinite(value) ? String(Number(value.toPrecision(6))) : window.look.told(String(value));
  };

  const axes = raw.axes.map((axis, i) => ({
    name: axis.name, label: window.look.told(axis.label ?? axis.name), unit: axis.unit ?? "", values: axis.values, codes: raw.cells[i], labels: axis.values.map(label),
    is_number: axis.values.every((v) => typeof v === "number"),
  }));
  const metrics = raw.metrics.map((metric) => ({...metric, values: metric.values.map(number)}));
  if (raw.time_ms.some((t, i) => t !== null && raw.status[i] === OK)) metrics.push({name: "time_ms", label: "time", unit: "ms", better: "lower", definition: "time of a cell", values: raw.time_ms.map((t, i) => raw.status[i] === OK ? number(t) : null)});
  for (const metric of metrics) {
    metric.is_number = metric.values.some((v) => typeof v === "number" || typeof v === "boolean") &&
        metric.values.every((v) => v === null || typeof v === "number" || typeof v === "boolean");
  }

  window.sweep = {
    name: raw.name, num_cells: raw.keys.length, keys: raw.keys, status: raw.status, errors: raw.errors,
    best: raw.best, provenance: raw.provenance ?? {}, pictures: raw.pictures, progress: raw.progress ?? {}, options: raw.options ?? {},
    time_ms: raw.time_ms.map(number), axes, metrics, format: window.look.number, label, PENDING, OK, FAILED,
    axis: (name) => axes.find((a) => a.name === name),
    metric: (name) => metrics.find((m) => m.name === name),
    /** Whether small values of the metric are good: as the sweep says, else by its definition. */
    is_small_good: (name) => raw.best && raw.best.metric === name ? raw.best.direction === "min"
        : metrics.find((m) => m.name === name)?.better === "lower",
    params: (cell) => axes.map((a) => [a.name, a.labels[a.codes[cell]]]),
  };
})();
