// Keys of the whole page. A page adds its own while it is shown; none acts while somebody types.

const bindings = [];
let first = "";
let forget = 0;

/** `keys`: {"g s": {run, help}}; returns what takes them away again. */
export function bind(keys) {
  bindings.unshift(keys);
  return () => bindings.splice(bindings.indexOf(keys), 1);
}

/** All that can be pressed now, for the page of keys. */
export const allKeys = () => bindings.toReversed().flatMap((keys) => Object.entries(keys)).filter(([, { help }]) => help);

export function startKeys() {
  addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const name = nameOf(event);
    const free = name.startsWith("Ctrl+") || !busy(event.target);
    const pressed = first ? [`${first} ${name}`, name] : [name];
    const found = free && pressed.map(find).find(Boolean);
    remember(free ? name : "");
    if (!found) return;
    event.preventDefault();
    first = "";
    found.run(event);
  });
}

function remember(name) {
  clearTimeout(forget);
  first = name;
  forget = setTimeout(() => (first = ""), 1_000);
}

function nameOf(event) {
  if ((event.ctrlKey || event.metaKey) && !event.altKey) return `Ctrl+${event.key.toLowerCase()}`;
  return event.altKey || event.ctrlKey || event.metaKey ? "" : event.key;
}

const find = (name) => bindings.find((keys) => keys[name])?.[name];

function busy(target) {
  if (document.querySelector("dialog[open], .menu")) return true;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.nodeName) && target.type !== "checkbox";
}
