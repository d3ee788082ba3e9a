// What the page of a run and that of several runs share: pictures, failures, cells under way.
"use strict";
(() => {
  const s = window.sweep;
  const {$, make, labelled, short, plain_table, show_large} = window.look;
  const params_text = (params) => Object.entries(params).map(([name, value]) => `${name} = ${s.label(value)}`).join(", ");

  // ---- Pictures ------------------------------------------------------------------------------------------------------------

  /** What the cell told last of its progress: [["steps", "30 of 40"], ["loss", "0.031"], ["images/s", "210"]]. */
  function progress_of(cell) {
    const {done, total, worker, ...numbers} = s.progress[cell] ?? {};
    if (done === undefined) return [];
    return [["steps", total ? `${s.format(done)} of ${s.format(total)}` : s.format(done)],
            ...Object.entries(numbers).map(([name, value]) => [name.replace("_per_", "/"), s.format(value)])];
  }

  /** The cells that are not finished and tell how far they are. */
  function show_progress() {
    const cells = Object.keys(s.progress).filter((cell) => s.status[cell] === s.PENDING);
    $("progress-section").hidden = cells.length === 0;
    $("progress").replaceChildren(plain_table(["cell", "progress", "worker"], cells.slice(0, 100).map((cell) => [
      s.params(cell).map(([name, value]) => `${name} = ${value}`).join(", "),
      progress_of(cell).map(([name, value]) => `${name} ${value}`).join(", "), s.progress[cell].worker])));
  }

  function example(cell, rank, kind) {
    const pictures = (s.pictures[cell] ?? []).map((picture) =>
      make("img", {src: picture.source, alt: picture.name, title: picture.name, onclick: () => show_large(picture)}));
    const list = make("dl");
    for (const [name, value] of s.params(cell)) list.append(labelled("dt", name, 24), labelled("dd", value, 40));
    for (const metric of s.metrics) list.append(labelled("dt", metric.name, 24), make("dd", {}, short(s.format(metric.values[cell]), 60)));
    for (const [name, value] of progress_of(cell)) list.append(make("dt", {}, `last ${name}`), make("dd", {}, value));
    return make("article", {class: "example"}, ...pictures,
                make("div", {class: "text"}, make("span", {class: `rank ${kind}`}, rank), list));
  }

  /** The pictured cell that has the most axis values in common with this one; undefined when there are no pictures. */
  function nearest_pictured(cell) {
    let nearest, most = -1;
    for (const other of Object.keys(s.pictures).map(Number)) {
      const common = s.axes.filter((a) => a.codes[cell] === a.codes[other]).length;
      if (common > most) [nearest, most] = [other, common];
    }
    return nearest;
  }

  /** Cards of some cells: those with pictures first; where none has one, the nearest cell that has. */
  function show_selection(cells, title) {
    const pictured = cells.filter((c) => s.pictures[c]);
    const shown = [...pictured, ...cells.filter((c) => !s.pictures[c])].slice(0, Math.max(3, Math.min(6, pictured.length)));
    const cards = shown.map((c) => example(c, `Cell ${s.keys[c].slice(0, 8)}`, ""));
    if (pictured.length === 0 && cells.length > 0) {
      const near = nearest_pictured(cells[0]);
      if (near !== undefined) cards.unshift(example(near, "No picture of these was kept; the most similar cell that has one", ""));
    }
    $("selection-title").textContent = title;
    $("selection").replaceChildren(...cards);
    $("selection-section").hidden = cards.length === 0;
  }

  // ---- Failures --------------------------------------------------------------------------------------------------------

  function show_failures() {
    const by_message = new Map();
    for (const [cell, message] of Object.entries(s.errors)) {
      const first_line = message.split("\n")[0];
      if (!by_message.has(first_line)) by_message.set(first_line, []);
      by_message.get(first_line).push(Number(cell));
    }
    $("failed-section").hidden = by_message.size === 0;
    const most_first = [...by_message].sort((a, b) => b[1].length - a[1].length).slice(0, 100);
    $("failed").replaceChildren(plain_table(["cells", "message", "for example"], most_first.map(([message, cells]) => [
      String(cells.length), message, s.params(cells[0]).map(([name, value]) => `${name} = ${value}`).join(", ")])));
  }

  window.sweep_page = {params_text, example, show_selection, show_failures, show_progress};
})();
