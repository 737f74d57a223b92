/**
 * How turns look: what the user said, and answers in their parts, as they grow.
 *
 * Knows no network; what a button does is given to it.
 */

import { readings, resultOf } from "./conversation.js";
import { button, counted, make, newId, percent } from "./dom.js";
import { showMarkdown } from "./markdown.js";
import { tokenView } from "./tokens.js";

const ENDS = {
  stop: "by itself",
  length: "at the limit of tokens",
  tool_calls: "with a call",
  stopped: "stopped by you",
  broken: "broken off",
};

/** What the user said, with a way to say it otherwise. */
export class UserTurn {
  /** `actions.resend(text)` puts `text` in the place of the message. */
  constructor(message, actions) {
    this.message = message;
    this.actions = actions;
    this.element = make("article", { className: "turn user", "aria-label": "You" });
    this.show();
  }

  show() {
    this.edit = button("Edit", () => this.showEditor(), { className: "plain" });
    this.element.replaceChildren(
      make("div", { className: "said" }, this.message.content),
      make("div", { className: "actions" }, this.edit),
    );
  }

  showEditor() {
    this.element.replaceChildren(
      editor("Your message", this.message.content, "Send again", (text) => this.actions.resend(text), () => {
        this.show();
        this.edit.focus();
      }),
    );
    this.element.querySelector("textarea").focus();
  }
}

/** A form for one text, which Enter sends and Escape leaves. */
function editor(label, text, verb, send, leave) {
  const id = newId("editor");
  const box = make("textarea", { id, value: text, rows: 3 });
  const form = make(
    "form",
    { className: "editor" },
    make("label", { htmlFor: id }, label),
    box,
    make("div", { className: "actions" }, make("button", { type: "submit", className: "primary" }, verb), leave ? button("Cancel", leave) : ""),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (sends(event)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape" && leave) {
      event.stopPropagation();
      leave();
    }
  });
  return form;
}

/** Whether a key sends: Enter, but not one that breaks the line or ends the input of a character. */
export function sends(event) {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing;
}

/** An answer. */
export class AnswerTurn {
  /**
   * `actions` are `regenerate()`, `answerCalls(results)`, `reopenCalls()` and `copy(text, button)`;
   * `messages` is the conversation that the answer is in.
   */
  constructor(answer, messages, actions) {
    Object.assign(this, { answer, messages, actions });
    this.tokens = null; // their view, where it is open
    this.parts = make("div", { className: "parts" });
    this.foot = make("footer");
    this.waiting = make("p", { className: "waiting" }, "Reading the prompt…");
    this.element = make("article", { className: "turn answer", "aria-label": "Answer" }, this.parts, this.waiting, this.foot);
    this.partViews = [];
    this.update();
  }

  get isUnderWay() {
    return this.answer.netweight.finish === null;
  }

  /** What the answer says, without the marks of Markdown. */
  get text() {
    const texts = this.parts.querySelectorAll(".commentary > .text, .final > .text");
    return [...texts].map(spoken).join("\n");
  }

  /** Show what has come since the last time. */
  update() {
    const { parts } = this.answer.netweight;
    parts.forEach((part, index) => {
      this.partViews[index] ??= this.newPart(part);
      const isLast = index === parts.length - 1;
      // Those before the last two cannot have changed.
      if (index >= parts.length - 2 || !this.isUnderWay) this.partViews[index].update({ isLast, isUnderWay: isLast && this.isUnderWay });
    });
    this.waiting.hidden = !this.isUnderWay || parts.length > 0;
    this.element.ariaBusy = String(this.isUnderWay);
    this.showFoot();
  }

  newPart(part) {
    const view = this.viewOf(part);
    this.parts.append(view.element);
    return view;
  }

  viewOf(part) {
    if (part.kind === "analysis") return new ReasoningPart(part, this.answer);
    if (part.kind === "call") return new CallPart(this.answer.tool_calls[part.call]);
    return new TextPart(part);
  }

  showFoot() {
    const numbers = numbersOf(this.answer);
    if (this.isUnderWay) {
      this.foot.replaceChildren(numbers);
      return;
    }
    this.foot.replaceChildren(this.problem(), this.callForm(), numbers, this.buttons());
  }

  problem() {
    const { error } = this.answer.netweight;
    if (error === null) return "";
    return make("div", { className: "problem", role: "alert" }, make("p", {}, error), button("Retry", () => this.actions.regenerate(), { className: "primary" }));
  }

  /** Where the user plays the tools that were called; or what they answered. */
  callForm() {
    const calls = this.answer.netweight.finish === "tool_calls" ? this.answer.tool_calls : [];
    if (!calls.length) return "";
    const results = calls.map((call) => resultOf(this.messages, call));
    if (results.every(Boolean)) {
      const shown = results.map((result, index) => resultNode(calls[index], result));
      return make("div", { className: "results" }, ...shown, make("div", { className: "actions" }, button("Edit results", () => this.actions.reopenCalls(), { className: "plain" })));
    }
    return resultForm(calls, (texts) => this.actions.answerCalls(texts));
  }

