// How many values become one number, as core/evaluation/statistics.h defines it: "mean", "median", "quantile@q", "share@t",
// "auc@t", and the percentile bootstrap of each.
"use strict";
(() => {
  /** Linear between neighbours; an infinity among infinities. */
  function quantile(sorted, q) {
    const at = (sorted.length - 1) * q, below = Math.floor(at), above = Math.min(below + 1, sorted.length - 1);
    if (at === below || sorted[below] === sorted[above]) return sorted[below];
    return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
  }

  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  /** Area under the share of errors up to `limit`, divided by it. */
  function area_under_curve(sorted, limit) {
    let area = 0, last_error = 0, last_share = 0;
    for (let k = 0; k < sorted.length && sorted[k] < limit; ++k) {
      const share = (k + 1) / sorted.length;
      area += (sorted[k] - last_error) * (last_share + share) / 2;
      [last_error, last_share] = [sorted[k], share];
    }
    return (area + (limit - last_error) * last_share) / limit;
  }

  const parts = (name) => { const [kind, parameter] = name.split("@"); return [kind, Number(parameter)]; };
  /** Shares and areas are better when higher, all else as the values. */
  const is_share = (name) => /^(share|auc)@/.test(name);

  /** The statistic of ascending values, missing ones as infinities; undefined of none. */
  function of_sorted(name, sorted, is_small_good) {
    if (sorted.length === 0) return undefined;
    const [kind, parameter] = parts(name);
    if (kind === "mean") return mean(sorted);
    if (kind === "median") return quantile(sorted, 0.5);
    if (kind === "quantile") return quantile(sorted, parameter);
    if (kind === "auc") return area_under_curve(sorted, parameter);
    return sorted.filter((x) => is_small_good ? x <= parameter : x >= parameter).length / sorted.length;
  }

  /** Bootstrap 95 % interval of `of(values)`; `units` is a list of lists of values, drawn whole with replacement. */
  function interval(units, of) {
    const num_values = units.reduce((n, unit) => n + unit.length, 0), results = [];
    let state = 1;
    const draw = () => {  // mulberry32
      state = (state + 0x6D2B79F5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4294967296 * units.length);
    };
    // As often as a page can afford: at least a hundred times.
    const num_resamples = Math.max(100, Math.min(1000, Math.floor(2e6 / Math.max(1, num_values))));
    for (let i = 0; i < num_resamples; ++i) {
      const drawn = [];
      for (let k = 0; k < units.length; ++k) drawn.push(units[draw()]);
      results.push(of(drawn));
    }
    results.sort((a, b) => a - b);
    return [quantile(results, 0.025), quantile(results, 0.975)];
  }

  /** Interval of the mean: sums of the units are all it takes. */
  function interval_of_mean(units) {
    const sums = units.map((unit) => [unit.reduce((a, b) => a + b, 0), unit.length]);
    return interval(sums, (drawn) => {
      let sum = 0, count = 0;
      for (const [s, n] of drawn) { sum += s; count += n; }
      return sum / count;
    });
  }

  const interval_of = (name, units, is_small_good) => name === "mean" ? interval_of_mean(units)
      : interval(units, (drawn) => of_sorted(name, drawn.flat().sort((a, b) => a - b), is_small_good));

  window.sweep_statistics = {quantile, mean, is_share, of_sorted, interval, interval_of};
})();
