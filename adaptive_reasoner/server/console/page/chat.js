// The chat: asks over the same route as every client, and shows what the stream tells.

import { call, events, json } from "./api.js";
import { find, make, say } from "./dom.js";
import { Turn } from "./turn.js";

const EXAMPLES = [
  "Tom has 7 pens. He buys 5 more. How many pens does Tom have now?",
  "What is 9 * 8 - 12?",
  "What is 3 * 17 - 48 / 6?",
];
const LOOK_AGAIN_MS = 2000;

let facts = {};
let thread = newThread();
let running = null;

function newThread() {
  return `console-${crypto.getRandomValues(new Uint32Array(3)).join("-")}`;
}

export function setUpChat() {
  find("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(find("question").value.trim());
  });
  find("question").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    find("ask").requestSubmit();
  });
  find("stop").addEventListener("click", () => running?.abort());
  find("new-chat").addEventListener("click", begin);
  for (const text of EXAMPLES) {
    const pick = make("button", { type: "button", class: "example", onclick: () => ask(text) }, text);
    find("examples").append(make("li", {}, pick));
  }
}

export async function openChat() {
  facts = await json("/v1/console/facts").catch(() => ({}));
}

function begin() {
  running?.abort();
  thread = newThread();
  find("turns").replaceChildren(find("welcome") ?? welcome);
  say("A new chat");
  find("question").focus();
}
const welcome = find("welcome");

async function ask(text) {
  if (!text || running) return;
  welcome.remove();
  const turn = new Turn(text, facts);
  find("turns").append(turn.element);
  find("question").value = "";
  turn.element.scrollIntoView({ block: "start" });
  running = new AbortController();
  busy(true);
  try {
    await answer(turn, text, running.signal);
  } catch (problem) {
    turn.failed(problem.name === "AbortError" ? "Stopped. Nothing of this turn is kept." : problem.message);
  } finally {
    running = null;
    busy(false);
    find("question").focus();
  }
}

async function answer(turn, text, signal) {
  const thinking = find("thinking").value, model = find("model").value;
  const wishes = { thread_id: thread, events: true, drafts: true };
  if (model === "adaptive" && thinking !== "auto") wishes.thinking = thinking;
  const body = { model, stream: true, messages: [{ role: "user", content: text }], adaptive_reasoning: wishes };
  let said = "", report = null;
  for await (const event of events("/v1/chat/completions", body, signal)) {
    const told = event.adaptive_reasoning;
    if (told?.event) turn.happened(told.event);
    else if (told) report = told;
    for (const choice of event.choices) {
      said += choice.delta.content ?? choice.delta.refusal ?? "";
      if (choice.delta.tool_calls) said += JSON.stringify(choice.delta.tool_calls);
    }
  }
  turn.finished(said, report);
  if (report.review?.status === "pending") watch(turn, report.review.url);
}

// A pending answer is asked for until a person has decided, as long as its turn is on the page.
async function watch(turn, url) {
  while (turn.element.isConnected) {
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
    const outcome = await call(url).then((response) => response.json(), () => null);
    if (!outcome?.completion) continue;
    const { choices, adaptive_reasoning: report } = outcome.completion;
    turn.finished(choices[0].message.content ?? JSON.stringify(choices[0].message.tool_calls), report);
    return;
  }
}

function busy(is) {
  find("send").disabled = is;
  find("stop").hidden = !is;
  find("turns").setAttribute("aria-busy", is);
}
