// The map of predicted places, by Leaflet, and the table of photos or queries that goes with it.
"use strict";
(() => {
  const {$, make, number, quantity, labelled, colors, plural} = window.look;
  const at = (p) => [p.latitude_deg, p.longitude_deg];

  /** The map's picture, transparent where the map has no data: a picture and a mask, which is white where there is ground. */
  function background_url(background) {
    const load = (src) => new Promise((resolve, reject) => { const image = new Image(); image.onload = () => resolve(image); image.onerror = reject; image.src = src; });
    if (!background.mask) return Promise.resolve(background.url);
    return Promise.all([load(background.url), load(background.mask)]).then(([image, mask]) => {
      const [width, height] = [image.naturalWidth, image.naturalHeight];
      const pixels_of = (picture) => { const c = make("canvas"); Object.assign(c, {width, height}); const g = c.getContext("2d"); g.drawImage(picture, 0, 0, width, height); return [c, g, g.getImageData(0, 0, width, height)]; };
      const [canvas, context, pixels] = pixels_of(image), [, , shown] = pixels_of(mask);
      for (let i = 0; i < pixels.data.length; i += 4) pixels.data[i + 3] = shown.data[i];
      context.putImageData(pixels, 0, 0);
      return canvas.toDataURL("image/webp", 0.9);
    });
  }

  function show(data) {
    const points = (Array.isArray(data.points) ? data.points : []).map((p, i) => ({...p, i}));
    const placed = points.filter((p) => p.truth || p.predicted);
    if (placed.length === 0) return;
    $("map-section").hidden = false;
    const has = (name) => points.some((p) => p[name] !== undefined && p[name] !== null);
    const map = L.map("map", {attributionControl: false, maxZoom: 26, zoomSnap: 0.25, renderer: L.svg({padding: 0.5})});
    const bounds = L.latLngBounds(placed.flatMap((p) => [p.truth, p.predicted].filter(Boolean).map(at)));
    const layers = {footprints: L.layerGroup(), errors: L.layerGroup(), ellipses: L.layerGroup(), marks: L.layerGroup()};
    if (data.background) {
      bounds.extend(data.background.bounds);
      background_url(data.background).then((url) => { L.imageOverlay(url, data.background.bounds, {className: "map-picture"}).addTo(map).bringToBack(); document.documentElement.dataset.map = "drawn"; });
    }
    map.fitBounds(bounds.pad(0.02));

    // Blue and orange are told apart with every kind of colour vision; what is wrong is dashed as well.
    const [RIGHT, WRONG, TRUE] = ["#56B4E9", "#E69F00", "#ffffff"];
    const is_measured = (p) => typeof p.error_m === "number";
    const is_right = (p) => is_measured(p) ? p.error_m <= data.radius_m && p.found !== false : p.found !== false;
    const style = (p) => ({color: is_right(p) ? RIGHT : WRONG, weight: 2, dashArray: is_right(p) ? null : "6 4"});
    const words = (p) => `${p.query}: ${is_measured(p) ? `${quantity(p.error_m, "m")} off` : p.predicted ? "true position not known" : "no prediction"}${p.found === false ? ", not found" : ""}`;
    const shapes = new Map();
    for (const p of placed) {
      const own = [];
      const add = (layer, shape) => { shape.bindTooltip(() => make("span", {}, words(p))).on("click", () => select(p, false)).addTo(layers[layer]); own.push(shape); };
      if (p.footprint) add("footprints", L.polygon(p.footprint, {...style(p), weight: 1.5, fillOpacity: 0.04}));
      if (p.truth && p.predicted) add("errors", L.polyline([at(p.truth), at(p.predicted)], {...style(p), weight: 3}));
      if (p.predicted) add("marks", L.circleMarker(at(p.predicted), {...style(p), radius: 4, fillOpacity: 0.9, dashArray: null}));
      if (p.truth) add("marks", L.circleMarker(at(p.truth), {radius: 2.5, color: "#1c2024", fillColor: TRUE, weight: 1.5, fillOpacity: 1}));
      shapes.set(p.i, own);
    }
    function draw_ellipses() {
      layers.ellipses.clearLayers();
      const times = Number($("ellipses").value);
      for (const p of placed) {
        if (!times || !p.ellipse || !p.predicted) continue;
        const [latitude, longitude] = at(p.predicted);
        L.polygon(p.ellipse.map(([y, x]) => [latitude + times * (y - latitude), longitude + times * (x - longitude)]), {...style(p), weight: 1.5, fillOpacity: 0.25, className: "ellipse"})
            .bindTooltip(() => make("span", {}, words(p))).on("click", () => select(p, false)).addTo(layers.ellipses);
      }
    }
    const toggle = (id, layer) => { const set = () => $(id).checked ? layers[layer].addTo(map) : layers[layer].remove(); $(id).addEventListener("change", set); set(); $(id).closest("label").hidden = layers[layer].getLayers().length === 0; };
    layers.marks.addTo(map);
    toggle("show-footprints", "footprints");
    toggle("show-errors", "errors");
    layers.ellipses.addTo(map);
    $("ellipses").closest("label").hidden = !has("ellipse");
    $("ellipses").value = "1";
    draw_ellipses();
    $("ellipses").addEventListener("change", draw_ellipses);
    $("map-all").addEventListener("click", () => map.fitBounds(bounds.pad(0.02)));
    L.control.scale({imperial: false}).addTo(map);

    $("map-caption").textContent = (has("truth") ? `White points: true positions. Blue: predictions within ${number(data.radius_m)} m; orange, dashed: the others. ` : "Blue: found; orange, dashed: positions below the confidence asked for. ") +
        (has("footprint") ? "Frames: the ground in each photo. " : "") + (has("ellipse") ? "Ellipses: where the true position lies with 95 %, by the prediction's own word; zoom in to see them. " : "") +
        (points.length < data.num_queries ? `${points.length} of ${plural(data.num_queries, "query").replace("querys", "queries")}, evenly spaced. ` : "") + (data.runs.length > 1 ? `From ${data.runs[0].name}.` : "");

    // ---- The table ---------------------------------------------------------------------------------------------------------

    const columns = [
      ["", "thumbnail"], [data.is_localization ? "photo" : "query", "query"], ["found", "found"], ["error", "error_m", "m"], ["σ", "position_sigma_m", "m"], ["heading", "heading_deg", "deg"],
      ["width", "width_m", "m"], ["inliers", "num_inliers"], ["rank", "rank"], ["first", "top1"],
    ].filter(([, key]) => key === "query" || has(key));
    let sorted = has("error_m") ? "error_m" : has("found") ? "num_inliers" : "query", descending = sorted === "error_m";
    const rows = new Map();
    const missing_last = (v) => v === undefined || v === null;
    function fill() {
      const order = [...points].sort((a, b) => {
        const [x, y] = [a[sorted], b[sorted]];
        // What was not found at all is the worst.
        if (missing_last(x) || missing_last(y)) return (missing_last(y) - missing_last(x)) * (sorted === "error_m" && descending ? 1 : -1) || a.i - b.i;
        return (x < y ? -1 : x > y ? 1 : 0) * (descending ? -1 : 1) || a.i - b.i;
      });
      const head = make("tr", {}, ...columns.map(([title, key]) => make("th", {class: ["query", "thumbnail", "found", "top1"].includes(key) ? "" : "number"},
        key === "thumbnail" ? "" : make("button", {type: "button", onclick: () => { descending = sorted === key ? !descending : key === "error_m" || key === "position_sigma_m"; sorted = key; fill(); }}, title + (sorted === key ? (descending ? " ▼" : " ▲") : "")))));
      rows.clear();
      const body = make("tbody", {}, ...order.map((p) => {
        const row = make("tr", {class: is_right(p) ? "" : "wrong", onclick: () => select(p, true)}, ...columns.map(([, key, unit]) => {
          if (key === "thumbnail") return make("td", {}, p.thumbnail ? make("img", {src: p.thumbnail, alt: "", loading: "lazy"}) : "");
          if (key === "query" || key === "top1") return labelled("td", String(p[key] ?? "–").split("/").pop(), 34);
          if (key === "found") return make("td", {}, p.found ? "found" : "✕ not found");
          return make("td", {class: "number", title: typeof p[key] === "number" ? String(p[key]) : ""}, quantity(p[key], unit));
        }));
        rows.set(p.i, row);
        return row;
      }));
      $("photos").replaceChildren(make("table", {class: "places"}, make("thead", {}, head), body));
    }
    $("photos-section").hidden = false;
    $("photos-title").textContent = `${data.is_localization ? "Photos" : "Queries"}${has("error_m") ? ", worst first" : ""}`;
    fill();

    let selected = [];
    function select(p, from_table) {
      for (const [shape, before] of selected) shape.setStyle(before);
      selected = (shapes.get(p.i) ?? []).map((shape) => [shape, {weight: shape.options.weight}]);
      for (const [shape] of selected) { shape.setStyle({weight: 5}); shape.bringToFront(); }
      for (const [i, row] of rows) row.classList.toggle("selected", i === p.i);
      if (from_table) {
        const own = [p.truth, p.predicted].filter(Boolean).map(at);
        if (own.length) map.fitBounds(L.latLngBounds([...own, ...(p.footprint ?? [])]).pad(0.15), {maxZoom: 23});
        $("map").scrollIntoView({behavior: "smooth", block: "nearest"});
      } else {
        const row = rows.get(p.i), host = $("photos");
        host.scrollTop = row.offsetTop - host.clientHeight / 3;
      }
      document.documentElement.dataset.selected = p.query;
    }
    window.places.map = map;
    window.places.select = select;
  }

  window.places = {show};
})();