  buttons() {
    const { tokens } = this.answer.netweight;
    const copy = button("Copy", () => this.actions.copy(this.answer.content, copy), { className: "plain" });
    copy.disabled = !this.answer.content;
    const again = button("Regenerate", () => this.actions.regenerate(), { className: "plain" });
    const look = button("Tokens", () => this.toggleTokens(look), { className: "plain", ariaExpanded: String(Boolean(this.tokens)) });
    look.disabled = !tokens.length;
    const hasRetry = this.answer.netweight.error !== null;
    return make("div", { className: "actions" }, copy, hasRetry ? "" : again, look);
  }

  toggleTokens(look) {
    this.tokens?.remove();
    this.tokens = this.tokens ? null : tokenView(this.answer);
    if (this.tokens) this.element.append(this.tokens);
    look.ariaExpanded = String(Boolean(this.tokens));
  }
}

/** A text without the buttons in it. */
function spoken(text) {
  const heads = [...text.querySelectorAll(".block-head")];
  for (const head of heads) head.hidden = true; // inner text is what is shown
  const said = text.innerText;
  for (const head of heads) head.hidden = false;
  return said;
}

/** Reasoning: open until something else comes, then folded; unless the reader decides otherwise. */
class ReasoningPart {
  constructor(part, answer) {
    Object.assign(this, { part, answer });
    this.count = make("span", { className: "count" });
    this.text = make("div", { className: "text" });
    const summary = make("summary", {}, "Reasoning ", this.count);
    this.element = make("details", { className: "channel analysis", open: true }, summary, this.text);
    summary.addEventListener("click", () => (this.isDecided = true));
  }

  update({ isLast }) {
    if (this.text.textContent !== this.part.text) this.text.textContent = this.part.text;
    const number = this.numTokens();
    this.count.textContent = number ? counted(number, "token") : "";
    if (!this.isDecided) this.element.open = isLast;
  }

  /** The engine's count, once it is there, covers all reasoning. */
  numTokens() {
    const { usage, parts } = this.answer.netweight;
    const isOnly = parts.filter((part) => part.kind === "analysis").length === 1;
    return (isOnly && usage?.completion_tokens_details.reasoning_tokens) || this.part.numTokens;
  }
}

/** The final answer, or a preamble on the commentary channel. */
class TextPart {
  constructor(part) {
    this.part = part;
    this.text = make("div", { className: "text" });
    const label = part.kind === "commentary" ? make("p", { className: "label" }, "Commentary") : "";
    this.element = make("div", { className: `channel ${part.kind}` }, label, this.text);
  }

  update() {
    showMarkdown(this.text, this.part.text);
  }
}

/** A tool call and its arguments. */
class CallPart {
  constructor(call) {
    this.call = call;
    this.arguments = make("code");
    const name = make("code", {}, call.function.name);
    this.element = make(
      "div",
      { className: "channel call" },
      make("p", { className: "label" }, "Calls ", name),
      make("pre", { tabIndex: 0, role: "group", "aria-label": `Arguments of ${call.function.name}` }, this.arguments),
    );
  }

  update({ isUnderWay }) {
    const text = this.call.function.arguments;
    this.arguments.textContent = isUnderWay ? text : indented(text);
  }
}

function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // the model's arguments need not be JSON; they are shown as they are
  }
}

function resultNode(call, result) {
  return make("div", { className: "channel tool" }, make("p", { className: "label" }, make("code", {}, call.function.name), " answers"), make("pre", { tabIndex: 0, role: "group", "aria-label": `What ${call.function.name} answers` }, result.content));
}

function resultForm(calls, answerCalls) {
  const boxes = calls.map((call) => make("textarea", { id: newId("result"), rows: 2, className: "code", spellcheck: false }));
  const form = make("form", { className: "editor results-form" });
  calls.forEach((call, index) => {
    form.append(make("label", { htmlFor: boxes[index].id }, "What ", make("code", {}, call.function.name), " answers"), boxes[index]);
  });
  form.append(make("div", { className: "actions" }, make("button", { type: "submit", className: "primary" }, "Continue")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answerCalls(boxes.map((box) => box.value));
  });
  form.addEventListener("keydown", (event) => {
    if (event.target.tagName === "TEXTAREA" && sends(event)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  return form;
}

/** What was measured, as a row of instruments. */
function numbersOf(answer) {
  const found = readings(answer);
  const { finish, seed } = answer.netweight;
  const rows = [
    ["Speed", found.tokensPerSecond === null ? null : `${speed(found.tokensPerSecond)} tokens/s`],
    ["First text", found.firstS === null ? null : `${found.firstS.toFixed(2)} s`],
    ["Prompt", found.numPrompt === null ? null : counted(found.numPrompt, "token")],
    ["Cached", found.numPrompt && found.numCached !== null ? percent(found.numCached / found.numPrompt) : null],
    ["Written", found.numWritten === null ? null : counted(found.numWritten, "token")],
    ["Ended", finish === null ? null : (ENDS[finish] ?? finish)],
    ["Seed", seed === null ? null : String(seed)],
  ];
  const known = rows.filter(([, value]) => value !== null);
  return make("dl", { className: "numbers" }, ...known.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function speed(tokensPerSecond) {
  return tokensPerSecond < 100 ? tokensPerSecond.toPrecision(3) : Math.round(tokensPerSecond).toLocaleString("en");
}
