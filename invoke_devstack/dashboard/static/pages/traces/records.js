// Structured logs as services send them: with their fields, the trace that they belong to, and the console beside.

import { get } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { count } from "../../core/format.js";
import { bind } from "../../core/keys.js";
import { amend, traceAddress } from "../../core/router.js";
import { store } from "../../core/store.js";
import { View } from "../../core/view.js";
import { t } from "../../core/words.js";
import "../../parts/log-view.js";
import { button, empty, failure, linkButton } from "../../parts/pieces.js";
import { Live, SINCE, choice, huesOf, nothing, readStatus, tabs } from "./shared.js";

const LEVELS = ["", "debug", "info", "warning", "error", "fatal"];
const PAGE = 300;
const MOST = 6_000; // lines that are kept
const TYPING = 150; // ms

class Records extends View {
  #filters = {};
  #lines = [];
  #next = "";
  #loaded = false;
  #error = null;
  #following = true;
  #asking = false;
  #status = null;
  #round = 0;
  #typing = 0;
  #address = "";
  #live = new Live(() => this.#following && this.#load());

  setup() {
    this.watch(store, "services", "project");
    this.until(this.#live.follow());
    this.until(bind({
      "/": { run: () => this.querySelector(".log-filter")?.focus(), help: "Filter" },
      f: { run: () => this.#follow(!this.#following), help: "Pause, or follow what is new" },
    }));
    this.#readAddress();
  }

  changed() {
    if (location.search !== this.#address) this.#readAddress();
  }

  #readAddress() {
    const given = new URLSearchParams(location.search);
    this.#address = location.search;
    const names = ["services", "level", "text", "trace", "span", "since", "until"];
    this.#filters = Object.fromEntries(names.map((name) => [name, given.get(name) ?? ""]));
    this.#load(true);
  }

  async #load(fresh = false) {
    const round = (this.#round += 1);
    try {
      const [status, answer] = await Promise.all([readStatus(), get("traces/logs", { ...this.#filters, limit: PAGE })]);
      if (round !== this.#round) return;
      this.#status = status;
      this.#merge(answer, fresh);
      this.#error = null;
    } catch (error) {
      if (round !== this.#round) return;
      this.#status ??= await readStatus();
      this.#error = error.status === 404 ? null : error;
    }
    this.#loaded = true;
    this.refresh();
  }

  /** New ones behind those that are here; if there is a gap between, only the new ones. */
  #merge({ logs, next }, fresh) {
    const known = new Set(this.#lines.map((line) => line.id));
    const gap = fresh || !logs.some((log) => known.has(log.id));
    const added = logs.filter((log) => gap || !known.has(log.id)).map(asLine).toReversed();
    if (gap) [this.#lines, this.#next] = [added, next];
    else this.#lines = [...this.#lines, ...added].slice(-MOST);
  }

  async #back() {
    if (!this.#next || this.#asking || this.#lines.length >= MOST) return;
    this.#asking = true;
    const round = this.#round;
    const answer = await get("traces/logs", { ...this.#filters, limit: PAGE, cursor: this.#next }).catch(() => null);
    this.#asking = false;
    if (!answer || (round !== this.#round && !this.#following)) return;
    this.#lines = [...answer.logs.map(asLine).toReversed(), ...this.#lines];
    this.#next = answer.next;
    this.refresh();
  }

  #set(change) {
    this.#filters = { ...this.#filters, ...change };
    amend(this.#filters);
    this.#address = location.search;
    this.#load(true);
    this.refresh();
  }

  #type(text) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#set({ text }), TYPING);
  }

  #follow(on) {
    this.#following = on;
    if (on) this.#load();
    this.refresh();
  }

  render() {
    const names = (this.#status?.services ?? []).map((one) => one.name ?? one);
    const hues = huesOf(names);
    this.style.setProperty("--service", `${Math.min(18, Math.max(4, ...[...hues.keys()].map((name) => name.length)))}ch`);
    const filtered = Object.values(this.#filters).some(Boolean);
    const nothingHere = this.#loaded && !this.#lines.length && !this.#error;
    return [
      this.#toolbar(names),
      this.#active(),
      this.#error && failure(this.#error),
      h(
        "div",
        { class: "log-area", key: "lines" },
        nothingHere && (filtered ? empty(t("No line matches")) : nothing(this.#status)),
        h("log-view", {
          class: `log-view ${this.#lines.length ? "" : "is-empty"}`, key: "log-view",
          props: {
            lines: this.#lines, wrap: false, mark: this.#mark(), hues, target: "", following: this.#following, records: true,
            onTop: () => this.#back(), onPause: () => this.#follow(false), onEnd: () => this.#follow(true), onFollow: () => this.#follow(true),
          },
        }),
        !this.#following && this.#lines.length > 0 && h("button", { type: "button", class: "button is-primary log-catch", onclick: () => this.#follow(true) }, t("To the newest line"), " ↓"),
      ),
    ];
  }

  #mark() {
    const { text } = this.#filters;
    return text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi") : null;
  }

  #toolbar(names) {
    const { services, level, text, since } = this.#filters;
    return h(
      "div",
      { class: "log-tools" },
      h("h1", { class: "for-readers" }, t("Structured logs")),
      tabs("/traces/logs"),
      h("div", { class: "log-search" }, h("input", { class: "input log-filter", type: "search", value: text, placeholder: t("Filter lines"), "aria-label": t("Filter lines"), spellcheck: "false", autocomplete: "off", oninput: (event) => this.#type(event.target.value) })),
      choice(t("Service"), services, [["", t("All services")], ...names.map((name) => [name, name])], (value) => this.#set({ services: value })),
      choice(t("Level"), level, LEVELS.map((one) => [one, one ? t("{level} and above", { level: one }) : t("All levels")]), (value) => this.#set({ level: value })),
      choice(t("Time"), since, SINCE.map(([value, label]) => [value, t(label)]), (value) => this.#set({ since: value })),
      h(
        "div",
        { class: "log-right" },
        linkButton(t("Console"), `/logs${services && `?services=${encodeURIComponent(services)}`}`, { glyph: "logs" }),
        button(this.#following ? t("Pause") : t("Follow"), () => this.#follow(!this.#following), { glyph: this.#following ? "pause" : "play", kind: this.#following ? "" : "is-primary" }),
      ),
    );
  }

  #active() {
    const { trace, span } = this.#filters;
    const drop = (text, change) => h("button", { type: "button", class: "chip", "aria-label": t("Remove the filter {what}", { what: text }), onclick: () => this.#set(change) }, text, h("span", { "aria-hidden": "true" }, "×"));
    if (!trace && !span) return null;
    return h(
      "div",
      { class: "log-services" },
      trace && drop(`trace ${trace.slice(0, 8)}…`, { trace: "", span: "" }),
      span && drop(`span ${span}`, { span: "" }),
      trace && linkButton(t("To its trace"), traceAddress(trace, span), { kind: "is-small", glyph: "traces" }),
      h("span", { class: "soft" }, this.#lines.length === 1 ? t("1 line") : t("{n} lines", { n: count(this.#lines.length) })),
    );
  }
}

/** A structured log as a line of the log view. */
function asLine(log) {
  return { ...log, key: log.id, container: log.severity ?? "", stream: log.scope?.name ?? log.scope ?? "", fields: { message: log.text, ...log.attributes } };
}

customElements.define("page-traces-logs", Records);
