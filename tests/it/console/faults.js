// What a reader who cannot see, or has no mouse, would stumble over: each in words. The rules are those that can be told by looking.
const faults = [];
const name = (one) => `${one.tagName.toLowerCase()}${one.id ? `#${one.id}` : ""} ${(one.textContent || "").trim().slice(0, 40)}`;
const all = (selector) => [...document.querySelectorAll(selector)];
const isShown = (one) => one.checkVisibility({ visibilityProperty: true });

// Words of letters that fit into a line and are broken all the same.
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const broken = new Set();
while (texts.nextNode()) {
  const node = texts.currentNode;
  if (!isShown(node.parentElement) || node.parentElement.closest(".unseen, caption, thead, svg, pre, code")) continue;
  for (const word of node.data.matchAll(/(?<=^|[\s(,])[A-Za-z]{2,18}(?=$|[\s.,:;)])/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    if (new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size > 1) broken.add(word[0]);
  }
}
faults.push(...[...broken].map((word) => `a word in two lines: ${word}`));

if (document.documentElement.lang !== "en") faults.push("no language");
if (!document.title) faults.push("no title");
for (const [selector, count] of [["h1", 1], ["main", 1]]) if (all(selector).length !== count) faults.push(`${all(selector).length} of ${selector}`);
if (all("body > header").filter(isShown).length && all("header nav[aria-label]").length !== 1) faults.push("no named navigation");
for (const input of all("input, select, textarea").filter(isShown)) {
  if (!input.labels.length && !input.getAttribute("aria-label")) faults.push(`no label: ${name(input)}`);
}
for (const one of all("button, a[href], summary").filter(isShown)) {
  if (!(one.getAttribute("aria-label") || one.textContent).trim()) faults.push(`no name: ${one.outerHTML.slice(0, 80)}`);
}
for (const image of all("svg")) {
  const silent = image.getAttribute("aria-hidden") === "true" || image.closest("figcaption");
  if (!silent && !image.getAttribute("aria-label")) faults.push("a picture without words");
}
for (const table of all("table")) {
  if (!table.caption?.textContent) faults.push("a table without a caption");
  if ([...table.querySelectorAll("th")].some((head) => !head.scope)) faults.push("a head without a scope");
}
const levels = all("h1, h2, h3, h4").filter((one) => isShown(one) && !one.closest("dialog")).map((one) => Number(one.tagName[1]));
levels.forEach((level, index) => { if (index && level > levels[index - 1] + 1) faults.push(`a heading of level ${level} under one of ${levels[index - 1]}`); });
const ids = all("[id]").map((one) => one.id);
ids.forEach((id, index) => { if (ids.indexOf(id) !== index) faults.push(`the id ${id} twice`); });
for (const one of all("[aria-labelledby], [aria-controls], [aria-describedby]")) {
  for (const attribute of ["aria-labelledby", "aria-controls", "aria-describedby"]) {
    const targets = (one.getAttribute(attribute) ?? "").split(" ").filter(Boolean);
    for (const target of isShown(one) ? targets : []) if (!document.getElementById(target)) faults.push(`${attribute} names ${target}, which is not there`);
  }
}
if (all("[tabindex]").some((one) => one.tabIndex > 0)) faults.push("an order of its own for the tabulator");
if (!all("[aria-live], [role=status]").length) faults.push("nothing that is told when it changes");

// Contrast of words against what is behind them: WCAG's 4.5, 3 where they are large.
const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = parts(colour).slice(0, 3).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (one) => {
  for (let at = one; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if ((parts(colour)[3] ?? 1) === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
const weak = new Set();
const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (words.nextNode()) {
  const one = words.currentNode.parentElement;
  if (!words.currentNode.data.trim() || !isShown(one) || one.closest(".unseen, .skip, caption, svg, [disabled]")) continue;
  const style = getComputedStyle(one);
  const [a, b] = [light(style.color), light(behind(one))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.5 && Number(style.fontWeight) >= 700);
  if (contrast < (large ? 3 : 4.5)) weak.add(`contrast ${contrast.toFixed(2)}: ${style.color} on ${behind(one)}: ${name(one)}`);
}
return [...faults, ...weak];
