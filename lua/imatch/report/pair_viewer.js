// Two photos on a canvas with their matches: zoom, move, hover, a threshold on the similarity.
"use strict";
(() => {
  const {$, number, colors, css} = window.look;
  const host = $("viewer"), canvas = $("canvas"), tip = $("tip");
  const GAP = 6, NEAR_PX = 9, NARROW_PX = 640;
  let pair, places = [], scale = 1, fitted = 1, left = 0, top = 0, hovered = -1, frame = 0;

  const picture = (src) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(`${src} cannot be read`));
    image.src = encodeURI(src).replaceAll("#", "%23").replaceAll("?", "%3F");
  });

  /** data: {a, b: {photo, width, height}, matches: [[xa, ya, xb, yb, similarity, is inlier], ...]} in original pixels. */
  async function show(data) {
    const [image_a, image_b] = await Promise.all([picture(data.a.photo), picture(data.b.photo)]);
    pair = {...data, images: [image_a, image_b]};
    const similarities = data.matches.map((m) => m[4]);
    const [low, high] = similarities.length ? [Math.min(...similarities), Math.max(...similarities)] : [0, 1];
    Object.assign($("threshold"), {min: Math.floor(100 * low) / 100, max: Math.ceil(100 * high) / 100, value: Math.floor(100 * low) / 100});
    lay_out();
    document.documentElement.dataset.drawn = "true";
  }

  /** Side by side, or one above the other on a narrow screen; both at one height or width. */
  function lay_out() {
    if (!pair) return;
    const width = host.clientWidth, is_narrow = width < NARROW_PX, {a, b} = pair;
    // In the frame of the scene, a has its own size; b is brought to its height, or width.
    const of_b = is_narrow ? a.width / b.width : a.height / b.height, gap = GAP * (is_narrow ? a.width : a.width + b.width * of_b) / width;
    places = [{x: 0, y: 0, s: 1, ...a}, is_narrow ? {x: 0, y: a.height + gap, s: of_b, ...b} : {x: a.width + gap, y: 0, s: of_b, ...b}];
    const whole_width = Math.max(...places.map((p) => p.x + p.s * p.width)), whole_height = Math.max(...places.map((p) => p.y + p.s * p.height));
    fitted = Math.min(width / whole_width, 0.85 * window.innerHeight / whole_height);
    const height = Math.ceil(fitted * whole_height);
    host.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(canvas, {width: Math.round(width * ratio), height: Math.round(height * ratio)});
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    [scale, left, top] = [fitted, (width - fitted * whole_width) / 2, 0];
    hover(-1);
    draw_soon();
  }

  const on_screen = (side, x, y) => { const p = places[side]; return [left + scale * (p.x + p.s * x), top + scale * (p.y + p.s * y)]; };
  const threshold = () => Number($("threshold").value);
  const is_shown = (m) => m[4] >= threshold() - 1e-9 && ($("kinds").value === "both" || $("kinds").value === (m[5] ? "inliers" : "outliers"));
  const shown = () => pair ? pair.matches.filter(is_shown) : [];

  function draw_soon() { if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); }); }

  function draw_match(g, m, is_hovered) {
    const [xa, ya] = on_screen(0, m[0], m[1]), [xb, yb] = on_screen(1, m[2], m[3]);
    const [inlier, outlier] = [colors()[5], colors()[4]];
    g.strokeStyle = g.fillStyle = is_hovered ? "#ffffff" : m[5] ? inlier : outlier;
    g.globalAlpha = is_hovered ? 1 : hovered >= 0 ? 0.25 : m[5] ? 0.75 : 0.45;
    g.lineWidth = is_hovered ? 3 : 1.2;
    g.setLineDash(m[5] ? [] : [5, 4]);
    g.beginPath();
    g.moveTo(xa, ya);
    g.lineTo(xb, yb);
    g.stroke();
    g.setLineDash([]);
    for (const [x, y] of [[xa, ya], [xb, yb]]) {
      g.beginPath();
      if (m[5]) { g.arc(x, y, is_hovered ? 5 : 2.5, 0, 7); g.fill(); }
      else { g.moveTo(x - 3, y - 3); g.lineTo(x + 3, y + 3); g.moveTo(x + 3, y - 3); g.lineTo(x - 3, y + 3); g.stroke(); }
    }
  }

  function draw() {
    if (!pair) return;
    const g = canvas.getContext("2d"), ratio = window.devicePixelRatio || 1;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.globalAlpha = 1;
    g.fillStyle = css("--panel");
    g.fillRect(0, 0, host.clientWidth, host.clientHeight);
    places.forEach((p, side) => {
      g.save();
      g.beginPath();
      g.rect(left + scale * p.x, top + scale * p.y, scale * p.s * p.width, scale * p.s * p.height);
      g.clip();
      g.drawImage(pair.images[side], left + scale * p.x, top + scale * p.y, scale * p.s * p.width, scale * p.s * p.height);
      g.restore();
    });
    const list = shown();
    for (const m of list) if (!m[5]) draw_match(g, m, false);
    for (const m of list) if (m[5]) draw_match(g, m, false);
    if (hovered >= 0) draw_match(g, pair.matches[hovered], true);
    g.globalAlpha = 1;
    $("threshold-text").textContent = threshold().toFixed(2);
    const num_inliers = list.filter((m) => m[5]).length;
    $("shown-text").textContent = `${num_inliers} inliers and ${list.length - num_inliers} outliers shown of ${pair.matches.length} matches.`;
  }

  // ---- Hover ---------------------------------------------------------------------------------------------------------------

  function distance(px, py, [ax, ay], [bx, by]) {
    const [dx, dy] = [bx - ax, by - ay], t = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / Math.max(1e-9, dx * dx + dy * dy)));
    return Math.hypot(px - ax - t * dx, py - ay - t * dy);
  }
  /** The match under a point: ends count before lines. */
  function match_at(x, y) {
    let best = -1, least = NEAR_PX;
    pair?.matches.forEach((m, i) => {
      if (!is_shown(m)) return;
      const a = on_screen(0, m[0], m[1]), b = on_screen(1, m[2], m[3]);
      const d = Math.min(Math.hypot(x - a[0], y - a[1]), Math.hypot(x - b[0], y - b[1]), distance(x, y, a, b) + NEAR_PX / 2);
      if (d < least) [best, least] = [i, d];
    });
    return best;
  }
  function hover(i, x = 0, y = 0) {
    tip.hidden = i < 0;
    if (i >= 0) {
      const m = pair.matches[i];
      tip.textContent = `${m[5] ? "inlier" : "outlier"}, similarity ${number(m[4])}, (${number(m[0])}, ${number(m[1])}) → (${number(m[2])}, ${number(m[3])}) px`;
      tip.style.left = `${Math.min(x + 12, Math.max(0, host.clientWidth - tip.offsetWidth - 4))}px`;
      tip.style.top = `${Math.min(y + 14, Math.max(0, host.clientHeight - tip.offsetHeight - 4))}px`;
    }
    if (i !== hovered) { hovered = i; draw_soon(); }
  }

  // ---- Zoom and move -------------------------------------------------------------------------------------------------------

  function zoom(by, x = host.clientWidth / 2, y = host.clientHeight / 2) {
    const next = Math.max(fitted, Math.min(40 * fitted, scale * by)), change = next / scale;
    if (next === fitted) return lay_out();
    [left, top, scale] = [x - change * (x - left), y - change * (y - top), next];
    draw_soon();
  }
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-0.0015 * event.deltaY), ...at(event)); }, {passive: false});
  const fingers = new Map();
  canvas.addEventListener("pointerdown", (event) => { fingers.set(event.pointerId, at(event)); canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    const now = at(event), before = fingers.get(event.pointerId);
    if (!before) return hover(match_at(...now), ...now);
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1], span = (p) => Math.max(10, Math.hypot(p[0] - other[0], p[1] - other[1]));
      zoom(span(now) / span(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (scale > fitted) {
      [left, top] = [left + now[0] - before[0], top + now[1] - before[1]];
      draw_soon();
    }
    fingers.set(event.pointerId, now);
  });
  const lift = (event) => fingers.delete(event.pointerId);
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
  $("zoom-in").addEventListener("click", () => zoom(1.6));
  $("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
  $("zoom-all").addEventListener("click", lay_out);
  for (const id of ["threshold", "kinds"]) $(id).addEventListener("input", () => { hover(-1); draw_soon(); });
  host.addEventListener("keydown", (event) => { if (event.key === "+") zoom(1.6); if (event.key === "-") zoom(1 / 1.6); });
  let last_width = 0;
  new ResizeObserver(() => { if (host.clientWidth !== last_width) { last_width = host.clientWidth; lay_out(); } }).observe(host);
  window.look.on_theme(draw_soon);

  window.pair_viewer = {show, shown, on_screen, hovered: () => hovered, zoom_of: () => scale / fitted};
})();
