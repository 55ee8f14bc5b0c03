// What is known of the stack, kept true by the stream of events. Views watch topics of it.

import { get } from "./api.js";
import { follow } from "./stream.js";

const KEPT_EVENTS = 400; // of each run
const KEPT_RUNS = 40;
const HISTORY = 600; // seconds of a sparkline

class Store {
  project = null;
  services = null; // entries of GET services, in order
  stats = new Map(); // container -> {at, cpu_percent, memory}
  actions = [];
  connection = "connecting"; // open, lost, denied
  boot = "";
  logs = { first: 0, last: 0 };
  runs = new Map();
  events = new Map(); // run -> events that came while this tab was open
  #listeners = new Map();

  on(topic, listener) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  tell(topic, data) {
    for (const listener of this.#listeners.get(topic) ?? []) listener(data);
  }

  /** Begins: what the page shows first comes by itself, so that it need not wait for the stream. */
  start() {
    follow((type, data) => this.hear(type, data));
    this.load();
    setInterval(() => this.tell("tick"), 5_000);
  }

  async load() {
    await Promise.allSettled([
      this.#take("project"),
      this.#take("services"),
      this.#take("actions"),
      get("stats").then((rows) => this.#takeHistory(rows)),
      get("activity").then((runs) => runs.toReversed().forEach((run) => this.hear("run", run))),
    ]);
  }

  async #take(name) {
    this[name] = await get(name);
    this.tell(name);
  }

  #takeHistory(rows) {
    for (const row of rows) this.stats.set(row.container, { ...row.history });
    this.tell("stats");
  }

  hear(type, data) {
    HEARD[type]?.(this, data);
    this.tell(type, data);
  }

  /** A run that this tab started: what the server tells of it may have come already, or may be no more than its end. */
  begin(run) {
    const summary = { began: new Date().toISOString(), seconds: null, state: "running", error: "", command: "", from: "dashboard" };
    HEARD.run(this, { ...summary, ...run, ...this.runs.get(run.run) });
    const end = this.events.get(run.run)?.find((event) => event.type === "run.finished");
    if (end) finish(this, run.run, end);
  }

  /** The entries of one service. */
  entriesOf(service) {
    return (this.services ?? []).filter((entry) => entry.service === service);
  }

  serviceNames() {
    return [...new Set((this.services ?? []).map((entry) => entry.service))];
  }
}

const HEARD = {
  hello(store, { boot, resumed }) {
    const before = store.boot;
    store.boot = boot;
    if (before && (!resumed || before !== boot)) {
      store.load();
      store.tell("again"); // what a page fetched by itself is to be fetched again
    }
  },
  connection: (store, state) => (store.connection = state),
  project: (store, project) => (store.project = project),
  services: (store, services) => (store.services = services),
  service(store, entry) {
    const services = [...(store.services ?? [])];
    const place = services.findIndex((one) => one.key === entry.key);
    if (place < 0) services.push(entry);
    else services[place] = entry;
    store.services = services;
    store.tell("services");
  },
  stats(store, rows) {
    const now = Date.now() / 1000;
    for (const row of rows) append(store, row, now);
  },
  logs: (store, range) => (store.logs = range),
  run(store, run) {
    store.runs.set(run.run, { ...store.runs.get(run.run), ...run });
    for (const name of [...store.runs.keys()].slice(0, -KEPT_RUNS)) {
      store.runs.delete(name);
      store.events.delete(name);
    }
  },
  event(store, { run, at, event }) {
    const events = store.events.get(run) ?? [];
    events.push({ ...event, at });
    store.events.set(run, events.slice(-KEPT_EVENTS));
    if (event.type === "run.finished") finish(store, run, event);
  },
  actions: (store, list) => (Array.isArray(list) ? null : get("actions").then((found) => (store.actions = found), () => {})),
};

const ENDS = { 0: "ok", 130: "interrupted" };

function finish(store, run, { exit_code: code, seconds, error }) {
  const known = store.runs.get(run);
  if (!known) return;
  store.runs.set(run, { ...known, state: ENDS[code] ?? "failed", seconds, error });
  store.tell("run", store.runs.get(run));
}

function append(store, row, now) {
  const known = store.stats.get(row.container) ?? { at: [], cpu_percent: [], memory: [] };
  const from = known.at.findIndex((at) => at > now - HISTORY);
  const keep = (values) => (from < 0 ? [] : values.slice(from));
  store.stats.set(row.container, {
    at: [...keep(known.at), now],
    cpu_percent: [...keep(known.cpu_percent), row.cpu_percent],
    memory: [...keep(known.memory), row.memory],
  });
  const entry = store.services?.find((one) => one.container === row.container);
  if (entry) Object.assign(entry, { cpu_percent: row.cpu_percent, memory: row.memory });
}

export const store = new Store();
