// The table of all cells: sorted and filtered as a whole, drawn only where it is looked at.
"use strict";
(() => {
  const s = window.sweep;
  const ROW_PX = 28;
  const STATUS = ["pending", "ok", "failed"];

  const columns = [
    ...s.axes.map((a) => ({name: a.name, labels: a.labels, is_number: a.is_number, text: (c) => a.labels[a.codes[c]],
                           value: a.is_number ? (c) => a.values[a.codes[c]] : (c) => a.labels[a.codes[c]]})),
    ...s.metrics.map((m) => ({name: m.name, is_number: m.is_number, text: (c) => s.format(m.values[c]), value: (c) => m.values[c]})),
    {name: "status", is_number: false, text: (c) => STATUS[s.status[c]], value: (c) => STATUS[s.status[c]]},
    {name: "cell_key", is_number: false, text: (c) => s.keys[c], value: (c) => s.keys[c]},
  ];

  /** A test of values from what the user typed; null when it says nothing. */
  function parse_filter(typed, column) {
    const text = typed.trim();
    if (text === "") return null;
    const range = /^(-?[\d.eE+-]+)\.\.(-?[\d.eE+-]+)$/.exec(text);
    const comparison = /^(>=|<=|!=|>|<|=)\s*(.+)$/.exec(text);
    if (range && column.is_number) {
      const [from, to] = [Number(range[1]), Number(range[2])];
      return (c) => column.value(c) !== null && column.value(c) >= from && column.value(c) <= to;
    }
    if (comparison) {
      const [, operator, operand] = comparison;
      if (column.is_number && !Number.isNaN(Number(operand))) {
        const x = Number(operand);
        const tests = {">=": (v) => v >= x, "<=": (v) => v <= x, ">": (v) => v > x, "<": (v) => v < x, "=": (v) => v === x, "!=": (v) => v !== x};
        return (c) => column.value(c) !== null && tests[operator](Number(column.value(c)));
      }
      if (operator === "=") return (c) => column.text(c) === operand;
      if (operator === "!=") return (c) => column.text(c) !== operand;
    }
    const needle = text.toLowerCase();
    return (c) => String(column.text(c)).toLowerCase().includes(needle);
  }

  function compare(a, b) {
    // What is missing stands last, whichever way the column is sorted.
    if (typeof a === "number" && typeof b === "number") return a - b;
    return a < b ? -1 : a > b ? 1 : 0;
  }

  function make_table(host, on_row, on_count) {
    const filters = columns.map(() => "");
    let sorted_by = -1, descending = false;
    let rows = [];

    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    const body = table.createTBody();
    const inputs = [];
    let width_px = 0;
    const buttons = columns.map((column, i) => {
      const th = document.createElement("th");
      const longest = column.labels ? Math.max(...column.labels.map((l) => l.length)) : 0;
      const column_px = column.name === "cell_key" ? 230 : Math.max(84, 9 * column.name.length + 40, Math.min(230, 8 * longest + 24));
      column.most = Math.floor((column_px - 20) / 7.2);
      width_px += column_px;
      th.style.width = `${column_px}px`;
      if (column.is_number) th.className = "number";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = column.name;
      button.addEventListener("click", () => {
        descending = sorted_by === i ? !descending : false;
        sorted_by = i;
        arrange();
      });
      const input = document.createElement("input");
      input.type = "search";
      input.setAttribute("aria-label", `Filter ${column.name}`);
      input.addEventListener("input", () => { filters[i] = input.value; arrange(); });
      inputs.push(input);
      th.append(button, input);
      head.append(th);
      return button;
    });
    table.style.width = `${width_px}px`;
    host.replaceChildren(table);

    function arrange() {
      const tests = columns.map((column, i) => parse_filter(filters[i], column)).filter(Boolean);
      rows = [];
      for (let cell = 0; cell < s.num_cells; ++cell) if (tests.every((test) => test(cell))) rows.push(cell);
      if (sorted_by >= 0) {
        const {value} = columns[sorted_by];
        const known = [], unknown = [];
        for (const cell of rows) (value(cell) === null || value(cell) === undefined ? unknown : known).push(cell);
        known.sort((a, b) => (descending ? -1 : 1) * compare(value(a), value(b)) || a - b);
        rows = known.concat(unknown);
      }
      buttons.forEach((button, i) => {
        button.textContent = columns[i].name + (i === sorted_by ? (descending ? " ▼" : " ▲") : "");
        button.parentElement.setAttribute("aria-sort", i !== sorted_by ? "none" : descending ? "descending" : "ascending");
      });
      on_count(rows.length);
      host.style.maxHeight = `${Math.max(140, table.tHead.offsetHeight + ROW_PX * rows.length + 20)}px`; // no taller than its rows
      host.scrollTop = 0;
      drawn_from = -1;
      draw();
    }

    let drawn_from = -1;
    const spacer = (height) => {
      const row = document.createElement("tr");
      const td = row.insertCell();
      td.className = "spacer";
      td.colSpan = columns.length;
      td.style.height = `${height}px`;
      return row;
    };

    function draw() {
      const visible = Math.ceil(host.clientHeight / ROW_PX) + 20;
      const from = Math.max(0, Math.floor(host.scrollTop / ROW_PX) - 10);
      if (from === drawn_from) return;
      drawn_from = from;
      const to = Math.min(rows.length, from + visible);
      const lines = [spacer(from * ROW_PX)];
      for (let i = from; i < to; ++i) {
        const cell = rows[i];
        const line = document.createElement("tr");
        if (s.status[cell] !== s.OK) line.className = STATUS[s.status[cell]];
        if (s.status[cell] === s.FAILED) line.title = s.errors[cell] ?? "";
        for (const column of columns) {
          const td = line.insertCell();
          const text = column.text(cell), value = column.value(cell);
          td.textContent = column.name === "cell_key" ? text : window.look.short(text, column.most);
          if (td.textContent !== text) td.title = text;
          else if (typeof value === "number" && String(value) !== text) td.title = String(value);
          if (column.is_number) td.className = "number";
        }
        line.addEventListener("click", () => on_row(cell));
        lines.push(line);
      }
      lines.push(spacer((rows.length - to) * ROW_PX));
      body.replaceChildren(...lines);
    }
    host.addEventListener("scroll", () => requestAnimationFrame(draw));
    new ResizeObserver(() => { drawn_from = -1; draw(); }).observe(host);
    arrange();

    return {
      /** Shows the cells with these axis values, {axis: label}, and returns them. */
      filter(wanted) {
        columns.forEach((column, i) => { filters[i] = column.name in wanted ? `=${wanted[column.name]}` : ""; inputs[i].value = filters[i]; });
        arrange();
        return rows;
      },
    };
  }

  window.sweep_table = {make_table, parse_filter, columns};
})();
