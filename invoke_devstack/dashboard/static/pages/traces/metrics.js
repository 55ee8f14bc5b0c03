// Metrics that services send, a chart each.

import { get } from "../../core/api.js";
import { h } from "../../core/dom.js";
import { count, milliseconds, size } from "../../core/format.js";
import { amend } from "../../core/router.js";
import { store } from "../../core/store.js";
import { View } from "../../core/view.js";
import { t } from "../../core/words.js";
import "../../parts/chart.js";
import { empty, failure, skeleton } from "../../parts/pieces.js";
import { Live, SINCE, choice, huesOf, nothing, readStatus, serviceName, tabs } from "./shared.js";

const MOST_CHARTS = 40;
const MOST_LINES = 8; // of a chart
const AT_ONCE = 4;
const SPANS = { "5m": 300, "15m": 900, "1h": 3600 }; // seconds

class Metrics extends View {
  #since = "15m";
  #service = "";
  #text = "";
  #metrics = null;
  #charts = new Map(); // service and name -> what its chart shows
  #status = null;
  #error = null;
  #round = 0;

  setup() {
    const { query } = this.props.route;
    [this.#since, this.#service, this.#text] = [query.get("since") ?? "15m", query.get("service") ?? "", query.get("text") ?? ""];
    this.until(new Live(() => this.#load()).follow());
    this.watch(store, "services");
    this.#load();
  }

  async #load() {
    const round = (this.#round += 1);
    try {
      const [status, { metrics }] = await Promise.all([readStatus(), get("traces/metrics")]);
      if (round !== this.#round) return;
      [this.#status, this.#metrics, this.#error] = [status, metrics, null];
    } catch (error) {
      this.#status ??= await readStatus();
      this.#metrics ??= [];
      this.#error = error.status === 404 ? null : error;
    }
    this.refresh();
    await this.#loadCharts(round);
  }

  /** A few at once: a browser opens six connections. */
  async #loadCharts(round) {
    const waiting = [...this.#shown()];
    const work = async () => {
      for (let metric = waiting.shift(); metric && round === this.#round; metric = waiting.shift()) {
        const chart = await get(`traces/metrics/${encodeURIComponent(metric.name)}`, { service: metric.service, since: this.#since }).catch(() => null);
        if (chart) this.#charts.set(keyOf(metric), chart);
        this.refresh();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  #shown() {
    const text = this.#text.toLowerCase();
    const wanted = (metric) => (!this.#service || metric.service === this.#service) && (!text || `${metric.name} ${metric.description}`.toLowerCase().includes(text));
    return (this.#metrics ?? []).filter(wanted).slice(0, MOST_CHARTS);
  }

  #set(change) {
    if ("since" in change) [this.#since, this.#charts] = [change.since, new Map()];
    if ("service" in change) this.#service = change.service;
    if ("text" in change) this.#text = change.text;
    amend({ since: this.#since, service: this.#service, text: this.#text });
    this.refresh();
    this.#loadCharts((this.#round += 1));
  }

  render() {
    const metrics = this.#metrics;
    const services = [...new Set((metrics ?? []).map((metric) => metric.service))].sort();
    const hues = huesOf(services);
    const shown = this.#shown();
    return [
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("Metrics")),
        tabs("/traces/metrics"),
        h(
          "div",
          { class: "page-tools" },
          h("input", { class: "input filter", type: "search", value: this.#text, placeholder: t("Filter"), "aria-label": t("Filter metrics"), oninput: (event) => this.#set({ text: event.target.value }) }),
          choice(t("Service"), this.#service, [["", t("All services")], ...services.map((name) => [name, name])], (value) => this.#set({ service: value })),
          choice(t("Time"), this.#since, SINCE.slice(1).map(([value, label]) => [value, t(label)]), (value) => this.#set({ since: value })),
        ),
      ),
      this.#error && failure(this.#error),
      !metrics && skeleton(5),
      metrics && !metrics.length && !this.#error && nothing(this.#status),
      metrics?.length > 0 && !shown.length && empty(t("No metric matches")),
      h("div", { class: "charts" }, shown.map((metric) => this.#card(metric, hues))),
    ];
  }

  #card(metric, hues) {
    const chart = this.#charts.get(keyOf(metric));
    const now = Date.now() / 1000;
    const from = now - SPANS[this.#since];
    return h(
      "section",
      { class: "card chart-card", key: keyOf(metric) },
      h("header", { class: "chart-head" }, h("h2", {}, metric.name), serviceName(metric.service, hues)),
      h("p", { class: "soft" }, [metric.description, t(SHOWS[metric.shows] ?? metric.shows)].filter(Boolean).join(" · ")),
      chart ? h("dev-chart", { props: { lines: linesOf(chart), from, to: now, text: textOf(chart), scale: scaleOf(chart), label: metric.name } }) : h("div", { class: "chart-empty" }),
    );
  }
}

const SHOWS = { value: "value", rate: "per second", distribution: "mean and p95" };
const keyOf = (metric) => `${metric.service}\n${metric.name}`;

/** A line for each series; a distribution has its p95 dashed. */
function linesOf({ series, columns, shows }) {
  const column = (name) => columns.indexOf(name);
  const line = (one, index, name, dashed) => ({ name: [describe(one.attributes, series), dashed && "p95"].filter(Boolean).join(" "), hue: index % 8, dashed, points: one.points.map((point) => [point[0], point[column(name)]]) });
  const busy = series.toSorted((a, b) => b.points.length - a.points.length).slice(0, MOST_LINES);
  if (shows === "distribution") return busy.slice(0, MOST_LINES / 2).flatMap((one, index) => [line(one, index, "mean", false), line(one, index, "p95", true)]);
  return busy.map((one, index) => line(one, index, shows === "rate" ? "per_second" : "value", false));
}

const SAYING = /route|method|status|state|type|operation|path|kind|direction|device|pool/;

/** What tells a series from the others; of one alone, what it is about. */
function describe(attributes, series) {
  const text = (one, name) => JSON.stringify(one.attributes[name]);
  const differing = Object.keys(attributes).filter((name) => series.some((one) => text(one, name) !== JSON.stringify(attributes[name])));
  const names = differing.length ? differing : Object.keys(attributes).filter((name) => SAYING.test(name));
  return names.slice(0, 4).map((name) => String(attributes[name])).join(" ");
}

/** How a value of this unit is written. UCUM: `{request}` is a thing that is counted. */
function textOf({ unit, shows }) {
  const per = shows === "rate" ? " / s" : "";
  if (unit === "ms" && !per) return milliseconds;
  if (unit === "s" && !per) return (value) => milliseconds(value == null ? value : value * 1000);
  if (unit === "By") return (value) => `${size(value)}${per}`;
  if (unit === "1" && !per) return number;
  const name = unit.replace(/\{[^}]*\}/g, "").replace(/^1$/, "");
  return (value) => `${number(value)}${name && ` ${name}`}${per}`;
}

/** The same at the scale, where there is no room for a name. */
const scaleOf = ({ unit, shows }) => (/^(ms|s|By)$/.test(unit) && shows !== "rate" ? textOf({ unit, shows }) : number);

function number(value) {
  if (value == null) return "–";
  return Math.abs(value) >= 100 || Number.isInteger(value) ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}

customElements.define("page-traces-metrics", Metrics);
