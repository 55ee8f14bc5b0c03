// Who waits for whom: columns from what waits for nothing to what waits longest.

import { h, svg } from "../core/dom.js";
import { serviceAddress } from "../core/router.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { stateOf } from "../parts/pieces.js";

const BOX = { width: 200, height: 60, across: 90, down: 18 };
const MOST_ROWS = 12; // of a column that nothing connects

class Graph extends View {
  render() {
    const services = merged(this.props.entries ?? []);
    const { places, width, height } = arrange(services);
    return h(
      "div",
      { class: "graph-scroll", tabindex: "0", role: "group", "aria-label": t("Graph of services") },
      h(
        "div",
        { class: "graph-area", style: { width: `${width}px`, height: `${height}px` } },
        svg("svg", { class: "edges", width, height, "aria-hidden": "true" }, edges(services, places)),
        [...services.values()].map((service) => box(service, places.get(service.name))),
      ),
    );
  }
}

/** One for each service, its worst container in front. */
function merged(entries) {
  const services = new Map();
  for (const entry of entries) {
    const known = services.get(entry.service);
    const copies = (known?.copies ?? 0) + 1;
    const shown = known && !known.entry.ready ? known.entry : entry;
    services.set(entry.service, { name: entry.service, entry: shown, copies, waitsFor: entry.waits_for ?? {} });
  }
  return services;
}

function arrange(services) {
  const columns = columnsOf(services);
  const places = new Map();
  let x = 16;
  let height = 0;
  for (const column of columns) {
    const rows = column.loose ? Math.min(MOST_ROWS, column.names.length) : column.names.length;
    column.names.forEach((name, index) => {
      const place = { x: x + Math.floor(index / rows) * (BOX.width + BOX.down), y: 16 + (index % rows) * (BOX.height + BOX.down) };
      places.set(name, place);
      height = Math.max(height, place.y + BOX.height + 16);
    });
    x = Math.max(...column.names.map((name) => places.get(name).x)) + BOX.width + BOX.across;
  }
  return { places, width: x - BOX.across + 16, height };
}

function columnsOf(services) {
  const depth = new Map();
  const find = (name, path = new Set()) => {
    if (depth.has(name)) return depth.get(name);
    if (path.has(name)) return 0;
    const below = Object.keys(services.get(name).waitsFor).filter((other) => services.has(other));
    const found = below.length ? 1 + Math.max(...below.map((other) => find(other, new Set([...path, name])))) : 0;
    depth.set(name, found);
    return found;
  };
  const waited = new Set([...services.values()].flatMap((service) => Object.keys(service.waitsFor)));
  const connected = [...services.keys()].filter((name) => find(name) > 0 || waited.has(name));
  const loose = [...services.keys()].filter((name) => !connected.includes(name));
  const columns = [];
  for (const name of connected) (columns[depth.get(name)] ??= { names: [] }).names.push(name);
  const order = new Map();
  for (const column of columns) {
    const middle = (name) => average(Object.keys(services.get(name).waitsFor).map((other) => order.get(other) ?? 0));
    column.names.sort((a, b) => middle(a) - middle(b));
    column.names.forEach((name, index) => order.set(name, index));
  }
  return loose.length ? [...columns, { names: loose, loose: true }] : columns;
}

const average = (numbers) => (numbers.length ? numbers.reduce((sum, one) => sum + one, 0) / numbers.length : 0);

function edges(services, places) {
  return [...services.values()].flatMap((service) =>
    Object.entries(service.waitsFor)
      .filter(([other]) => places.has(other))
      .map(([other]) => edge(places.get(other), places.get(service.name), services.get(other).entry.ready)),
  );
}

function edge(from, to, ready) {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x - 4, to.y + BOX.height / 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  return [
    svg("path", { class: `edge ${ready ? "is-ready" : ""}`, d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }),
    svg("path", { class: `edge-end ${ready ? "is-ready" : ""}`, d: `M${x2 - 6} ${y2 - 4}L${x2} ${y2}L${x2 - 6} ${y2 + 4}` }),
  ];
}

const CONDITIONS = { service_healthy: "healthy", service_started: "running", service_completed_successfully: "done" };

function box({ name, entry, copies, waitsFor }, place) {
  const state = stateOf(entry);
  const waits = Object.entries(waitsFor).map(([other, condition]) => `${other} ${t(CONDITIONS[condition] ?? condition)}`).join(", ");
  return h(
    "a",
    {
      key: name, class: `node is-${state.tone}`, href: serviceAddress(name), title: waits ? t("waits for {what}", { what: waits }) : name,
      style: { left: `${place.x}px`, top: `${place.y}px`, width: `${BOX.width}px`, height: `${BOX.height}px` },
    },
    h("span", { class: "node-name" }, name, copies > 1 && h("span", { class: "soft" }, ` ×${copies}`)),
    h("span", { class: "node-state" }, h("span", { class: "dot", "aria-hidden": "true" }), state.text, entry.addresses[0] && h("span", { class: "soft node-address" }, entry.addresses[0].replace(/^https?:\/\//, ""))),
  );
}

customElements.define("dev-graph", Graph);
