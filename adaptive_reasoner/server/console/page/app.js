// The page: which part is shown, and the key.

import { key } from "./api.js";
import { openBudgets } from "./budgets.js";
import { openChat, setUpChat } from "./chat.js";
import { find, say } from "./dom.js";
import { closeMetrics, openMetrics } from "./metrics.js";
import { countWaiting, openReviews, setUpReviews } from "./reviews.js";
import { setUpWhy } from "./why.js";

const PARTS = { chat: openChat, reviews: openReviews, budgets: openBudgets, metrics: openMetrics };

function show() {
  const chosen = location.hash.slice(1) in PARTS ? location.hash.slice(1) : "chat";
  closeMetrics();
  for (const name of Object.keys(PARTS)) {
    find(name).hidden = name !== chosen;
    const link = document.querySelector(`nav a[href="#${name}"]`);
    if (name === chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  PARTS[chosen]();
}

function showKey() {
  find("key-state").textContent = key.get() ? ": in use" : "";
}

function setUpKey() {
  find("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(find("key").value.trim());
  });
  find("key-forget").addEventListener("click", () => useKey(""));
  showKey();
}

function useKey(value) {
  key.set(value);
  find("key").value = "";
  find("key-box").open = false;
  find("key-box").querySelector("summary").focus();
  showKey();
  say(value ? "The key is in use" : "The key is forgotten");
  show();
  countWaiting();
}

addEventListener("hashchange", show);
setUpChat();
setUpReviews();
setUpWhy();
setUpKey();
show();
countWaiting();
