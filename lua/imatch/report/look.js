// What all pages share: elements, numbers, labels that fit, colours, light and dark, charts.
"use strict";
(() => {
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

  // ---- Numbers and labels ------------------------------------------------------------------------------------------------

  /** Three significant digits; whole numbers, and what stands before the point, as they are. */
  function number(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (typeof value === "boolean") return value ? "true" : "false";
    if (typeof value !== "number") return String(value);
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
    if (Math.abs(value) >= 100 && Math.abs(value) < 1e9) return String(Math.round(value));
    return String(Number(value.toPrecision(3)));
  }

  /** "61.3 %", "3.21 px", "0.344". */
  const quantity = (value, unit) => typeof value !== "number" ? "–"
      : unit === "%" ? `${number(100 * value)} %` : number(value) + (unit === "deg" || unit === "°" ? "°" : unit ? ` ${unit}` : "");

  /** Text of at most so many characters: what is too long loses its middle, since beginnings and ends tell names apart, after
      `head` and `tail` characters of its ends, which all texts of a kind share. */
  function short(text, most = 28, head = 0, tail = 0) {
    let characters = [...String(text)];
    if (characters.length <= most) return String(text);
    characters = characters.slice(head, characters.length - tail);
    if (characters.length <= most) return characters.join("");
    const end = Math.floor((most - 1) / 2);
    return characters.slice(0, most - 1 - end).join("") + "…" + (end > 0 ? characters.slice(-end).join("") : "");
  }

  /** How many characters all texts begin with, and how many they end with: [head, tail]. At least one is left of each text. */
  function shared_ends(texts) {
    const all = texts.map((t) => [...t]), least = Math.min(...all.map((t) => t.length));
    let head = 0, tail = 0;
    while (head < least - 1 && all.every((t) => t[head] === all[0][head])) head++;
    while (tail < least - 1 - head && all.every((t) => t.at(-1 - tail) === all[0].at(-1 - tail))) tail++;
    return all.length > 1 ? [head, tail] : [0, 0];
  }

  /** An element with the text, shortened, and the whole of it on hover. */
  function labelled(tag, text, most = 28, attributes = {}) {
    const shown = short(text, most);
    return make(tag, shown === String(text) ? attributes : {...attributes, title: text}, shown);
  }

  // ---- Colours -------------------------------------------------------------------------------------------------------------

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Okabe and Ito's colours: told apart with every kind of colour vision. Black is left out, it vanishes on dark.
  const LIGHT = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8B6FC0", "#7F7F7F"];
  const DARK = ["#5BB5EE", "#F08A4B", "#3CCB9B", "#E39CC6", "#F2C14E", "#9AD1F5", "#B39DDB", "#A9B1B9"];
  const is_dark = () => document.documentElement.dataset.theme === "dark";
  const colors = () => is_dark() ? DARK : LIGHT;

  // ---- Light and dark ------------------------------------------------------------------------------------------------------

  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const redraw = [];
  let choice = "";
  function set_theme() {
    document.documentElement.dataset.theme = choice || (system.matches ? "dark" : "light");
    if ($("theme")) $("theme").textContent = is_dark() ? "Light" : "Dark";
  }
  const change = () => { set_theme(); for (const draw of redraw) draw(); };
  $("theme")?.addEventListener("click", () => { choice = is_dark() ? "light" : "dark"; change(); });
  system.addEventListener("change", change);
  set_theme();

  // ---- Charts --------------------------------------------------------------------------------------------------------------

  const config = () => {
    const ink = css("--ink"), muted = css("--muted"), line = css("--line");
    return {
      background: "transparent", font: getComputedStyle(document.body).fontFamily, customFormatTypes: true,
      view: {stroke: null},
      axis: {labelColor: muted, titleColor: ink, gridColor: line, domainColor: muted, tickColor: muted, labelFontSize: 12,
             titleFontSize: 12, titleFontWeight: 600, labelOverlap: true, labelLimit: 400},
      axisQuantitative: {labelFlush: false, labelSeparation: 8},
      legend: {labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, symbolSize: 90, labelLimit: 400, titleLimit: 400},
      range: {category: colors()},
    };
  };

  const LETTER_PX = 7, AXIS_PX = 110;  // a letter of a label; what stands left and right of a chart's own width

  /** The different texts of a field in all values that a specification carries. */
  function texts_of(spec, field) {
    const found = new Set();
    const look = (part) => {
      for (const row of part?.data?.values ?? []) if (row[field] !== undefined) found.add(String(row[field]));
      for (const layer of part?.layer ?? []) look(layer);
    };
    look(spec);
    return [...found];
  }

  /** Gives every axis and legend of names as much room as there is. Returns what each shortened label stands for. */
  function fit_labels(spec, width_px) {
    const whole = new Map();
    const fit = (part) => {
      for (const [channel, of] of Object.entries(part.encoding ?? {})) {
        if (!of || !["nominal", "ordinal"].includes(of.type) || of.field === undefined) continue;
        const texts = texts_of(spec, of.field), longest = Math.max(0, ...texts.map((t) => t.length));
        const most = channel === "x" ? Math.max(5, Math.floor(Math.max(0, width_px - AXIS_PX) / Math.max(1, texts.length) / LETTER_PX)) : channel === "y" ? Math.max(8, Math.floor(width_px / 4 / LETTER_PX))
            : Math.min(44, Math.max(8, Math.floor(width_px / LETTER_PX / Math.max(1, Math.min(4, texts.length)) - 4)));
        const guide = channel === "x" || channel === "y" ? "axis" : "legend";
        if (longest <= most || of[guide] === null) continue;
        // On a crowded axis only what tells the names apart has room; elsewhere they are known by their beginnings.
        const [head, tail] = channel === "x" ? shared_ends(texts) : [0, 0];
        of[guide] = {...of[guide], labelExpr: `imatch_short(datum.label, ${most}, ${head}, ${tail})`};
        for (const text of texts) {
          const shown = short(text, most, head, tail);
          if (shown !== text) whole.set(shown, (whole.get(shown) ?? new Set()).add(text));
        }
      }
      for (const layer of part.layer ?? []) fit(layer);
    };
    fit(spec);
    // A row of legend entries may not be wider than the page.
    const columns = (part) => {
      for (const of of Object.values(part.encoding ?? {})) {
        if (!of?.legend?.columns) continue;
        const longest = Math.max(4, ...texts_of(spec, of.field).map((t) => Math.min(t.length, 28)));
        of.legend = {...of.legend, columns: Math.max(1, Math.min(of.legend.columns, Math.floor(width_px / (LETTER_PX * longest + 30))))};
      }
      for (const layer of part.layer ?? []) columns(layer);
    };
    columns(spec);
    return whole;
  }

  /** Shortened labels tell their whole text on hover. Charts write their labels anew when they are resized. */
  function explain_labels(element, whole) {
    const explain = () => {
      for (const label of element.querySelectorAll("svg .role-axis-label text, svg .role-legend-label text")) {
        const texts = whole.get(label.firstChild?.nodeType === Node.TEXT_NODE ? label.firstChild.data : "");
        if (!texts || label.querySelector("title")) continue;
        const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
        title.textContent = [...texts].join(", ");
        label.append(title);
      }
    };
    explain();
    new MutationObserver(explain).observe(element, {childList: true, subtree: true, characterData: true});
  }

  /** Draws into an element; returns the view. `on_click(datum)` hears of clicks on marks. */
  async function draw(element, spec, on_click) {
    vega.expressionFunction("imatch_short", short);
    vega.expressionFunction("imatch_number", (value) => number(value));
    const full = {$schema: "https://vega.github.io/schema/vega-lite/v6.json", config: config(), ...structuredClone(spec)};
    const shortened = fit_labels(full, element.clientWidth || 600);
    const result = await vegaEmbed(element, full, {
      mode: "vega-lite", renderer: "svg", tooltip: {theme: document.documentElement.dataset.theme},
      actions: {export: {svg: true, png: true}, source: false, compiled: false, editor: false},
    });
    explain_labels(element, shortened);
    if (on_click) result.view.addEventListener("click", (event, item) => { if (item && item.datum) on_click(item.datum); });
    return result.view;
  }

  /** A name as Vega takes it, which makes titles and categories keys of objects: "constructor", "__proto__" and the like only
   * with a mark behind them that nobody sees. */
  const told = (name) => name in Object.prototype ? `${name}\u200b` : name;

  /** A field of a tooltip with three significant digits. */
  const digits = (field, title = field) => ({field, title: told(title), type: "quantitative", formatType: "imatch_number", format: ""});

  // ---- Parts of pages --------------------------------------------------------------------------------------------------------

  function card(title, value, text, is_wide) {
    return make("div", {class: is_wide ? "card wide" : "card"}, make("h3", {}, title), make("div", {class: "value"}, value), make("p", {}, text));
  }

  /** A table of rows of texts or elements. */
  function plain_table(titles, rows) {
    return make("table", {class: "plain-table"}, make("thead", {}, make("tr", {}, ...titles.map((t) => make("th", {}, t)))),
                make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => cell instanceof Element && cell.tagName === "TD" ? cell : make("td", {}, cell))))));
  }

  /** The whole picture, from the folder where the page still stands in it; else what the page carries: {file, source, name}. */
  function show_large(picture) {
    const image = make("img", {src: picture.file, alt: picture.name, onerror: () => { image.src = picture.source; }});
    const dialog = make("dialog", {onclick: () => dialog.remove()}, image);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  /** A page that is written again while something runs loads itself anew every so many seconds, and stays where it was. */
  function reload_every(seconds) {
    const key = `imatch ${location.pathname}`;
    const place = Number(sessionStorage.getItem(key));
    if (place > 0) window.addEventListener("load", () => window.scrollTo(0, place));
    setTimeout(() => { sessionStorage.setItem(key, String(window.scrollY)); location.reload(); }, 1000 * seconds);
  }

  window.look = {
    $, make, plural, number, quantity, short, labelled, css, colors, is_dark, config, draw, digits, told, card, plain_table, show_large, reload_every,
    on_theme: (f) => { redraw.push(f); },
  };
})();
