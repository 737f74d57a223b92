/** The page's parts put together: what the user does, what the server answers, what is kept. */

import { ApiError, chunks, modelName } from "./api.js";
import { DEFAULTS, SettingError, choiceOf, fields, fromFile, newAnswer, take, toBody, toFile, toolNames, waits, withoutTokens } from "./conversation.js";
import { button, make } from "./dom.js";
import { AnswerTurn, UserTurn, sends } from "./turns.js";

const KEPT = "netweight conversation"; // in the tab's storage, which goes when the tab is closed
const KEY = "netweight key";
const SHOW_EVERY_MS = 60; // slower than frames: text is laid out anew each time
const EXAMPLES = {
  tools: [
    {
      type: "function",
      function: {
        name: "weather",
        description: "The weather in a city, now.",
        parameters: {
          type: "object",
          properties: { city: { type: "string" } },
          required: ["city"],
          additionalProperties: false,
        },
      },
    },
  ],
  schema: {
    type: "object",
    properties: { answer: { type: "string" }, certainty: { type: "number", minimum: 0, maximum: 1 } },
    required: ["answer", "certainty"],
    additionalProperties: false,
  },
};

const at = (id) => document.getElementById(id);
const wide = matchMedia("(min-width: 60rem)"); // as in the style
const settingsForm = at("settings");
const prompt = at("prompt");

const state = {
  model: null,
  messages: [],
  settings: { ...DEFAULTS },
  views: [], // one a message; null for what tools answered, which stands in the answer before
  stop: null, // ends the answer under way
  underWay: null, // a promise of its end
};

// The conversation

/** Ask for the next answer, whose end is `state.underWay`. */
function ask() {
  const body = checkedBody();
  if (body) state.underWay = answer(body);
}

/** Stop what is under way, to do something else. */
async function halt() {
  state.stop?.abort();
  await state.underWay;
}

/** Show an answer as it comes. */
async function answer(body) {
  const message = newAnswer();
  addMessage(message);
  const view = state.views.at(-1);
  state.stop = new AbortController();
  showBusy(true);
  say("The model answers.");
  try {
    await receive(body, message, view, state.stop.signal);
  } finally {
    state.stop = null;
    showBusy(false);
  }
  follow(() => view.update());
  save();
  say(spokenEnd(message, view.text));
  if (message.netweight.finish === "tool_calls") view.element.querySelector(".results-form textarea")?.focus();
}

async function receive(body, message, view, signal) {
  const own = message.netweight;
  own.sent = performance.now();
  const show = throttled(() => follow(() => view.update()));
  try {
    for await (const chunk of chunks(body, { key: sessionStorage.getItem(KEY), signal })) {
      take(message, chunk, performance.now());
      show();
    }
  } catch (error) {
    const isStopped = error.name === "AbortError";
    if (!isStopped && !(error instanceof ApiError)) throw error;
    own.finish = isStopped ? "stopped" : "broken";
    own.error = isStopped ? null : error.message;
    if (error.status === 401) askForKey();
  } finally {
    show.end();
  }
}

/** The request's body, or null where a setting is wrong, which is shown. */
function checkedBody() {
  readSettings();
  try {
    return toBody(state.model, state.messages, state.settings);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    showSettingError(error);
    at("panel").open = true;
    settingsForm.elements[error.field].focus();
    return null;
  }
}

function send(text) {
  if (!text.trim() || state.stop || waits(state.messages)) return false;
  if (!checkedBody()) return false;
  addMessage({ role: "user", content: text });
  ask();
  return true;
}

/** Say something else in the place of message `index`, and go on from there. */
async function resend(index, text) {
  if (!text.trim() || !checkedBody()) return;
  await halt();
  truncate(index);
  send(text);
}

async function regenerate(index) {
  if (!checkedBody()) return;
  await halt();
  truncate(index);
  ask();
}

function answerCalls(index, texts) {
  if (!checkedBody()) return;
  truncate(index + 1);
  state.messages[index].tool_calls.forEach((call, number) => {
    addMessage({ role: "tool", tool_call_id: call.id, content: texts[number] });
  });
  state.views[index].update();
  ask();
}

async function reopenCalls(index) {
  await halt();
  truncate(index + 1);
  state.views[index].update();
  state.views[index].element.querySelector(".results-form textarea").focus();
  showBusy(false);
}

function addMessage(message) {
  const index = state.messages.push(message) - 1;
  const view = viewOf(message, index);
  state.views.push(view);
  if (view) follow(() => at("turns").append(view.element), message.role === "user");
  at("opening").hidden = true;
}

