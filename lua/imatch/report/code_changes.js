// What differs between the code, the options and the origin of runs.
"use strict";
(() => {
  const {make, plain_table, plural, number, labelled} = window.look;

  // Beyond this many lines the common ones are no longer looked for.
  const MOST_LINES = 4000;

  /** Lines of two texts as [" " or "-" or "+", text], by their longest common subsequence. */
  function line_changes(a, b) {
    let start = 0, end_a = a.length, end_b = b.length;
    while (start < end_a && start < end_b && a[start] === b[start]) ++start;
    while (end_a > start && end_b > start && a[end_a - 1] === b[end_b - 1]) { --end_a; --end_b; }
    const kept = (lines) => lines.map((text) => [" ", text]);
    const middle = [], x = a.slice(start, end_a), y = b.slice(start, end_b);
    if (x.length > MOST_LINES || y.length > MOST_LINES) {
      middle.push(...x.map((t) => ["-", t]), ...y.map((t) => ["+", t]));
    } else {
      // length[i][j]: of the longest common subsequence of x from i and y from j.
      const width = y.length + 1, length = new Uint16Array((x.length + 1) * width);
      for (let i = x.length - 1; i >= 0; --i)
        for (let j = y.length - 1; j >= 0; --j)
          length[i * width + j] = x[i] === y[j] ? length[(i + 1) * width + j + 1] + 1 : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
      let i = 0, j = 0;
      while (i < x.length || j < y.length) {
        if (i < x.length && j < y.length && x[i] === y[j]) { middle.push([" ", x[i]]); ++i; ++j; }
        else if (j >= y.length || (i < x.length && length[(i + 1) * width + j] >= length[i * width + j + 1])) middle.push(["-", x[i++]]);
        else middle.push(["+", y[j++]]);
      }
    }
    return [...kept(a.slice(0, start)), ...middle, ...kept(a.slice(end_a))];
  }

  const CONTEXT = 2;

  /** A <pre> with the changed lines, and two lines around each; null when nothing changed. */
  function changes_element(a, b) {
    const changes = line_changes(a.split("\n"), b.split("\n"));
    const near = changes.map((_, i) => changes.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(([sign]) => sign !== " "));
    if (!near.includes(true)) return null;
    const pre = make("pre", {class: "changes"});
    changes.forEach(([sign, text], i) => {
      if (near[i]) pre.append(make("span", {class: sign === "+" ? "added" : sign === "-" ? "removed" : ""}, `${sign} ${text}\n`));
      else if (i > 0 && near[i - 1]) pre.append("  …\n");
    });
    return pre;
  }

  const by_name = (list) => new Map((Array.isArray(list) ? list : []).map((entry) => [entry.name, entry]));
  const last = (path) => path.split("/").pop();

  /** How the code of a run differs from that of the first: elements. */
  function code_of(first, other) {
    const [a, b] = [by_name(first.code), by_name(other.code)];
    if (a.size === 0 || b.size === 0) return [make("p", {class: "caption"}, `The code of ${a.size ? other.letter : first.letter} was not kept.`)];
    // The same file may lie elsewhere: of those that only one run has, those of one name belong together.
    const moved = new Map();
    for (const name of b.keys()) if (!a.has(name)) { const old = [...a.keys()].find((n) => !b.has(n) && last(n) === last(name)); if (old) moved.set(name, old); }
    const parts = [];
    for (const [name, entry] of b) {
      const old = a.get(name) ?? a.get(moved.get(name));
      const changes = old ? changes_element(old.text, entry.text) : null;
      if (!old) parts.push(make("p", {}, `${name}: only in ${other.letter}`));
      else if (changes) parts.push(make("p", {}, name), changes);
    }
    for (const name of a.keys()) if (!b.has(name) && ![...moved.values()].includes(name)) parts.push(make("p", {}, `${name}: only in ${first.letter}`));
    return parts.length ? parts : [make("p", {class: "caption"}, "The same, to the letter.")];
  }

  function flat(value, name, out) {
    if (Array.isArray(value) && value.every((v) => typeof v !== "object")) out.set(name, value.join(" "));
    else if (value !== null && typeof value === "object") for (const [key, entry] of Object.entries(value)) flat(entry, name ? `${name}.${key}` : key, out);
    else if (value !== null && value !== undefined) out.set(name, String(value));
    return out;
  }

  // What every run has another one of.
  const ALWAYS = /^(started|stopped|worker|wall_s|cpu_s|pid|.*_s$|num_cells_.*|identity|sessions|feature_cache|inputs|inputs_of_cells|peak.*|max_.*)(\.|$)/;

  /** [name, value of each run] of what is not the same in all: axes, arguments, options, versions, files, machines. */
  function options_of(runs) {
    const facts = runs.map((run) => {
      const {sessions, inputs, inputs_of_cells, identity, ...rest} = run.provenance ?? {};
      const all = flat(rest, "", new Map());
      for (const axis of run.axes) all.set(`axis ${axis.name}`, axis.values.map((v) => typeof v === "number" ? number(v) : v !== null && typeof v === "object" ? String(v.label ?? v.name ?? JSON.stringify(v)) : String(v)).join(", "));
      const count = new Map();
      for (const input of Array.isArray(inputs) ? inputs : []) {
        const name = input.kind === "file" ? last(input.name) : `${input.kind} ${input.name}`;
        count.set(name, (count.get(name) ? count.get(name) + " " : "") + String(input.hash).slice(0, 10));
      }
      for (const [name, hash] of count) all.set(name, hash);
      return all;
    });
    const names = [...new Set(facts.flatMap((all) => [...all.keys()]))].filter((name) => !ALWAYS.test(name));
    return names.map((name) => [name, ...facts.map((all) => all.get(name) ?? "–")]).filter(([, ...values]) => new Set(values).size > 1)
        .sort((x, y) => (y[0].startsWith("axis ") - x[0].startsWith("axis ")) || (x[0] < y[0] ? -1 : 1));
  }

  function options_table(runs) {
    const rows = options_of(runs);
    if (rows.length === 0) return make("p", {class: "caption"}, "Nothing but when they ran.");
    return plain_table(["", ...runs.map((run) => run.letter)], rows.map(([name, ...values]) => [labelled("td", name, 40), ...values.map((v) => labelled("td", v, 60))]));
  }

  window.code_changes = {line_changes, code_of, options_of, options_table};
})();
