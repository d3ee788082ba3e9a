// Points in space: canonical on the left, as posed on the right, one camera for both halves of one canvas.
"use strict";
(() => {
  const {$, make, plural} = window.look;
  const {samples} = JSON.parse($("data").textContent);
  const number = (n) => n.toLocaleString("en");

  // Even steps of viridis; layers as in Okabe and Ito's palette, as the program's own pictures have them.
  const VIRIDIS = ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725"].map(rgb_of);
  const LAYERS = ["0072b2", "e69f00", "009e73", "cc79a7", "56b4e9", "d55e00", "f0e442", "5a5a5a"];
  const LAYER_RGB = LAYERS.map(rgb_of);
  const PLAIN = {canonical: rgb_of("2d6cc8"), posed: rgb_of("ee7d1e")};

  function rgb_of(hex) {
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  }
  function viridis(share) {
    const at = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1), low = Math.min(Math.floor(at), VIRIDIS.length - 2);
    return VIRIDIS[low].map((value, k) => value + (at - low) * (VIRIDIS[low + 1][k] - value));
  }

  // ---- Samples -------------------------------------------------------------------------------------------------------------

  function floats(digits) {
    if (!digits) return null;
    const text = atob(digits), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
    return new Float32Array(bytes.buffer);
  }

  /** Of every `step`-th number from `first` on. */
  function range(values, step = 1, first = 0) {
    let low = Infinity, high = -Infinity;
    for (let i = first; i < values.length; i += step) {
      low = Math.min(low, values[i]);
      high = Math.max(high, values[i]);
    }
    return {low, high, share: (value) => (high > low ? (value - low) / (high - low) : 0)};
  }

  const opened = new Map();
  /** The arrays of a sample; the one before it is let go. */
  function open(index) {
    if (!opened.has(index)) {
      opened.clear();
      const sample = {...samples[index]};
      for (const name of ["canonical", "posed", "confidence", "layer", "canonical_normal", "posed_normal"]) sample[name] = floats(sample[name]);
      sample.parts = ["canonical", "posed"].filter((part) => sample[part]);
      if (sample.count > 0 && sample.confidence) {
        sample.raw = sample.confidence.map((c) => Math.log(Math.max(c - 1, 1e-6)));
        sample.raw_range = range(sample.raw);
      }
      opened.set(index, sample);
    }
    return opened.get(index);
  }

  const COLOURS = {
    canonical: {title: "canonical position", there: () => true},
    depth: {title: "depth", there: (s) => s.posed},
    confidence: {title: "confidence", there: (s) => s.raw && s.raw_range.high > s.raw_range.low},
    layer: {title: "layer", there: (s) => s.layer},
    normal: {title: "normal", there: (s) => s.parts.every((part) => s[`${part}_normal`])},
    plain: {title: "canonical blue, posed orange", there: () => true},
  };

  /** A function from point to [red, green, blue]. */
  function colours(sample, part, by) {
    if (by === "canonical") {
      const axes = [0, 1, 2].map((k) => range(sample.canonical, 3, k));
      return (i) => axes.map((axis, k) => axis.share(sample.canonical[3 * i + k]));
    }
    if (by === "depth") {
      const depth = range(sample.posed, 3, 2);
      return (i) => viridis(depth.share(sample.posed[3 * i + 2]));
    }
    if (by === "confidence") return (i) => viridis(sample.raw_range.share(sample.raw[i]));
    if (by === "layer") return (i) => LAYER_RGB[sample.layer[i] % LAYER_RGB.length];
    if (by === "normal") {
      const normals = sample[`${part}_normal`];
      return (i) => [0, 1, 2].map((k) => 0.5 + 0.5 * normals[3 * i + k]);
    }
    return () => PLAIN[part];
  }

  // ---- Drawing -------------------------------------------------------------------------------------------------------------

  const canvas = $("canvas");
  let renderer;
  try {
    renderer = new THREE.WebGLRenderer({canvas, antialias: true, preserveDrawingBuffer: true});
  } catch (error) {
    $("problem").hidden = false;
    $("problem").textContent = `This browser draws nothing in space (WebGL is missing or switched off): ${error.message}`;
    return;
  }
  renderer.setPixelRatio(window.devicePixelRatio);
  renderer.setScissorTest(true);
  const camera = new THREE.PerspectiveCamera(35, 1, 0.01, 100);
  const controls = new THREE.OrbitControls(camera, canvas);
  const material = new THREE.ShaderMaterial({
    uniforms: {size: {value: 1}, height: {value: 1}},
    vertexShader: `attribute vec3 shade; varying vec3 colour; uniform float size; uniform float height;
      void main() {
        colour = shade;
        vec4 seen = modelViewMatrix * vec4(position, 1.0);
        gl_Position = projectionMatrix * seen;
        gl_PointSize = max(1.5, size * height / -seen.z);
      }`,
    fragmentShader: `varying vec3 colour;
      void main() {
        vec2 from_centre = gl_PointCoord - vec2(0.5);
        if (dot(from_centre, from_centre) > 0.25) discard;
        gl_FragColor = vec4(colour, 1.0);
      }`,
  });
  const halves = ["canonical", "posed"].map((part) => {
    const scene = new THREE.Scene(), points = new THREE.Points(new THREE.BufferGeometry(), material);
    points.frustumCulled = false;
    scene.add(points);
    return {part, scene, points};
  });
  const state = {sample: 0, colour: "canonical", limit: -Infinity, layer: -1};

  function draw() {
    const shown = halves.filter((half) => open(state.sample).parts.includes(half.part));
    const width = canvas.clientWidth, height = canvas.clientHeight, part = width / shown.length;
    renderer.setSize(width, height, false);
    camera.aspect = part / height;
    camera.updateProjectionMatrix();
    material.uniforms.height.value = height * window.devicePixelRatio;
    material.uniforms.size.value = point_size(open(state.sample)) * Number($("size").value);
    renderer.setClearColor(new THREE.Color(getComputedStyle(canvas.parentElement).backgroundColor), 1);
    shown.forEach((half, i) => {
      renderer.setViewport(i * part, 0, part, height);
      renderer.setScissor(i * part, 0, part, height);
      renderer.render(half.scene, camera);
    });
  }

  /** Looks at both from there, from so far that what is scaled to a radius of 1 fits. */
  function look(x, y, z) {
    const half = canvas.clientWidth / 2 / canvas.clientHeight;
    const distance = 1.08 / Math.sin(Math.atan(Math.tan(camera.fov * Math.PI / 360) * Math.min(1, half)));
    controls.target.set(0, 0, 0);
    camera.position.set(x * distance, y * distance, z * distance);
    controls.update();
    draw();
  }

  /** The cloud with the middle of its box in the origin, what is farthest from there at 1. */
  function place(points, positions) {
    const middle = [0, 1, 2].map((k) => range(positions, 3, k)).map((axis) => (axis.low + axis.high) / 2);
    let radius = 0;
    for (let i = 0; i < positions.length; i += 3)
      radius = Math.max(radius, Math.hypot(...middle.map((value, k) => positions[i + k] - value)));
    radius ||= 1;
    points.scale.setScalar(1 / radius);
    points.position.set(...middle.map((value) => -value / radius));
  }

  /** As large as the points of a layer are apart, were they spread over a disc of radius 1. */
  function point_size(sample) {
    const apart = Math.sqrt(Math.PI * (sample.layers?.length ?? 2) / Math.max(sample.count, 1));
    return Math.min(Math.max(1.1 * apart, 0.008), 0.08);
  }

  // ---- The page ------------------------------------------------------------------------------------------------------------

  function kept_points(sample) {
    const kept = [];
    for (let i = 0; i < sample.count; ++i)
      if ((state.layer < 0 || sample.layer[i] === state.layer) && !(sample.confidence && sample.raw[i] < state.limit)) kept.push(i);
    return kept;
  }

  function fill_legend(sample) {
    const legend = $("legend"), bar = make("span", {class: "bar"});
    const with_bar = (low, high) => {
      bar.style.background = `linear-gradient(90deg, ${[0, .25, .5, .75, 1].map((s) => `rgb(${viridis(s).map((c) => 255 * c).join(" ")})`).join(", ")})`;
      legend.replaceChildren(low, bar, high);
    };
    if (state.colour === "depth") return with_bar("far", "near");
    if (state.colour === "confidence")
      return with_bar(...[sample.raw_range.low, sample.raw_range.high].map((raw) => (1 + Math.exp(raw)).toPrecision(3)));
    const texts = {canonical: "The same colour is the same place of the body at rest: red along x, green along y, blue along z.",
                   normal: "Red, green and blue: x, y and z of the normal, grey for 0.", plain: "", layer: ""};
    legend.replaceChildren(texts[state.colour]);
  }

  function fill_counts(sample, kept) {
    $("count").textContent = `${number(kept.length)} of ${number(sample.count)} points`;
    const table = $("counts");
    table.replaceChildren();
    if (!sample.layers) return;
    const shown = sample.layers.map(() => 0);
    for (const i of kept) ++shown[sample.layer[i]];
    const swatch = (k) => make("span", {class: "swatch", style: `background: #${LAYERS[k % LAYERS.length]}`});
    const row = (kind, ...cells) => make("tr", {}, ...cells.map((cell) => make(kind, {}, ...[cell].flat())));
    table.append(make("thead", {}, row("th", "layer", "shown", "points")),
                 make("tbody", {}, ...sample.layers.map((count, k) => row("td", [swatch(k), String(k + 1)], number(shown[k]), number(count)))));
  }

  function update() {
    const sample = open(state.sample), kept = kept_points(sample);
    for (const {part, points} of halves) {
      if (!sample[part] || sample.count === 0) continue;
      const positions = new Float32Array(3 * kept.length), shades = new Float32Array(3 * kept.length);
      const colour = colours(sample, part, state.colour);
      kept.forEach((i, at) => {
        positions.set(sample[part].subarray(3 * i, 3 * i + 3), 3 * at);
        shades.set(colour(i), 3 * at);
      });
      points.geometry.dispose();
      points.geometry = new THREE.BufferGeometry();
      points.geometry.setAttribute("position", new THREE.BufferAttribute(positions, 3));
      points.geometry.setAttribute("shade", new THREE.BufferAttribute(shades, 3));
      place(points, sample[part]);
    }
    fill_legend(sample);
    fill_counts(sample, kept);
    draw();
  }

  function options(select, entries, value) {
    select.replaceChildren(...entries.map(([name, title]) => new Option(title, name)));
    select.value = value;
  }

  function set_limit() {
    const sample = open(state.sample), share = Number($("limit").value) / 100;
    const able = Boolean(sample.raw) && sample.raw_range.high > sample.raw_range.low;
    $("limit-control").hidden = !able;
    $("limit-control").style.display = able ? "" : "none";
    const raw = able ? sample.raw_range.low + share * (sample.raw_range.high - sample.raw_range.low) : 0;
    state.limit = able && share > 0 ? raw : -Infinity;
    $("limit-value").textContent = able ? (1 + Math.exp(raw)).toPrecision(3) : "";
  }

  function show(index) {
    state.sample = index;
    const sample = open(index);
    $("sample-name").textContent = `${sample.id} (${index + 1} of ${samples.length})`;
    const there = Object.keys(COLOURS).filter((name) => COLOURS[name].there(sample));
    if (!there.includes(state.colour)) state.colour = "canonical";
    options($("colour"), there.map((name) => [name, COLOURS[name].title]), state.colour);
    const layers = sample.layers ?? [];
    if (state.layer >= layers.length) state.layer = -1;
    options($("layer"), [[-1, "all"], ...layers.map((_, k) => [k, String(k + 1)])], state.layer);
    $("layer-control").style.display = layers.length > 1 ? "" : "none";
    $("picture").hidden = !sample.picture;
    if (sample.picture) $("picture").src = sample.picture;
    $("right-label").hidden = !sample.posed;
    set_limit();
    update();
  }

  $("subtitle").textContent = plural(samples.length, "sample");
  $("sample").max = samples.length - 1;
  $("sample-control").style.display = samples.length > 1 ? "" : "none";
  $("sample").addEventListener("input", () => show(Number($("sample").value)));
  $("colour").addEventListener("change", () => { state.colour = $("colour").value; update(); });
  $("layer").addEventListener("change", () => { state.layer = Number($("layer").value); update(); });
  $("limit").addEventListener("input", () => { set_limit(); update(); });
  $("size").addEventListener("input", draw);
  $("front").addEventListener("click", () => look(0, 0, 1));
  $("side").addEventListener("click", () => look(1, 0, 0));
  $("top").addEventListener("click", () => look(0, 1, 1e-4));
  controls.addEventListener("change", draw);
  window.addEventListener("resize", draw);
  window.look.on_theme(draw);
  show(0);
  look(0, 0, 1);
  document.documentElement.dataset.drawn = "true";
})();
