/**
 * A conversation: its messages, what is sent of them, what chunks add to them, and its file.
 *
 * Messages are those of OpenAI's chat API. What the page knows beyond it stands in an answer's
 * `netweight`. Knows no page and no network.
 *
 * @typedef {{kind: string, text: string, numTokens: number, call?: number}} Part a stretch of one
 *   channel, or (kind "call") a tool call by its index
 */

const FORMAT = "netweight conversation 1";
// Of what comes in less time the page cannot tell how fast it was written: it came in one piece.
const LEAST_TIMED_S = 0.05;
const EFFORTS = ["low", "medium", "high"];

export const DEFAULTS = Object.freeze({
  effort: "medium",
  temperature: "1",
  maxTokens: "",
  seed: "",
  instructions: "",
  tools: "",
  toolChoice: "auto",
  schema: "",
  tells: true,
});

/** A setting that cannot be used; `field` is its name. */
export class SettingError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** An answer of which nothing has come. */
export function newAnswer() {
  return {
    role: "assistant",
    content: "",
    reasoning: "",
    tool_calls: [],
    netweight: {
      parts: [],
      prompt: [],
      tokens: [],
      finish: null, // OpenAI's finish_reason, or "stopped" (by the user), or "broken"
      error: null,
      usage: null,
      seed: null,
      sent: null, // milliseconds, as are the next two
      first: null,
      last: null,
      numFirst: 0, // tokens that had come with the first text
    },
  };
}

/** Take one chunk of the stream into an answer, at a time in milliseconds. */
export function take(answer, chunk, now) {
  const own = answer.netweight;
  own.prompt = chunk.netweight?.prompt ?? own.prompt;
  const tokens = chunk.netweight?.tokens ?? [];
  own.tokens.push(...tokens);
  own.seed = chunk.seed ?? own.seed;
  own.usage = chunk.usage ?? own.usage;
  const [choice] = chunk.choices;
  if (!choice || choice.delta.role) return; // the opening says only who speaks
  if (own.first === null) {
    own.first = now;
    own.numFirst = tokens.length || 1;
  }
  own.last = now;
  own.finish = choice.finish_reason ?? own.finish;
  takeDelta(answer, choice.delta, tokens);
}

function takeDelta(answer, delta, tokens) {
  const { reasoning, content, tool_calls: calls } = delta;
  if (reasoning) {
    answer.reasoning += reasoning;
    addText(answer, "analysis", reasoning, tokens);
  }
  if (content) {
    answer.content += content;
    addText(answer, contentKind(answer, tokens), content, tokens);
  }
  for (const call of calls ?? []) takeCall(answer, call);
}

/** Whether content is a preamble or the final answer, which only tokens tell. */
function contentKind(answer, tokens) {
  const told = tokens.findLast((token) => ["commentary", "final"].includes(token.kind));
  const last = answer.netweight.parts.at(-1)?.kind;
  return told?.kind ?? (last === "commentary" ? last : "final");
}

function addText(answer, kind, text, tokens) {
  const { parts } = answer.netweight;
  let part = parts.at(-1);
  if (part?.kind !== kind) {
    part = { kind, text: "", numTokens: 0 };
    parts.push(part);
  }
  // The server keeps messages of one kind apart by an empty line; parts are apart already.
  part.text += part.text ? text : text.replace(/^\n+/, "");
  part.numTokens += tokens.filter((token) => token.kind === kind).length;
}

function takeCall(answer, call) {
  if (call.id) {
    const { name } = call.function;
    answer.tool_calls.push({ id: call.id, type: "function", function: { name, arguments: "" } });
    answer.netweight.parts.push({ kind: "call", text: "", numTokens: 0, call: call.index });
  }
  answer.tool_calls[call.index].function.arguments += call.function.arguments ?? "";
}

/** What was measured of an answer; null where it is not known. */
export function readings(answer) {
  const { usage, prompt, tokens, first, last, sent, numFirst } = answer.netweight;
  const numWritten = usage?.completion_tokens ?? (tokens.length || null);
  const seconds = first === null ? 0 : (last - first) / 1000;
  const numAfter = numWritten === null ? 0 : numWritten - numFirst;
  return {
    tokensPerSecond: numAfter > 0 && seconds >= LEAST_TIMED_S ? numAfter / seconds : null,
    firstS: first === null || sent === null ? null : (first - sent) / 1000,
    numPrompt: usage?.prompt_tokens ?? (prompt.length || null),
    numCached: usage?.prompt_tokens_details.cached_tokens ?? null,
    numWritten,
    numReasoning: usage?.completion_tokens_details.reasoning_tokens ?? null,
  };
}

/** The calls of an answer that ended by calling; those of one that broke off are not whole. */
export function callsOf(message) {
  return message?.netweight?.finish === "tool_calls" ? message.tool_calls : [];
}

/** The tool's message that answers a call, if there is one. */
export function resultOf(messages, call) {
  return messages.find((message) => message.role === "tool" && message.tool_call_id === call.id);
}

/** Whether the model waits for what a tool answers. */
export function waits(messages) {
  const answer = messages.findLast((message) => message.role === "assistant");
  return callsOf(answer).some((call) => !resultOf(messages, call));
}

/** The request's body. Throws SettingError. */
export function toBody(model, messages, settings) {
  const instructions = settings.instructions.trim();
  const opening = instructions ? [{ role: "developer", content: instructions }] : [];
  const body = {
    model,
    messages: [...opening, ...messages.map(plain)],
    stream: true,
    stream_options: { include_usage: true },
    ...fields(settings),
  };
  if (settings.tells) body.netweight = { tokens: true };
  return body;
}

