/**
 * The exact Harmony tokens of an answer and its prompt: what each is, how likely it was, and what
 * else could have stood there.
 */

import { counted, make, newId, percent } from "./dom.js";

const CHANNELS = ["analysis", "commentary", "final"];
const KEYS = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 };

/** The view of an answer's tokens. */
export function tokenView(answer) {
  const { prompt, tokens } = answer.netweight;
  const detail = make("div", { className: "detail", id: newId("detail") });
  showHelp(detail);
  return make(
    "section",
    { className: "tokens", "aria-label": "Harmony tokens" },
    promptPart(prompt, detail),
    make("h3", {}, `Written: ${counted(tokens.length, "token")}`),
    tokenList(tokens, "Written tokens", detail),
    detail,
  );
}

function promptPart(prompt, detail) {
  const part = make("details", {}, make("summary", {}, make("h3", {}, `Prompt: ${counted(prompt.length, "token")}`)));
  // Prompts are long: their elements are made when somebody looks.
  part.addEventListener("toggle", () => part.append(tokenList(prompt, "Prompt tokens", detail)), { once: true });
  return part;
}

/** A list that is one tab stop; arrow keys, Home and End go through it. */
function tokenList(tokens, label, detail) {
  const nodes = tokens.map(tokenNode);
  const list = make("div", { className: "token-list", role: "listbox", "aria-label": label, "aria-describedby": detail.id });
  list.append(...groups(tokens).map(([first, end]) => group(tokens.slice(first, end), nodes.slice(first, end))));
  if (nodes.length) nodes[0].tabIndex = 0;
  const show = (event) => {
    const index = nodes.indexOf(event.target.closest("[role=option]"));
    if (index >= 0) showToken(detail, tokens[index]);
    return index;
  };
  list.addEventListener("mousemove", (event) => {
    // Where the list scrolls under a mouse that rests, the keyboard has moved it.
    if (event.movementX || event.movementY) show(event);
  });
  list.addEventListener("click", (event) => nodes[show(event)]?.focus());
  list.addEventListener("focusin", (event) => {
    const index = show(event);
    for (const node of list.querySelectorAll("[tabindex='0']")) node.tabIndex = -1;
    for (const node of list.querySelectorAll("[aria-selected=true]")) node.ariaSelected = "false";
    nodes[index].tabIndex = 0;
    nodes[index].ariaSelected = "true";
  });
  list.addEventListener("keydown", (event) => {
    const index = nodes.indexOf(event.target);
    const target = { Home: 0, End: nodes.length - 1 }[event.key] ?? index + (KEYS[event.key] ?? 0);
    if (target === index || !nodes[target]) return;
    event.preventDefault();
    nodes[target].focus();
  });
  return list;
}

/** Where messages begin and end, as [first, end] of each. */
function groups(tokens) {
  const starts = [0];
  tokens.forEach((token, index) => {
    if (index > 0 && token.kind === "special" && token.text === "<|start|>") starts.push(index);
  });
  return tokens.length ? starts.map((first, index) => [first, starts[index + 1] ?? tokens.length]) : [];
}

function group(tokens, nodes) {
  const kind = tokens.find((token) => !["special", "header"].includes(token.kind))?.kind;
  const header = tokens.filter((token) => token.kind === "header").map((token) => token.text).join("");
  const label = kind ?? (header || "control");
  return make(
    "div",
    { className: `message ${className(kind ?? "header")}`, role: "group", "aria-label": CHANNELS.includes(kind) ? `assistant, ${kind}` : label },
    make("span", { className: "label", "aria-hidden": "true" }, label),
    make("span", { className: "run", role: "presentation" }, ...nodes),
  );
}

function tokenNode(token) {
  const probability = token.logprob === undefined ? null : Math.exp(token.logprob);
  const node = make("span", { className: `token ${className(token.kind)}`, role: "option", tabIndex: -1, ariaSelected: "false" }, visible(token.text));
  node.ariaLabel = `${spoken(token.text)}${probability === null ? "" : `, ${percent(probability)}`}`;
  if (probability !== null) node.style.setProperty("--p", probability.toFixed(3));
  return node;
}

/** The class of a kind; a role that is a tool's name has none of its own. */
function className(kind) {
  const known = [...CHANNELS, "special", "header", "system", "developer", "user"];
  return `kind-${known.includes(kind) ? kind : "tool"}`;
}

/** Text with its white space to be seen. */
function visible(text) {
  return text ? text.replaceAll("\n", "↵\n").replaceAll("\t", "→\t") : "∅";
}

function spoken(text) {
  const names = { "\n": "line break", " ": "space", "": "nothing" };
  return names[text] ?? text;
}

function showHelp(detail) {
  detail.replaceChildren(
    make("p", { className: "hint" }, "Point at a token, or go through them with the arrow keys, to see its id and what else could have stood there. The line under a token is as long as it was likely; its colour is that of its channel."),
  );
}

function showToken(detail, token) {
  const about = make(
    "p",
    {},
    make("code", {}, visible(token.text)),
    ` id ${token.id}, ${token.kind}`,
    token.logprob === undefined ? ", read" : `, written with ${percent(Math.exp(token.logprob))} (log-probability ${token.logprob.toFixed(3).replace(/^-0\.000$/, "0.000")})`,
  );
  detail.replaceChildren(about);
  if (token.top?.length) detail.append(alternatives(token));
}

function alternatives(token) {
  const rows = token.top.some((one) => one.id === token.id) ? token.top : [...token.top, token];
  const table = make("table", {}, make("caption", {}, "Likeliest here"));
  const head = make("tr", {}, ...["Token", "Id", "Probability"].map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map((one) => {
    const probability = Math.exp(one.logprob);
    const bar = make("td", { className: "bar" }, percent(probability));
    bar.style.setProperty("--p", probability.toFixed(3));
    const name = make("th", { scope: "row" }, make("code", {}, visible(one.text)), one.id === token.id ? " written" : "");
    return make("tr", { className: one.id === token.id ? "drawn" : "" }, name, make("td", {}, String(one.id)), bar);
  });
  table.append(make("thead", {}, head), make("tbody", {}, ...body));
  return table;
}
