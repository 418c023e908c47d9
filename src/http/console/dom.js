// Elements made of text: whatever others wrote is put in as text, so it can be nothing else.
const SVG = "http://www.w3.org/2000/svg";

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const el = (tag, attributes, ...children) => made(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => made(document.createElementNS(SVG, tag), attributes, children);

export const fill = (place, ...children) => made(place, null, children);

export const byId = (id) => document.getElementById(id);

// Told to whoever does not see the page change.
export function announce(text) { byId("status").textContent = text; }

// 1234567.50 as 1 234 567.50: from the text, so that no digit changes.
export function amount(text, currency) {
  if (text === null || text === undefined) return "–";
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(String(text)) ?? [null, "", String(text), ""];
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return `${sign ? "\u2212" : ""}${grouped}${rest}${currency ? `\u00a0${currency}` : ""}`;
}

// For the eye: so many places; the exact text goes into the title.
export function rounded(text, places = 2) {
  if (text === null || text === undefined) return "–";
  return amount(Number(text).toFixed(places));
}

export const counted = (count, one, many) => `${amount(count)} ${count === 1 ? one : many}`;

export const percent = (text, places = 1) => (text === null || text === undefined ? "–" : `${Number(text).toFixed(places)}\u202f%`);

const minute = (text) => text.slice(0, 16).replace("T", " ");

// An instant to the minute, UTC: where a table's head says so.
export function instant(text) {
  if (!text) return "–";
  return el("time", { datetime: text, title: text }, minute(text));
}

// The same where nothing beside it says so, and as words.
export const moment = (text) => (text ? [instant(text), " UTC"] : "–");
export const momentWords = (text) => `${minute(text)} UTC`;

export function ago(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

// A word with a colour; the word alone says it too.
export const tag = (text, mood = "plain") => el("span", { class: `tag ${mood}` }, text);

export function section(title, ...content) {
  const id = `s-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return el("section", { "aria-labelledby": id }, el("h2", { id }, title), ...content);
}

export const note = (text) => el("p", { class: "note" }, text);
export const trouble = (error) => el("p", { class: "trouble", role: "alert" }, error.message ?? String(error));

// A table of columns {head, cell, num, fix}: figures to the right, what is fixed on one line. On a narrow screen each row becomes a card, with the heads before its cells.
export function table(caption, columns, rows, empty = "Nothing here.") {
  if (!rows.length) return note(empty);
  const heads = columns.map((column) => el("th", { scope: "col", class: column.num && "num" }, column.head));
  const body = el("tbody");
  for (const row of rows) {
    const cells = columns.map((column, index) => {
      const attributes = { class: column.num ? "num" : column.fix && "fix", "data-head": column.head };
      const content = el("div", null, column.cell(row));
      return index === 0 ? el("th", { scope: "row", ...attributes }, content) : el("td", attributes, content);
    });
    body.append(el("tr", null, cells));
  }
  return el("table", null, el("caption", null, caption), el("thead", null, el("tr", null, heads)), body);
}

export function button(text, act, attributes = {}) {
  return el("button", { type: "button", ...attributes, onclick: act }, text);
}

// While something is done nothing else can be pressed there; what went wrong is told beside it.
export async function doing(pressed, act) {
  pressed.disabled = true;
  pressed.parentElement.querySelectorAll(".trouble").forEach((old) => old.remove());
  try {
    return await act();
  } catch (error) {
    pressed.after(trouble(error));
    return undefined;
  } finally {
    pressed.disabled = false;
  }
}

// Asks before what cannot be taken back; with a reason where one is wanted. Null if it is not meant.
export function confirm(title, text, { does, reason }) {
  const dialog = byId("ask");
  const input = reason && el("input", { id: "ask-reason", name: "reason", required: true, maxlength: 500, autocomplete: "off" });
  return new Promise((done) => {
    const close = (answer) => { dialog.close(); done(answer); };
    const form = el("form", { method: "dialog" },
      el("h2", { id: "ask-title" }, title), el("p", null, text),
      input && el("p", null, el("label", { for: "ask-reason" }, "Reason, for the record"), input),
      el("p", { class: "buttons" },
        el("button", { type: "submit", class: "main" }, does),
        button("Cancel", () => close(null))));
    form.addEventListener("submit", (event) => { event.preventDefault(); close(input ? input.value : true); });
    dialog.replaceChildren(form);
    dialog.oncancel = (event) => { event.preventDefault(); close(null); };
    dialog.showModal();
  });
}
