// What the pages of traces share: their head, what is on, and what to do where nothing is.

import { get } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { store } from "../../core/store.js";
import { t } from "../../core/words.js";
import { copyable, empty, linkButton } from "../../parts/pieces.js";

const TABS = [
  ["/traces", "Traces"], ["/traces/map", "Service map"], ["/traces/logs", "Structured logs"], ["/traces/metrics", "Metrics"],
];
const PAUSE = 1_000; // ms between two answers while spans arrive

export const SINCE = [["", "All the time"], ["5m", "5 minutes"], ["15m", "15 minutes"], ["1h", "1 hour"]];

export function tabs(here) {
  const link = ([path, title]) => h("a", { href: path, "aria-current": path === here ? "page" : null }, t(title));
  return h("nav", { class: "switch trace-tabs", "aria-label": t("What services send") }, TABS.map(link));
}

/** A select whose first option is chosen by an empty value. */
export const choice = (label, value, options, choose) =>
  h(
    "select",
    { class: "input", "aria-label": label, value, onchange: (event) => choose(event.target.value) },
    options.map(([one, text]) => h("option", { value: one, selected: one === value }, text)),
  );

/** Asks again when something arrives, at most once in a while, and never for a page that nobody sees. */
export class Live {
  on = true;
  #ask;
  #timer = 0;
  #waiting = false;

  constructor(ask) {
    this.#ask = ask;
  }

  follow() {
    const heard = () => this.on && (document.hidden ? (this.#waiting = true) : this.#soon());
    const seen = () => !document.hidden && this.#waiting && heard();
    const stops = [store.on("traces.arrived", heard), store.on("again", () => this.#ask())];
    document.addEventListener("visibilitychange", seen);
    return () => {
      for (const stop of stops) stop();
      document.removeEventListener("visibilitychange", seen);
      clearTimeout(this.#timer);
    };
  }

  #soon() {
    this.#waiting = false;
    this.#timer ||= setTimeout(async () => {
      await this.#ask();
      this.#timer = 0;
    }, PAUSE);
  }
}

/** A server of before has no such path: then nothing is received. */
export async function readStatus() {
  try {
    return await get("traces/status");
  } catch {
    return { receiving: false, problem: "", hint: "", traces: 0, spans: 0, logs: 0, points: 0, services: [] };
  }
}

/** `{value: hue}` of all services: those of the stack as in the logs, then the others. */
export function huesOf(names) {
  const all = [...new Set([...store.serviceNames(), ...names])];
  return new Map(all.map((name, index) => [name, index % 8]));
}

export const serviceName = (name, hues) =>
  h("span", { class: `trace-service hue-${hues.get(name) ?? 0}` }, h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, name));

/** Why there is nothing, and what would change that. */
export function nothing(status) {
  const command = `invoke ${store.project?.task_prefix ?? ""}up --trace`;
  if (status.problem) return empty(status.problem, status.hint, copyable(command));
  if (!status.receiving) {
    return empty(
      t("Tracing is off"),
      t("Turn it on, and each request is shown with what it asked of other services, their logs and metrics:"),
      copyable(command),
    );
  }
  const address = store.services?.flatMap((entry) => entry.addresses).find((one) => /^https?:/.test(one));
  return empty(
    t("Nothing has arrived yet"),
    t("Services that have an OpenTelemetry SDK send what they do. Make a request:"),
    address && linkButton(address, address, { glyph: "external", target: "_blank", rel: "noreferrer" }),
  );
}