function viewOf(message, index) {
  if (message.role === "user") return new UserTurn(message, { resend: (text) => resend(index, text) });
  if (message.role === "tool") return null;
  return new AnswerTurn(message, state.messages, {
    regenerate: () => regenerate(index),
    answerCalls: (texts) => answerCalls(index, texts),
    reopenCalls: () => reopenCalls(index),
    copy,
  });
}

/** Keep the first `number` messages. */
function truncate(number) {
  state.messages.length = number;
  for (const view of state.views.splice(number)) view?.element.remove();
  at("opening").hidden = number > 0;
  save();
}

function replaceAll(messages, settings) {
  truncate(0);
  state.settings = settings;
  writeSettings();
  state.messages.push(...messages);
  // Views look at all messages: an answer's shows what tools said after it.
  messages.forEach((message, index) => {
    const view = viewOf(message, index);
    state.views.push(view);
    if (view) at("turns").append(view.element);
  });
  at("opening").hidden = messages.length > 0;
  showBusy(false);
  save();
}

// What is shown

function showBusy(isBusy) {
  // A button that goes away would take the focus with it.
  const isLost = [at("stop"), at("send"), document.body].includes(document.activeElement);
  at("stop").hidden = !isBusy;
  at("send").hidden = isBusy;
  const isWaiting = !isBusy && waits(state.messages);
  at("send").disabled = isWaiting || state.model === null;
  prompt.placeholder = isWaiting ? "The model waits for what the tool answers, above." : "Message";
  if (isLost) (isBusy ? at("stop") : wide.matches ? prompt : at("send")).focus({ preventScroll: true });
}

/** Change the page, and stay at its end if that is where the reader is. */
function follow(change, isForced = false) {
  const page = document.scrollingElement;
  const isAtEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 80;
  change();
  if (isAtEnd || isForced) page.scrollTop = page.scrollHeight;
}

/** A function that runs `show` at once or a little later, but not too often. */
function throttled(show) {
  let timer = null;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      show();
    }, SHOW_EVERY_MS);
  };
  soon.end = () => clearTimeout(timer);
  return soon;
}

/** Tell who listens rather than looks: whole answers, not tokens. */
function say(text) {
  at("status").textContent = text;
}

function spokenEnd(message, text) {
  const { finish, error } = message.netweight;
  if (error !== null) return ""; // an alert has told it
  const calls = finish === "tool_calls" ? message.tool_calls.map((call) => call.function.name) : [];
  const parts = [text, calls.length ? `The model calls ${calls.join(", ")}.` : ""];
  if (finish === "stopped") parts.unshift("Stopped.");
  return parts.filter(Boolean).join(" ") || "The answer is empty.";
}

/** Tell what is wrong with the page as a whole; `retry`, where there is one, tries again. */
function notice(text, retry = null) {
  at("notice").replaceChildren(text, retry ? button("Try again", retry, { className: "primary" }) : "");
  at("notice").hidden = !text;
}

async function copy(text, from) {
  from.label ??= [...from.childNodes];
  let told = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers give the clipboard to pages of this machine and to encrypted ones only.
    told = "Not allowed here";
  }
  from.textContent = told;
  say(`${told}.`);
  setTimeout(() => from.replaceChildren(...from.label), 2000);
}

/** The code of a block goes to the clipboard by its button, whoever has made the block. */
function copyBlock(event) {
  const from = event.target.closest("button.copies");
  if (from) copy(from.closest(".block").querySelector("pre").textContent, from);
}

// Settings

function readSettings() {
  const { elements } = settingsForm;
  for (const name of Object.keys(DEFAULTS)) {
    state.settings[name] = name === "tells" ? elements[name].checked : elements[name].value;
  }
}

function writeSettings() {
  const { elements } = settingsForm;
  showToolChoices();
  for (const [name, value] of Object.entries(state.settings)) {
    if (name === "tells") elements[name].checked = value;
    else elements[name].value = value;
  }
  showSettings();
}

function showSettings() {
  at("temperature-value").textContent = Number(settingsForm.elements.temperature.value).toFixed(1);
  for (const field of settingsForm.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const error of settingsForm.querySelectorAll(".error")) error.hidden = true;
}

function showSettingError({ field, message }) {
  const element = settingsForm.elements[field];
  element.setAttribute("aria-invalid", "true");
  const place = at(`${element.id}-error`);
  place.textContent = message;
  place.hidden = false;
}

