// Two traces of one request side by side: what got slower, what only one of them did.

import { plain } from "../../core/ansi.js";
import { h } from "../../core/dom.js";
import { Fetched } from "../../core/fetched.js";
import { fullTime, milliseconds } from "../../core/format.js";
import { traceAddress } from "../../core/router.js";
import { View } from "../../core/view.js";
import { t } from "../../core/words.js";
import { button, card, empty, failure, linkButton, skeleton } from "../../parts/pieces.js";
import { statementOf } from "../../parts/waterfall.js";
import { huesOf, serviceName } from "./shared.js";

const SAME = 0.05; // of the longer one: less than this is no difference
const MOST = 500; // rows

class CompareTraces extends View {
  #one = null;
  #other = null;
  #greatest = false;

  setup() {
    const { trace, other } = this.props.route.params;
    const fetched = (id) => new Fetched(`traces/${encodeURIComponent(id)}`, {}, () => this.refresh());
    [this.#one, this.#other] = [fetched(trace), fetched(other)];
    this.#one.load();
    this.#other.load();
  }

  render() {
    const [one, other] = [this.#one.value, this.#other.value];
    const error = this.#one.error ?? this.#other.error;
    return [
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("Two traces compared")),
        h(
          "div",
          { class: "page-tools" },
          button(t("Greatest difference first"), () => ((this.#greatest = !this.#greatest), this.refresh()), { kind: this.#greatest ? "is-on" : "", "aria-pressed": String(this.#greatest) }),
          linkButton(t("All traces"), "/traces", { glyph: "back" }),
        ),
      ),
      error && (error.status === 404 ? empty(t("This trace is not here"), t("It is too old, was sent elsewhere, or has not arrived yet.")) : failure(error)),
      !error && (!one || !other) && skeleton(6),
      one && other && compared(one, other, this.#greatest),
    ];
  }
}

function compared(one, other, greatest) {
  const all = paired(one, other);
  const rows = (greatest ? all.toSorted((a, b) => Math.abs((b.is ?? 0) - (b.was ?? 0)) - Math.abs((a.is ?? 0) - (a.was ?? 0))) : all).slice(0, MOST);
  const end = Math.max(one.duration_ms, other.duration_ms, 0.001);
  const hues = huesOf([...one.services, ...other.services].map((service) => service.service));
  return [
    h(
      "div",
      { class: "legend" },
      h("a", { class: "quiet-link", href: traceAddress(one.trace_id) }, h("i", { "aria-hidden": "true" }), name(one)),
      h("a", { class: "quiet-link", href: traceAddress(other.trace_id) }, h("i", { class: "is-other", "aria-hidden": "true" }), name(other)),
    ),
    card(
      t("In all: {before} → {after}", { before: milliseconds(one.duration_ms), after: milliseconds(other.duration_ms) }),
      difference(one.duration_ms, other.duration_ms),
      h("div", { class: "timeline" }, rows.map((row) => pair(row, end, hues, greatest))),
      all.length > rows.length && h("p", { class: "soft" }, t("{n} more rows are not shown.", { n: all.length - rows.length })),
    ),
  ];
}

const name = (trace) => `${trace.name} · ${fullTime(trace.started)} · ${milliseconds(trace.duration_ms)}`;

/** Spans of both, matched by their place: the names and statements from the root to them. Those of one place are added up. */
function paired(one, other) {
  const rows = new Map();
  const put = (trace, side) => {
    const path = [];
    for (const span of trace.spans) {
      path.length = Math.min(path.length, span.depth);
      const statement = statementOf(span);
      path[span.depth] = `${span.service}\n${span.name}\n${statement}`;
      const key = path.join("\n\n");
      const row = rows.get(key) ?? { service: span.service, name: span.name, statement, depth: span.depth, calls: { was: 0, is: 0 }, failed: { was: 0, is: 0 } };
      row[side] = (row[side] ?? 0) + span.duration_ms;
      row.calls[side] += 1;
      if (span.status === "error") row.failed[side] += 1;
      rows.set(key, row);
    }
  };
  put(one, "was");
  put(other, "is");
  return [...rows.values()];
}

function pair(row, end, hues, flat) {
  const { was, is, calls, failed } = row;
  const bar = (ms, kind) => h("div", { class: "bar-track" }, ms != null && h("div", { class: `bar ${kind}`, style: { "--from": "0", "--part": String(Math.min(1, ms / end)) } }));
  const side = (key, ms) => (ms == null ? t("not done") : `${milliseconds(ms)}${calls[key] > 1 ? ` (×${calls[key]})` : ""}${failed[key] ? ` ${t("error")}` : ""}`);
  return h(
    "div",
    { class: "bar-row" },
    h("div", { class: "bar-name", style: { "padding-left": `${flat ? 0 : Math.min(row.depth, 12) * 0.9}rem` } }, h("p", { title: `${row.name} ${row.statement}` }, serviceName(row.service, hues), " ", h("b", {}, row.name), " ", h("span", { class: "wf-detail" }, plain(row.statement))), h("p", { class: "bar-cause" }, `${side("was", was)} → ${side("is", is)}`)),
    h("div", { class: "compare-bars" }, bar(was, ""), bar(is, "is-other")),
    h("span", { class: "bar-took" }, difference(was, is)),
  );
}

function difference(was, is) {
  if (was == null || is == null) return h("span", { class: "soft" }, "–");
  const more = is - was;
  if (Math.abs(more) < SAME * Math.max(was, is)) return h("span", { class: "soft" }, "±0");
  return h("span", { class: more > 0 ? "slower" : "faster" }, `${more > 0 ? "+" : "−"}${milliseconds(Math.abs(more))}`);
}

customElements.define("page-traces-compare", CompareTraces);
