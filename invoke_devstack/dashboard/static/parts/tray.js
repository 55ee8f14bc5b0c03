// What runs now, in the corner: what it does, how far it is, how it ended, and what an own action said.

import { act, cancel, mine } from "../core/actions.js";
import { plain } from "../core/ansi.js";
import { h } from "../core/dom.js";
import { duration, size } from "../core/format.js";
import { runAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { icon } from "./icons.js";
import { button } from "./pieces.js";

const LINGER = 5_000; // ms that a success stays

class Tray extends View {
  #gone = new Set();
  #leaving = new Set();

  setup() {
    this.watch(store, "run", "event", "runs");
    const timer = setInterval(() => this.#shown().some((run) => run.state === "running") && this.refresh(), 500);
    this.until(() => clearInterval(timer));
  }

  #shown() {
    return [...store.runs.values()].filter((run) => mine.has(run.run) && !this.#gone.has(run.run)).slice(-3);
  }

  #dismiss(run) {
    this.#gone.add(run);
    this.refresh();
  }

  #letGo(run, output) {
    if (run.state !== "ok" || output.length || this.#leaving.has(run.run)) return;
    this.#leaving.add(run.run);
    setTimeout(() => this.#dismiss(run.run), LINGER);
  }

  render() {
    return this.#shown().map((run) => {
      const events = store.events.get(run.run) ?? [];
      const output = events.filter((event) => event.type === "output");
      this.#letGo(run, output);
      return h(
        "article",
        { key: run.run, class: `run is-${run.state}`, "aria-live": "polite" },
        this.#head(run),
        run.state === "running" && progress(events),
        run.state === "failed" && this.#failed(run, events),
        output.length > 0 && h("pre", { class: "run-output", tabindex: "0", "aria-label": t("Output") }, plain(output.map((event) => event.text).join("\n"))),
      );
    });
  }

  #head(run) {
    const running = run.state === "running";
    return h(
      "header",
      { class: "run-head" },
      running ? h("span", { class: "spinner", "aria-hidden": "true" }) : icon(run.state === "ok" ? "check" : "warning"),
      h("a", { class: "run-title", href: runAddress(run.run) }, title(run)),
      h("span", { class: "run-time" }, duration(run.seconds ?? (Date.now() - Date.parse(run.began)) / 1000)),
      running && button(t("Cancel"), () => cancel(run.run), { glyph: "stop", only: true, kind: "is-small" }),
      !running && button(t("Dismiss"), () => this.#dismiss(run.run), { glyph: "close", only: true, kind: "is-small" }),
    );
  }

  #failed(run, events) {
    const error = events.findLast((event) => event.type === "error");
    return [
      h("p", { class: "run-error" }, run.error || error?.error || t("It failed.")),
      error?.hint && h("p", { class: "soft" }, error.hint),
      h(
        "p",
        { class: "run-links" },
        h("a", { class: "link", href: runAddress(run.run) }, t("What happened")),
        !run.task.startsWith("own.") && button(t("Try again"), () => this.#again(run), { kind: "is-small" }),
      ),
    ];
  }

  #again(run) {
    this.#dismiss(run.run);
    act(run.task, run.services);
  }
}

const title = (run) => `${run.task.replace(/^own\./, "")} ${run.services.length > 3 ? t("{n} services", { n: run.services.length }) : run.services.join(", ")}`;

function progress(events) {
  const going = new Map();
  for (const event of events) {
    if (event.type === "action.started") going.set(`${event.action}\n${event.target}`, event);
    else if (event.type === "action.progress") Object.assign(going.get(`${event.action}\n${event.target}`) ?? {}, { now: event });
    else if (event.type === "action.finished" || event.type === "action.failed") going.delete(`${event.action}\n${event.target}`);
    else if (event.type === "service.waiting") going.set(event.service, { action: t("waiting for"), target: event.service, text: event.last });
    else if (event.type === "service.ready") going.delete(event.service);
  }
  const [last] = [...going.values()].slice(-1);
  const text = last ? `${last.action} ${last.target}` : t("working…");
  return [h("p", { class: "run-now" }, text, last && detail(last)), bar(last?.now)];
}

function detail(action) {
  if (action.text) return ` · ${action.text}`;
  const now = action.now;
  if (!now) return "";
  if (now.unit === "bytes" && now.total) return ` · ${size(now.done)} / ${size(now.total)}`;
  return now.text ? ` · ${now.text}` : "";
}

function bar(now) {
  const part = now?.total ? Math.min(1, now.done / now.total) : null;
  const style = part == null ? {} : { "--part": String(part) };
  return h("div", { class: `meter ${part == null ? "is-unknown" : ""}`, style });
}

customElements.define("dev-tray", Tray);
