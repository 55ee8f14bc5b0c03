// What is known of one span: its statement, attributes, events, links, and the logs of it and of its time.

import { plain } from "../../core/ansi.js";
import { h, lazy } from "../../core/dom.js";
import { clockWithMilliseconds, milliseconds } from "../../core/format.js";
import { traceAddress } from "../../core/router.js";
import { store } from "../../core/store.js";
import { currentLanguage, t } from "../../core/words.js";
import { badge, button, copy, linkButton } from "../../parts/pieces.js";
import { statementOf } from "../../parts/waterfall.js";
import { serviceName } from "./shared.js";

const AROUND = 1_000; // ms of console lines before and after a span

/** `does`: close, zoom, select(span id). */
export function spanPanel(span, trace, hues, logs, does) {
  const statement = statementOf(span, Infinity);
  const failed = span.status === "error";
  return h(
    "section",
    { class: "span-panel card", key: span.span_id, "aria-label": t("Span") },
    h(
      "header",
      { class: "span-head" },
      h("div", {}, serviceName(span.service, hues), h("h2", {}, span.name)),
      button(t("Close"), does.close, { glyph: "close", only: true, kind: "is-small is-quiet" }),
    ),
    h("p", { class: "span-facts" }, failed ? badge(t("error"), "bad") : span.status === "ok" && badge(t("ok"), "ok"), h("span", {}, t(span.kind)), span.peer && h("span", {}, t("calls {what}", { what: span.peer }))),
    span.status_text && h("p", { class: "notice is-bad" }, span.status_text),
    span.orphan && h("p", { class: "notice is-warn" }, t("Its parent has not arrived")),
    statement && h("div", { class: "span-statement" }, h("pre", { class: "details", tabindex: "0", "aria-label": t("Statement") }, plain(statement)), button(t("Copy"), () => copy(statement), { glyph: "copy", only: true, kind: "is-small" })),
    table(t("Times"), {
      [t("Began")]: `${clockWithMilliseconds(startOf(span, trace))} (+${milliseconds(span.offset_ms)})`,
      [t("Took")]: milliseconds(span.duration_ms),
      [t("of it alone")]: milliseconds(span.self_ms),
      ...(span.shift_ms ? { [t("moved, as its clock differs")]: milliseconds(Math.abs(span.shift_ms)) } : {}),
    }),
    h("div", { class: "links" }, button(t("Zoom to it"), does.zoom, { kind: "is-small", glyph: "search" }), logsLinks(span, trace), parentButton(span, trace, does)),
    ownLogs(span, logs),
    events(span),
    table(t("Attributes"), span.attributes, span.cut),
    links(span),
    table(t("Resource"), trace.resources[span.resource] ?? {}),
    h("p", { class: "soft" }, [span.scope?.name ?? span.scope, span.span_id].filter(Boolean).join(" · ")),
  );
}

/** When it began by its own clock, which `offset_ms` may correct. */
function startOf(span, trace) {
  if (span.started) return span.started;
  return new Date(Number(BigInt(trace.first_ns) / 1_000_000n) + span.offset_ms - (span.shift_ms ?? 0)).toISOString();
}

function parentButton(span, trace, does) {
  const parent = span.parent_id && trace.spans.find((one) => one.span_id === span.parent_id);
  return parent && button(t("Parent: {name}", { name: parent.name }), () => does.select(parent.span_id), { kind: "is-small" });
}

/** Lines of the console that were written meanwhile, and those that name the trace. */
function logsLinks(span, trace) {
  const began = Date.parse(startOf(span, trace));
  const at = (ms) => new Date(began + ms).toISOString();
  const known = store.serviceNames().includes(span.service);
  const query = new URLSearchParams({ ...(known && { services: span.service }), since: at(-AROUND), until: at(span.duration_ms + AROUND) });
  return [
    linkButton(t("Console of that time"), `/logs?${query}`, { kind: "is-small", glyph: "logs" }),
    linkButton(t("Console lines of the trace"), `/logs?q=${trace.trace_id}`, { kind: "is-small", glyph: "logs" }),
  ];
}

function ownLogs(span, logs) {
  const own = logs.filter((log) => log.span_id === span.span_id);
  if (!own.length) return null;
  return [
    h("h3", {}, t("Logs of this span")),
    h("ol", { class: "span-logs" }, own.map((log) => h("li", { class: `level-${log.level || "none"}` }, h("time", { datetime: log.time }, clockWithMilliseconds(log.time)), h("span", { class: "log-level" }, log.level), h("span", {}, plain(log.text))))),
  ];
}

function events(span) {
  if (!span.events.length) return null;
  return [
    h("h3", {}, t("Events")),
    span.events.map((event, index) => lazy(`event-${index}`, [event, currentLanguage()], () =>
      h("details", { class: "span-event", open: event.name === "exception" }, h("summary", {}, h("b", {}, event.name), " ", h("span", { class: "soft" }, `+${milliseconds(event.offset_ms - span.offset_ms)}`)), rows(event.attributes)),
    )),
  ];
}

function links(span) {
  if (!span.links.length) return null;
  return [h("h3", {}, t("Links")), h("p", { class: "links" }, span.links.map((one) => h("a", { class: "chip", href: traceAddress(one.trace_id, one.span_id) }, `${one.trace_id.slice(0, 8)}…`)))];
}

function table(title, values, cut = []) {
  return Object.keys(values).length > 0 && [h("h3", {}, title), rows(values, cut)];
}

const rows = (values, cut = []) =>
  h(
    "dl",
    { class: "span-values" },
    Object.entries(values).map(([name, value]) => [h("dt", {}, plain(name)), h("dd", {}, plain(shown(value)), cut?.includes(name) && h("span", { class: "tag" }, t("cut")))]),
  );

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
