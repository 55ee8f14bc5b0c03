// The spans of a trace as nested bars. Only the rows in sight are drawn: ten thousand are as quick as ten.

import { plain } from "../core/ansi.js";
import { h, lazy } from "../core/dom.js";
import { milliseconds } from "../core/format.js";
import { View } from "../core/view.js";
import { currentLanguage, t } from "../core/words.js";

const ROW = 30; // px
const SPARE = 12; // rows above and below what is in sight
const TICKS = [0, 0.25, 0.5, 0.75, 1];
const MOST_MARKS = 12; // events drawn on one bar

/** `props`: spans in order, range [from, to] in ms, hues, selected (span id), matches(span) or null, onSelect, onZoom. */
class Waterfall extends View {
  #closed = new Set();
  #rows = [];
  #top = 0;
  #scroller = null;
  #shown = "";
  #cursor = ""; // what is selected, at once: a second key may come before the page is drawn
  #deps = [];

  setup() {
    this.#cursor = this.props.selected;
    const sizes = new ResizeObserver(() => this.refresh());
    sizes.observe(this);
    this.until(() => sizes.disconnect());
  }

  changed(before) {
    if (this.props.selected !== before.selected) this.#cursor = this.props.selected;
  }

  collapse(all) {
    this.#closed = new Set(all ? this.props.spans.filter((span, index) => this.#isParent(index)).map((span) => span.span_id) : []);
    this.#deps = [];
    this.refresh();
  }

