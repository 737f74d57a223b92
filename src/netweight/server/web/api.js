/**
 * The server's API: which model it has, and answers as they stream.
 *
 * Knows HTTP; knows nothing of the page.
 */

/** Something that the server, or the way to it, did not let happen. */
export class ApiError extends Error {
  /** @param {string} message @param {number | null} status HTTP's, where there is one */
  constructor(message, status = null) {
    super(message);
    this.status = status;
  }
}

const UNREACHABLE = "The server cannot be reached. Is it still running?";
const BROKEN_OFF = "The connection broke off before the answer had ended.";

/** The name of the model that is served. Throws ApiError. */
export async function modelName(key) {
  const response = await send("v1/models", { headers: headers(key) });
  return (await response.json()).data[0].id;
}

/**
 * The chunks of a streamed answer (https://platform.openai.com/docs/api-reference/chat-streaming).
 *
 * Throws ApiError for a refusal, an error in the stream, or a connection that breaks off, and the
 * signal's AbortError.
 */
export async function* chunks(body, { key, signal }) {
  const response = await send("v1/chat/completions", {
    method: "POST",
    headers: { ...headers(key), "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const chunk = parsed(data);
    if (chunk.error) throw new ApiError(chunk.error.message);
    yield chunk;
  }
  throw new ApiError(BROKEN_OFF);
}

function headers(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function send(path, options) {
  const response = await networked(() => fetch(path, options), UNREACHABLE);
  if (!response.ok) throw new ApiError(await complaint(response), response.status);
  return response;
}

/** What `work` gives; its failure as an ApiError, unless it was asked to stop. */
async function networked(work, message) {
  try {
    return await work();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(message);
  }
}

async function complaint(response) {
  const text = await networked(() => response.text(), BROKEN_OFF);
  try {
    return JSON.parse(text).error.message;
  } catch {
    // Whatever stands between this page and the server does not speak as the server does.
    return `HTTP ${response.status} ${response.statusText}: ${text.slice(0, 200)}`;
  }
}

function parsed(data) {
  try {
    return JSON.parse(data);
  } catch {
    throw new ApiError(`The server sent something that is not JSON: ${data.slice(0, 200)}`);
  }
}

/** The data of server-sent events; each is one line here. */
async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await networked(() => reader.read(), BROKEN_OFF);
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data: ")) yield line.slice("data: ".length);
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // it may have failed already, which has been told
  }
}
