// All stacks on the engine, the checks of doctor, and where the disk went.

import { act, whyNot } from "../core/actions.js";
import { h } from "../core/dom.js";
import { Fetched } from "../core/fetched.js";
import { size } from "../core/format.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { icon } from "../parts/icons.js";
import { badge, button, card, code, copyable, empty, failure, skeleton } from "../parts/pieces.js";

const SIGNS = { ok: ["check", "is-ok"], warning: ["warning", "is-warn"], failed: ["cross", "is-bad"] };
const PARTS = [["images", "Images"], ["containers", "Containers"], ["volumes", "Volumes"], ["build_cache", "Build cache"]];

const LARGEST = 10;

class Machine extends View {
  #stacks = new Fetched("stacks", {}, () => this.refresh());
  #doctor = new Fetched("doctor", {}, () => this.refresh());
  #disk = new Fetched("disk", {}, () => this.refresh());

  setup() {
    this.watch(store, "project", "connection");
    this.until(store.on("again", () => this.#load()));
    this.until(store.on("run", (run) => run.state !== "running" && this.#stacks.load()));
    this.#load();
  }

  #load() {
    for (const one of [this.#stacks, this.#disk, this.#doctor]) one.load();
  }

  render() {
    return [
      h(
        "header",
        { class: "page-head" },
        h("h1", {}, t("Machine")),
        h("p", { class: "page-note" }, store.project?.engine.address ?? ""),
        h("div", { class: "page-tools" }, button(t("Look again"), () => this.#load(), { glyph: "restart" })),
      ),
      part(t("Stacks on this engine"), this.#stacks, (found) => (found.length ? stacks(found, this.#disk.value?.stacks ?? {}) : empty(t("No stack runs here")))),
      part(t("Disk"), this.#disk, disk),
      this.#disk.value?.volumes?.largest?.length > 0 && card(t("Largest volumes"), null, volumes(this.#disk.value.volumes.largest)),
      part(t("Checks"), this.#doctor, checks),
    ];
  }
}

const part = (title, fetched, show) => card(title, null, fetched.value ? show(fetched.value) : fetched.error ? failure(fetched.error) : skeleton(3));

function stacks(found, disks) {
  const why = whyNot();
  return h(
    "table",
    { class: "plain stacked" },
    h("thead", {}, h("tr", {}, [t("Stack"), t("Running"), t("Ports"), t("Memory"), t("Disk")].map((name) => h("th", {}, name)), h("th", {}, h("span", { class: "for-readers" }, t("Actions"))))),
    h(
      "tbody",
      {},
      found.map((one) =>
        h(
          "tr",
          { key: one.stack },
          h("td", {}, h("div", {}, h("b", {}, one.stack), one.own && [" ", h("span", { class: "tag is-plain" }, t("this one"))], h("div", { class: "where is-hidden" }, one.directory, one.directory && !one.there && ` · ${t("no longer there")}`))),
          h("td", { "data-label": t("Running") }, `${one.running} / ${one.containers}`),
          h("td", { "data-label": t("Ports") }, one.ports.join(", ") || "–"),
          h("td", { "data-label": t("Memory") }, size(one.memory)),
          h("td", { "data-label": t("Disk") }, size(one.disk ?? disks[one.stack])),
          h("td", {}, h("div", { class: "row-buttons" }, button(t("Stop"), () => act("stacks.stop", [], { stack: one.stack }), { glyph: "stop", kind: "is-small", disabled: Boolean(why) || !one.running, title: why, "aria-label": t("Stop {name}", { name: one.stack }) }))),
        ),
      ),
    ),
  );
}

function disk(found) {
  const parts = PARTS.map(([key, name]) => ({ name: t(name), size: found[key]?.size ?? 0, count: found[key]?.count ?? 0, free: found[key]?.reclaimable ?? 0 }));
  return h(
    "div",
    { class: "disk-part" },
    h("div", { class: "disk-bar", "aria-hidden": "true" }, parts.map((one) => h("i", { style: { "--part": String(one.size) } }))),
    h(
      "table",
      { class: "plain" },
      h("thead", {}, h("tr", {}, h("th", {}, t("What")), [t("Count"), t("Size"), t("Can be freed")].map((name) => h("th", { class: "is-number" }, name)))),
      h("tbody", {}, parts.map((one) => h("tr", {}, h("td", { class: "disk-key" }, h("i", { "aria-hidden": "true" }), one.name), h("td", { class: "is-number" }, String(one.count)), h("td", { class: "is-number" }, size(one.size)), h("td", { class: "is-number" }, size(one.free))))),
    ),
  );
}

function volumes(found) {
  return h(
    "table",
    { class: "plain stacked" },
    h("thead", {}, h("tr", {}, [t("Volume"), t("Stack"), t("Size"), t("In use")].map((name) => h("th", {}, name)))),
    h(
      "tbody",
      {},
      found.slice(0, LARGEST).map((one) =>
        h(
          "tr",
          { key: one.name },
          h("td", {}, code(one.name)),
          h("td", { "data-label": t("Stack") }, one.stack || "–"),
          h("td", { "data-label": t("Size") }, size(one.size)),
          h("td", { "data-label": t("In use") }, one.used ? t("yes") : t("no")),
        ),
      ),
    ),
  );
}

function checks(found) {
  const bad = found.filter((one) => one.state !== "ok").length;
  return [
    h("p", {}, bad ? badge(t("{n} to look at", { n: bad }), "warn") : badge(t("All is well"), "ok")),
    h("div", {}, found.map(check)),
  ];
}

function check({ name, state, found, matters, fix }) {
  const [glyph, tone] = SIGNS[state] ?? ["warning", ""];
  return h(
    "div",
    { class: `check-row ${tone}` },
    icon(glyph),
    h("p", { class: "check-name" }, name, h("span", { class: "for-readers" }, `: ${t(state)}`)),
    h("div", {}, h("p", {}, found), state !== "ok" && matters && h("p", { class: "soft" }, matters), fix && h("div", { class: "check-fix" }, copyable(fix))),
  );
}

customElements.define("page-machine", Machine);
