// What a report comes to, in words that a person can read.

import { counted, dollars, percent, whole } from "./dom.js";

export const NODE = {
  fast_answer: "Answer at once",
  deep_think: "Think it through",
  refine: "Look again",
};
export const VERDICT = {
  accept: "accepted",
  refine: "in doubt: look again",
  escalate: "in doubt: think it through",
  review: "in doubt: ask a person",
  give_up: "still in doubt: handed on as it is",
};
export const REVIEW = {
  pending: "waiting for a person",
  approved: "approved by a person",
  edited: "corrected by a person",
  rejected: "withheld by a person",
  rethinking: "thinking again from a marked step",
  rethought: "thought again from a marked step",
};
// An accepted answer that is riskier than this was the best to be had.
const DOUBTFUL_RISK = 0.1;

export const sentence = (text) => {
  const trimmed = (text ?? "").trim();
  if (!trimmed) return "";
  const ended = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return ended[0].toUpperCase() + ended.slice(1);
};

export const routeWords = (route) => (route === "deep" ? "Think first" : "Answer at once");

const isAccepted = (report) => report.rounds[report.accepted_round]?.verdict === "accept";

// [words, how it is coloured]
export function confidence(report) {
  if (report.review?.status) return [REVIEW[report.review.status], report.review.status === "pending" ? "wait" : "sure"];
  const risk = report.signal.risk;
  if (!isAccepted(report)) return [risk == null ? "not sure" : `not sure: ${percent(risk)} risk of being wrong`, "doubt"];
  if (risk == null) return ["accepted, risk unknown for this model", "plain"];
  return [`${risk <= DOUBTFUL_RISK ? "sure" : "accepted, but doubtful"}: ${percent(risk)} risk of being wrong`,
    risk <= DOUBTFUL_RISK ? "sure" : "doubt"];
}

export function spent(usage, rounds) {
  const money = usage.cost_usd ? dollars(usage.cost_usd) : usage.cost_usd === 0 ? "at no price" : "";
  return `${counted(usage.output_tokens, "token")} written in ${counted(rounds, "model call")}` +
    (usage.reasoning_tokens ? `, ${whole(usage.reasoning_tokens)} of them thought` : "") + (money ? `, ${money}` : "");
}

// What always thinking would have written, from this answer's own thinking or the usual length of one.
export function alwaysThinking(report, usual) {
  const deep = report.rounds.find((round) => round.node === "deep_think" && !round.error);
  const used = report.rounds.reduce((sum, round) => sum + round.usage.output_tokens, 0);
  if (deep) return { used, tokens: deep.usage.output_tokens, source: "measured: the thinking above" };
  if (usual) return { used, tokens: usual, source: "an estimate: the mean over the problems this model was calibrated on" };
  return null;
}

export function signalWords(signal) {
  if (!signal || signal.kind === "none") return sentence(signal?.reason ?? "How sure the model was is unknown");
  const parts = [];
  if (signal.risk != null) parts.push(`risk of being wrong ${percent(signal.risk)}`);
  if (signal.min_probability != null) parts.push(`least probable token ${percent(signal.min_probability)}`);
  if (signal.entropy_nats) parts.push(`highest doubt ${signal.entropy_nats.lower.toFixed(2)} nats`);
  return sentence(parts.join(", ") || signal.reason || "How sure the model was is unknown");
}
