// Shows the lines that are in sight, and no others: a million of them are as quick as ten.

import { colored, plain } from "../core/ansi.js";
import { h, lazy } from "../core/dom.js";
import { clockWithMilliseconds, fullTime } from "../core/format.js";
import { traceAddress } from "../core/router.js";
import { View } from "../core/view.js";
import { currentLanguage, t } from "../core/words.js";
import { button, copy, linkButton } from "./pieces.js";
import { traceOf } from "./trace-link.js";

const ROW = 22; // px of a line that is not wrapped
const SPARE = 15; // lines above and below what is in sight
const NEAR = 600; // px from an end: time to get more
const CHIPS = 14;
const TOLD = new Set(["message", "msg", "text", "event", "level", "severity", "lvl", "time", "timestamp", "ts", "@timestamp", "trace_id", "span_id", "otelTraceID", "otelSpanID", "otelTraceSampled", "otelServiceName"]);

/** `props`: records (they are structured logs), lines, wrap, mark, hues, target (id of a line), following, and on… handlers. */
class LogView extends View {
  #heights = new WeakMap(); // line -> px, of those that are not ROW
  #open = new Set();
  #offsets = [0];
  #width = 0;
  #shownTarget = "";
  #top = 0;
  #scroller = null;

  setup() {
    const sizes = new ResizeObserver(() => this.#resized());
    sizes.observe(this);
    this.until(() => sizes.disconnect());
  }

  #resized() {
    if (this.props.wrap && this.clientWidth !== this.#width) this.#heights = new WeakMap();
    this.#width = this.clientWidth;
    this.refresh();
  }

  changed(before) {
    const { lines, wrap } = this.props;
    if (wrap !== before.wrap) this.#heights = new WeakMap();
    if (lines !== before.lines && before.lines?.length) this.#keepPlace(before.lines, lines);
  }

  /** What one looks at stays where it is when lines come or go above it. */
  #keepPlace(old, lines) {
    if (this.props.following || !this.#scroller) return;
    const index = this.#indexAt(this.#scroller.scrollTop);
    const anchor = old[Math.min(index, old.length - 1)];
    const now = lines.findIndex((line) => line.key === anchor.key);
    if (now < 0) return;
    const within = this.#scroller.scrollTop - this.#offsets[index];
    this.#measure();
    this.#top = this.#offsets[now] + within;
  }

  #measure() {
    const offsets = [0];
    for (const line of this.props.lines) offsets.push(offsets.at(-1) + (this.#heights.get(line) ?? ROW));
    this.#offsets = offsets;
  }

  #indexAt(y) {
    let [low, high] = [0, this.#offsets.length - 2];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#offsets[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  render() {
    this.#measure();
    const { lines, wrap } = this.props;
    const height = this.#scroller?.clientHeight || innerHeight;
    const total = this.#offsets.at(-1);
    if (this.props.following) this.#top = Math.max(0, total - height);
    this.#goToTarget(height);
    const from = Math.max(0, this.#indexAt(this.#top) - SPARE);
    const to = Math.min(lines.length, this.#indexAt(this.#top + height) + SPARE + 1);
    return h(
      "div",
      {
        class: `log-scroll ${wrap ? "is-wrapped" : ""}`, tabindex: "0", role: "log", "aria-label": t("Log lines"), "aria-live": "off",
        onscroll: (event) => this.#scrolled(event.target), onkeydown: (event) => this.#key(event),
      },
      h(
        "div",
        { class: "log-all", style: { height: `${total}px` } },
        h("div", { class: "log-rows", style: { transform: `translateY(${this.#offsets[from] ?? 0}px)` } }, lines.slice(from, to).map((line) => this.#row(line))),
      ),
    );
  }

  #goToTarget(height) {
    const { target, lines } = this.props;
    if (!target || target === this.#shownTarget) return;
    const index = lines.findIndex((line) => line.id === target);
    if (index < 0) return;
    this.#shownTarget = target;
    this.#top = Math.max(0, this.#offsets[index] - height / 3);
  }

  drawn() {
    this.#scroller = this.firstElementChild;
    if (this.#measureRows()) {
      this.refresh();
      return;
    }
    if (Math.abs(this.#scroller.scrollTop - this.#top) > 1) this.#scroller.scrollTop = this.#top;
    if (this.#top < NEAR) this.props.onTop?.();
    if (this.#offsets.at(-1) - this.#top - this.#scroller.clientHeight < NEAR) this.props.onBottom?.();
  }

  #measureRows() {
    if (!this.props.wrap && !this.#open.size) return false;
    let changed = false;
    const rows = this.querySelectorAll(".log-line");
    for (const row of rows) {
      const height = row.offsetHeight;
      if (!row.line || (this.#heights.get(row.line) ?? ROW) === height) continue;
      this.#heights.set(row.line, height);
      changed = true;
    }
    return changed;
  }

  #scrolled(scroller) {
    const end = this.#offsets.at(-1) - scroller.clientHeight;
    const up = scroller.scrollTop < this.#top - 2;
    this.#top = scroller.scrollTop;
    if (this.props.following && up && this.#top < end - 4) this.props.onPause?.();
    else if (!this.props.following && !up && this.#top >= end - 2) this.props.onEnd?.();
    this.refresh();
  }

  #key(event) {
    if (event.key === "End") this.props.onFollow?.();
    else if (event.key === "Home") this.#top = this.#scroller.scrollTop = 0;
    else return;
    event.preventDefault();
  }

  #row(line) {
    const { wrap, mark, hues, target } = this.props;
    const open = this.#open.has(line.key);
    const aimed = line.id === target;
    const trace = traceOf(line);
    const deps = [line, wrap, mark?.source, mark?.flags, hues.get(line.service), aimed, open, currentLanguage()];
    return lazy(line.key, deps, () => {
      const row = h(
        "div",
        { class: `log-line level-${line.level || "none"} ${line.stream === "stderr" ? "is-stderr" : ""} ${aimed ? "is-target" : ""} ${open ? "is-open" : ""}` },
        h(
          "div",
          { class: "log-main", onclick: (event) => this.#click(event, line) },
          h("time", { class: "log-time", datetime: line.time, title: fullTime(line.time) }, clockWithMilliseconds(line.time)),
          h("span", { class: `log-service hue-${hues.get(line.service) ?? 0}`, title: line.container }, line.service),
          h("span", { class: "log-level" }, line.level),
          h("span", { class: "log-text" }, trace && traceLink(trace), line.fields ? fieldsInLine(line.fields, mark) : colored(line.text, mark), line.cut?.length !== 0 && line.cut && h("span", { class: "soft" }, " …")),
          h("button", { type: "button", class: "log-more", "aria-expanded": String(open), "aria-label": t("Details of the line"), onclick: () => this.#toggle(line) }, open ? "–" : "+"),
        ),
        open && this.#details(line),
      );
      row.line = line;
      return row;
    });
  }

  #click(event, line) {
    if (event.target.closest("button, a") || getSelection()?.toString()) return;
    this.#toggle(line);
  }

  #toggle(line) {
    if (this.#open.delete(line.key)) this.#heights.delete(line);
    else this.#open.add(line.key);
    this.props.onPause?.();
    this.refresh();
  }

  #details(line) {
    const { onField, onAround, records } = this.props;
    const trace = traceOf(line);
    const link = `${location.origin}/logs?line=${encodeURIComponent(line.id)}`;
    return h(
      "div",
      { class: "log-details" },
      h("p", { class: "soft" }, [fullTime(line.time), line.container, line.stream].filter(Boolean).join(" · ")),
      records && resourceOf(line),
      line.fields
        ? h("table", { class: "fields" }, h("tbody", {}, Object.entries(line.fields).map(([name, value]) => fieldRow(name, value, onField))))
        : h("pre", { class: "log-whole", tabindex: "0" }, colored(line.text)),
      h(
        "div",
        { class: "log-buttons" },
        button(t("Copy line"), () => copy(plain(line.text)), { glyph: "copy", kind: "is-small" }),
        trace && linkButton(t("To its trace"), traceAddress(trace.trace, trace.span), { glyph: "traces", kind: "is-small" }),
        records && linkButton(t("Console of that time"), `/logs?at=${encodeURIComponent(line.time)}`, { glyph: "logs", kind: "is-small" }),
        !records && button(t("Copy link"), () => copy(link), { glyph: "link", kind: "is-small" }),
        onAround && button(t("Show what is around it"), () => onAround(line), { glyph: "search", kind: "is-small" }),
      ),
    );
  }
}

function fieldsInLine(fields, mark) {
  const text = fields.message ?? fields.msg ?? fields.event ?? fields.text;
  const rest = Object.entries(fields).filter(([name]) => !TOLD.has(name)).slice(0, CHIPS);
  return [
    text != null && h("span", { class: "log-message" }, colored(String(text), mark)),
    rest.map(([name, value]) => h("span", { class: "log-field" }, h("span", { class: "log-name" }, `${plain(name)}=`), colored(shown(value), mark))),
  ];
}

const traceLink = ({ trace, span }) =>
  h("a", { class: "log-trace", href: traceAddress(trace, span), "aria-label": t("Trace of the line"), title: t("Trace of the line") }, t("trace"));

const resourceOf = ({ resource }) =>
  h("p", { class: "soft log-resource" }, Object.entries(resource ?? {}).map(([name, value]) => `${plain(name)}=${plain(shown(value))}`).join("  "));

function fieldRow(name, value, onField) {
  const filter = (sign, label) => button(label, () => onField(`${name}${sign}${shown(value)}`), { kind: "is-small is-quiet" });
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, plain(name)),
    h("td", {}, plain(shown(value))),
    h("td", { class: "field-do" }, onField && [filter("=", t("Only these")), filter("!=", t("Not these"))]),
  );
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

customElements.define("log-view", LogView);
