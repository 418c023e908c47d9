// The page to print, as the API gives it. It is fetched with the reader's token, which a link cannot bear.
import { ask } from "./api.js";

const number = decodeURIComponent(location.hash.slice(1));

function say(text) {
  const line = document.createElement("p");
  line.setAttribute("role", "alert");
  line.textContent = text;
  document.body.replaceChildren(line);
}

try {
  const answer = await ask(`/v1/invoices/${encodeURIComponent(number)}.html`);
  // A parsed document runs no script, and what is taken over is its body alone: its style, which the policy would refuse, is this page's own file.
  const text = (await answer.text()).replace(/<style>[^<]*<\/style>/, "");
  const page = new DOMParser().parseFromString(text, "text/html");
  document.title = page.title;
  document.body.replaceChildren(...page.body.childNodes);
  document.body.dataset.shown = "yes";
} catch (error) {
  say(`${number} cannot be shown: ${error.message}`);
}
