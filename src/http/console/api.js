// The public API with the reader's own token. The token is kept for this tab only and sent in a header, never in an address.
const KEY = "plimsoll.token";

export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY),
  keep: (text) => sessionStorage.setItem(KEY, text),
  forget: () => sessionStorage.removeItem(KEY),
};

async function refusal(answer) {
  let said = {};
  try { said = (await answer.json()).error ?? {}; } catch { /* not ours: a proxy's */ }
  return new ApiError(answer.status, said.code ?? "", said.message ?? `the server answered ${answer.status}`);
}

export async function ask(path, options = {}, bearer = token.get()) {
  const headers = { ...options.headers };
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit", redirect: "error" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "the server cannot be reached: check the network and try again");
  }
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

const begun = new Map();

export async function get(path, options) {
  const early = begun.get(path);
  begun.delete(path);
  return early ?? (await ask(path, options)).json();
}

// Asks for what a page will want before it is known that it is shown: whoever asks for it then waits for this answer.
export function begin(path) {
  const answer = get(path);
  answer.catch(() => undefined);
  begun.set(path, answer);
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

// A query string of what is there.
export function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs)}` : "";
}

// Rows of a list, page after page, up to `most`; whether there are more.
export async function list(path, values = {}, most = 1000) {
  const rows = [];
  let cursor;
  do {
    const page = await get(path + query({ ...values, cursor }));
    rows.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor && rows.length < most);
  return { rows: rows.slice(0, most), more: Boolean(cursor) || rows.length > most };
}

// What may fail without the page: the answer, or null where this reader never reads it.
export async function maybe(promise) {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && [403, 404, 501].includes(error.status)) return null;
    throw error;
  }
}

// Saves what a link cannot fetch for want of the token.
export async function save(path, name) {
  const address = URL.createObjectURL(await (await ask(path)).blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
