// Every service with its state, cost and last cause, as a table or as a graph, and the button beside it.

import { act, findAction, perform, readOnly, whyNot } from "../core/actions.js";
import { get } from "../core/api.js";
import { h, lazy } from "../core/dom.js";
import { capital, percent, size } from "../core/format.js";
import { bind } from "../core/keys.js";
import { go, runAddress, serviceAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { currentLanguage, t } from "../core/words.js";
import { icon } from "../parts/icons.js";
import { openMenu } from "../parts/menu.js";
import { glyphOf } from "../parts/palette.js";
import { badge, button, code, empty, failure, linkButton, skeleton, stateOf, time } from "../parts/pieces.js";
import { sparkline } from "../parts/spark.js";
import "./graph.js";

const FOR_SELECTION = ["restart", "start", "stop", "rebuild", "pause", "unpause", "kill"];
const MANY = 60; // services: from here on, only rows in sight are filled
const SPARE = 6; // rows above and below those in sight
const RUNNING = new Set(["running", "restarting", "paused"]);

class Stack extends View {
  #selected = new Set();
  #at = "";
  #text = "";
  #plan = null;
  #asked = "";

  setup() {
    this.watch(store, "services", "project", "stats", "actions", "connection", "tick", "run");
    this.until(bind(this.#keys()));
    const scrolled = () => (store.services?.length ?? 0) > MANY && this.refresh();
    addEventListener("scroll", scrolled, { passive: true });
    this.until(() => removeEventListener("scroll", scrolled));
  }

  #keys() {
    const each = (task) => () => this.#targets().length && act(task, this.#targets());
    return {
      j: { run: () => this.#move(1), help: "Next service" },
      k: { run: () => this.#move(-1), help: "Previous service" },
      x: { run: () => this.#at && this.#toggle(this.#at), help: "Select the service" },
      Enter: { run: (event) => this.#enter(event), help: "Open the service" },
      l: { run: () => this.#targets().length && go(`/logs?services=${this.#targets().map(encodeURIComponent).join(",")}`), help: "Its logs" },
      r: { run: each("restart"), help: "Restart it, or what is selected" },
      s: { run: () => this.#startOrStop(), help: "Start or stop it" },
      "/": { run: () => this.querySelector(".filter")?.focus(), help: "Filter" },
    };
  }

  #enter({ target }) {
    const focused = target.closest?.("a, button");
    if (focused) focused.click();
    else if (this.#at) go(serviceAddress(this.#at));
  }

  #startOrStop() {
    const targets = this.#targets();
    if (!targets.length) return;
    const runs = targets.some((name) => store.entriesOf(name).some((entry) => RUNNING.has(entry.state)));
    act(runs ? "stop" : "start", targets);
  }

  #targets() {
    if (this.#selected.size) return [...this.#selected];
    return this.#at ? [this.#at] : [];
  }

  #move(step) {
    const names = [...new Set(this.#shown().map((entry) => entry.service))];
    const place = names.indexOf(this.#at);
    this.#at = names[Math.max(0, Math.min(names.length - 1, place < 0 ? 0 : place + step))] ?? "";
    this.refresh();
    requestAnimationFrame(() => requestAnimationFrame(() => this.#toRow()));
  }

  #toRow() {
    const row = this.querySelector("tbody")?.children[this.#shown().findIndex((entry) => entry.service === this.#at)];
    row?.scrollIntoView({ block: "nearest" });
  }

  #toggle(name) {
    if (!this.#selected.delete(name)) this.#selected.add(name);
    this.refresh();
  }

  #shown() {
    const text = this.#text.toLowerCase();
    const all = store.services ?? [];
    return text ? all.filter((entry) => [entry.service, entry.image, entry.state, entry.health].some((part) => part.toLowerCase().includes(text))) : all;
  }

  async #askPlan() {
    const asked = `${store.project.stack} ${(store.services ?? []).map((entry) => entry.state)}`;
    if (this.#asked === asked) return;
    this.#asked = asked;
    this.#plan = await get("plan", { task: "up" }).catch((error) => ({ error }));
    this.refresh();
  }

  render() {
    const down = store.project?.stack === "down" && store.project.engine.state === "up";
    if (down) this.#askPlan();
    const graph = this.props.route.path === "/graph";
    return [
      this.#head(graph),
      down && this.#whatUpWouldDo(),
      !store.services && skeleton(6),
      store.services && !store.services.length && empty(t("No services yet"), t("Write a Compose file, or let one be written:"), code("invoke init")),
      store.services?.length > 0 && (graph ? this.#graph() : this.#table()),
      !graph && store.services?.length > 0 && this.#own(),
    ];
  }

  #head(graph) {
    const entries = store.services ?? [];
    const ready = entries.filter((entry) => entry.ready).length;
    return h(
      "header",
      { class: "page-head" },
      h("h1", {}, t("Stack")),
      h("p", { class: "page-note" }, store.services ? t("{ready} of {all} ready", { ready, all: entries.length }) : ""),
      h(
        "div",
        { class: "page-tools" },
        h(
          "nav",
          { class: "switch", "aria-label": t("View") },
          h("a", { href: "/", "aria-current": graph ? null : "true" }, t("Table")),
          h("a", { href: "/graph", "aria-current": graph ? "true" : null }, t("Graph")),
        ),
        h("input", {
          class: "input filter", type: "search", placeholder: t("Filter"), "aria-label": t("Filter services"), value: this.#text,
          oninput: (event) => {
            this.#text = event.target.value;
            this.refresh();
          },
        }),
        button(t("Take down"), () => act("down"), { glyph: "stop", disabled: Boolean(whyNot()) || ["down", "empty"].includes(store.project?.stack), title: whyNot() || t("Stop and remove the containers; data stays") }),
        button(t("Bring up"), () => act("up"), { glyph: "play", kind: "is-primary", disabled: Boolean(whyNot()), title: whyNot() || t("Bring everything up, and what changed up to date") }),
      ),
    );
  }

  #whatUpWouldDo() {
    const plan = this.#plan;
    return h(
      "section",
      { class: "card would" },
      h(
        "header",
        { class: "card-head" },
        h("h2", {}, t("The stack is down")),
        button(t("Bring up"), () => act("up"), { glyph: "play", kind: "is-primary", disabled: Boolean(whyNot()) }),
      ),
      !plan && skeleton(3),
      plan?.error && failure(plan.error),
      plan?.lines && h("p", { class: "soft" }, t("This is what it would do:")),
      plan?.lines && h("ol", { class: "would-lines" }, plan.lines.map((line) => h("li", {}, line))),
    );
  }

  #graph() {
    const at = this.#at;
    return h("dev-graph", { class: "graph", props: { entries: this.#shown(), at } });
  }

  #table() {
    const shown = this.#shown();
    const all = shown.length > 0 && shown.every((entry) => this.#selected.has(entry.service));
    return h(
      "div",
      { class: "sheet", key: "table" },
      this.#selected.size > 0 ? this.#forSelection() : null,
      h(
        "table",
        { class: "services" },
        h("caption", { class: "for-readers" }, t("Services")),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { class: "col-pick" }, h("input", {
              type: "checkbox", "aria-label": t("Select all"), checked: all, indeterminate: !all && this.#selected.size > 0,
              onchange: () => {
                this.#selected = new Set(all ? [] : shown.map((entry) => entry.service));
                this.refresh();
              },
            })),
            h("th", { class: "col-name" }, t("Service")),
            h("th", { class: "col-state" }, t("State")),
            h("th", { class: "col-address" }, t("Address")),
            h("th", { class: "col-use" }, t("CPU")),
            h("th", { class: "col-use" }, t("Memory")),
            h("th", { class: "col-cause" }, t("Last cause")),
            h("th", { class: "col-do" }, h("span", { class: "for-readers" }, t("Actions"))),
          ),
        ),
        h("tbody", {}, this.#rows(shown)),
      ),
      !shown.length && empty(t("No service is called so")),
    );
  }

  #rows(shown) {
    if (shown.length <= MANY) return shown.map((entry) => this.#row(entry));
    const height = this.querySelector(".row")?.offsetHeight || 84;
    const top = this.querySelector("tbody")?.getBoundingClientRect().top ?? 0;
    const from = Math.floor(-top / height) - SPARE;
    const to = Math.ceil((innerHeight - top) / height) + SPARE;
    return shown.map((entry, index) => {
      if (index >= from && index <= to) return this.#row(entry);
      return lazy(entry.key, [height], () => h("tr", { "aria-hidden": "true" }, h("td", { colspan: "8", style: { height: `${height}px` } })));
    });
  }

  #row(entry) {
    const at = this.#at === entry.service;
    const selected = this.#selected.has(entry.service);
    const stats = store.stats.get(entry.container);
    const minute = Math.floor(Date.now() / 10_000);
    const deps = [entry, entry.cpu_percent, stats, at, selected, minute, whyNot(), currentLanguage(), store.actions];
    return lazy(entry.key, deps, () => serviceRow(entry, stats, { at, selected, toggle: () => this.#toggle(entry.service) }));
  }

  #forSelection() {
    const names = [...this.#selected];
    return h(
      "div",
      { class: "selection", role: "toolbar", "aria-label": t("For the selected services") },
      h("strong", {}, t("{n} selected", { n: names.length })),
      FOR_SELECTION.map((task) => findAction(task)).filter(Boolean).map((action) =>
        button(t(capital(action.label)), () => act(action.task, names), { glyph: glyphOf(action.task), kind: "is-small", disabled: Boolean(whyNot()) }),
      ),
      linkButton(t("Logs"), `/logs?services=${names.map(encodeURIComponent).join(",")}`, { glyph: "logs", kind: "is-small" }),
      button(t("Clear"), () => {
        this.#selected.clear();
        this.refresh();
      }, { kind: "is-small is-quiet" }),
    );
  }

  #own() {
    const own = store.actions.filter((action) => action.group === "own");
    if (!own.length) return null;
    return h(
      "section",
      { class: "card own" },
      h("header", { class: "card-head" }, h("h2", {}, t("Your team's actions"))),
      h(
        "div",
        { class: "own-list" },
        own.map((action) =>
          h(
            "div",
            { class: "own-one" },
            h("div", {}, h("p", { class: "own-title" }, action.label, action.service && h("span", { class: "soft" }, ` · ${action.service}`)), h("p", { class: "soft" }, action.help)),
            button(action.arguments.length ? t("Run…") : t("Run"), () => perform(action), { glyph: "bolt", disabled: Boolean(whyNot()), "aria-label": t("Run {name}", { name: action.label }) }),
          ),
        ),
      ),
    );
  }
}

function serviceRow(entry, stats, { at, selected, toggle }) {
  const state = stateOf(entry);
  return h(
    "tr",
    { class: `row ${at ? "is-at" : ""} ${selected ? "is-selected" : ""} ${entry.stale ? "is-stale" : ""}`, "data-service": entry.service },
    h("td", { class: "col-pick" }, h("input", { type: "checkbox", checked: selected, onchange: toggle, "aria-label": t("Select {name}", { name: entry.service }) })),
    h(
      "td",
      { class: "col-name" },
      h("a", { class: "row-name", href: serviceAddress(entry.service) }, entry.service, entry.number > 1 && h("span", { class: "soft" }, ` #${entry.number}`)),
      h("span", { class: "row-image", title: entry.image }, entry.stand_in && h("span", { class: "tag", title: entry.image_note }, t("stand-in")), entry.orphan && h("span", { class: "tag" }, t("orphan")), entry.image),
    ),
    h(
      "td",
      { class: "col-state" },
      badge(state.text, state.tone, { title: entry.why }),
      h("span", { class: "row-under" }, entry.since && time(entry.since), entry.restarts > 0 && h("span", { class: "restarts", title: t("{n} restarts", { n: entry.restarts }) }, ` ↻ ${entry.restarts}`, h("span", { class: "for-readers" }, t("{n} restarts", { n: entry.restarts })))),
      h("span", { class: "row-probe", title: entry.probe ? `${entry.probe.text}: ${entry.probe.last}` : entry.why }, probe(entry)),
    ),
    h("td", { class: "col-address" }, entry.addresses.map(address), !entry.addresses.length && h("span", { class: "soft" }, "–")),
    h("td", { class: "col-use" }, use(percent(entry.cpu_percent), sparkline(stats?.at, stats?.cpu_percent, { least: 5 }))),
    h("td", { class: "col-use" }, use(size(entry.memory), sparkline(stats?.at, stats?.memory, { least: 1e7, tone: "second" }))),
    h("td", { class: "col-cause" }, cause(entry.last_cause)),
    h("td", { class: "col-do" }, buttons(entry)),
  );
}

function probe({ probe: last, why, ready }) {
  if (!ready && why) return why;
  return last?.last ?? "";
}

const use = (text, spark) => h("div", { class: "use" }, h("span", { class: "use-number" }, text), spark);

const address = (one) =>
  /^https?:\/\//.test(one)
    ? h("a", { class: "link address", href: one, target: "_blank", rel: "noreferrer noopener" }, one.replace(/^https?:\/\//, ""), icon("external"))
    : h("span", { class: "address" }, code(one));

function cause(last) {
  if (!last) return h("span", { class: "soft" }, "–");
  const text = h("span", { class: "cause-text", title: `${last.action}: ${last.cause}` }, last.cause);
  return h("div", { class: "cause" }, last.run ? h("a", { class: "quiet-link", href: runAddress(last.run) }, text) : text, h("span", { class: "row-under" }, time(last.at), " · ", last.action));
}

function buttons(entry) {
  const name = entry.service;
  const runs = RUNNING.has(entry.state);
  const why = whyNot();
  const one = (task, label, glyph) => button(`${label} ${name}`, () => act(task, [name]), { glyph, only: true, kind: "is-quiet", disabled: Boolean(why), title: why || label });
  return h(
    "div",
    { class: "row-buttons" },
    runs ? one("restart", t("Restart"), "restart") : one("start", t("Start"), "play"),
    runs && one("stop", t("Stop"), "stop"),
    !runs && h("span", { class: "button is-icon is-gap" }),
    button(t("More for {name}", { name }), (event) => openMenu(event.currentTarget, menu(entry, runs, why)), { glyph: "more", only: true, kind: "is-quiet", "aria-haspopup": "menu" }),
  );
}

function menu(entry, runs, why) {
  const name = entry.service;
  const paused = entry.state === "paused";
  const item = (task, rest = {}) => {
    const action = findAction(task);
    return action && { label: t(capital(action.label)), glyph: glyphOf(task), run: () => act(task, [name]), disabled: why, ...rest };
  };
  return [
    { label: t("Open"), glyph: "right", run: () => go(serviceAddress(name)) },
    { label: t("Logs"), glyph: "logs", run: () => go(`/logs?services=${encodeURIComponent(name)}`) },
    null,
    ...(readOnly() ? [] : [
      item("rebuild"),
      runs && item(paused ? "unpause" : "pause"),
      runs && item("kill", { kind: "is-bad" }),
      !runs && entry.container && item("rm", { kind: "is-bad" }),
      ...store.actions.filter((action) => action.group === "own" && action.service === name).map((action) => ({ label: action.label, glyph: "bolt", run: () => perform(action), disabled: why })),
    ]),
  ].filter((one) => one !== undefined && one !== false);
}

customElements.define("page-stack", Stack);
