// One question and how its answer comes about: the route as it is taken, drafts, the answer, and what it cost.

import { alwaysThinking, confidence, NODE, routeWords, sentence, spent, VERDICT } from "./words.js";
import { heat, heatWords, legend, level } from "./heat.js";
import { make, say, whole } from "./dom.js";
import { showWhy } from "./why.js";

const IS_DRAFT = new Set(["refine", "escalate"]);

export class Turn {
  constructor(question, facts) {
    this.facts = facts;
    this.tokens = [];
    this.route = make("ol", { class: "route", "aria-label": "How the answer comes about" });
    this.answer = make("div", { class: "answer" }, make("p", { class: "thinking" }, "Working…"));
    this.element = make("article", { class: "turn" },
      make("h3", {}, make("span", { class: "who" }, "You: "), question), this.route, this.answer);
  }

  // What the server tells while it works.
  happened(event) {
    if (event.event === "triage") this.#step(`Triage: ${routeWords(event.route).toLowerCase()}`, sentence(event.triage.reason), "triage");
    if (event.event === "call") this.#begin(event.node);
    if (event.event === "draft") this.#grow(event);
    if (event.event === "second_opinion") this.live?.note.replaceChildren("Asking in another way how sure it is…");
    if (event.event === "round") this.#judge(event);
  }

  finished(text, report) {
    this.report = report;
    this.live?.element.remove();
    const [words, kind] = confidence(report);
    const isWaiting = report.review?.status === "pending";
    const isOwn = !isWaiting && !["edited", "rejected"].includes(report.review?.status);
    const tokens = isOwn ? this.tokens : [];
    const body = heat(text, tokens);
    const isHot = body.querySelector(".heat") !== null;
    this.answer.replaceChildren(body);
    if (isHot) this.answer.append(this.#heatBox(body, tokens));
    this.answer.append(this.#foot(words, kind), ...this.#cost(report));
    this.answer.scrollIntoView({ block: "nearest" }); // a turn may be longer than the screen, its answer hardly ever
    say(isWaiting ? `Waiting for a person: ${text}` : `Answer: ${text}`);
  }

  failed(message) {
    this.live?.element.remove();
    this.answer.replaceChildren(make("p", { class: "note bad", role: "alert" }, message));
  }

  #step(title, reason, kind) {
    const note = make("p", { class: "fine" }, reason);
    const element = make("li", { class: kind }, make("strong", {}, title), note);
    this.route.append(element);
    return { element, note };
  }

  #begin(node) {
    const step = this.#step(NODE[node] ?? node, "Working…", "step is-live");
    const thought = make("p", { class: "text" });
    const box = make("details", { class: "thoughts", hidden: true }, make("summary", {}, "Thoughts"), thought);
    const draft = make("p", { class: "text draft" });
    step.element.append(box, draft);
    this.live = { ...step, box, thought, draft };
    say(NODE[node] ?? node);
  }

  #grow({ thought, text }) {
    if (!this.live) return;
    if (thought) {
      this.live.box.hidden = false;
      this.live.thought.append(thought);
    }
    if (text) this.live.draft.append(text);
  }

  #judge({ round, text, tokens }) {
    this.tokens = tokens ?? [];
    const { element, note, draft } = this.live ?? this.#step(NODE[round.node] ?? round.node, "", "step");
    element.classList.remove("is-live");
    element.classList.add(round.verdict === "accept" ? "is-accepted" : "is-doubted");
    const verdict = round.error ? `no answer (${round.error})` : VERDICT[round.verdict];
    note.replaceChildren(make("span", { class: "verdict" }, verdict), ` ${sentence(round.reason)}`);
    draft?.remove();
    if (IS_DRAFT.has(round.verdict) && text) {
      const old = heat(text, this.tokens);
      element.append(make("div", { class: "replaced" }, make("span", { class: "tag" }, "Replaced draft"), make("del", {}, old),
        make("p", { class: "hidden-text" }, heatWords(this.tokens))));
    }
    this.live = null;
  }

  #heatBox(body, tokens) {
    const words = make("p", { class: "fine" }, heatWords(tokens));
    const box = make("details", { class: "heat-box" }, make("summary", {}, "How sure, token by token"), words, legend());
    box.addEventListener("toggle", () => body.classList.toggle("is-hot", box.open));
    box.open = tokens.some(([, nats]) => level(nats) >= 2);
    return box;
  }

  #foot(words, kind) {
    const why = make("button", { type: "button", class: "quiet", onclick: () => showWhy(this.report) }, "Why this answer?");
    return make("div", { class: "row foot" }, make("span", { class: `pill ${kind}` }, words), make("span", { class: "grow" }), why);
  }

  #cost(report) {
    const line = make("p", { class: "fine" }, `${spent(report.usage, report.rounds.length)}.`);
    const other = alwaysThinking(report, this.facts.usual_deep_tokens);
    if (!other || !other.used) return [line];
    const most = Math.max(other.used, other.tokens);
    const bar = (name, value) => make("div", { class: "bar" }, make("span", {}, name),
      make("progress", { max: most, value, "aria-label": name }), make("span", {}, whole(value)));
    return [line, make("div", { class: "bars" }, bar("this answer", other.used), bar("always thinking", other.tokens),
      make("p", { class: "fine" }, `Tokens written. Always thinking is ${other.source}.`))];
  }
}
