// The page of an evaluation of a PatchCore model: the answer, the scores, wrong decisions, kinds of defects, metrics.
"use strict";
(() => {
  const {$, make, number, quantity, plural, card, colors, css, draw, digits, labelled, plain_table, show_large} = window.look;
  const data = JSON.parse($("data").textContent);
  // An empty list of Lua may arrive as an object.
  const list = (x) => Array.isArray(x) ? x : [];
  const {image, pixels, pixels_of_anomalous, latency, model} = data;
  const rows = list(data.rows), kinds = list(data.kinds), threshold = image.threshold;
  const num_defective = image.true_positives + image.false_negatives, num_normal = image.false_positives + image.true_negatives;
  const share = (s) => typeof s?.value === "number" ? `${quantity(s.value, "%")} (95 % interval ${quantity(s.low, "%")} to ${quantity(s.high, "%")})` : "–";
  const is_wrong = (row) => row.anomalous_truth !== row.score >= threshold;
  const verdict = (row) => row.anomalous_truth ? (is_wrong(row) ? "missed" : "found") : is_wrong(row) ? "false alarm" : "passed";

  $("subtitle").textContent = `${plural(rows.length, "picture")} · ${model.backbone} · ${plural(model.bank_rows, "row")} of ${model.bank_dims} dimensions`;

  // ---- Answer --------------------------------------------------------------------------------------------------------------

  function answer() {
    const found = num_defective ? `${image.true_positives} of ${plural(num_defective, "defective picture")} ${num_defective === 1 ? "is" : "are"} found` : "There are no defective pictures";
    const alarms = num_normal ? `${image.false_positives === 0 ? "none" : image.false_positives} of ${plural(num_normal, "normal one")} ${image.false_positives > 1 ? "are false alarms" : "is a false alarm"}` : "there are no normal ones";
    return `${found} and ${alarms} at the model's threshold ${number(threshold)}. ` +
        (typeof image.auroc === "number" ? `A defective picture scores higher than a normal one in ${quantity(image.auroc, "%")} of such pairs.` : "Without both kinds, how well scores tell them apart is not known.");
  }
  $("answer-text").textContent = answer();
  $("summary").append(card("Defects found", quantity(image.found.value, "%"), `Share of defective pictures at or above the threshold, ${share(image.found)}`),
      card("False alarms", quantity(image.false_alarms.value, "%"), `Share of normal pictures at or above the threshold, ${share(image.false_alarms)}`),
      card("Image AUROC", number(image.auroc), "How often a defective picture scores higher than a normal one: 1 always, 0.5 by chance"),
      ...(pixels ? [card(`AUPRO to ${number(pixels.aupro_limit)}`, number(pixels.aupro), `How much of each defect's area is marked, over false positive rates of pixels up to ${number(pixels.aupro_limit)}`)] : []),
      card("Time a picture", quantity(latency.median_ms, "ms"), `Median; 95 % take at most ${quantity(latency.p95_ms, "ms")}`));

  // ---- Scores --------------------------------------------------------------------------------------------------------------

  const BINS = 40, NORMAL = "normal", DEFECTIVE = "defective";
  const bins = () => {
    const all = [...rows.map((r) => r.score), threshold], low = Math.min(...all), step = Math.max(Math.max(...all) - low, 1e-9) / BINS;
    const counted = new Map();
    for (const row of rows) {
      const bin = Math.min(BINS - 1, Math.floor((row.score - low) / step)), of = row.anomalous_truth ? DEFECTIVE : NORMAL;
      counted.set(`${of} ${bin}`, {of, from: low + bin * step, to: low + (bin + 1) * step, count: (counted.get(`${of} ${bin}`)?.count ?? 0) + 1});
    }
    return [...counted.values()].map((b) => ({...b, up: b.of === DEFECTIVE ? -b.count : b.count}));
  };
  $("scores-caption").textContent = "Above the line: normal pictures; below it: defective ones. From the dashed threshold on, a picture is called defective.";

  async function draw_charts() {
    const values = bins(), truth = {field: "of", type: "nominal", scale: {domain: [NORMAL, DEFECTIVE], range: colors().slice(0, 2)}, title: null, legend: {orient: "top", symbolOpacity: 1}};
    await draw($("scores"), {
      width: "container", height: 240,
      layer: [
        {data: {values}, mark: {type: "bar", binSpacing: 1},
         encoding: {x: {field: "from", type: "quantitative", bin: {binned: true}, title: "score [distance of features]", axis: {tickCount: 6}}, x2: {field: "to"}, y: {field: "up", type: "quantitative", title: "pictures", axis: {labelExpr: "abs(datum.value) == floor(abs(datum.value)) ? abs(datum.value) : ''"}}, color: truth,
                    tooltip: [{field: "of", title: "truth"}, digits("from"), digits("to"), {field: "count", title: "pictures"}]}},
        {data: {values: [{threshold}]}, mark: {type: "rule", strokeDash: [5, 4], strokeWidth: 2, color: css("--ink"), tooltip: null}, encoding: {x: {field: "threshold", type: "quantitative"}}},
        {data: {values: [{y: 0}]}, mark: {type: "rule", color: css("--muted"), tooltip: null}, encoding: {y: {field: "y", type: "quantitative"}}},
      ],
    });
    if (kinds.length > 0) {
      await draw($("kinds"), {
        width: "container", height: {step: 30}, data: {values: kinds.map((k) => ({kind: k.kind, share: k.share.value, low: k.share.low, high: k.share.high, pictures: k.count}))},
        encoding: {y: {field: "kind", type: "nominal", title: null, sort: {field: "share"}}},
        layer: [
          {mark: {type: "rule", strokeWidth: 2, color: colors()[0], tooltip: null}, encoding: {x: {field: "low", type: "quantitative", title: "found [%]", scale: {domain: [0, 1]}, axis: {format: "%"}}, x2: {field: "high"}}},
          {mark: {type: "point", filled: true, size: 90, color: colors()[0], opacity: 1}, encoding: {x: {field: "share", type: "quantitative"}, tooltip: [{field: "kind"}, digits("share", "found"), digits("low"), digits("high"), {field: "pictures"}]}},
        ],
      });
    }
    document.documentElement.dataset.drawn = "true";
  }

  // ---- Failures ------------------------------------------------------------------------------------------------------------

  const worst = list(data.worst), wrong = rows.filter(is_wrong);
  $("worst-section").hidden = worst.length === 0;
  $("worst-title").textContent = wrong.length > 0 ? `Wrong decisions, worst first` : "No decision is wrong; these are the nearest to it";
  $("worst-caption").textContent = `Red: where the map of distances is high; inside of the white line the model marks a defect. ${wrong.length > 0 && wrong.length < worst.length ? "Behind the wrong ones stand those that are nearest to it." : ""}`;
  $("worst").append(...worst.map((row) => make("article", {class: "example"},
      make("img", {src: row.source, alt: row.path, title: "The whole picture", onclick: () => show_large({file: row.file, source: row.source, name: row.path})}),
      make("div", {class: "text"}, make("span", {class: `rank ${is_wrong(row) ? "bad" : "good"}`}, verdict(row)),
          make("dl", {}, make("dt", {}, "picture"), labelled("dd", row.path.split("/").pop(), 40, {}), make("dt", {}, "kind"), labelled("dd", row.kind, 40),
               make("dt", {}, "score"), make("dd", {}, `${number(row.score)}; threshold ${number(threshold)}`))))));
  $("wrong-section").hidden = wrong.length <= worst.length;
  $("wrong").append(plain_table(["picture", "kind", "decision", "score"], wrong.slice(0, 500).map((row) => [
    make("td", {title: row.path}, labelled("span", row.path.split("/").slice(-2).join("/"), 44)), row.kind, verdict(row), number(row.score)])));
  const skipped = list(data.skipped);
  $("skipped-section").hidden = skipped.length === 0;
  $("skipped").append(plain_table(["picture", "reason"], skipped.map((s) => [make("td", {title: s.path}, labelled("span", s.path.split("/").slice(-2).join("/"), 44)), s.reason])));

  // ---- Details -------------------------------------------------------------------------------------------------------------

  $("kinds-section").hidden = kinds.length === 0;
  $("kinds-table").append(plain_table(["kind", "pictures", "found", "AUROC against all normal ones"], kinds.map((k) => [k.kind, number(k.count), `${k.found}, ${share(k.share)}`, number(k.auroc)])));
  const over = [["all pictures", pixels], ["defective pictures", pixels_of_anomalous]].filter(([, of]) => of);
  $("metrics").append(plain_table(["metric", "value", "definition"], [
    ["image AUROC", number(image.auroc), "Area under the curve of true against false positives: how often a defective picture scores higher than a normal one"],
    ["average precision", number(image.average_precision), "Mean precision over all thresholds, by the recall that each adds"],
    ["F1", number(image.f1), "Harmonic mean of precision and recall at the model's threshold"],
    ["best F1", number(image.best_f1), "The largest F1 that any threshold would have given on these pictures"],
    ["missed", number(image.false_negatives), "Defective pictures below the threshold"],
    ["false alarms", number(image.false_positives), "Normal pictures at or above the threshold"],
    ...over.map(([of, m]) => [`pixel AUROC, ${of}`, number(m.auroc), "The same of single pixels, against the masks"]),
    ...over.map(([of, m]) => [`AUPRO, ${of}`, number(m.aupro), `Mean share of each defect's area that is marked, over false positive rates of pixels up to ${number(m.aupro_limit)}`]),
    ["time, median", quantity(latency.median_ms, "ms"), "Of a picture, with everything from its pixels to the score; reading the file is not counted"],
    ["time, 95 %", quantity(latency.p95_ms, "ms"), "95 % of the pictures take no longer"],
  ]));
  $("model").append(plain_table(["", ""], [["backbone", model.backbone], ["bank", `${plural(model.bank_rows, "row")} of ${model.bank_dims} dimensions`], ["method", model.preset],
    ["threshold", `${number(threshold)}, by the rule ${model.rule}`], ["runs with", model.engine], ["folder", data.folder]]));

  const redraw = () => draw_charts().catch((error) => { $("answer").append(make("p", {class: "caption"}, `The charts could not be drawn: ${error.message}`)); document.documentElement.dataset.drawn = "failed"; });
  window.look.on_theme(redraw);
  redraw();
})();
