// The drawer that says in words why an answer is the one it is.

import { find, make, percent } from "./dom.js";
import { confidence, NODE, REVIEW, routeWords, sentence, signalWords, spent, VERDICT } from "./words.js";

export function setUpWhy() {
  const drawer = find("why");
  find("why-close").addEventListener("click", () => drawer.close());
  drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
}

export function showWhy(report) {
  find("why-body").replaceChildren(...whyParts(report));
  find("why").showModal();
}

export function whyParts(report) {
  const [words] = confidence(report);
  return [
    make("p", { class: "lead" }, sentence(words)),
    part("Where it began", `${routeWords(report.route)}. ${sentence(report.triage.reason)}`),
    make("h3", {}, report.rounds.length === 1 ? "What was tried" : `What was tried, in ${report.rounds.length} steps`),
    make("ol", { class: "steps" }, ...report.rounds.map(step)),
    ...doubts(report),
    part("What it cost", `${spent(report.usage, report.rounds.length)}, and ${report.usage.input_tokens.toLocaleString("en")} read.`),
    ...budget(report.budget),
    ...decided(report.review),
  ];
}

const part = (title, text) => make("div", {}, make("h3", {}, title), make("p", {}, text));

function step(round, index) {
  const verdict = round.error ? `no answer (${round.error})` : VERDICT[round.verdict];
  return make("li", {}, make("strong", {}, NODE[round.node] ?? round.node), ` → ${verdict}. ${sentence(round.reason)}`,
    make("p", { class: "fine" }, `${round.error ? "" : signalWords(round.signal)} ${round.usage.output_tokens} tokens, ${round.latency_seconds.toFixed(2)} s.`));
}

function doubts(report) {
  const spans = (report.signal.spans ?? []).filter((span) => (span.alternatives ?? []).length > 1).slice(0, 4);
  if (!spans.length) return [];
  const rows = spans.map((span) => {
    const others = span.alternatives.slice(0, 4).map(([text, share]) => `“${text.trim()}” ${percent(share)}`);
    return make("li", {}, `“${span.text.trim()}”: the model weighed ${others.join(", ")}`);
  });
  return [make("h3", {}, "Where it hesitated"), make("ul", {}, ...rows)];
}

function budget(status) {
  if (!status) return [];
  const stopped = status.exhausted ? `It stopped the run: ${status.exhausted}.` : "It did not stop the run.";
  return [part("Budget", stopped)];
}

function decided(review) {
  if (!review) return [];
  const by = review.reviewer ? ` by ${review.reviewer}` : "";
  const comment = review.comment ? ` ${sentence(review.comment)}` : "";
  return [part("A person", sentence((REVIEW[review.status] ?? review.action) + by) + comment)];
}
