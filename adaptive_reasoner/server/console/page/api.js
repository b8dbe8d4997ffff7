// Asks the server. The key stays in this tab's sessionStorage and goes nowhere but to this page's own server.

const KEY = "adaptive_reasoner.key";

export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

export class Refused extends Error {
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export async function call(path, { body, signal } = {}) {
  const headers = key.get() ? { authorization: `Bearer ${key.get()}` } : {};
  const options = { headers, signal, cache: "no-store" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    headers["content-type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Refused(0, "The server cannot be reached. Is it running?");
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

export const json = async (path, options) => (await call(path, options)).json();

async function refusal(response) {
  const text = await response.text();
  let error = {};
  try {
    error = JSON.parse(text).error ?? {};
  } catch {
    error = { message: text };
  }
  const hint = response.status === 401 ? " Enter a key at the top of the page." : "";
  return new Refused(response.status, (error.message || `The server said ${response.status}.`) + hint, error.code);
}

// The events of a stream, as objects. An event that holds an error is raised.
export async function* events(path, body, signal) {
  const response = await call(path, { body, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Refused(0, "The connection was lost before the answer was whole.");
    rest += value;
    const pieces = rest.split("\n\n");
    rest = pieces.pop();
    for (const piece of pieces) {
      if (!piece.startsWith("data: ")) continue;
      if (piece === "data: [DONE]") return;
      const event = JSON.parse(piece.slice(6));
      if (event.error) throw new Refused(200, event.error.message, event.error.code);
      yield event;
    }
  }
}
