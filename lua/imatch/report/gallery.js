// The gallery of matched pairs: the list, what filters and orders it, and which pair the viewer shows.
"use strict";
(() => {
  const {$, make, plural, number, labelled, short} = window.look;
  const list_of = (x) => Array.isArray(x) ? x : [];  // an empty list of Lua may arrive as an object
  const all = list_of(JSON.parse($("data").textContent).pairs);
  const inliers = (e) => e.inliers ?? e.matches;
  const AT_ONCE = 60;
  let listed = [], current, num_drawn = AT_ONCE;

  // ---- Answer --------------------------------------------------------------------------------------------------------------

  const judged = all.filter((e) => typeof e.matched === "boolean"), matched = judged.filter((e) => e.matched);
  const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  $("subtitle").textContent = plural(all.length, "pair");
  $("answer-text").textContent = judged.length === 0 ? `${plural(all.length, "pair")}, with ${number(median(all.map(inliers)))} inliers in the median.`
      : `${matched.length} of ${plural(judged.length, "pair")} match` + (matched.length ? `, with ${number(median(matched.map(inliers)))} inliers in the median and ${number(Math.min(...matched.map(inliers)))} at the least.` : ".");

  // ---- Filters -------------------------------------------------------------------------------------------------------------

  /** What entries are filtered by: the verdict, and each fact that differs among them. */
  const facts = new Map();
  const fact = (name, value) => { if (!facts.has(name)) facts.set(name, new Set()); facts.get(name).add(String(value)); };
  for (const e of all) {
    if (typeof e.matched === "boolean") fact("verdict", e.matched ? "matched" : "not matched");
    for (const [name, value] of Object.entries(e.facts ?? {})) fact(name, value);
  }
  const value_of = (e, name) => name === "verdict" ? (e.matched ? "matched" : "not matched") : String((e.facts ?? {})[name]);
  const selects = new Map();
  for (const [name, values] of facts) {
    if (values.size < 2 || values.size > 60) continue;
    const sorted = [...values].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
    const select = make("select", {"data-fact": name, onchange: () => list()}, make("option", {value: ""}, "all"), ...sorted.map((v) => make("option", {value: v}, short(v, 40))));
    selects.set(name, select);
    $("filters").append(make("label", {}, name, " ", select));
  }

  const ORDERS = {
    worst: (a, b) => inliers(a) - inliers(b), best: (a, b) => inliers(b) - inliers(a), matches: (a, b) => b.matches - a.matches,
    share: (a, b) => inliers(a) / Math.max(1, a.matches) - inliers(b) / Math.max(1, b.matches), name: () => 0,
  };

  function card(e) {
    const verdict = e.matched === undefined ? "" : e.matched ? "matched" : "not matched";
    const links = [["drawn", e.picture], ["overlay", e.overlay], ["components", e.pca]].filter(([, path]) => path)
        .flatMap(([name, path], i) => [i ? ", " : "", make("a", {href: encodeURI(path).replaceAll("#", "%23").replaceAll("?", "%3F")}, name)]);
    return make("article", {class: "example pair", "data-name": e.name, tabindex: "0", onclick: (event) => { if (event.target.tagName !== "A") open(e, true); },
                            onkeydown: (event) => { if (event.key === "Enter") open(e, true); }},
      make("img", {loading: "lazy", src: encodeURI(e.thumbnail).replaceAll("#", "%23").replaceAll("?", "%3F"), alt: e.name, width: e.width, height: e.height}),
      make("div", {class: "text"}, make("div", {class: `rank ${verdict === "matched" ? "good" : verdict ? "bad" : ""}`}, verdict ? `${verdict}: ` : "", `${number(inliers(e))} of ${plural(e.matches, "match").replace("matchs", "matches")}`),
           labelled("div", e.label || e.name, 48), make("div", {class: "muted"}, ...links)));
  }

  function list() {
    const text = $("text").value.toLowerCase(), by = ORDERS[$("order").value];
    listed = all.filter((e) => `${e.name} ${e.label ?? ""} ${e.weight ?? ""}`.toLowerCase().includes(text) && [...selects].every(([name, select]) => !select.value || value_of(e, name) === select.value))
        .sort((a, b) => by(a, b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    num_drawn = AT_ONCE;
    draw_list();
  }
  function draw_list() {
    $("count").textContent = `${listed.length.toLocaleString("en")} of ${plural(all.length, "pair")}`;
    $("pairs").replaceChildren(...listed.slice(0, num_drawn).map(card));
    $("more").hidden = listed.length <= num_drawn;
    mark();
  }
  const mark = () => { for (const element of $("pairs").children) element.classList.toggle("current", current !== undefined && element.dataset.name === current.name); };
  $("more").addEventListener("click", () => { num_drawn += AT_ONCE; draw_list(); });
  $("text").addEventListener("input", list);
  $("order").addEventListener("change", list);

  // ---- One pair ------------------------------------------------------------------------------------------------------------

  const waiting = new Map();
  /** Called by the file of a pair (viewer/....js), which a page that lies in a folder can only load as a script. */
  window.imatch_pair = (id, data) => { waiting.get(id)?.({...data, matches: list_of(data.matches)}); waiting.delete(id); };
  const loaded = new Map();
  function load(e) {
    if (!loaded.has(e.data)) {
      loaded.set(e.data, new Promise((resolve, reject) => {
        waiting.set(e.data, resolve);
        document.head.append(make("script", {src: encodeURI(e.data).replaceAll("#", "%23").replaceAll("?", "%3F"), onerror: () => reject(new Error(`${e.data} cannot be read`))}));
      }));
    }
    return loaded.get(e.data);
  }

  async function open(e, scroll) {
    if (!e || !e.data) return;
    current = e;
    mark();
    $("viewer-section").hidden = false;
    $("pair-title").textContent = short(e.label || e.name, 80);
    $("pair-title").title = e.label || e.name;
    $("pair-text").textContent = [e.matched === undefined ? "" : e.matched ? "matched" : `not matched: ${e.reason ?? ""}`, `${number(inliers(e))} inliers of ${e.matches} matches`,
      ...Object.entries(e.facts ?? {}).map(([name, value]) => `${name} ${value}`), typeof e.cosine === "number" ? `cosine of the images ${number(e.cosine)}` : ""].filter(Boolean).join(" · ");
    try {
      const data = await load(e);
      if (current === e) await window.pair_viewer.show(data);
    } catch (error) {
      $("shown-text").textContent = `${error.message}.`;
    }
    if (scroll) $("viewer-section").scrollIntoView({behavior: "smooth"});
  }
  const step = (by) => { const i = listed.indexOf(current); if (listed.length) open(listed[(i + by + listed.length) % listed.length]); };
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  document.addEventListener("keydown", (event) => {
    if (["INPUT", "SELECT"].includes(event.target.tagName)) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });

  list();
  open(listed[0]);
  window.gallery = {listed: () => listed, current: () => current, open};
})();
