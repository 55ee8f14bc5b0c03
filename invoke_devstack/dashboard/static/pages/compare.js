// Two runs side by side: what got slower, what only one of them did.

import { h } from "../core/dom.js";
import { Fetched } from "../core/fetched.js";
import { duration, fullTime } from "../core/format.js";
import { runAddress } from "../core/router.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { card, empty, failure, linkButton, skeleton } from "../parts/pieces.js";

const SAME = 0.05; // seconds: less than this is no difference

class Compare extends View {
  #one = null;
  #other = null;

  setup() {
    const { run, other } = this.props.route.params;
    const fetched = (name) => new Fetched(`activity/${encodeURIComponent(name)}`, {}, () => this.refresh());
    [this.#one, this.#other] = [fetched(run), fetched(other)];
    this.#one.load();
    this.#other.load();
  }

  render() {
    const [one, other] = [this.#one.value, this.#other.value];
    const error = this.#one.error ?? this.#other.error;
    return [
      h("header", { class: "page-head" }, h("h1", {}, t("Two runs compared")), h("div", { class: "page-tools" }, linkButton(t("All runs"), "/activity", { glyph: "back" }))),
      error && failure(error),
      !error && (!one || !other) && skeleton(6),
      one && other && compared(one, other),
    ];
  }
}

function compared(one, other) {
  const rows = paired(one, other);
  const end = Math.max(one.seconds ?? 0, other.seconds ?? 0, 0.01, ...rows.flatMap((row) => [row.was ?? 0, row.is ?? 0]));
  return [
    h(
      "div",
      { class: "legend" },
      h("a", { class: "quiet-link", href: runAddress(one.run) }, h("i", { "aria-hidden": "true" }), name(one)),
      h("a", { class: "quiet-link", href: runAddress(other.run) }, h("i", { class: "is-other", "aria-hidden": "true" }), name(other)),
    ),
    card(
      t("In all: {before} → {after}", { before: duration(one.seconds), after: duration(other.seconds) }),
      difference(one.seconds, other.seconds),
      rows.length ? h("div", { class: "timeline" }, rows.map((row) => pair(row, end))) : empty(t("Neither did anything")),
    ),
  ];
}

const name = (run) => `${run.command || run.task} · ${fullTime(run.began)} · ${duration(run.seconds)}`;

/** Actions of both, matched by what they did to what; the greatest difference first. */
function paired(one, other) {
  const rows = new Map();
  const put = (run, side) => {
    for (const bar of run.bars) {
      const key = `${bar.action} ${bar.target}`;
      const row = rows.get(key) ?? { action: bar.action, target: bar.target };
      row[side] = (row[side] ?? 0) + Math.max(0, (bar.end ?? bar.start) - bar.start);
      rows.set(key, row);
    }
  };
  put(one, "was");
  put(other, "is");
  return [...rows.values()].sort((a, b) => Math.abs((b.is ?? 0) - (b.was ?? 0)) - Math.abs((a.is ?? 0) - (a.was ?? 0)));
}

function pair({ action, target, was, is }, end) {
  const bar = (seconds, kind) => h("div", { class: "bar-track" }, seconds != null && h("div", { class: `bar ${kind}`, style: { "--from": "0", "--part": String(seconds / end) } }));
  return h(
    "div",
    { class: "bar-row" },
    h("div", { class: "bar-name" }, h("p", {}, action, " ", h("b", {}, target)), h("p", { class: "bar-cause" }, `${was == null ? t("not done") : duration(was)} → ${is == null ? t("not done") : duration(is)}`)),
    h("div", { class: "compare-bars" }, bar(was, ""), bar(is, "is-other")),
    h("span", { class: "bar-took" }, difference(was, is)),
  );
}

function difference(was, is) {
  if (was == null || is == null) return h("span", { class: "soft" }, "–");
  const more = is - was;
  if (Math.abs(more) < SAME) return h("span", { class: "soft" }, "±0");
  return h("span", { class: more > 0 ? "slower" : "faster" }, `${more > 0 ? "+" : "−"}${duration(Math.abs(more))}`);
}

customElements.define("page-compare", Compare);
