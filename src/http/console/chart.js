// Three drawings, in SVG that bears no style of its own. Each says in words what it shows.
import { el, rounded, svg } from "./dom.js";

const title = (text) => svg("title", null, text);

// A line of figures, its last one marked.
export function spark(values, unit) {
  const [width, height] = [96, 22];
  if (values.length < 2) return el("span", { class: "note" }, "–");
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = most - least || 1;
  const point = (value, index) => [
    2 + (index * (width - 6)) / (values.length - 1),
    height - 3 - ((value - least) * (height - 6)) / span,
  ];
  const points = values.map(point);
  const [x, y] = points.at(-1);
  const words = `${values.length} days: from ${rounded(values[0])} to ${rounded(values.at(-1))} ${unit}, least ${rounded(least)}, most ${rounded(most)}`;
  return svg("svg", { class: "spark", role: "img", "aria-label": words, width, height, viewBox: `0 0 ${width} ${height}` },
    title(words),
    svg("polyline", { points: points.map((pair) => pair.map((n) => n.toFixed(1)).join(",")).join(" ") }),
    svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 1.8 }));
}

// A part of a whole; what is above the whole stands behind a mark.
export function bar(part, words, width = 72) {
  const most = Math.max(part, 1);
  const whole = width / most;
  return svg("svg", { class: "meter", role: "img", "aria-label": words, width, height: 8, viewBox: `0 0 ${width} 8` },
    title(words),
    svg("rect", { class: "track", width, height: 8, rx: 1 }),
    svg("rect", { class: "fill", width: Math.max(0, (part * width) / most).toFixed(1), height: 8, rx: 1 }),
    part > 1 && svg("path", { class: "mark", d: `M${whole.toFixed(1)} 0v8` }));
}

// A step for the axis: 1, 2 or 5 times a power of ten, so that there are about four.
function step(most) {
  const raw = most / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
}

// What levels are, in words: one, or from the least to the most of them.
function span(levels, unit) {
  const [least, most] = [rounded(Math.min(...levels)), rounded(Math.max(...levels))];
  return least === most ? `${least} ${unit}` : `${least} to ${most} ${unit}`;
}

// Days {date, value} of a time zone as bars; against a level, where each has {level, over} as well.
export function days(rows, unit, zone) {
  // drawn as wide as there is room, so that its words keep their size
  const width = Math.max(320, Math.min(1190, document.documentElement.clientWidth - 50));
  const [height, left, bottom, top] = [190, 46, 20, 10];
  const levels = rows.map((row) => row.level).filter((level) => level !== undefined);
  const most = Math.max(0, ...levels, ...rows.map((row) => row.value)) * 1.05 || 1;
  const y = (value) => height - bottom - (value * (height - bottom - top)) / most;
  const slot = (width - left - 8) / Math.max(rows.length, 1);
  const over = rows.filter((row) => row.over > 0).length;
  const words = `Daily mean, ${rows.length} days in ${zone}${levels.length ? `, commitment ${span(levels, unit)}, above it on ${over} of them` : ""}`;
  const picture = svg("svg", { class: "days", role: "img", "aria-label": words, viewBox: `0 0 ${width} ${height}` }, title(words));
  for (let value = 0; value <= most; value += step(most)) {
    picture.append(svg("path", { class: "grid", d: `M${left} ${y(value).toFixed(1)}H${width - 8}` }),
      svg("text", { x: left - 6, y: (y(value) + 4).toFixed(1), "text-anchor": "end" }, Number(value.toPrecision(6)).toString()));
  }
  rows.forEach((row, index) => {
    const x = left + index * slot + slot * 0.15;
    const block = (name, from, to) => to > from && svg("rect", {
      class: name, x: x.toFixed(1), width: (slot * 0.7).toFixed(1), y: y(to).toFixed(1), height: (y(from) - y(to)).toFixed(1),
    });
    const level = row.level ?? row.value;
    const parts = [block("within", 0, Math.min(row.value, level)), block("over", level, row.value)].filter(Boolean);
    picture.append(svg("g", null, title(`${row.date}: ${rounded(row.value)} ${unit}${row.level === undefined ? "" : ` of ${rounded(row.level)}`}`), parts));
    if (rows.length <= 10 || index % (width < 600 ? 10 : 5) === 0) {
      picture.append(svg("text", { x: (x + slot * 0.35).toFixed(1), y: height - 5, "text-anchor": "middle" }, row.date.slice(8)));
    }
  });
  if (levels.length) {
    const steps = rows.map((row, index) => `${index ? "L" : "M"}${(left + index * slot).toFixed(1)} ${y(row.level).toFixed(1)}h${slot.toFixed(1)}`);
    picture.append(svg("path", { class: "commit", d: steps.join("") }));
  }
  const key = (name, text) => el("span", null,
    svg("svg", { class: "days-key", width: 10, height: 10, viewBox: "0 0 10 10" }, svg("rect", { class: name, width: 10, height: 10 })), text);
  return el("figure", { class: "chart" }, picture, el("figcaption", { class: "legend" },
    key("within", levels.length ? `within the commitment of ${span(levels, unit)}` : `daily mean in ${unit}`),
    levels.length > 0 && key("over", `above it, on ${over} of ${rows.length} days`),
    el("span", null, `days in ${zone}`)));
}
