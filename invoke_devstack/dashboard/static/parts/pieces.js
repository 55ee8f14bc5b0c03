// Small things that all pages are made of.

import { h } from "../core/dom.js";
import { ago, fullTime } from "../core/format.js";
import { t } from "../core/words.js";
import { icon } from "./icons.js";
import { toast } from "./toasts.js";

/** A button; with an icon alone, `label` is its name and its tooltip. */
export function button(label, onclick, { glyph = "", kind = "", only = false, ...rest } = {}) {
  const names = only ? { "aria-label": label, title: rest.title ?? label } : {};
  return h(
    "button",
    { type: "button", class: `button ${kind} ${only ? "is-icon" : ""}`, onclick, ...rest, ...names },
    glyph && icon(glyph),
    !only && h("span", {}, label),
  );
}

export const linkButton = (label, href, { glyph = "", kind = "", ...rest } = {}) =>
  h("a", { class: `button ${kind}`, href, ...rest }, glyph && icon(glyph), h("span", {}, label));

const TONES = {
  running: "ok", healthy: "ok", ok: "ok", up: "ok", done: "ok",
  starting: "busy", restarting: "busy", removing: "busy", created: "busy",
  paused: "warn", partly: "warn", warning: "warn", interrupted: "warn",
  unhealthy: "bad", dead: "bad", failed: "bad", away: "bad",
};

/** What a container's entry is called, and in which tone. */
export function stateOf(entry) {
  if (entry.stale) return { text: t("unknown"), tone: "idle" };
  if (entry.state === "running" && entry.health) return { text: t(entry.health), tone: TONES[entry.health] ?? "idle" };
  if (entry.state === "exited" && entry.exit_code === 0) return { text: entry.ready ? t("done") : t("exited"), tone: entry.ready ? "ok" : "idle" };
  if (entry.state === "exited") return { text: t("exited ({code})", { code: entry.exit_code ?? "?" }), tone: "bad" };
  return { text: t(entry.state), tone: TONES[entry.state] ?? "idle" };
}

export const badge = (text, tone = "idle", rest = {}) =>
  h("span", { class: `badge is-${tone}`, ...rest }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, text));

export const runBadge = (run) => badge(t(run.state), run.state === "running" ? "busy" : TONES[run.state] ?? "idle");

export const time = (at) => (at ? h("time", { datetime: at, title: fullTime(at) }, ago(at)) : h("span", { class: "soft" }, "–"));

export const card = (title, actions, ...children) =>
  h(
    "section",
    { class: "card" },
    h("header", { class: "card-head" }, h("h2", {}, title), h("div", { class: "card-actions" }, actions)),
    children,
  );

export const empty = (title, text = "", ...more) =>
  h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), text && h("p", {}, text), more);

export const code = (text) => h("code", {}, text);

/** A command or value with a button that copies it. */
export const copyable = (text, label = t("Copy")) =>
  h("span", { class: "copyable" }, h("code", {}, text), button(label, () => copy(text), { glyph: "copy", only: true, kind: "is-small" }));

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("Copied"), { tone: "ok", brief: true });
  } catch {
    toast(t("The browser did not allow to copy"), { tone: "bad" });
  }
}

export const failure = (error) =>
  h(
    "div",
    { class: "notice is-bad", role: "alert" },
    h("p", { class: "notice-title" }, error.message ?? error.error),
    error.position && h("p", {}, code(error.position)),
    error.details?.length ? h("pre", { class: "details", tabindex: "0" }, error.details.join("\n")) : null,
    error.hint && h("p", { class: "hint" }, error.hint),
  );

/** Rows of grey where data will be, as high as it. */
export const skeleton = (rows) =>
  h("div", { class: "skeleton", "aria-hidden": "true" }, Array.from({ length: rows }, () => h("div", { class: "skeleton-row" })));
