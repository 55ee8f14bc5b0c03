// The last runs, whoever started them: what was done, how long it took, how it ended.

import { h } from "../core/dom.js";
import { Fetched } from "../core/fetched.js";
import { duration } from "../core/format.js";
import { go, runAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { button, empty, failure, runBadge, skeleton, time } from "../parts/pieces.js";

class Activity extends View {
  #runs = new Fetched("activity", {}, () => this.refresh());
  #chosen = [];

  setup() {
    this.watch(store, "run", "tick");
    this.until(store.on("again", () => this.#runs.load()));
    this.#runs.load();
  }

  #all() {
    if (!this.#runs.value) return null;
    const runs = new Map(this.#runs.value.map((run) => [run.run, run]));
    for (const run of store.runs.values()) runs.set(run.run, { ...runs.get(run.run), ...run });
    return [...runs.values()].sort((a, b) => b.began.localeCompare(a.began));
  }

  render() {
    const runs = this.#all();
    const longest = Math.max(0.1, ...(runs ?? []).map((run) => run.seconds ?? 0));
    return [
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("Activity")),
        h("p", { class: "page-note" }, t("The last 20 runs, in the terminal and here")),
        h(
          "div",
          { class: "page-tools" },
          button(t("Compare"), () => this.#compare(), { disabled: this.#chosen.length !== 2, title: t("Choose two runs") }),
        ),
      ),
      this.#runs.error && failure(this.#runs.error),
      !runs && !this.#runs.error && skeleton(6),
      runs && !runs.length && empty(t("Nothing has happened yet"), t("Each up, down, build and watch turn is kept here.")),
      runs?.length > 0 && h("div", { class: "sheet" }, table(runs.map((run) => this.#row(run, longest)))),
    ];
  }

  #row(run, longest) {
    const seconds = run.seconds ?? (Date.now() - Date.parse(run.began)) / 1000;
    return h(
      "tr",
      { key: run.run, class: "run-row" },
      h("td", { class: "col-pick" }, h("input", { type: "checkbox", checked: this.#chosen.includes(run.run), "aria-label": t("Compare {name}", { name: run.command || run.task }), onchange: () => this.#choose(run.run) })),
      h("td", { class: "col-run" }, h("a", { class: "row-name", href: runAddress(run.run) }, [run.task.replace(/^own\./, ""), run.services?.length && run.services.length < 5 ? ` ${run.services.join(", ")}` : ""]), h("span", { class: "run-command", title: run.command }, run.command)),
      h("td", { class: "col-state" }, runBadge(run)),
      h("td", { class: "col-what" }, run.error ? h("span", { class: "row-under is-error", title: run.error }, run.error) : h("span", { class: "soft" }, run.state === "running" ? t("working…") : run.changed === false ? t("nothing to do") : run.actions === 1 ? t("1 action") : t("{n} actions", { n: run.actions ?? 0 }))),
      h("td", { class: "col-took" }, h("div", { class: "took" }, h("span", {}, duration(seconds)), h("div", { class: "took-bar", style: { "--part": String(Math.min(1, seconds / longest)) } }))),
      h("td", { class: "col-began" }, time(run.began)),
    );
  }

  #choose(run) {
    this.#chosen = this.#chosen.includes(run) ? this.#chosen.filter((one) => one !== run) : [...this.#chosen, run].slice(-2);
    this.refresh();
  }

  #compare() {
    const [newer, older] = this.#all().filter((run) => this.#chosen.includes(run.run));
    go(`${runAddress(older.run)}/compare/${encodeURIComponent(newer.run)}`);
  }
}

const table = (rows) =>
  h(
    "table",
    { class: "runs" },
    h("caption", { class: "for-readers" }, t("Runs")),
    h("thead", {}, h("tr", {}, h("th", { class: "col-pick" }, h("span", { class: "for-readers" }, t("Compare"))), h("th", { class: "col-run" }, t("Run")), h("th", { class: "col-state" }, t("State")), h("th", { class: "col-what" }, t("What")), h("th", { class: "col-took" }, t("Took")), h("th", { class: "col-began" }, t("Began")))),
    h("tbody", {}, rows),
  );

customElements.define("page-activity", Activity);
