/**
 * A small part of Markdown as DOM nodes: what models write. No text becomes HTML, nothing links or
 * loads anything.
 *
 * Headings, paragraphs, lists, quotes, tables, code; within a line: code, bold, italics. What is
 * not understood stays as it was written.
 */

import { make } from "./dom.js";

const MAX_DEPTH = 8; // of lists, quotes and emphasis within each other

/** Show `text` in `container`. Blocks that have not changed since the last time are left alone. */
export function showMarkdown(container, text) {
  const blocks = split(text.split("\n"));
  let index = 0;
  while (index < blocks.length && container.children[index]?.source === blocks[index].source) index += 1;
  while (container.children.length > index) container.lastChild.remove();
  for (const block of blocks.slice(index)) {
    const node = render(block, 0);
    node.source = block.source;
    container.append(node);
  }
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])(\s+|$)/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}([-*_])\s*(\1\s*){2,}$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Lines as blocks: {type, lines, source, ...}. */
function split(lines) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const block = blockAt(lines, at);
    block.source = `${block.type}\n${lines.slice(at, block.end).join("\n")}`;
    blocks.push(block);
    at = block.end;
  }
  return blocks;
}

function blockAt(lines, at) {
  const line = lines[at];
  const fence = line.match(FENCE);
  if (fence) return codeAt(lines, at, fence);
  const heading = line.match(HEADING);
  if (heading) return { type: "heading", level: heading[1].length, text: heading[2], end: at + 1 };
  if (RULE.test(line)) return { type: "rule", end: at + 1 };
  if (QUOTE.test(line)) return quoteAt(lines, at);
  if (ITEM.test(line)) return listAt(lines, at);
  if (isTable(lines, at)) return tableAt(lines, at);
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !interrupts(lines, end)) end += 1;
  return { type: "paragraph", text: lines.slice(at, end).join("\n"), end };
}

function interrupts(lines, at) {
  return [FENCE, HEADING, QUOTE, ITEM, RULE].some((form) => form.test(lines[at])) || isTable(lines, at);
}

function codeAt(lines, at, [, mark, language]) {
  const close = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !close.test(lines[end])) end += 1;
  const text = lines.slice(at + 1, end).join("\n");
  return { type: "code", text, language: language.trim(), end: Math.min(end + 1, lines.length) };
}

function quoteAt(lines, at) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  return { type: "quote", lines: lines.slice(at, end).map((line) => line.replace(QUOTE, "")), end };
}

/** A list: items end where a line is indented less, unless it goes on after an empty line. */
function listAt(lines, at) {
  const [, indent, mark] = lines[at].match(ITEM);
  const isOrdered = /\d/.test(mark);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const line = lines[end];
    const item = line.match(ITEM);
    const depth = line.match(/^\s*/)[0].length;
    if (item && depth <= indent.length + 1 && !RULE.test(line)) {
      if (/\d/.test(item[2]) !== isOrdered || depth < indent.length) break;
      items.push([line.slice(item[0].length)]);
    } else if (!line.trim()) {
      const next = lines.slice(end).find((other) => other.trim());
      const goesOn = next && (next.match(/^\s*/)[0].length > indent.length || sameList(next, indent, isOrdered));
      if (!goesOn) break;
      items.at(-1).push("");
    } else if (depth > indent.length) {
      items.at(-1).push(line.slice(Math.min(depth, indent.length + mark.length + 1)));
    } else break;
    end += 1;
  }
  return { type: "list", isOrdered, start: parseInt(mark, 10), items, end };
}

function sameList(line, indent, isOrdered) {
  const item = line.match(ITEM);
  return item && item[1].length === indent.length && /\d/.test(item[2]) === isOrdered;
}

function isTable(lines, at) {
  return lines[at].includes("|") && at + 1 < lines.length && lines[at + 1].includes("|") && TABLE_RULE.test(lines[at + 1]);
}

