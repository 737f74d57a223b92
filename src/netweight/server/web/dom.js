/** Making elements, in one line each. */

/** An element with properties (`class` and `aria-…` are attributes) and children. */
export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** A button that does something. */
export function button(label, action, properties = {}) {
  return make("button", { type: "button", onclick: action, ...properties }, label);
}

let numIds = 0;

/** An id that no other element has. */
export function newId(stem) {
  numIds += 1;
  return `${stem}-${numIds}`;
}

/** A count with its noun. */
export function counted(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 0.01) return "< 0.01%";
  return `${value >= 99.995 || value === 0 ? Math.round(value) : value.toPrecision(value < 1 ? 1 : 3)}%`;
}
