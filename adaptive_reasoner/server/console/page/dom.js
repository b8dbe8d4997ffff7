// Small words for building the page. Text always goes in as text: nothing that a model says becomes markup.

export const find = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

// Read out by screen readers, shown to nobody else.
export function say(text) {
  find("status").textContent = text;
}

// With a space that does not break.
export const percent = (share) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}\u00a0%`;
export const whole = (number) => Math.round(number).toLocaleString("en");
export const counted = (number, noun) => `${whole(number)} ${noun}${number === 1 ? "" : "s"}`;
export const dollars = (usd) => (usd == null ? null : `$${usd && usd < 0.01 ? usd.toFixed(6) : usd.toFixed(2)}`);
