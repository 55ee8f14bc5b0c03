// Builds elements and brings the document to what a view asks for. Data becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "indeterminate", "disabled", "selected", "open", "props"]);

/** An element. `props`: attributes, `on…` handlers, `style` as an object, `key` for lists, `props` for a View. */
export function h(name, props, ...children) {
  return build(document.createElement(name), props, children);
}

export function svg(name, props, ...children) {
  return build(document.createElementNS(SVG, name), props, children);
}

/** A list's item that is only built again when one of `deps` is another. */
export function lazy(key, deps, make) {
  return { key, deps, make };
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  for (const child of flatten(children)) element.append(materialise(child));
  return element;
}

function setProp(element, name, value) {
  if (name === "key") element.key = value;
  else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  else if (name.startsWith("on")) setHandler(element, name, value);
  else if (PROPERTIES.has(name)) element[name] = value;
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value != null) element.setAttribute(name, value);
}

/** What a handler returns is dropped: `false` would cancel the event. */
function setHandler(element, name, value) {
  element[name] = value ? (event) => void value(event) : null;
  (element.handlers ??= new Set()).add(name);
}

function flatten(children) {
  return children.flat(Infinity).filter((child) => child != null && child !== false && child !== "");
}

function materialise(child) {
  if (child instanceof Node) return child;
  if (child.make) return Object.assign(child.make(), { key: child.key, deps: child.deps });
  return document.createTextNode(String(child));
}

/** Makes `parent` hold what `wanted` describes, keeping the elements (focus, scroll, selection) that are there. */
export function fill(parent, ...wanted) {
  const keyed = new Map();
  for (const old of parent.childNodes) if (old.key != null) keyed.set(old.key, old);
  let at = parent.firstChild;
  for (const item of flatten(wanted)) {
    const old = item.key != null ? keyed.get(item.key) : at;
    if (old && item.deps && old.deps && same(old.deps, item.deps)) {
      at = place(parent, old, at);
      continue;
    }
    const node = materialise(item);
    if (old && old.key === node.key && alike(old, node)) {
      at = place(parent, old, at);
      become(old, node);
    } else {
      parent.insertBefore(node, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function place(parent, old, at) {
  if (old === at) return at.nextSibling;
  parent.insertBefore(old, at);
  return at;
}

const same = (one, other) => one.length === other.length && one.every((value, index) => value === other[index]);
const alike = (old, node) => old.nodeType === node.nodeType && old.nodeName === node.nodeName;

function become(old, node) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  becomeAttributes(old, node);
  for (const name of new Set([...(old.handlers ?? []), ...(node.handlers ?? [])])) setHandler(old, name, node[name]);
  old.deps = node.deps;
  const { value } = node; // a select loses it with its options
  if (node.opaque) old.props = node.props;
  else fill(old, ...node.childNodes);
  becomeInput(old, node, value);
}

function becomeAttributes(old, node) {
  for (const { name, value } of node.attributes)
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes])
    if (name !== "style" && !(old.live && name === "open") && !node.hasAttribute(name)) old.removeAttribute(name);
  if (old.style && old.style.cssText !== node.style.cssText) old.style.cssText = node.style.cssText;
}

function becomeInput(old, node, value) {
  if ("indeterminate" in node && old.indeterminate !== node.indeterminate) old.indeterminate = node.indeterminate;
  if ("checked" in node && old.checked !== node.checked) old.checked = node.checked;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(old.nodeName) && old !== document.activeElement && old.value !== value)
    old.value = value;
}
