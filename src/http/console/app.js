// Who reads, which pages there are for them, and which one is shown.
import { ApiError, begin, get, token } from "./api.js";
import { announce, button, byId, el, svg, trouble } from "./dom.js";
import { partners } from "./partners.js";

const PAGES = {
  partners: { name: "Partners", readers: ["operator", "vendor", "provider"] },
  billing: { name: "Billing", readers: ["operator", "vendor", "provider", "customer"] },
  pipeline: { name: "Pipeline", readers: ["operator"] },
};

// Pages that the first one does without: they come once its figures are there, or when they are asked for.
const LATER = {
  billing: async () => (await import("./billing.js")).billing,
  document: async () => (await import("./document.js")).document_,
  pipeline: async () => (await import("./pipeline.js")).pipeline,
  provider: async () => (await import("./provider.js")).provider,
};

let reader = null;
let turn = 0;
let othersAreFetched = false;

const main = byId("main");

function route() {
  const [path, rest] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { page: parts[0], parts: parts.slice(1), values: new URLSearchParams(rest ?? "") };
}

const allowed = () => Object.entries(PAGES).filter(([, page]) => page.readers.includes(reader.principal));

async function pageOf({ page, parts }) {
  if (page === "partners" && !parts.length) return partners;
  const name = page === "partners" ? "provider" : page === "billing" && parts[0] === "document" ? "document" : page;
  try {
    return await LATER[name]();
  } catch {
    throw new ApiError(0, "unreachable", "this page cannot be fetched: check the network and load the console again");
  }
}

function fetchOthers() {
  if (othersAreFetched) return;
  othersAreFetched = true;
  setTimeout(() => Promise.allSettled(Object.values(LATER).map((fetched) => fetched())));
}

// Shows what the address names. A page that comes after another was asked for is thrown away.
async function show(isFirst = false) {
  const mine = ++turn;
  const asked = route();
  if (!allowed().some(([id]) => id === asked.page)) {
    location.replace(`#/${allowed()[0][0]}`);
    return;
  }
  bar(asked.page);
  const place = el("div");
  const context = {
    reader, asked, place,
    isCurrent: () => mine === turn,
    paint: () => mine === turn && (main.replaceChildren(place), performance.mark("shown")),
    later: (work) => work.then(() => mine === turn && performance.mark("filled")),
    again: () => show(),
  };
  main.setAttribute("aria-busy", "true");
  try {
    const page = await pageOf(asked);
    if (mine !== turn) return;
    await page(context);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof ApiError && error.status === 401) return leave("The token is no longer valid. Sign in again.");
    if (!place.querySelector("h1")) place.prepend(el("h1", null, PAGES[asked.page].name));
    place.append(trouble(error));
    main.replaceChildren(place);
  }
  if (mine !== turn) return;
  main.setAttribute("aria-busy", "false");
  const heading = main.querySelector("h1")?.textContent ?? PAGES[asked.page].name;
  document.title = `${heading} · Plimsoll`;
  if (!isFirst) main.focus({ preventScroll: true });
  announce(`${heading} is shown`);
  fetchOthers();
}

function bar(current) {
  byId("bar").hidden = false;
  byId("pages").replaceChildren(...allowed().map(([id, page]) =>
    el("li", null, el("a", { href: `#/${id}`, "aria-current": id === current && "page" }, page.name))));
  const whose = reader.customer ?? reader.provider ?? reader.vendor;
  byId("who").textContent = whose ? `${reader.principal} ${whose}` : reader.principal;
}

function leave(why) {
  turn += 1;
  token.forget();
  reader = null;
  byId("bar").hidden = true;
  login(why);
}

function login(why) {
  const input = el("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true,
    "aria-describedby": "token-trouble token-note" });
  const place = el("div", { id: "token-trouble" }, why && trouble({ message: why }));
  const form = el("form", { class: "login" },
    svg("svg", { viewBox: "0 0 32 20", width: 48, height: 30, "aria-hidden": "true" },
      svg("circle", { cx: 16, cy: 10, r: 7.5 }), svg("path", { d: "M2 10h28" })),
    el("h1", null, "Plimsoll"),
    el("p", { class: "lead" }, "Storage metered and billed, from the event to the invoice."),
    el("label", { for: "token" }, "Access token"), input, place,
    el("button", { type: "submit", class: "main" }, "Sign in"),
    el("p", { class: "note", id: "token-note" }, "It shows what its owner may read, and is forgotten when this tab is closed."));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = input.value.trim();
    // what a header cannot bear was never given to anybody
    if (!/^[\x21-\x7e]+$/.test(given)) return refused(place, input, "This is no token: a token has letters, digits and signs, and no spaces.");
    token.keep(given);
    try {
      await enter();
    } catch (error) {
      token.forget();
      const words = error.status === 401 ? "This token is not known. Check that all of it was pasted." : error.message;
      refused(place, input, words);
    }
  });
  document.title = "Sign in · Plimsoll";
  main.setAttribute("aria-busy", "false");
  main.replaceChildren(form);
  input.focus();
}

function refused(place, input, words) {
  place.replaceChildren(trouble({ message: words }));
  input.setAttribute("aria-invalid", "true");
  // whoever pressed the button types again at once; what was typed is selected, so that it is replaced
  input.focus();
  input.select();
}

async function enter() {
  reader = await get("/v1/caller");
  if (byId("leave").dataset.bound !== "yes") {
    byId("leave").dataset.bound = "yes";
    byId("leave").addEventListener("click", () => leave());
  }
  await show(true);
}

addEventListener("hashchange", () => reader && show());
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });

// The first page's figures are on their way while it is asked who reads.
if (token.get() && [undefined, "partners"].includes(route().page) && !route().parts.length) ["/v1/arrays", "/v1/providers"].forEach(begin);

// Where no credential is configured, whoever reaches the address is the operator and nothing has to be typed.
enter().catch((error) => {
  if (error.status === 401) login();
  else main.replaceChildren(el("h1", null, "Plimsoll"), trouble(error), el("p", null, button("Try again", () => location.reload())));
});
