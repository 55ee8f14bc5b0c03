// All traces, the newest first: filtered, followed, two of them compared, one brought from a file.

import { get, send } from "../../core/api.js";
import { h, lazy } from "../../core/dom.js";
import { count, milliseconds } from "../../core/format.js";
import { bind } from "../../core/keys.js";
import { amend, go, traceAddress } from "../../core/router.js";
import { store } from "../../core/store.js";
import { View } from "../../core/view.js";
import { currentLanguage, t } from "../../core/words.js";
import { badge, button, empty, failure, skeleton, time } from "../../parts/pieces.js";
import { toast } from "../../parts/toasts.js";
import { SINCE, Live, choice, huesOf, nothing, readStatus, serviceName, tabs } from "./shared.js";

const PAGE = 100;
const TYPING = 200; // ms
const SLOWER = ["", "10", "50", "200", "1000"];
const ID = /^[0-9a-f]{32}$/i;

class Traces extends View {
  #filters = {};
  #traces = null;
  #next = "";
  #status = null;
  #error = null;
  #chosen = [];
  #at = -1;
  #more = false; // pages beyond the first are shown
  #round = 0;
  #typing = 0;
  #live = new Live(() => this.#load());

  setup() {
    this.watch(store, "services", "tick", "project");
    this.until(this.#live.follow());
    this.until(bind(this.#keys()));
    this.#readAddress();
  }

  changed() {
    this.#readAddress();
  }

  #keys() {
    const move = (step) => () => this.#move(step);
    return {
      "/": { run: () => this.querySelector(".trace-filter")?.focus(), help: "Filter" },
      j: { run: move(1), help: "Next" },
      k: { run: move(-1), help: "Previous" },
      x: { run: () => this.#traces?.[this.#at] && this.#choose(this.#traces[this.#at].trace_id), help: "Select" },
      Enter: { run: () => this.#traces?.[this.#at] && go(traceAddress(this.#traces[this.#at].trace_id)), help: "Open" },
      f: { run: () => this.#turnLive(), help: "Pause, or follow what is new" },
    };
  }

  #readAddress() {
    const given = new URLSearchParams(location.search);
    const names = ["service", "text", "slower_than_ms", "since", "errors"];
    this.#filters = Object.fromEntries(names.map((name) => [name, given.get(name) ?? ""]));
    this.#load(true);
  }

  async #load(fresh = false) {
    if (this.#more && !fresh) return;
    const round = (this.#round += 1);
    this.#more = false;
    try {
      const [status, answer] = await Promise.all([readStatus(), get("traces", { ...this.#filters, limit: PAGE })]);
      if (round !== this.#round) return;
      this.#status = status;
      await this.#takeAll(answer, round, fresh);
      if (round !== this.#round) return;
      this.#error = null;
    } catch (error) {
      if (round !== this.#round) return;
      this.#status ??= await readStatus();
      this.#error = error.status === 404 ? null : error;
      this.#traces ??= [];
    }
    this.refresh();
  }

  /** A search answers with what it found so far, and where to go on: until a page is full, or nothing is left. */
  async #takeAll({ traces, next }, round, fresh) {
    while (next && traces.length < PAGE && round === this.#round) {
      if (fresh && traces.length) this.#take({ traces, next }, []), this.refresh();
      const answer = await get("traces", { ...this.#filters, limit: PAGE - traces.length, cursor: next });
      traces = [...traces, ...answer.traces];
      next = answer.next;
    }
    if (round === this.#round) this.#take({ traces, next }, []);
  }

  #take({ traces, next }, before) {
    const known = new Map((this.#traces ?? []).map((trace) => [trace.trace_id, trace]));
    const kept = (trace) => {
      const old = known.get(trace.trace_id);
      return old && JSON.stringify(old) === JSON.stringify(trace) ? old : trace;
    };
    this.#traces = [...before, ...traces.map(kept)];
    this.#next = next;
  }

  async #loadMore() {
    this.#more = true;
    this.#live.on = false;
    const round = (this.#round += 1);
    const answer = await get("traces", { ...this.#filters, limit: PAGE, cursor: this.#next }).catch((error) => void (this.#error = error));
    if (answer && round === this.#round) this.#take(answer, this.#traces);
    this.refresh();
  }

  #set(change) {
    this.#filters = { ...this.#filters, ...change };
    amend(this.#filters);
    this.#load(true);
    this.refresh();
  }

  #type(text) {
    clearTimeout(this.#typing);
    if (ID.test(text.trim())) return go(traceAddress(text.trim().toLowerCase()));
    this.#typing = setTimeout(() => this.#set({ text }), TYPING);
  }

  #turnLive() {
    this.#live.on = !this.#live.on;
    if (this.#live.on) this.#load(true);
    this.refresh();
  }

  #move(step) {
    const last = (this.#traces?.length ?? 0) - 1;
    this.#at = Math.max(0, Math.min(last, this.#at + step));
    this.refresh();
    requestAnimationFrame(() => this.querySelector(".is-at")?.scrollIntoView({ block: "nearest" }));
  }

  #choose(id) {
    this.#chosen = this.#chosen.includes(id) ? this.#chosen.filter((one) => one !== id) : [...this.#chosen, id].slice(-2);
    this.refresh();
  }

  #compare() {
    const [newer, older] = this.#traces.filter((trace) => this.#chosen.includes(trace.trace_id));
    if (older) go(`${traceAddress(older.trace_id)}/compare/${newer.trace_id}`);
  }

  async #import(input) {
    const file = input.files[0];
    if (!file) return;
    try {
      const text = await file.text();
      input.value = ""; // the same file may come again, edited
      const { trace_ids: ids, spans, rejected, why } = await send("traces/import", text);
      if (ids.length === 1) go(traceAddress(ids[0]));
      else this.#load(true);
      toast(t("{n} spans imported", { n: count(spans) }), { tone: rejected ? "bad" : "ok", hint: rejected ? why : "" });
    } catch (error) {
      toast(error.message, { tone: "bad", hint: error.hint });
    }
  }

  render() {
    const traces = this.#traces;
    return [
      h("header", { class: "page-head" }, h("h1", {}, t("Traces")), tabs("/traces"), this.#tools()),
      this.#status?.problem && h("p", { class: "notice is-warn" }, this.#status.problem, " ", this.#status.hint),
      this.#error && failure(this.#error),
      !traces && skeleton(6),
      traces && !traces.length && !this.#error && (this.#filtered() ? empty(t("No trace matches")) : nothing(this.#status)),
      traces?.length > 0 && h("div", { class: "sheet" }, this.#table(traces)),
      this.#next && h("p", { class: "trace-more" }, button(t("Show older ones"), () => this.#loadMore())),
    ];
  }

  #filtered() {
    return Object.values(this.#filters).some(Boolean);
  }

  #tools() {
    const { service, text, slower_than_ms: slower, since, errors } = this.#filters;
    const services = [["", t("All services")], ...(this.#status?.services ?? []).map((one) => [one.name ?? one, one.name ?? one])];
    const file = h("input", { type: "file", class: "for-readers", accept: ".json,application/json", "aria-label": t("A file with a trace"), tabindex: "-1", onchange: (event) => this.#import(event.target) });
    return h(
      "div",
      { class: "trace-tools", role: "group", "aria-label": t("Filter") },
      h("input", { class: "input trace-filter", type: "search", value: text, placeholder: t("Name, value or trace id"), "aria-label": t("Name, value or trace id"), spellcheck: "false", autocomplete: "off", oninput: (event) => this.#type(event.target.value) }),
      choice(t("Service"), service, services, (value) => this.#set({ service: value })),
      choice(t("Duration"), slower, SLOWER.map((ms) => [ms, ms ? t("slower than {time}", { time: milliseconds(Number(ms)) }) : t("Any duration")]), (value) => this.#set({ slower_than_ms: value })),
      choice(t("Time"), since, SINCE.map(([value, label]) => [value, t(label)]), (value) => this.#set({ since: value })),
      button(t("Errors only"), () => this.#set({ errors: errors ? "" : "1" }), { kind: errors ? "is-on" : "", "aria-pressed": String(Boolean(errors)) }),
      h(
        "div",
        { class: "trace-right" },
        button(t("Compare"), () => this.#compare(), { disabled: this.#chosen.length !== 2, title: t("Choose two traces") }),
        file,
        button(t("Import…"), () => this.querySelector("input[type=file]").click(), { glyph: "upload" }),
        button(this.#live.on ? t("Pause") : t("Follow"), () => this.#turnLive(), { glyph: this.#live.on ? "pause" : "play", kind: this.#live.on ? "" : "is-primary" }),
      ),
    );
  }

  #table(traces) {
    const longest = Math.max(1, ...traces.map((trace) => trace.duration_ms));
    const hues = huesOf(traces.flatMap((trace) => trace.services.map((one) => one.service)));
    const head = [["col-pick", t("Compare")], ["col-trace", t("Request")], ["col-services", t("Services")], ["col-took", t("Took")], ["col-failed", t("Errors")], ["col-began", t("Began")]];
    return h(
      "table",
      { class: "traces" },
      h("caption", { class: "for-readers" }, t("Traces")),
      h("thead", {}, h("tr", {}, head.map(([kind, title], index) => h("th", { class: kind, scope: "col" }, index ? title : h("span", { class: "for-readers" }, title))))),
      h("tbody", {}, traces.map((trace, index) => this.#row(trace, index, longest, hues))),
    );
  }

  #row(trace, index, longest, hues) {
    const chosen = this.#chosen.includes(trace.trace_id);
    const began = Math.floor((Date.now() - Date.parse(trace.started)) / 5_000);
    const deps = [trace, chosen, index === this.#at, longest, hues.size, currentLanguage(), began];
    return lazy(trace.trace_id, deps, () =>
      h(
        "tr",
        { class: `trace-row ${index === this.#at ? "is-at" : ""}`, "data-trace": trace.trace_id },
        h("td", { class: "col-pick" }, h("input", { type: "checkbox", checked: chosen, "aria-label": t("Compare {name}", { name: `${trace.name} ${trace.trace_id.slice(0, 8)}` }), onchange: () => this.#choose(trace.trace_id) })),
        h("td", { class: "col-trace" }, h("a", { class: "row-name", href: traceAddress(trace.trace_id) }, trace.name || t("The root has not arrived")), serviceName(trace.service, hues)),
        h("td", { class: "col-services" }, h("div", { class: "trace-chips" }, trace.services.map((one) => h("span", { class: `trace-chip hue-${hues.get(one.service) ?? 0} ${one.errors ? "is-failed" : ""}` }, `${one.service} ${one.spans}`)))),
        h("td", { class: "col-took" }, h("div", { class: "took" }, h("span", {}, milliseconds(trace.duration_ms)), h("div", { class: "took-bar", style: { "--part": String(trace.duration_ms / longest) } }))),
        h("td", { class: "col-failed" }, trace.errors ? badge(trace.errors === 1 ? t("1 error") : t("{n} errors", { n: trace.errors }), "bad") : ""),
        h("td", { class: "col-began" }, time(trace.started)),
      ),
    );
  }
}

customElements.define("page-traces", Traces);
