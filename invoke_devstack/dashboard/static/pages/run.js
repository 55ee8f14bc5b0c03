// One run: a bar for each action with its cause, what the watch decided for each file, and the failure with its hint.

import { cancel } from "../core/actions.js";
import { colored } from "../core/ansi.js";
import { h } from "../core/dom.js";
import { Fetched } from "../core/fetched.js";
import { duration, fullTime } from "../core/format.js";
import { serviceAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { button, card, code, empty, failure, linkButton, runBadge, skeleton, time } from "../parts/pieces.js";

const TELLING = new Set(["action.started", "action.finished", "action.failed", "service.ready", "plan", "error", "watch.synced", "watch.rebuilt", "watch.failed"]);

class Run extends View {
  #name = "";
  #whole = null;

  setup() {
    this.#name = this.props.route.params.run;
    this.#whole = new Fetched(`activity/${encodeURIComponent(this.#name)}`, {}, () => this.refresh());
    this.until(store.on("event", ({ run, event }) => run === this.#name && TELLING.has(event.type) && this.#whole.load()));
    this.until(store.on("run", (run) => run.run === this.#name && this.#whole.load()));
    this.until(store.on("again", () => this.#whole.load()));
    const timer = setInterval(() => this.#whole.value?.state === "running" && this.refresh(), 250);
    this.until(() => clearInterval(timer));
    this.#whole.load();
  }

  render() {
    const run = this.#whole.value ?? this.#own();
    if (this.#whole.error && !run) return this.#whole.error.status === 404 ? empty(t("This run is no longer kept"), t("The last 20 are."), linkButton(t("To all runs"), "/activity")) : failure(this.#whole.error);
    if (!run) return [h("header", { class: "page-head" }, h("h1", {}, t("Run"))), skeleton(6)];
    const seconds = run.seconds ?? (Date.now() - Date.parse(run.began)) / 1000;
    return [
      head(run),
      facts(run, seconds),
      run.failure && failure(run.failure),
      run.notices?.map((text) => h("p", { class: "notice is-warn" }, text)),
      run.files?.length > 0 && files(run.files),
      run.turns?.length > 0 && turns(run.turns),
      (run.bars.length > 0 || run.state === "running") && timeline(run, seconds),
      this.#output(),
      run.plan?.length > 0 && card(t("Plan"), null, h("ol", { class: "would-lines", tabindex: "0", "aria-label": t("Plan") }, run.plan.map((line) => h("li", {}, line)))),
    ];
  }

  /** A team's own action is not kept: what this tab heard of it is all there is. */
  #own() {
    const known = store.runs.get(this.#name);
    return this.#whole.error && known?.task.startsWith("own.") ? { ...known, bars: [] } : null;
  }

  #output() {
    const lines = (store.events.get(this.#name) ?? []).filter((event) => event.type === "output");
    if (!lines.length) return null;
    return card(t("Output"), null, h("pre", { class: "details", tabindex: "0", "aria-label": t("Output") }, lines.map((line) => [colored(line.text), "\n"])));
  }
}

function head(run) {
  return h(
    "header",
    { class: "page-head" },
    h("h1", {}, `${run.task.replace(/^own\./, "")} ${run.services?.length < 5 ? run.services.join(", ") : ""}`),
    runBadge(run),
    h(
      "div",
      { class: "page-tools" },
      run.state === "running" && run.from === "dashboard" && button(t("Cancel"), () => cancel(run.run), { glyph: "stop" }),
      linkButton(t("All runs"), "/activity", { glyph: "back" }),
    ),
  );
}

function facts(run, seconds) {
  return h(
    "p",
    { class: "run-facts" },
    run.command && code(run.command),
    h("span", {}, h("b", {}, duration(seconds))),
    h("span", {}, fullTime(run.began), " · ", time(run.began)),
    h("span", {}, run.from === "dashboard" ? t("from the dashboard") : t("from a terminal")),
  );
}

function timeline(run, seconds) {
  const end = Math.max(seconds, 0.01, ...run.bars.map((bar) => bar.end ?? 0));
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => duration(end * part));
  return card(
    t("Timeline"),
    null,
    h("div", { class: "axis", "aria-hidden": "true" }, h("span", {}), h("div", { class: "axis-ticks" }, marks.map((one, index) => h("span", {}, index ? one : "0"))), h("span", {})),
    h("div", { class: "timeline" }, run.bars.map((bar) => barRow(bar, end, seconds)), (run.ready ?? []).map((one) => readyRow(one, end))),
  );
}

function barRow(bar, end, now) {
  const until = bar.end ?? now;
  return h(
    "div",
    { class: "bar-row" },
    h(
      "div",
      { class: "bar-name" },
      h("p", { title: `${bar.action} ${bar.target}` }, bar.action, " ", bar.service ? h("a", { class: "quiet-link", href: serviceAddress(bar.service) }, h("b", {}, bar.target)) : h("b", {}, bar.target)),
      h("p", { class: "bar-cause", title: bar.cause }, bar.cause),
    ),
    h("div", { class: "bar-track", title: bar.text }, h("div", { class: `bar is-${bar.state}`, style: { "--from": String(bar.start / end), "--part": String(Math.max(0, until - bar.start) / end) } })),
    h("span", { class: "bar-took" }, duration(until - bar.start)),
    (bar.text || bar.error || bar.details?.length > 0) && h("div", { class: "bar-more" }, bar.text && h("p", { class: "bar-cause" }, bar.text), bar.error && h("p", { class: "slower" }, bar.error), bar.details?.length > 0 && h("pre", { class: "details", tabindex: "0", "aria-label": t("Details") }, bar.details.map((line) => [colored(line), "\n"]))),
  );
}

function readyRow(one, end) {
  return h(
    "div",
    { class: "bar-row" },
    h("div", { class: "bar-name" }, h("p", {}, t("ready"), " ", h("a", { class: "quiet-link", href: serviceAddress(one.service) }, h("b", {}, one.service))), h("p", { class: "bar-cause" }, t(one.state))),
    h("div", { class: "bar-track" }, h("div", { class: "ready-mark", style: { "--from": String(Math.min(1, one.seconds / end)) } })),
    h("span", { class: "bar-took" }, duration(one.seconds)),
  );
}

/** What came of the changed files: into the container, or a new container. */
function turns(found) {
  const row = (one) => {
    const did = one.type === "watch.rebuilt" ? [t("new container")] : [t("{n} files copied", { n: one.files }), one.deleted > 0 && t("{n} deleted", { n: one.deleted })];
    return h("li", {}, h("b", {}, one.service), ` ${did.filter(Boolean).join(", ")} · ${duration(one.seconds)} `, h("span", { class: "soft" }, one.paths?.join(", ")));
  };
  return card(t("What the watch did"), null, h("ol", { class: "would-lines" }, found.map(row)));
}

function files(found) {
  return card(
    t("What the watch decided"),
    null,
    h(
      "table",
      { class: "plain stacked" },
      h("thead", {}, h("tr", {}, [t("File"), t("Service"), t("Rule"), t("Action")].map((name) => h("th", {}, name)))),
      h(
        "tbody",
        {},
        found.map((one) =>
          h(
            "tr",
            {},
            h("td", {}, code(one.path)),
            h("td", { "data-label": t("Service") }, one.service),
            h("td", { "data-label": t("Rule") }, h("div", {}, one.rule, one.position && h("div", { class: "where is-hidden" }, one.position))),
            h("td", { "data-label": t("Action") }, one.action === "none" ? h("span", { class: "soft" }, `${t("nothing")}: ${one.why}`) : t(one.action)),
          ),
        ),
      ),
    ),
  );
}

customElements.define("page-run", Run);
