// One trace: its spans as a waterfall, and all that is known of the one that is selected.

import { get } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { Fetched } from "../../core/fetched.js";
import { count, fullTime, milliseconds } from "../../core/format.js";
import { bind } from "../../core/keys.js";
import { amend, go, traceAddress } from "../../core/router.js";
import { store } from "../../core/store.js";
import { View } from "../../core/view.js";
import { t } from "../../core/words.js";
import { icon } from "../../parts/icons.js";
import { badge, button, copy, empty, failure, linkButton, skeleton } from "../../parts/pieces.js";
import { toast } from "../../parts/toasts.js";
import "../../parts/waterfall.js";
import { huesOf, serviceName } from "./shared.js";
import { spanPanel } from "./span.js";

const RECENT = 1_000; // ms between two looks at a trace that is not complete

class Trace extends View {
  #id = "";
  #trace = null;
  #logs = null;
  #selected = "";
  #text = "";
  #errors = false;
  #matches = null;
  #zoom = null;
  #comparing = false;

  setup() {
    this.#id = this.props.route.params.trace.toLowerCase();
    this.#selected = this.props.route.query.get("span") ?? "";
    const path = `traces/${encodeURIComponent(this.#id)}`;
    this.#trace = new Fetched(path, { brief: true }, () => this.refresh(), whole);
    this.#logs = new Fetched(`${path}/logs`, {}, () => this.refresh());
    this.until(bind(this.#keys()));
    this.until(store.on("again", () => this.#load()));
    let last = 0;
    this.until(store.on("traces.arrived", () => {
      if (document.hidden || this.#trace.value?.complete || Date.now() - last < RECENT) return;
      last = Date.now();
      this.#load();
    }));
    this.#load();
  }

  changed() {
    this.#selected = new URLSearchParams(location.search).get("span") ?? this.#selected;
  }

  #load() {
    this.#trace.load();
    this.#logs.load();
  }

  #keys() {
    return {
      "/": { run: () => this.querySelector(".trace-filter")?.focus(), help: "Filter" },
      e: { run: () => this.#toError(1), help: "To the next error" },
      c: { run: () => this.#comparePrevious(), help: "Compare with the one before" },
      Escape: { run: () => this.#select(null) },
    };
  }

  #select(span) {
    this.#selected = span?.span_id ?? "";
    amend({ span: this.#selected });
    this.refresh();
  }

  #toError() {
    const { spans } = this.#trace.value ?? { spans: [] };
    const at = spans.findIndex((span) => span.span_id === this.#selected);
    const failed = (span) => span.status === "error";
    const next = spans.slice(at + 1).find(failed) ?? spans.find(failed);
    if (next) this.#select(next);
  }

  #filter(change) {
    if ("text" in change) this.#text = change.text.toLowerCase();
    if ("errors" in change) this.#errors = change.errors;
    const [text, errors] = [this.#text, this.#errors];
    this.#matches = text || errors ? (span) => (!errors || span.status === "error") && (!text || textOf(span).includes(text)) : null;
    this.refresh();
  }

  /** The last trace of the same request that was begun before this one. */
  async #comparePrevious() {
    const { service, name, started_ns: started } = this.#trace.value ?? {};
    if (!name || this.#comparing) return;
    this.#comparing = true;
    const until = this.#trace.value.started;
    const found = await get("traces", { service, text: name, until, limit: 100 }).catch(() => ({ traces: [] }));
    this.#comparing = false;
    const before = found.traces.find((one) => one.name === name && one.service === service && one.trace_id !== this.#id && BigInt(one.started_ns) <= BigInt(started));
    if (before) go(`${traceAddress(before.trace_id)}/compare/${this.#id}`);
    else toast(t("There is no earlier {name}", { name }), { tone: "bad", brief: true });
  }

  render() {
    const { value: trace, error } = this.#trace;
    const title = h("h1", {}, trace?.name || t("Trace"));
    if (error && !trace) return [h("header", { class: "page-head" }, title), error.status === 404 ? gone() : failure(error)];
    if (!trace) return [h("header", { class: "page-head" }, title), skeleton(8)];
    const hues = huesOf([...trace.services.map((one) => one.service), ...trace.spans.map((span) => span.peer).filter(Boolean)]);
    const end = Math.max(0.001, trace.duration_ms, ...ends(trace.spans));
    const selected = trace.spans.find((span) => span.span_id === this.#selected);
    return [
      this.#head(trace, title, hues),
      h("div", { class: "trace-tools" }, this.#tools(trace)),
      trace.more > 0 && h("p", { class: "notice is-warn" }, t("{n} more spans are not shown.", { n: count(trace.more) })),
      h(
        "div",
        { class: `trace-area ${selected ? "has-panel" : ""}` },
        h("dev-waterfall", {
          class: "waterfall", style: { "--rows": String(Math.min(trace.spans.length, 400)) },
          props: {
            spans: trace.spans, range: this.#zoom ?? [0, end], hues, selected: this.#selected, matches: this.#matches,
            onSelect: (span) => this.#select(span), onZoom: (span) => this.#zoomTo(span),
          },
        }),
        selected && spanPanel(selected, trace, hues, this.#logs.value?.logs ?? [], { close: () => this.#select(null), zoom: () => this.#zoomTo(selected), select: (id) => this.#select({ span_id: id }) }),
      ),
    ];
  }

  #zoomTo(span) {
    this.#zoom = span.duration_ms > 0 ? [span.offset_ms, span.offset_ms + span.duration_ms] : null;
    this.refresh();
  }

  #head(trace, title, hues) {
    const logs = this.#logs.value?.logs.length ?? 0;
    return h(
      "header",
      { class: "trace-head" },
      h(
        "div",
        { class: "service-title" },
        title,
        trace.errors ? badge(trace.errors === 1 ? t("1 error") : t("{n} errors", { n: trace.errors }), "bad") : badge(t("ok"), "ok"),
        !trace.complete && badge(t("Not complete yet"), "busy"),
        h(
          "div",
          { class: "page-tools" },
          linkButton(logs ? t("Logs ({n})", { n: logs }) : t("Logs"), `/traces/logs?trace=${trace.trace_id}`, { glyph: "logs" }),
          button(t("Compare with the one before"), () => this.#comparePrevious()),
          h("a", { class: "button is-icon", href: `/api/v1/traces/${trace.trace_id}/export`, download: `trace-${trace.trace_id.slice(0, 8)}.json`, "aria-label": t("Export as JSON"), title: t("Export as JSON") }, icon("download")),
          button(t("Copy link"), () => copy(`${location.origin}${traceAddress(trace.trace_id, this.#selected)}`), { glyph: "link", only: true }),
          linkButton(t("All traces"), "/traces", { glyph: "back" }),
        ),
      ),
      h(
        "p",
        { class: "run-facts" },
        h("span", {}, h("b", {}, milliseconds(trace.duration_ms))),
        h("span", {}, fullTime(trace.started)),
        h("span", {}, trace.spans.length === 1 ? t("1 span") : t("{n} spans", { n: count(trace.spans.length + (trace.more ?? 0)) })),
        trace.services.map((one) => serviceName(one.service, hues)),
        h("code", { class: "trace-id" }, trace.trace_id),
      ),
    );
  }

  #tools(trace) {
    const nested = trace.spans.some((span) => span.depth > 0);
    const tree = () => this.querySelector("dev-waterfall");
    return [
      h("input", { class: "input trace-filter", type: "search", placeholder: t("Filter spans: name, SQL, attribute"), "aria-label": t("Filter spans: name, SQL, attribute"), spellcheck: "false", autocomplete: "off", value: this.#text, oninput: (event) => this.#filter({ text: event.target.value }) }),
      button(t("Errors only"), () => this.#filter({ errors: !this.#errors }), { kind: this.#errors ? "is-on" : "", "aria-pressed": String(this.#errors), disabled: !trace.errors && !this.#errors }),
      nested && button(t("Collapse all"), () => tree().collapse(true)),
      nested && button(t("Expand all"), () => tree().collapse(false)),
      this.#zoom && button(t("Whole trace"), () => ((this.#zoom = null), this.refresh()), { kind: "is-primary" }),
    ];
  }
}

/** What the server leaves out, as it is so for most spans. */
const USUAL = { kind: "internal", status: "unset", status_text: "", attributes: {}, events: [], links: [], scope: "", peer: "", orphan: false, shift_ms: 0, cut: [] };

function whole(trace) {
  trace.spans = trace.spans.map((span) => ({ ...USUAL, ...span }));
  return trace;
}

/** The ends of all spans as one number: spreading 20,000 arguments would overflow. */
function ends(spans) {
  let last = 0;
  for (const span of spans) last = Math.max(last, span.offset_ms + span.duration_ms);
  return [last];
}

const texts = new WeakMap();

function textOf(span) {
  if (!texts.has(span)) texts.set(span, `${span.service} ${span.name} ${span.status_text} ${JSON.stringify(span.attributes)}`.toLowerCase());
  return texts.get(span);
}

const gone = () => empty(t("This trace is not here"), t("It is too old, was sent elsewhere, or has not arrived yet."), linkButton(t("All traces"), "/traces"));

customElements.define("page-trace", Trace);
