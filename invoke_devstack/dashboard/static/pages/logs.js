// All services in one stream: filtered, followed, searched as far back as the engine remembers.

import { get, lines as linesOf, query } from "../core/api.js";
import { plain } from "../core/ansi.js";
import { h } from "../core/dom.js";
import { Feed } from "../core/feed.js";
import { count, fullTime } from "../core/format.js";
import { bind } from "../core/keys.js";
import { amend } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { openDialog } from "../parts/dialog.js";
import { chooseField } from "../parts/field-dialog.js";
import { icon } from "../parts/icons.js";
import "../parts/log-view.js";
import { badge, button, copy, empty } from "../parts/pieces.js";

const LEVELS = ["", "debug", "info", "warning", "error", "fatal"];
const CHIPS = 10; // more services than this are chosen in a dialog
const MOST_HITS = 1_000;
const TYPING = 150; // ms
const KEPT_WRAP = "devstack-wrap";

class Logs extends View {
  #filters = {};
  #feed = new Feed((change) => this.#fed(change));
  #wrap = localStorage.getItem(KEPT_WRAP) === "1";
  #target = "";
  #search = null;
  #typing = 0;
  #address = "";
  #version = 0;

  setup() {
    this.watch(store, "services", "connection", "project");
    this.until(store.on("logs", (range) => document.hidden || this.#feed.heard(range)));
    this.until(store.on("again", () => this.#open()));
    const visible = () => document.hidden || this.#feed.heard(store.logs);
    document.addEventListener("visibilitychange", visible);
    this.until(() => document.removeEventListener("visibilitychange", visible));
    this.until(bind(this.#keys()));
    this.#readAddress();
  }

  teardown() {
    this.#search?.stop.abort();
  }

  #keys() {
    return {
      "/": { run: () => this.querySelector(".log-filter")?.focus(), help: "Filter" },
      f: { run: () => this.#turnFollowing(), help: "Pause, or follow what is new" },
      " ": { run: () => this.#turnFollowing() },
      w: { run: () => this.#turnWrap(), help: "Wrap long lines" },
      End: { run: () => this.#feed.follow(), help: "To the newest line" },
    };
  }

  changed() {
    if (location.search !== this.#address) this.#readAddress();
  }

  #readAddress() {
    const given = new URLSearchParams(location.search);
    this.#address = location.search;
    const services = (given.get("services") ?? "").split(",").filter(Boolean);
    this.#filters = {
      services, q: given.get("q") ?? "", regex: given.has("regex"), case: given.has("case"),
      level: given.get("level") ?? "", field: given.getAll("field"), since: given.get("since") ?? "", until: given.get("until") ?? "",
    };
    this.#target = given.get("line") ?? "";
    this.#open(this.#target ? { around: this.#target } : given.get("at") ? { at: given.get("at") } : {});
  }

  #asked() {
    return { ...this.#filters, services: this.#filters.services.join(",") };
  }

  #open(position = {}) {
    this.#feed.open(this.#asked(), position);
  }

  #fed() {
    this.#version += 1;
    this.refresh();
  }

  #set(change, position = {}) {
    this.#filters = { ...this.#filters, ...change };
    this.#target = position.around ?? "";
    this.#search?.stop.abort();
    this.#search = null;
    const { services, ...rest } = this.#filters;
    amend({ ...rest, services: services.join(","), line: position.around ?? "", at: position.at ?? "" });
    this.#address = location.search;
    this.#open(position);
    this.refresh();
  }

  #type(text) {
    this.#filters.q = text;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#set({ q: text }), TYPING);
    this.refresh();
  }

  #turnFollowing() {
    if (this.#feed.following) this.#feed.pause();
    else this.#follow();
  }

  #follow() {
    this.#target = "";
    amend({ line: "", at: "" });
    this.#address = location.search;
    this.#feed.follow();
  }

  #turnWrap() {
    this.#wrap = !this.#wrap;
    localStorage.setItem(KEPT_WRAP, this.#wrap ? "1" : "0");
    this.refresh();
  }

  #mark() {
    const { q, regex, case: exact } = this.#filters;
    if (!q) return null;
    try {
      return new RegExp(regex ? q : q.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), exact ? "g" : "gi");
    } catch {
      return null;
    }
  }

  render() {
    this.style.setProperty("--service", `${Math.min(18, Math.max(4, ...store.serviceNames().map((name) => name.length)))}ch`);
    return [this.#toolbar(), this.#services(), this.#active(), this.#search ? this.#results() : this.#stream()];
  }

  #toolbar() {
    const { q, regex, level } = this.#filters;
    const wrong = this.#feed.failure?.status === 400 ? this.#feed.failure.message : "";
    return h(
      "div",
      { class: "log-tools" },
      h("h1", { class: "for-readers" }, t("Logs")),
      h(
        "div",
        { class: "log-search" },
        h("input", {
          class: `input log-filter ${wrong ? "is-wrong" : ""}`, type: "search", value: q, placeholder: t("Filter lines"), "aria-label": t("Filter lines"),
          title: wrong, spellcheck: "false", autocomplete: "off",
          oninput: (event) => this.#type(event.target.value),
          onkeydown: (event) => event.key === "Enter" && event.shiftKey && this.#searchAll(),
        }),
        toggle(".*", t("Regular expression"), regex, () => this.#set({ regex: !regex })),
        toggle("Aa", t("Upper and lower case differ"), this.#filters.case, () => this.#set({ case: !this.#filters.case })),
        wrong && h("p", { class: "log-wrong", role: "alert" }, wrong),
      ),
      h(
        "select",
        { class: "input log-levels", "aria-label": t("Level"), value: level, onchange: (event) => this.#set({ level: event.target.value }) },
        LEVELS.map((one) => h("option", { value: one, selected: one === level }, one ? t("{level} and above", { level: one }) : t("All levels"))),
      ),
      button(t("Filter by a field"), () => this.#chooseField(), { glyph: "filter", only: true }),
      button(t("Search everything"), () => this.#searchAll(), { glyph: "search", title: t("As far back as the engine remembers (Shift+Enter)") }),
      h(
        "div",
        { class: "log-right" },
        h("a", { class: "button is-icon", href: "/traces/logs", "aria-label": t("Structured logs"), title: t("Structured logs") }, icon("traces")),
        button(t("Jump to a time"), () => this.#jump(), { glyph: "clock", only: true }),
        button(t("Wrap long lines"), () => this.#turnWrap(), { glyph: "wrap", only: true, kind: this.#wrap ? "is-on" : "", "aria-pressed": String(this.#wrap) }),
        button(t("Copy what is shown"), () => this.#copy(), { glyph: "copy", only: true }),
        h("a", { class: "button is-icon", href: `/api/v1/logs/download${query(this.#asked())}`, download: "", "aria-label": t("Download all that match"), title: t("Download all that match") }, icon("download")),
        button(this.#feed.following ? t("Pause") : t("Follow"), () => this.#turnFollowing(), { glyph: this.#feed.following ? "pause" : "play", kind: this.#feed.following ? "" : "is-primary" }),
      ),
    );
  }

  #hues() {
    return new Map(store.serviceNames().map((name, index) => [name, index % 8]));
  }

  #services() {
    const names = store.serviceNames();
    const chosen = this.#filters.services;
    if (names.length > CHIPS) {
      const label = chosen.length ? t("{n} of {all} services", { n: chosen.length, all: names.length }) : t("All {all} services", { all: names.length });
      return h("div", { class: "log-services" }, button(label, () => this.#chooseServices(names), { glyph: "down", kind: "is-small" }), this.#clearServices());
    }
    const hues = this.#hues();
    return h(
      "div",
      { class: "log-services", role: "group", "aria-label": t("Services") },
      names.map((name) => {
        const on = !chosen.length || chosen.includes(name);
        return h(
          "button",
          { type: "button", class: `chip-toggle hue-${hues.get(name)} ${on ? "is-on" : ""}`, "aria-pressed": String(on), title: t("Double click: only this one"), onclick: () => this.#toggleService(name, names), ondblclick: () => this.#set({ services: [name] }) },
          h("span", { class: "dot", "aria-hidden": "true" }),
          name,
        );
      }),
      this.#clearServices(),
    );
  }

  #clearServices() {
    return this.#filters.services.length > 0 && button(t("All"), () => this.#set({ services: [] }), { kind: "is-small is-quiet" });
  }

  #toggleService(name, names) {
    const now = this.#filters.services.length ? this.#filters.services : names;
    const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
    this.#set({ services: next.length === names.length ? [] : next });
  }

  async #chooseServices(names) {
    const chosen = new Set(this.#filters.services);
    let text = "";
    const answer = await openDialog(t("Services"), (done, draw) =>
      h(
        "form",
        { class: "dialog-form", onsubmit: (event) => (event.preventDefault(), done([...chosen])) },
        h("input", { class: "input", type: "search", "aria-label": t("Filter services"), placeholder: t("Filter"), value: text, oninput: (event) => ((text = event.target.value), draw()) }),
        h(
          "div",
          { class: "choose" },
          names.filter((name) => name.includes(text)).map((name) =>
            h("label", { class: "check", key: name }, h("input", { type: "checkbox", checked: chosen.has(name), onchange: () => chosen.delete(name) || chosen.add(name) }), h("span", {}, name)),
          ),
        ),
        h("footer", { class: "dialog-foot" }, button(t("All"), () => done([])), h("button", { type: "submit", class: "button is-primary" }, t("Show"))),
      ),
    );
    if (answer) this.#set({ services: answer });
  }

  async #chooseField() {
    const { field, ...asked } = this.#asked();
    const condition = await chooseField(get("logs/fields", asked));
    if (condition) this.#set({ field: [...new Set([...field, condition])] });
  }

  #active() {
    const { field, since, until } = this.#filters;
    const drop = (text, change) => h("button", { type: "button", class: "chip", "aria-label": t("Remove the filter {what}", { what: text }), onclick: () => this.#set(change) }, text, h("span", { "aria-hidden": "true" }, "×"));
    if (!field.length && !since && !until) return null;
    return h(
      "div",
      { class: "log-services" },
      field.map((one) => drop(one, { field: field.filter((other) => other !== one) })),
      since && drop(t("since {when}", { when: since }), { since: "" }),
      until && drop(t("until {when}", { when: until }), { until: "" }),
    );
  }

  #stream() {
    const feed = this.#feed;
    const nothing = feed.loaded && !feed.lines.length;
    return h(
      "div",
      { class: "log-area", key: "stream" },
      nothing && empty(this.#filtered() ? t("No line matches") : t("Nothing has been written yet"), this.#filtered() ? t("Search everything to look further back than what is kept here.") : ""),
      h("log-view", {
        class: `log-view ${nothing ? "is-empty" : ""}`, key: "lines",
        props: {
          lines: feed.lines, wrap: this.#wrap, mark: this.#mark(), hues: this.#hues(), target: this.#target, following: feed.following,
          onTop: () => feed.back(), onBottom: () => feed.atEnd || feed.following || feed.forward(),
          onPause: () => feed.following && feed.pause(), onEnd: () => feed.atEnd && feed.follow(), onFollow: () => this.#follow(),
          onField: (condition) => this.#set({ field: [...new Set([...this.#filters.field, condition])] }),
          onAround: this.#filtered() ? (line) => this.#around(line) : null,
        },
      }),
      !feed.following && h("button", { type: "button", class: "button is-primary log-catch", onclick: () => this.#follow() }, feed.waiting > 0 ? t("{n} new lines", { n: count(feed.waiting) }) : t("To the newest line"), " ↓"),
    );
  }

  #filtered() {
    const { services, q, level, field, since, until } = this.#filters;
    return Boolean(services.length || q || level || field.length || since || until);
  }

  #around(line) {
    this.#set({ q: "", level: "", field: [], since: "", until: "", services: [] }, { around: line.id });
  }

  async #searchAll() {
    clearTimeout(this.#typing);
    amend({ q: this.#filters.q });
    this.#search?.stop.abort();
    const search = { hits: [], fraction: 0, lines: 0, done: false, error: null, stop: new AbortController() };
    this.#search = search;
    this.refresh();
    try {
      const found = linesOf("logs/search", { ...this.#asked(), limit: MOST_HITS }, { signal: search.stop.signal });
      for await (const one of found) this.#hear(search, one);
    } catch (error) {
      if (error.name !== "AbortError") search.error = error;
    }
    search.done = true;
    this.refresh();
  }

  #hear(search, one) {
    if (one.type === "match") search.hits = [...search.hits, { ...one.line, key: search.hits.length }];
    else Object.assign(search, { lines: one.lines ?? search.lines, fraction: one.type === "done" ? 1 : one.fraction, time: one.time, truncated: one.truncated });
    this.refresh();
  }

  #results() {
    const { hits, lines, fraction, done, error, time, truncated } = this.#search;
    const told = lines ? t("{hits} matches in {lines} lines", { hits: count(hits.length), lines: count(lines) }) : t("{hits} matches", { hits: count(hits.length) });
    return h(
      "div",
      { class: "log-area", key: "search" },
      h(
        "div",
        { class: "search-head", role: "status" },
        done ? badge(truncated ? t("the first {n}", { n: count(hits.length) }) : t("done"), "ok") : badge(t("searching"), "busy"),
        h("span", {}, told),
        !done && time && h("span", { class: "soft" }, t("back to {when}", { when: fullTime(time) })),
        error && h("span", { class: "log-wrong" }, error.message),
        h("div", { class: "meter", style: { "--part": String(fraction ?? 0) } }),
        button(done ? t("Close") : t("Stop"), () => this.#closeSearch(), { kind: "is-small" }),
      ),
      done && !hits.length && !error && empty(t("No line matches")),
      h("log-view", {
        class: "log-view", key: "hits",
        props: { lines: hits, wrap: this.#wrap, mark: this.#mark(), hues: this.#hues(), following: false, onAround: (line) => this.#around(line) },
      }),
    );
  }

  #closeSearch() {
    const { done, stop } = this.#search;
    stop.abort();
    if (done) this.#search = null;
    this.refresh();
  }

  #copy() {
    const lines = this.#search?.hits ?? this.#feed.lines;
    copy(lines.map((line) => `${line.time} ${line.service} ${plain(line.text)}`).join("\n"));
  }

  async #jump() {
    const newest = this.#feed.lines.at(-1)?.time ?? new Date().toISOString();
    let at = localText(new Date(newest));
    const answer = await openDialog(t("Jump to a time"), (done) =>
      h(
        "form",
        { class: "dialog-form", onsubmit: (event) => (event.preventDefault(), done(at)) },
        h("label", { class: "field" }, h("span", {}, t("Time")), h("input", { class: "input", type: "datetime-local", step: "1", value: at, required: true, oninput: (event) => (at = event.target.value) })),
        h("footer", { class: "dialog-foot" }, h("button", { type: "submit", class: "button is-primary" }, t("Jump"))),
      ),
    );
    if (answer) this.#set({}, { at: new Date(answer).toISOString() });
  }
}

const localText = (date) => new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);

function toggle(text, label, on, onclick) {
  return h("button", { type: "button", class: `log-toggle ${on ? "is-on" : ""}`, "aria-pressed": String(on), "aria-label": label, title: label, onclick }, text);
}

customElements.define("page-logs", Logs);
