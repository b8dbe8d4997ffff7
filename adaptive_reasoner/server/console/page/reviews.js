// The queue of answers that wait for a person.

import { json } from "./api.js";
import { find, make, percent, say } from "./dom.js";
import { whyParts } from "./why.js";
import { REVIEW } from "./words.js";

const DONE = { approve: "Approved", edit: "Corrected", reject: "Withheld" };

export function setUpReviews() {
  find("review-refresh").addEventListener("click", openReviews);
  find("review-status").addEventListener("change", openReviews);
}

export async function openReviews() {
  const list = find("review-list");
  try {
    const { data, has_more: more } = await json(`/v1/reviews?status=${find("review-status").value}`);
    const empty = make("p", { class: "note" }, "Nothing waits. Answers in doubt come here where policy.review is “low_confidence”.");
    list.replaceChildren(...(data.length ? data.map(card) : [empty]));
    if (more) list.append(make("p", { class: "fine" }, "There are more: decide on these first."));
  } catch (problem) {
    list.replaceChildren(make("p", { class: "note bad", role: "alert" }, problem.message));
  }
  countWaiting();
}

export async function countWaiting() {
  const found = await json("/v1/reviews?limit=99").catch(() => null);
  const badge = find("waiting-count"), count = found?.data.length ?? 0;
  badge.hidden = !count;
  badge.replaceChildren(found?.has_more ? "99+" : String(count), make("span", { class: "hidden-text" }, " waiting"));
}

function card(review) {
  const title = `title-${review.id}`;
  const element = make("article", { class: "card", "aria-labelledby": title },
    make("h3", { id: title }, review.question || "(no text)"),
    make("p", { class: "fine" }, [when(review.created_at), review.tenant, review.thread_id && `thread ${review.thread_id}`,
      review.risk != null && `risk ${percent(review.risk)}`].filter(Boolean).join(" · ")),
    ...(review.answer ? [make("p", { class: "text quote" }, review.answer)] : []),
    ...(review.tool_calls ? [make("pre", { class: "quote" }, JSON.stringify(review.tool_calls, null, 2))] : []));
  element.append(...(review.status === "pending" ? form(review, element) : [make("p", {}, make("span", { class: "pill plain" }, REVIEW[review.status]))]), more(review));
  return element;
}

const when = (seconds) => new Date(seconds * 1000).toLocaleString();

function form(review, element) {
  const calls = review.tool_calls;
  const edited = make("textarea", { id: `edit-${review.id}`, rows: calls ? 6 : 3, spellcheck: "true" });
  edited.value = calls ? JSON.stringify(calls, null, 2) : review.answer;
  const comment = make("input", { id: `comment-${review.id}`, autocomplete: "off" });
  const problem = make("p", { class: "note bad", role: "alert", hidden: true });
  const send = (action) => decide(review, action, { edited, comment, problem, element });
  const button = (action, label, kind) => make("button", { type: "button", class: kind, onclick: () => send(action) }, label);
  return [
    make("div", { class: "row" }, button("approve", "Approve"), button("reject", "Reject", "quiet danger")),
    make("details", {}, make("summary", {}, "Correct it or leave a comment"),
      make("label", { for: edited.id }, calls ? "The calls, as JSON" : "The answer as it should be"), edited,
      make("label", { for: comment.id }, "Comment for the record (goes with every decision)"), comment,
      make("div", { class: "row" }, button("edit", "Send the corrected answer"))),
    problem,
  ];
}

async function decide(review, action, { edited, comment, problem, element }) {
  const body = comment.value.trim() ? { comment: comment.value.trim() } : {};
  for (const button of element.querySelectorAll("button")) button.disabled = true;
  try {
    if (action === "edit") Object.assign(body, review.tool_calls ? { tool_calls: JSON.parse(edited.value) } : { answer: edited.value });
    await json(`/v1/reviews/${review.id}/${action}`, { body });
    say(`${DONE[action]}: ${review.question}`);
    element.replaceChildren(make("p", {}, `${DONE[action]}: ${review.question}`));
    element.classList.add("is-done");
    nextFocus(element);
    countWaiting();
  } catch (error) {
    problem.hidden = false;
    problem.textContent = error instanceof SyntaxError ? "This is no JSON." : error.message;
    for (const button of element.querySelectorAll("button")) button.disabled = false;
  }
}

// The decided card's buttons are gone: go on with the next one.
function nextFocus(element) {
  const next = element.nextElementSibling?.querySelector("button");
  (next ?? find("reviews-title")).focus();
}

function more(review) {
  const body = make("div");
  const box = make("details", {}, make("summary", {}, "Why it waits, and what was recorded"), body);
  box.addEventListener("toggle", async () => {
    if (!box.open) return;
    try {
      const { report, audit, thought_steps: steps } = await json(`/v1/reviews/${review.id}`);
      body.replaceChildren(...stepParts(review, steps), ...whyParts(report), make("h3", {}, "Record"), make("ul", {}, ...audit.map(line)));
    } catch (problem) {
      body.replaceChildren(make("p", { class: "note bad" }, problem.message));
    }
  });
  return box;
}

// The thought step by step; a person may say from where on it is wrong, and the loop goes on from before that.
function stepParts(review, steps) {
  if (!steps.length) return [];
  const button = ({ step }) => make("button", { type: "button", class: "quiet", "aria-label": `Step ${step} is wrong`,
    onclick: (event) => markStep(review, step, event.target) }, "This is wrong");
  const items = steps.map((one) => make("li", {}, one.text, one.is_uncertain ? ` (unsure, ${one.entropy_nats.toFixed(2)} nats) ` : " ",
    ...(review.status === "pending" ? [button(one)] : [])));
  return [make("h3", {}, "Steps of its thought"), make("ol", { class: "steps" }, ...items)];
}

async function markStep(review, step, button) {
  button.disabled = true;
  try {
    const { status } = await json(`/v1/reviews/${review.id}/mark_step`, { body: { step } });
    say(status === "pending" ? "Thought again from there; the new answer waits." : "Thought again from there, and sure of it now.");
    await openReviews();
    find("reviews-title").focus();
  } catch (error) {
    say(error.message);
    button.disabled = false;
  }
}

function line(entry) {
  const who = entry.reviewer ?? entry.key_id ?? "without a key";
  const what = entry.event === "asked" ? "put aside for a person" : entry.action === "mark_step" ? `step ${entry.after.step} marked as wrong` : REVIEW[{ approve: "approved", edit: "edited", reject: "rejected" }[entry.action]];
  return make("li", {}, `${when(entry.at)}: ${what} (${who})${entry.comment ? `. ${entry.comment}` : ""}`);
}
