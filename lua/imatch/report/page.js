// What the page of a run and that of two runs share: elements, pictures, failures, light and dark.
"use strict";
(() => {
  const s = window.sweep;
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

  // ---- Pictures ------------------------------------------------------------------------------------------------------------

  /** The whole picture, from the run folder where the page still stands in it; else what the page carries. */
  function show_large(picture) {
    const image = make("img", {src: picture.file, alt: picture.name, onerror: () => { image.src = picture.source; }});
    const dialog = make("dialog", {onclick: () => dialog.remove()}, image);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

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
    const rows = cells.slice(0, 100).map((cell) => make("tr", {},
      make("td", {}, s.params(cell).map(([name, value]) => `${name} = ${value}`).join(", ")),
      make("td", {}, progress_of(cell).map(([name, value]) => `${name} ${value}`).join(", ")),
      make("td", {}, s.progress[cell].worker)));
    $("progress").replaceChildren(make("table", {class: "plain-table"},
      make("thead", {}, make("tr", {}, ...["cell", "progress", "worker"].map((title) => make("th", {}, title)))),
      make("tbody", {}, ...rows)));
  }

  function example(cell, rank, kind) {
    const pictures = (s.pictures[cell] ?? []).map((picture) =>
      make("img", {src: picture.source, alt: picture.name, title: picture.name, onclick: () => show_large(picture)}));
    const list = make("dl");
    for (const [name, value] of s.params(cell)) list.append(make("dt", {}, name), make("dd", {}, value));
    for (const metric of s.metrics) list.append(make("dt", {}, metric.name), make("dd", {}, s.format(metric.values[cell])));
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

  function card(title, value, text, is_wide) {
    return make("div", {class: is_wide ? "card wide" : "card"}, make("h3", {}, title), make("div", {class: "value"}, value), make("p", {}, text));
  }

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
    redraw();
  });
  system.addEventListener("change", () => { set_theme(); redraw(); });
  let redraw = () => {};

  set_theme();

  window.sweep_page = {
    $, make, plural, params_text, card, example, show_selection, show_failures, show_progress,
    on_theme: (draw) => { redraw = draw; },
  };
})();
