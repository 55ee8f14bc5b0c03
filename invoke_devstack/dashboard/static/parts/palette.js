// Ctrl-K: every page, service and action, found by a few letters; and the page of keys.

import { perform, whyNot } from "../core/actions.js";
import { h } from "../core/dom.js";
import { capital } from "../core/format.js";
import { allKeys } from "../core/keys.js";
import { go, serviceAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { t } from "../core/words.js";
import { openDialog } from "./dialog.js";
import { icon } from "./icons.js";

const MOST = 60;
const GLYPHS = {
  up: "play", start: "play", unpause: "play", down: "stop", stop: "stop", restart: "restart", rebuild: "rebuild",
  build: "rebuild", pause: "pause", kill: "kill", rm: "trash", snapshot: "camera", restore: "back", reset: "trash",
};
export const glyphOf = (task) => GLYPHS[task] ?? "bolt";

export function openPalette() {
  const entries = everything();
  let text = "";
  let at = 0;
  return openDialog(
    t("Find"),
    (answer, draw) => {
      const found = matching(entries, text).slice(0, MOST);
      at = Math.min(at, Math.max(0, found.length - 1));
      const choose = (entry) => {
        answer(null);
        entry.run();
      };
      const onkeydown = (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) at = (at + step + found.length) % Math.max(1, found.length);
        else if (event.key === "Enter" && found[at] && !event.isComposing) choose(found[at]);
        else return;
        event.preventDefault();
        draw();
        document.getElementById(`found-${at}`)?.scrollIntoView({ block: "nearest" });
      };
      const oninput = (event) => {
        text = event.target.value;
        at = 0;
        draw();
      };
      return h(
        "div",
        { class: "palette" },
        h("input", {
          class: "input", type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "found", autocomplete: "off",
          "aria-activedescendant": found.length ? `found-${at}` : null, "aria-label": t("What do you want to do?"),
          placeholder: t("A page, a service, an action…"), spellcheck: "false", value: text, oninput, onkeydown,
        }),
        h(
          "ul",
          { id: "found", class: "found", role: "listbox", "aria-label": t("Found") },
          found.map((entry, index) => row(entry, index, index === at, () => choose(entry))),
        ),
        !found.length && h("p", { class: "empty" }, t("Nothing is called so")),
      );
    },
    { kind: "is-palette" },
  );
}

function row(entry, index, selected, onclick) {
  return h(
    "li",
    { id: `found-${index}`, role: "option", class: "found-row", "aria-selected": String(selected), onclick },
    icon(entry.glyph),
    h("span", { class: "found-title" }, entry.title),
    h("span", { class: "found-note" }, entry.note),
  );
}

function everything() {
  const pages = [
    [t("Stack"), "/", "stack"], [t("Graph"), "/graph", "stack"], [t("Logs"), "/logs", "logs"],
    [t("Traces"), "/traces", "traces"], [t("Service map"), "/traces/map", "traces"],
    [t("Structured logs"), "/traces/logs", "logs"], [t("Metrics"), "/traces/metrics", "activity"],
    [t("Activity"), "/activity", "activity"], [t("Data"), "/data", "data"], [t("Machine"), "/machine", "machine"],
  ].map(([title, path, glyph]) => ({ title, note: t("page"), glyph, run: () => go(path) }));
  const services = store.serviceNames();
  const places = services.flatMap((name) => [
    { title: name, note: t("service"), glyph: "right", run: () => go(serviceAddress(name)) },
    { title: t("Logs of {name}", { name }), note: t("page"), glyph: "logs", run: () => go(`/logs?services=${encodeURIComponent(name)}`) },
  ]);
  const actions = whyNot() ? [] : store.actions.flatMap((action) => entriesFor(action, services));
  return [...pages, ...actions.filter((one) => one.own), ...places, ...actions.filter((one) => !one.own)];
}

function entriesFor(action, services) {
  if (action.task === "stacks.stop") return [];
  const one = (title, chosen) => ({
    title, note: action.help, glyph: glyphOf(action.task), own: action.group === "own",
    run: () => perform(action, chosen, { always: action.scope === "service" && action.task !== "reset" && action.task !== "snapshot" }),
  });
  if (action.group === "own") return [one(action.label, [])];
  if (action.scope === "project" || action.scope === "none") return [one(t(capital(action.label)), [])];
  const each = services.map((name) => one(`${t(capital(action.label))} ${name}`, [name]));
  return action.scope === "services" ? [one(t(capital(action.label)), []), ...each] : each;
}

/** Those that have all words, better ones first: at the beginning, at a word's beginning, anywhere. */
function matching(entries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return entries;
  return entries
    .map((entry, place) => ({ entry, place, score: score(entry, words) }))
    .filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map((one) => one.entry);
}

function score({ title, note }, words) {
  const low = title.toLowerCase();
  let total = 0;
  for (const word of words) {
    if (low.startsWith(word)) total += 8;
    else if (low.includes(` ${word}`)) total += 5;
    else if (low.includes(word)) total += 3;
    else if (note.toLowerCase().includes(word)) total += 1;
    else return 0;
  }
  return total - low.length / 1000;
}

export function openKeys() {
  return openDialog(t("Keys"), () =>
    h(
      "dl",
      { class: "keys" },
      allKeys().map(([name, { help }]) =>
        h("div", {}, h("dt", {}, name.split(/[ +]/).map((part) => h("kbd", {}, part === " " ? t("Space") : part))), h("dd", {}, t(help))),
      ),
    ),
  );
}