  #isParent(index) {
    const { spans } = this.props;
    return index + 1 < spans.length && spans[index + 1].depth > spans[index].depth;
  }

  #measure() {
    const { spans, matches } = this.props;
    const deps = [spans, matches, this.#closed.size];
    if (deps.every((one, index) => one === this.#deps[index])) return;
    this.#deps = deps;
    const kept = matches ? withParents(spans, matches) : null;
    this.#rows = [];
    let under = Infinity; // depth of a closed span: what is deeper is hidden
    spans.forEach((span, index) => {
      if (span.depth > under) return;
      under = Infinity;
      if (kept && !kept.has(index)) return;
      const closed = !kept && this.#closed.has(span.span_id);
      if (closed) under = span.depth;
      this.#rows.push({ span, parent: this.#isParent(index), closed });
    });
  }

  render() {
    this.#measure();
    const { range, selected } = this.props;
    const height = this.#scroller?.clientHeight || innerHeight;
    this.#goTo(selected, height);
    const from = Math.max(0, Math.floor(this.#top / ROW) - SPARE);
    const to = Math.min(this.#rows.length, Math.ceil((this.#top + height) / ROW) + SPARE);
    const shown = this.#rows.slice(from, to);
    const inSight = shown.some((row) => row.span.span_id === selected);
    return [
      h("div", { class: "wf-axis", "aria-hidden": "true" }, h("span", {}, t("Span")), h("div", { class: "wf-ticks" }, TICKS.map((part) => h("span", {}, milliseconds(range[0] + (range[1] - range[0]) * part))))),
      h(
        "div",
        {
          class: "wf-scroll", role: "tree", tabindex: "0", "aria-label": t("Spans"), "aria-activedescendant": inSight ? `span-${selected}` : null,
          onscroll: (event) => this.#scrolled(event.target), onkeydown: (event) => this.#key(event),
        },
        h("div", { class: "wf-all", role: "none", style: { height: `${this.#rows.length * ROW}px` } },
          h("div", { class: "wf-rows", role: "none", style: { transform: `translateY(${from * ROW}px)` } }, shown.map((row) => this.#row(row)))),
      ),
    ];
  }

  drawn() {
    this.#scroller = this.querySelector(".wf-scroll");
    if (Math.abs(this.#scroller.scrollTop - this.#top) > 1) this.#scroller.scrollTop = this.#top;
    this.#top = this.#scroller.scrollTop;
  }

  #goTo(selected, height) {
    if (selected === this.#shown) return;
    const index = this.#rows.findIndex((row) => row.span.span_id === selected);
    if (selected && index < 0) return this.#openTo(selected);
    this.#shown = selected;
    if (index < 0) return undefined;
    const place = index * ROW;
    if (place < this.#top) this.#top = place;
    else if (place + ROW > this.#top + height) this.#top = place - height + ROW * 2;
    return undefined;
  }

  /** Opens the closed spans around it, if there are any. */
  #openTo(selected) {
    const { spans } = this.props;
    let index = spans.findIndex((span) => span.span_id === selected);
    let opened = false;
    for (let depth = spans[index]?.depth ?? 0; index >= 0 && depth > 0; index -= 1) {
      if (spans[index].depth >= depth) continue;
      depth = spans[index].depth;
      opened = this.#closed.delete(spans[index].span_id) || opened;
    }
    if (opened) this.refresh();
  }

  #scrolled(scroller) {
    this.#top = scroller.scrollTop;
    this.refresh();
  }

  #key(event) {
    const at = this.#rows.findIndex((row) => row.span.span_id === this.#cursor);
    const row = this.#rows[at];
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.#rows.length - 1, PageDown: at + 15, PageUp: at - 15 };
    if (event.key in steps) this.#select(this.#rows[Math.max(0, Math.min(this.#rows.length - 1, steps[event.key]))]);
    else if (event.key === "ArrowRight" && row?.closed) this.#turn(row);
    else if (event.key === "ArrowRight" && row?.parent) this.#select(this.#rows[at + 1]);
    else if (event.key === "ArrowLeft" && row?.parent && !row.closed) this.#turn(row);
    else if (event.key === "ArrowLeft") this.#select(this.#rows.slice(0, Math.max(0, at)).findLast((one) => one.span.depth < row.span.depth));
    else return;
    event.preventDefault();
  }

  #select(row) {
    if (!row) return;
    this.#cursor = row.span.span_id;
    this.props.onSelect(row.span);
  }

  #turn({ span }) {
    if (!this.#closed.delete(span.span_id)) this.#closed.add(span.span_id);
    this.#deps = [];
    this.#measure();
    this.refresh();
  }

  #row(row) {
    const { span, parent, closed } = row;
    const { range, hues, selected, onZoom } = this.props;
    const isSelected = span.span_id === selected;
    const hue = hues.get(span.peer || span.service) ?? 0;
    const failed = span.status === "error";
    const deps = [span, parent, closed, isSelected, range[0], range[1], hue, currentLanguage()];
    return lazy(span.span_id, deps, () =>
      h(
        "div",
        {
          id: `span-${span.span_id}`, class: `wf-row hue-${hue} ${isSelected ? "is-selected" : ""} ${failed ? "is-failed" : ""}`, role: "treeitem",
          "aria-level": span.depth + 1, "aria-selected": String(isSelected), "aria-expanded": parent ? String(!closed) : null,
          onclick: () => this.#select(row), ondblclick: () => onZoom(span),
        },
        h(
          "div",
          { class: "wf-name", style: { "--depth": String(Math.min(span.depth, 24)) }, title: [span.service, span.peer && `→ ${span.peer}`, span.name].filter(Boolean).join(" ") },
          h("span", { class: "wf-caret", "aria-hidden": "true", onclick: (event) => (event.stopPropagation(), parent && this.#turn(row)) }, parent ? (closed ? "▸" : "▾") : ""),
          h("span", { class: "wf-service" }, span.peer ? `→ ${span.peer}` : span.service),
          h("span", { class: "wf-title" }, span.name, " ", h("span", { class: "wf-detail" }, plain(statementOf(span)).replace(/\s+/g, " "))),
          failed && h("span", { class: "wf-failed" }, t("error")),
          span.orphan && h("span", { class: "tag is-plain", title: t("Its parent has not arrived") }, t("orphan")),
        ),
        bar(span, range),
      ),
    );
  }
}

function bar(span, [from, to]) {
  const whole = to - from || 1;
  const start = (span.offset_ms - from) / whole;
  const part = span.duration_ms / whole;
  const place = (at) => String(Math.max(0, Math.min(1, at)));
  const visible = start < 1 && start + part >= 0;
  const clipped = Math.min(1, start + part) - Math.max(0, start);
  const late = start + part > 0.7; // no room for the time behind it: before it, or else in it
  const side = late ? (start > 0.3 ? "is-before" : "is-within") : "";
  return h(
    "div",
    { class: "wf-track" },
    visible && h("div", { class: "wf-bar", style: { "--from": place(start), "--part": place(clipped) } }),
    visible && span.events.slice(0, MOST_MARKS).map((event) => h("i", { class: "wf-mark", style: { "--from": place((event.offset_ms - from) / whole) }, title: event.name })),
    h("span", { class: `wf-took ${side}`, style: { "--from": place(side === "is-before" ? start : start + part) } }, milliseconds(span.duration_ms)),
  );
}

const STATEMENTS = ["db.query.text", "db.statement", "graphql.document"];
const SHORT = 300; // characters of a statement in a row

/** What a span asked a database, its first part for a row; the whole with `most`. */
export function statementOf(span, most = SHORT) {
  const name = STATEMENTS.find((one) => span.attributes[one] != null);
  return name ? String(span.attributes[name]).slice(0, most) : "";
}

/** Places of the spans that match, and of those that they are in. */
function withParents(spans, matches) {
  const kept = new Set();
  const path = [];
  spans.forEach((span, index) => {
    path.length = Math.min(path.length, span.depth);
    path[span.depth] = index;
    if (matches(span)) for (const one of path) if (one != null) kept.add(one);
  });
  return kept;
}

customElements.define("dev-waterfall", Waterfall);
