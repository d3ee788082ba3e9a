// All runs below a folder, with what each of them found best, links to their reports, and the command that compares some.
"use strict";
(() => {
  const {$, make, plural, number, labelled, short} = window.look;
  const {runs, folder} = JSON.parse($("data").textContent);
  // An empty list of Lua may arrive as an object.
  const all = runs.map((run) => ({...run, arguments: Array.isArray(run.arguments) ? run.arguments : []}));
  const names = [...new Set(all.map((run) => run.name))].sort(), chosen = new Set();
  const at_work = all.filter((run) => run.state === "at work").length, interrupted = all.filter((run) => run.state === "interrupted").length;
  const failed = all.filter((run) => run.failed > 0).length;
  $("subtitle").textContent = folder;
  $("answer-text").textContent = `${plural(all.length, "run")} of ${plural(names.length, "sweep")}` + [at_work ? `; ${at_work} at work` : "", interrupted ? `; ${interrupted} interrupted` : "", failed ? `; ${failed} with failed cells` : ""].join("") + ".";
  $("name").replaceChildren(make("option", {value: ""}, "all"), ...names.map((name) => make("option", {value: name}, name)));

  const address = (path) => path.split("/").map(encodeURIComponent).join("/");
  const quoted = (word) => /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

  function show_compare() {
    const paths = all.filter((run) => chosen.has(run.path)).map((run) => quoted(run.path)).reverse();
    $("compare").replaceChildren(...(paths.length < 2 ? ["Choose two runs or more to compare them."] : ["To compare these: ", make("code", {}, `imatch-lua sweep diff ${paths.join(" ")} --html comparison.html`)]));
  }

  function row_of(run) {
    const box = make("input", {type: "checkbox", "aria-label": `compare ${run.relative}`, onchange: () => { box.checked ? chosen.add(run.path) : chosen.delete(run.path); show_compare(); }});
    box.checked = chosen.has(run.path);
    const link = run.has_report ? make("a", {href: `${address(run.relative)}/report.html`, title: run.relative}, `${short(run.name, 30)} ${run.hash.slice(0, 8)}`) : labelled("span", `${run.name} ${run.hash.slice(0, 8)}`, 40);
    const live = run.has_live && run.state === "at work" ? [" ", make("a", {href: `${address(run.relative)}/live.html`}, "live")] : [];
    const words = {done: "done", "at work": "▶ at work", interrupted: "‖ interrupted"}[run.state];
    return [make("td", {}, box), make("td", {}, link, ...live), run.started.slice(0, 16).replace("T", " "), words,
      `${run.ok + run.failed} of ${run.total}${run.failed ? `, ${run.failed} failed` : ""}`,
      make("td", {title: run.best_params ?? ""}, typeof run.best_value === "number" ? make("span", {}, `${run.best_title} `, make("b", {}, number(run.best_value))) : "–", run.best_params ? make("div", {class: "muted"}, short(run.best_params, 60)) : ""),
      make("td", {title: [run.script, ...run.arguments].filter(Boolean).join(" ")}, short([(run.script ?? "–").split("/").pop(), ...run.arguments].join(" "), 40), run.commit ? make("div", {class: "muted"}, `${run.commit.slice(0, 10)}${run.dirty ? " with changes" : ""}`) : "")];
  }

  function list() {
    const text = $("text").value.toLowerCase(), name = $("name").value;
    const orders = {started: () => 0, name: (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0, value: (a, b) => (b.best_value ?? -Infinity) - (a.best_value ?? -Infinity)};
    const shown = all.filter((run) => (!name || run.name === name) && `${run.relative} ${run.script ?? ""} ${run.arguments.join(" ")} ${run.best_params ?? ""} ${run.best_title ?? ""} ${run.state}`.toLowerCase().includes(text)).sort(orders[$("order").value]);
    $("count").textContent = `${shown.length} of ${plural(all.length, "run")}`;
    $("runs").replaceChildren(window.look.plain_table(["", "run", "started (UTC)", "state", "cells", "best", "script"], shown.map(row_of)));
  }
  for (const [id, event] of [["text", "input"], ["name", "change"], ["order", "change"]]) $(id).addEventListener(event, list);
  list();
})();
