// Colours of a terminal as spans with classes; every other control character is dropped.

import { h } from "./dom.js";

const SGR = /\u001b\[([\d;:]*)m/g;
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const STYLES = { 1: "bold", 2: "faint", 3: "italic", 4: "underline", 9: "struck" };
// eslint-disable-next-line no-control-regex
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

export const plain = (text) => text.replace(SGR, "").replace(HARMFUL, "");

/** The nodes of a line. `mark` is a regular expression whose hits are highlighted, or null. */
export function colored(text, mark = null) {
  if (!text.includes("\u001b")) return marked(text.replace(HARMFUL, ""), mark);
  const nodes = [];
  let style = {};
  let from = 0;
  const emit = (part) => part && nodes.push(span(style, marked(part.replace(HARMFUL, ""), mark)));
  for (const found of text.matchAll(SGR)) {
    emit(text.slice(from, found.index));
    style = restyle(style, found[1].split(/[;:]/).map(Number));
    from = found.index + found[0].length;
  }
  emit(text.slice(from));
  return nodes;
}

function span({ color, back, styles = [], rgb, backRgb }, children) {
  const classes = [color && `ansi-${color}`, back && `ansi-on-${back}`, ...styles.map((name) => `ansi-${name}`)];
  const style = { ...(rgb && { color: rgb }), ...(backRgb && { "background-color": backRgb }) };
  return h("span", { class: classes.filter(Boolean).join(" "), style }, children);
}

function restyle(style, codes) {
  let now = { ...style };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i];
    if (code === 0) now = {};
    else if (STYLES[code]) now.styles = [...(now.styles ?? []), STYLES[code]];
    else if (code >= 22 && code <= 29) now.styles = [];
    else if (code === 38 || code === 48) i += extended(now, code === 38, codes.slice(i + 1));
    else if (code === 39) now = { ...now, color: null, rgb: null };
    else if (code === 49) now = { ...now, back: null, backRgb: null };
    else basic(now, code);
  }
  return now;
}

function basic(now, code) {
  if (code >= 30 && code <= 37) now.color = NAMES[code - 30];
  else if (code >= 90 && code <= 97) now.color = `bright-${NAMES[code - 90]}`;
  else if (code >= 40 && code <= 47) now.back = NAMES[code - 40];
  else if (code >= 100 && code <= 107) now.back = NAMES[code - 100];
}

/** 256 colours and true colours; says how many codes it used. */
function extended(now, front, rest) {
  const set = (value) => Object.assign(now, front ? { rgb: value } : { backRgb: value });
  if (rest[0] === 5) {
    set(fromPalette(rest[1] ?? 0));
    return 2;
  }
  if (rest[0] === 2) {
    set(`rgb(${rest.slice(1, 4).map((part) => Math.min(255, part || 0)).join(" ")})`);
    return 4;
  }
  return 0;
}

function fromPalette(index) {
  if (index < 16) return `var(--ansi-${index >= 8 ? "bright-" : ""}${NAMES[index % 8]})`;
  if (index >= 232) return `rgb(${Array(3).fill(8 + (index - 232) * 10).join(" ")})`;
  const step = (part) => (part ? 55 + part * 40 : 0);
  const cube = index - 16;
  return `rgb(${step(Math.floor(cube / 36))} ${step(Math.floor(cube / 6) % 6)} ${step(cube % 6)})`;
}

function marked(text, mark) {
  if (!mark) return [text];
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(mark)) {
    if (!found[0]) break;
    nodes.push(text.slice(from, found.index), h("mark", {}, found[0]));
    from = found.index + found[0].length;
  }
  return [...nodes, text.slice(from)];
}