/** Let one of the tools be chosen. The choice of one that is no more is taken back. */
function showToolChoices() {
  const names = toolNames(state.settings);
  if (names === null) return; // in the middle of writing them
  at("tool-choice-field").hidden = names.length === 0;
  at("tool-names").replaceChildren(...names.map((name) => make("option", { value: choiceOf(name) }, name)));
  const select = settingsForm.elements.toolChoice;
  select.value = state.settings.toolChoice;
  if (select.selectedIndex < 0) select.value = state.settings.toolChoice = "auto";
}

function settingsChanged() {
  readSettings();
  showToolChoices();
  showSettings();
  try {
    fields(state.settings);
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    showSettingError(error);
  }
}

function putExample(name) {
  settingsForm.elements[name].value = JSON.stringify(EXAMPLES[name], null, 2);
  settingsChanged();
  save();
  settingsForm.elements[name].focus();
}

// What is kept, in this tab only

/** Keep the conversation for when the page is loaded again; without tokens where it is long. */
function save() {
  if (keep(state.messages) || keep(state.messages.map(withoutTokens))) return;
  sessionStorage.removeItem(KEPT);
  notice("This conversation is too long to outlive a reload of the page. Export it if it matters.");
}

/** Whether there was room. */
function keep(messages) {
  try {
    sessionStorage.setItem(KEPT, toFile(state.model, messages, state.settings, new Date()));
    return true;
  } catch (error) {
    if (error.name !== "QuotaExceededError") throw error;
    return false;
  }
}

function restore() {
  const kept = sessionStorage.getItem(KEPT);
  if (!kept) return;
  let messages, settings;
  try {
    ({ messages, settings } = fromFile(kept));
  } catch (error) {
    sessionStorage.removeItem(KEPT); // an older version of the page has left it
    notice(error.message);
    return;
  }
  // An answer that was under way when the page was left has lost its connection.
  for (const message of messages) if (message.netweight) message.netweight.finish ??= "stopped";
  replaceAll(messages, settings);
}

function exportFile() {
  readSettings();
  const text = toFile(state.model, state.messages, state.settings, new Date());
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `conversation-${state.model ?? "netweight"}.json`;
  link.click();
  URL.revokeObjectURL(url);
}

async function importFile(event) {
  const [file] = event.target.files;
  event.target.value = ""; // so that the same file can be chosen again
  if (!file) return;
  let found;
  try {
    found = fromFile(await file.text());
  } catch (error) {
    notice(error.message);
    return;
  }
  notice("");
  await halt();
  replaceAll(found.messages, found.settings);
}

// The server

async function connect() {
  try {
    state.model = await modelName(sessionStorage.getItem(KEY));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) askForKey();
    else notice(error.message, connect);
    return;
  }
  notice("");
  at("key-form").hidden = true;
  at("model").textContent = state.model;
  at("opening-model").textContent = state.model;
  document.title = `${state.model}: netweight`;
  showBusy(state.stop !== null);
  focusPrompt();
}

/** Ready to type; but on a phone that would bring up the keyboard, before the answer. */
function focusPrompt() {
  if (wide.matches) prompt.focus();
}

function askForKey() {
  notice(sessionStorage.getItem(KEY) ? "The server does not know this key." : "");
  at("key-form").hidden = false;
  at("key").focus();
}

// Beginning

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (waits(state.messages)) {
    document.querySelector("#turns .results-form textarea").focus();
    return;
  }
  if (state.model === null || !send(prompt.value)) return;
  prompt.value = "";
  focusPrompt();
});
prompt.addEventListener("keydown", (event) => {
  if (!sends(event)) return;
  event.preventDefault();
  at("composer").requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") state.stop?.abort();
});
at("stop").addEventListener("click", () => state.stop?.abort());
at("turns").addEventListener("click", copyBlock);
at("new").addEventListener("click", async () => {
  await halt();
  truncate(0);
  notice("");
  say("A new conversation.");
  showBusy(false);
  focusPrompt();
});
at("export").addEventListener("click", exportFile);
at("import").addEventListener("click", () => at("import-file").click());
at("import-file").addEventListener("change", importFile);
at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value.trim());
  at("key").value = "";
  connect();
});
settingsForm.addEventListener("input", settingsChanged);
settingsForm.addEventListener("change", save);
settingsForm.addEventListener("submit", (event) => event.preventDefault());
for (const one of document.querySelectorAll("[data-example]")) {
  one.addEventListener("click", () => putExample(one.dataset.example));
}

const showPanel = () => (at("panel").open = wide.matches);
wide.addEventListener("change", showPanel);
showPanel();
showBusy(false);
connect().then(() => {
  restore();
  showSettings();
});
