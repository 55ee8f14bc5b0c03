// Who calls whom, how often, how slowly, and how often in vain: drawn from the spans.

import { h, svg } from "../../core/dom.js";
import { Fetched } from "../../core/fetched.js";
import { count, milliseconds, percent } from "../../core/format.js";
import { amend } from "../../core/router.js";
import { store } from "../../core/store.js";
import { View } from "../../core/view.js";
import { t } from "../../core/words.js";
import { empty, failure, skeleton } from "../../parts/pieces.js";
import { Live, SINCE, choice, nothing, readStatus, tabs } from "./shared.js";

const BOX = { width: 210, height: 84, across: 130, down: 26 };
const MUCH = 0.05; // of the calls fail

class TraceMap extends View {
  #since = "15m";
  #map = null;
  #status = null;

  setup() {
    this.#since = this.props.route.query.get("since") ?? "15m";
    const live = new Live(() => this.#map.load());
    this.until(live.follow());
    this.watch(store, "services");
    this.#open();
  }

  async #open() {
    this.#map = new Fetched("traces/map", { since: this.#since }, () => this.refresh());
    this.#map.load();
    this.#status = await readStatus();
    this.refresh();
  }

  render() {
    const { value: map, error } = this.#map;
    const choose = (since) => {
      this.#since = since;
      amend({ since });
      this.#open();
    };
    const off = this.#status && !this.#status.spans;
    return [
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("Service map")),
        tabs("/traces/map"),
        h("div", { class: "page-tools" }, choice(t("Time"), this.#since, SINCE.slice(1).map(([value, label]) => [value, t(label)]), choose)),
      ),
      map?.sampled && h("p", { class: "notice is-warn" }, t("Drawn from the newest 100,000 spans.")),
      error && error.status !== 404 && failure(error),
      !map && !error && skeleton(5),
      (error?.status === 404 || (map && !map.nodes.length)) && (off || !this.#status ? nothing(this.#status ?? { receiving: true }) : empty(t("No spans in this time"))),
      map?.nodes.length > 0 && [picture(map), edgeTable(map)],
    ];
  }
}

function picture({ nodes, edges }) {
  const { places, width, height } = arrange(nodes, edges);
  return h(
    "div",
    { class: "graph-scroll", tabindex: "0", role: "group", "aria-label": t("Service map") },
    h(
      "div",
      { class: "graph-area", style: { width: `${width}px`, height: `${height}px` } },
      svg("svg", { class: "edges", width, height, "aria-hidden": "true" }, edges.filter((edge) => places.has(edge.from) && places.has(edge.to)).map((edge) => line(edge, places))),
      nodes.map((node) => box(node, places.get(node.service))),
    ),
  );
}

/** Columns from what nobody calls to what calls nobody; in each, near to those that call it. */
function arrange(nodes, edges) {
  const callers = new Map(nodes.map((node) => [node.service, []]));
  for (const { from, to } of edges) if (from !== to) callers.get(to)?.push(from);
  const depth = new Map();
  const find = (name, path) => {
    if (depth.has(name)) return depth.get(name);
    if (path.has(name)) return 0;
    const above = callers.get(name).filter((one) => callers.has(one)).map((one) => find(one, new Set([...path, name])));
    const found = above.length ? 1 + Math.max(...above) : 0;
    depth.set(name, found);
    return found;
  };
  const byDepth = [];
  for (const { service } of nodes) (byDepth[find(service, new Set())] ??= []).push(service);
  const columns = byDepth.filter(Boolean); // those that call each other leave a depth without any
  const order = new Map();
  const tallest = Math.max(...columns.map((column) => column.length));
  const places = new Map();
  columns.forEach((column, index) => {
    const middle = (name) => average(callers.get(name).map((one) => order.get(one) ?? 0));
    column.sort((a, b) => middle(a) - middle(b) || a.localeCompare(b));
    const above = ((tallest - column.length) * (BOX.height + BOX.down)) / 2;
    column.forEach((name, row) => {
      order.set(name, row);
      places.set(name, { x: 16 + index * (BOX.width + BOX.across), y: 16 + above + row * (BOX.height + BOX.down) });
    });
  });
  return { places, width: 32 + columns.length * (BOX.width + BOX.across) - BOX.across, height: 32 + tallest * (BOX.height + BOX.down) - BOX.down };
}

const average = (numbers) => (numbers.length ? numbers.reduce((sum, one) => sum + one, 0) / numbers.length : 0);

function line({ from, to, rate, p95_ms: p95, error_rate: failed }, places) {
  const [a, b] = [places.get(from), places.get(to)];
  const back = b.x <= a.x;
  const [x1, y1] = [a.x + (back ? BOX.width / 2 : BOX.width), a.y + (back ? BOX.height : BOX.height / 2)];
  const [x2, y2] = [b.x + (back ? BOX.width / 2 : -5), b.y + (back ? BOX.height + 5 : BOX.height / 2)];
  const bend = back ? 60 : Math.max(30, (x2 - x1) / 2);
  const path = back ? `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 + bend} ${x2} ${y2}` : `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  const kind = failed > MUCH ? "is-failed" : "";
  const end = back ? `M${x2 - 4} ${y2 + 6}L${x2} ${y2}L${x2 + 4} ${y2 + 6}` : `M${x2 - 6} ${y2 - 4}L${x2} ${y2}L${x2 - 6} ${y2 + 4}`;
  const at = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 + (back ? bend * 0.75 : 0) };
  return [
    svg("path", { class: `call ${kind}`, d: path }),
    svg("path", { class: `call ${kind}`, d: end }),
    svg("text", { class: "call-text", x: at.x, y: at.y - 6, "text-anchor": "middle" }, `${perSecond(rate)}`),
    svg("text", { class: "call-text", x: at.x, y: at.y + 13, "text-anchor": "middle" }, `p95 ${milliseconds(p95)}`),
  ];
}

const KINDS = { database: "database", messaging: "messages", external: "outside", service: "service" };

function box(node, place) {
  const bad = node.error_rate > MUCH;
  return h(
    "a",
    {
      key: node.service, class: `node map-node is-${bad ? "bad" : node.errors ? "warn" : "ok"} is-${node.kind}`, href: `/traces?${new URLSearchParams(node.kind === "service" ? { service: node.service } : { text: node.service })}`,
      style: { left: `${place.x}px`, top: `${place.y}px`, width: `${BOX.width}px`, height: `${BOX.height}px` },
    },
    h("span", { class: "node-name" }, node.service, h("span", { class: "soft node-kind" }, ` ${t(KINDS[node.kind] ?? node.kind)}`)),
    h("span", { class: "map-numbers" }, perSecond(node.rate), " · ", h("span", { class: node.errors ? "is-error" : "" }, t("{n} failed", { n: percent(node.error_rate * 100) }))),
    h("span", { class: "map-numbers soft" }, `p50 ${milliseconds(node.p50_ms)} · p95 ${milliseconds(node.p95_ms)}`),
  );
}

const perSecond = (rate) => t("{n} / s", { n: rate >= 10 ? count(Math.round(rate)) : rate.toPrecision(2).replace(/\.?0+$/, "") });

function edgeTable({ edges }) {
  if (!edges.length) return null;
  const heads = [t("Caller"), t("Called"), t("Calls"), t("Rate"), t("Errors"), "p95"];
  const rows = edges.toSorted((a, b) => b.calls - a.calls).map((edge) => [edge.from, edge.to, count(edge.calls), perSecond(edge.rate), edge.errors ? `${count(edge.errors)} (${percent(edge.error_rate * 100)})` : "0", milliseconds(edge.p95_ms)]);
  return h(
    "section",
    { class: "card map-table" },
    h(
      "table",
      { class: "plain stacked" },
      h("caption", { class: "for-readers" }, t("Calls")),
      h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) => h("td", { "data-label": heads[index], class: index === 4 && cell !== "0" ? "is-error" : "" }, cell))))),
    ),
  );
}

customElements.define("page-traces-map", TraceMap);