function tableAt(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  return { type: "table", head: cells(lines[at]), rows: lines.slice(at + 2, end).map(cells), end };
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

function render(block, depth) {
  switch (block.type) {
    case "code":
      return codeNode(block);
    case "heading":
      // The page's own title is the only one of the first level.
      return filled(`h${Math.min(6, block.level + 1)}`, block.text);
    case "rule":
      return document.createElement("hr");
    case "quote":
      return nested("blockquote", block.lines, depth);
    case "list":
      return listNode(block, depth);
    case "table":
      return tableNode(block);
    default:
      return filled("p", block.text);
  }
}

function filled(tag, text) {
  const node = document.createElement(tag);
  node.append(...inline(text, 0));
  return node;
}

function nested(tag, lines, depth) {
  const node = document.createElement(tag);
  if (depth >= MAX_DEPTH) node.textContent = lines.join("\n");
  else node.append(...split(lines).map((block) => render(block, depth + 1)));
  return node;
}

/** Code, below its language and a button to copy it, which does nothing of itself. */
function codeNode({ text, language }) {
  const copy = make("button", { type: "button", className: "plain copies" }, "Copy", make("span", { className: "unseen" }, " this code"));
  // It may scroll, and the keyboard has to reach it.
  const pre = make("pre", { tabIndex: 0, role: "group", "aria-label": language ? `Code, ${language}` : "Code" }, make("code", {}, text));
  return make("div", { className: "block" }, make("div", { className: "block-head" }, make("span", {}, language), copy), pre);
}

function listNode({ isOrdered, start, items }, depth) {
  const list = document.createElement(isOrdered ? "ol" : "ul");
  if (isOrdered && start !== 1) list.start = start;
  list.append(...items.map((lines) => itemNode(lines, depth)));
  return list;
}

/** An item of one paragraph is no more than its text. */
function itemNode(lines, depth) {
  const item = nested("li", lines, depth);
  if (item.firstElementChild?.tagName === "P") item.firstElementChild.replaceWith(...item.firstElementChild.childNodes);
  return item;
}

function tableNode({ head, rows }) {
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", "Table");
  const table = document.createElement("table");
  const header = table.createTHead().insertRow();
  for (const text of head) {
    const cell = filled("th", text);
    cell.scope = "col";
    header.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows) body.insertRow().append(...head.map((_, index) => filled("td", row[index] ?? "")));
  scroll.append(table);
  return scroll;
}

/** Marks that surround emphasis, the longer first. Underscores within words are not marks. */
const EMPHASIS = [
  { mark: "**", tag: "strong" },
  { mark: "__", tag: "strong", isWordwise: true },
  { mark: "*", tag: "em" },
  { mark: "_", tag: "em", isWordwise: true },
];

/** A line's text and elements. */
function inline(text, depth) {
  const nodes = [];
  let plain = "";
  let at = 0;
  const put = (node, end) => {
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(node);
    at = end;
  };
  while (at < text.length) {
    const found = text[at] === "`" ? codeSpan(text, at) : emphasis(text, at, depth);
    if (found) put(found.node, found.end);
    else if (text[at] === "\n") put(document.createElement("br"), at + 1);
    else if (text[at] === "\\" && /[\\`*_#>|+.!-]/.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
    } else {
      // A run of marks that opens nothing is text as a whole, or its tail would open something.
      const run = /[*_`]/.test(text[at]) ? text.slice(at).match(/^(.)\1*/)[0] : text[at];
      plain += run;
      at += run.length;
    }
  }
  if (plain) nodes.push(plain);
  return nodes;
}

function codeSpan(text, at) {
  const [mark] = text.slice(at).match(/^`+/);
  let close = text.indexOf(mark, at + mark.length);
  while (close >= 0 && text[close + mark.length] === "`") {
    const after = text.slice(close).match(/^`+/)[0].length;
    close = text.indexOf(mark, close + after);
  }
  if (close < 0) return null;
  const node = document.createElement("code");
  node.textContent = text.slice(at + mark.length, close).replace(/^ (.*\S.*) $/, "$1");
  return { node, end: close + mark.length };
}

function emphasis(text, at, depth) {
  if (depth >= MAX_DEPTH || (text[at] !== "*" && text[at] !== "_")) return null;
  for (const { mark, tag, isWordwise } of EMPHASIS) {
    if (!text.startsWith(mark, at)) continue;
    const close = closing(text, at, mark, isWordwise);
    if (close < 0) continue;
    const node = document.createElement(tag);
    node.append(...inline(text.slice(at + mark.length, close), depth + 1));
    return { node, end: close + mark.length };
  }
  return null;
}

const isWord = (character) => character !== undefined && /[\p{L}\p{N}]/u.test(character);

/** Where emphasis that begins at `at` ends, or -1. */
function closing(text, at, mark, isWordwise) {
  const from = at + mark.length;
  if (from >= text.length || /\s/.test(text[from]) || (isWordwise && isWord(text[at - 1]))) return -1;
  for (let close = text.indexOf(mark, from + 1); close >= 0; close = text.indexOf(mark, close + 1)) {
    const isDouble = mark.length === 1 && (text[close + 1] === mark || text[close - 1] === mark);
    const isEnd = !/\s/.test(text[close - 1]) && !(isWordwise && isWord(text[close + mark.length]));
    if (isEnd && !isDouble) return text[close + mark.length] === mark[0] && mark.length === 2 ? close + 1 : close;
  }
  return -1;
}
