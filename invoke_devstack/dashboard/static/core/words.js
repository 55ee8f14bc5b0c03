// English is what the code says; another language is a table from it.

import { korean } from "../languages/korean.js";
import { koreanTraces } from "../languages/korean-traces.js";

const english = { "Bring up": "Up", "Take down": "Down", definition: "Compose files" };
const TABLES = { en: english, ko: { ...korean, ...koreanTraces } };
const KEPT = "devstack-language";
const listeners = new Set();
let language = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("ko") ? "ko" : "en");
document.documentElement.lang = language;

/** The sentence in the reader's language; `{name}` in it is replaced by the value of that name. */
export function t(sentence, values = {}) {
  const text = TABLES[language]?.[sentence] ?? sentence;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const currentLanguage = () => language;

export function setLanguage(chosen) {
  language = chosen;
  localStorage.setItem(KEPT, chosen);
  document.documentElement.lang = chosen;
  for (const listener of listeners) listener();
}

export function onLanguage(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
