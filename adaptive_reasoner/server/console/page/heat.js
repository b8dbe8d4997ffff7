// The token heat map: each token with the entropy of the model's choice there, in colour, underline and words.

import { make } from "./dom.js";

// Upper ends of the levels, in nats. ln 2 is a coin's toss.
const LEVELS = [0.05, 0.3, 0.7, 1.2];
const NAMES = ["sure", "almost sure", "some doubt", "doubt", "strong doubt"];

export const level = (nats) => LEVELS.filter((end) => nats > end).length;

// `text` cut as the tokens cut it; where they do not join to it, nothing is coloured.
export function heat(text, tokens) {
  const joined = tokens.map(([piece]) => piece).join("");
  const start = joined.indexOf(text.trim());
  const fits = tokens.length && (start >= 0 || text.includes(joined.trim()));
  if (!fits) return make("p", { class: "text" }, text);
  const marks = tokens.map(([piece, nats]) => {
    const depth = level(nats);
    return make("span", { class: `heat heat-${depth}`, title: `${NAMES[depth]}: ${nats.toFixed(2)} nats` }, piece);
  });
  return make("p", { class: "text" }, ...marks);
}

export function legend() {
  const items = NAMES.map((name, depth) => make("li", {}, make("span", { class: `heat heat-${depth}` }, name)));
  return make("ul", { class: "legend", "aria-hidden": "true" }, ...items);
}

// The same in words: for who cannot see the colours.
export function heatWords(tokens) {
  const doubted = tokens.filter(([, nats]) => level(nats) >= 2).sort((one, other) => other[1] - one[1]);
  if (!tokens.length) return "How sure the model was of each token is unknown.";
  if (!doubted.length) return `Sure or almost sure of all ${tokens.length} tokens.`;
  const worst = doubted.slice(0, 5).map(([piece, nats]) => `“${piece.trim() || "space"}” (${nats.toFixed(2)} nats)`);
  return `In doubt at ${doubted.length} of ${tokens.length} tokens, most at ${worst.join(", ")}.`;
}
