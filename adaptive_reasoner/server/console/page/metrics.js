// What the server counts, read from its Prometheus page.

import { call } from "./api.js";
import { find, make } from "./dom.js";

const OWN = /^adaptive_reasoner_/;
const EVERY_MS = 5000;
let timer = 0;

export async function openMetrics() {
  await show();
  clearInterval(timer);
  timer = setInterval(() => document.hidden || show(), EVERY_MS);
}

// What every route takes is the longest list and the least telling.
const byInterest = (one, other) => Number(one.name.includes("_http_")) - Number(other.name.includes("_http_"));

export const closeMetrics = () => clearInterval(timer);

async function show() {
  try {
    const families = read(await (await call("/metrics")).text()).filter(({ name, samples }) => OWN.test(name) && samples.length);
    const none = make("p", { class: "note" }, "Nothing is counted yet: ask something first.");
    find("metric-list").replaceChildren(...(families.length ? [...families].sort(byInterest).map(card) : [none]));
  } catch (problem) {
    closeMetrics();
    const said = problem.status === 404 ? "This server shows no metrics." : problem.message;
    find("metric-list").replaceChildren(make("p", { class: "note" }, said));
  }
}

// [{name, help, type, samples: [{suffix, labels, value}]}]
export function read(text) {
  const families = new Map();
  const family = (name) => families.get(name) ?? families.set(name, { name, help: "", type: "", samples: [] }).get(name);
  let current = null;
  for (const line of text.split("\n")) {
    const about = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (about) {
      current = family(about[2]);
      current[about[1].toLowerCase()] = about[3];
      continue;
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!sample || !current || !sample[1].startsWith(current.name.replace(/_total$/, ""))) continue;
    const labels = [...(sample[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]);
    current.samples.push({ suffix: sample[1].slice(current.name.length), labels, value: Number(sample[3]) });
  }
  return [...families.values()].filter(({ name }) => !name.endsWith("_created"));
}

function card({ name, help, type, samples }) {
  const rows = type === "histogram" ? means(samples, name.endsWith("_seconds") ? seconds : number) : samples.filter(({ suffix }) => suffix !== "_created").map(({ labels, value }) => [labels, number(value)]);
  const title = help.replace(/\.$/, "") || name.replace(OWN, "").replaceAll("_", " ");
  const items = rows.map(([labels, value]) => make("div", {}, make("dt", {}, labels.map(([, text]) => text).filter((text) => text !== "-").join(" · ") || "all"), make("dd", {}, value)));
  return make("article", { class: "card metric" }, make("h3", {}, title), make("dl", {}, ...items));
}

// A histogram as its count and mean.
function means(samples, write) {
  const sums = new Map(samples.filter(({ suffix }) => suffix === "_sum").map((one) => [JSON.stringify(one.labels), one.value]));
  return samples.filter(({ suffix, value }) => suffix === "_count" && value > 0)
    .map(({ labels, value }) => [labels, `${number(value)}, mean ${write(sums.get(JSON.stringify(labels)) / value)}`]);
}

const number = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(3))));
const seconds = (value) => (value < 1 ? `${number(value * 1000)} ms` : `${number(value)} s`);
