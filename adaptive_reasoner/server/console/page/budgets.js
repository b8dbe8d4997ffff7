// Which budgets hold, and what is used of them.

import { json } from "./api.js";
import { dollars, find, make, whole } from "./dom.js";

const PER = { query: "each question", thread: "each thread", tenant: "the tenant", day: "today (UTC)" };
const UNITS = {
  max_tokens: ["tokens", whole], max_model_calls: ["model_calls", whole],
  max_usd: ["cost_usd", dollars], max_seconds: ["seconds", (value) => `${whole(value)} s`],
};
const NAMES = { tokens: "tokens", model_calls: "model calls", cost_usd: "dollars", seconds: "seconds of model time" };

export async function openBudgets() {
  try {
    const { data, tenant } = await json("/v1/budgets");
    const none = make("p", { class: "note" }, "No budget is set. The settings’ [policy] and [tenants] can set some: per question, thread, tenant or day.");
    find("budget-list").replaceChildren(
      ...(tenant ? [make("p", {}, `Tenant: ${tenant}`)] : []), ...(data.length ? [table(data)] : [none]));
  } catch (problem) {
    find("budget-list").replaceChildren(make("p", { class: "note bad", role: "alert" }, problem.message));
  }
}

function table(data) {
  const head = make("tr", {}, ...["Holds for", "What", "Limit", "Used", ""].map((name) => make("th", { scope: "col" }, name)));
  const rows = data.flatMap((budget) => Object.entries(UNITS).filter(([name]) => budget[name] != null).map(([name, [unit, write]]) => {
    const limit = budget[name], used = budget.used?.[unit];
    return make("tr", {}, make("th", { scope: "row" }, PER[budget.per]), make("td", {}, NAMES[unit]), make("td", {}, write(limit)),
      make("td", {}, used == null ? (budget.used ? "unknown" : "told in each answer") : write(used)),
      make("td", {}, used == null ? null : make("meter", { min: 0, max: limit, high: limit * 0.8, value: Math.min(used, limit), "aria-label": "share used" })));
  }));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Budgets" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}