/** A message as OpenAI's API has it. */
function plain(message) {
  if (message.role !== "assistant") return message;
  const calls = callsOf(message);
  return {
    role: "assistant",
    content: message.content,
    ...(message.reasoning && { reasoning: message.reasoning }),
    ...(calls.length && { tool_calls: calls }),
  };
}

/** The settings as the request's fields. Throws SettingError. */
export function fields(settings) {
  const found = {
    reasoning_effort: settings.effort,
    temperature: Number(settings.temperature),
  };
  const maxTokens = wholeNumber(settings, "maxTokens", "Max tokens", 1);
  if (maxTokens !== null) found.max_completion_tokens = maxTokens;
  const seed = wholeNumber(settings, "seed", "The seed", Number.MIN_SAFE_INTEGER);
  if (seed !== null) found.seed = seed;
  const tools = json(settings, "tools");
  if (tools !== null) {
    if (!Array.isArray(tools)) throw new SettingError("tools", "Tools are a list: [ … ].");
    if (tools.length) {
      found.tools = tools;
      found.tool_choice = toolChoice(settings);
    }
  }
  const schema = json(settings, "schema");
  if (schema !== null) {
    if (typeof schema !== "object" || Array.isArray(schema)) {
      throw new SettingError("schema", "A schema is an object: { … }.");
    }
    found.response_format = { type: "json_schema", json_schema: { name: "answer", schema } };
  }
  return found;
}

/** The names of the tools, or null where the setting is no list of functions (yet). */
export function toolNames(settings) {
  try {
    return (json(settings, "tools") ?? []).map((tool) => tool.function.name);
  } catch {
    return null; // `fields` tells what is wrong with it
  }
}

/** The setting's value that stands for a call of one tool. No name has a colon. */
export function choiceOf(name) {
  return `function:${name}`;
}

function toolChoice({ toolChoice: choice }) {
  const [, name] = choice.split("function:");
  return name === undefined ? choice : { type: "function", function: { name } };
}

function wholeNumber(settings, field, what, least) {
  const text = settings[field].trim();
  if (!text) return null;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < least) {
    const bound = least > 0 ? `, ${least} or more` : "";
    throw new SettingError(field, `${what} is a whole number${bound}, or left empty.`);
  }
  return number;
}

function json(settings, field) {
  const text = settings[field].trim();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SettingError(field, `This is not JSON: ${error.message}`);
  }
}

/** The conversation's file, as text. */
export function toFile(model, messages, settings, date) {
  const file = { format: FORMAT, model, date: date.toISOString(), settings, messages };
  return JSON.stringify(file, null, 1);
}

/** A message with everything but its tokens, which are most of it. */
export function withoutTokens(message) {
  if (message.role !== "assistant") return message;
  return { ...message, netweight: { ...message.netweight, prompt: [], tokens: [] } };
}

/** The messages and settings of a file. Throws an Error that says what is wrong with it. */
export function fromFile(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new Error(`The file is not JSON: ${error.message}`);
  }
  if (file?.format !== FORMAT) {
    throw new Error(`The file is no conversation of this page: its format is not “${FORMAT}”.`);
  }
  if (!Array.isArray(file.messages)) throw new Error("The file has no list of messages.");
  return {
    messages: file.messages.map(checkedMessage),
    settings: checkedSettings(file.settings ?? {}),
  };
}

function checkedSettings(given) {
  const settings = { ...DEFAULTS };
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = given[name] ?? usual;
    if (typeof value !== typeof usual) throw new Error(`The file’s setting ${name} is no ${typeof usual}.`);
    settings[name] = value;
  }
  if (!EFFORTS.includes(settings.effort)) throw new Error("The file’s effort is none of the three.");
  return settings;
}

function checkedMessage(message, index) {
  const where = `Message ${index + 1} of the file`;
  if (!["user", "assistant", "tool"].includes(message?.role)) throw new Error(`${where} has no role.`);
  if (typeof message.content !== "string") throw new Error(`${where} has no text.`);
  if (message.role === "tool" && typeof message.tool_call_id !== "string") {
    throw new Error(`${where} answers no call.`);
  }
  if (message.role !== "assistant") return message;
  const empty = newAnswer();
  const answer = { ...empty, ...message, netweight: { ...empty.netweight, ...message.netweight } };
  const calls = answer.tool_calls;
  const isWhole = (call) =>
    [call?.id, call?.function?.name, call?.function?.arguments].every((one) => typeof one === "string");
  if (!Array.isArray(calls) || !calls.every(isWhole)) throw new Error(`${where} has a broken call.`);
  const { parts, tokens, prompt } = answer.netweight;
  if (![parts, tokens, prompt].every(Array.isArray)) throw new Error(`${where} has broken parts.`);
  if (!parts.every((part) => isPart(part, calls))) throw new Error(`${where} has a broken part.`);
  if (![...tokens, ...prompt].every(isToken)) throw new Error(`${where} has a broken token.`);
  return answer;
}

function isPart(part, calls) {
  if (part?.kind === "call") return part.call in calls;
  return ["analysis", "commentary", "final"].includes(part?.kind) && typeof part.text === "string";
}

function isToken(token) {
  return (
    Number.isInteger(token?.id) &&
    typeof token.text === "string" &&
    typeof token.kind === "string" &&
    (token.top === undefined || Array.isArray(token.top))
  );
}
