// What services keep: snapshots of it are taken, restored and exported here; what loses data asks for a name.

import { act, mine, refused, whyNot } from "../core/actions.js";
import { upload } from "../core/api.js";
import { h } from "../core/dom.js";
import { Fetched } from "../core/fetched.js";
import { size } from "../core/format.js";
import { serviceAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { openDialog } from "../parts/dialog.js";
import { button, card, code, empty, failure, linkButton, skeleton, time } from "../parts/pieces.js";

class Data extends View {
  #snapshots = new Fetched("snapshots", {}, () => this.refresh());
  #data = new Fetched("data", {}, () => this.refresh());
  #disk = new Fetched("disk", {}, () => this.refresh()); // the engine takes its time to count

  setup() {
    this.watch(store, "project", "connection", "tick");
    for (const topic of ["snapshots", "again"]) this.until(store.on(topic, () => this.#load()));
    this.until(store.on("run", (run) => run.state !== "running" && this.#load()));
    this.#load();
  }

  #load() {
    this.#data.load();
    this.#snapshots.load();
    this.#disk.load();
  }

  #size(volume) {
    return this.#disk.value?.volumes.largest?.find((one) => one.name === volume.name)?.size ?? volume.size;
  }

  render() {
    const data = this.#data.value;
    return [
      h("header", { class: "page-head" }, h("h1", {}, t("Data")), h("p", { class: "page-note" }, t("What outlives the containers"))),
      this.#data.error && !data && failure(this.#data.error),
      !data && !this.#data.error && skeleton(3),
      data && !data.length && empty(t("No service keeps data"), t("A named volume in a Compose file would be shown here.")),
      data && h("div", { class: "grid" }, data.map((one) => this.#service(one))),
      this.#table(),
    ];
  }

  #service({ service, volumes, resettable }) {
    const why = whyNot();
    return h(
      "section",
      { class: "card", key: service },
      h("header", { class: "card-head" }, h("h2", {}, h("a", { class: "quiet-link", href: serviceAddress(service) }, service))),
      volumes.map((volume) => h("p", { class: "volume" }, h("span", {}, code(volume.name), h("span", { class: "where is-hidden" }, ` ${volume.target}`)), h("span", { class: "soft" }, size(this.#size(volume))))),
      h(
        "div",
        { class: "service-buttons data-buttons" },
        button(t("Take a snapshot"), () => this.#take(service), { glyph: "camera", kind: "is-small", disabled: Boolean(why), title: why }),
        resettable && button(t("Reset…"), () => act("reset", [service]), { glyph: "trash", kind: "is-small is-quiet", disabled: Boolean(why), title: why || t("Empty it and fill it again") }),
      ),
    );
  }

  async #take(service) {
    let name = "";
    const answer = await openDialog(t("Snapshot of {name}", { name: service }), (done) =>
      h(
        "form",
        { class: "dialog-form", onsubmit: (event) => (event.preventDefault(), done({ name })) },
        h("label", { class: "field" }, h("span", {}, t("Name"), h("span", { class: "soft" }, ` · ${t("the time if empty")}`)), h("input", { class: "input", autocomplete: "off", spellcheck: "false", value: name, oninput: (event) => (name = event.target.value.trim()) })),
        h("footer", { class: "dialog-foot" }, button(t("Cancel"), () => done(null)), h("button", { type: "submit", class: "button is-primary" }, t("Take a snapshot"))),
      ),
    );
    if (answer) await act("snapshot", [service], answer.name ? { name: answer.name } : {});
  }

  #table() {
    const found = this.#snapshots.value;
    if (this.#snapshots.error && !found) return failure(this.#snapshots.error);
    if (!found) return skeleton(3);
    return card(t("Snapshots"), this.#importing(), found.length ? this.#rows(found) : empty(t("No snapshots yet"), t("Take one before you try something: it comes back with one click.")));
  }

  #importing() {
    const why = whyNot();
    const file = h("input", { type: "file", class: "for-readers", accept: ".tar,application/x-tar", "aria-label": t("A file with a snapshot"), tabindex: "-1", onchange: (event) => this.#import(event.target) });
    return h("span", { class: "row-buttons" }, file, button(t("Import…"), () => file.click(), { glyph: "upload", kind: "is-small", disabled: Boolean(why), title: why || t("A file that Export gave") }));
  }

  async #import(input) {
    const file = input.files[0];
    input.value = ""; // the same file may come again
    if (!file) return;
    try {
      const { run } = await upload("snapshots/import", file, "application/x-tar");
      mine.add(run);
      store.begin({ run, task: "snapshots.import", services: [] });
      store.tell("runs");
    } catch (error) {
      refused(error);
    }
  }

  #rows(found) {
    const why = whyNot();
    const newest = found.toSorted((a, b) => b.created_at.localeCompare(a.created_at));
    return h(
      "table",
      { class: "plain stacked" },
      h("thead", {}, h("tr", {}, [t("Name"), t("Service"), t("Size"), t("Taken")].map((name) => h("th", {}, name)), h("th", {}, h("span", { class: "for-readers" }, t("Actions"))))),
      h(
        "tbody",
        {},
        newest.map((one) =>
          h(
            "tr",
            { key: `${one.service}\n${one.name}` },
            h("td", {}, h("b", {}, one.name)),
            h("td", { "data-label": t("Service") }, one.service),
            h("td", { "data-label": t("Size") }, size(one.size)),
            h("td", { "data-label": t("Taken") }, time(one.created_at)),
            h(
              "td",
              {},
              h("div", { class: "row-buttons" },
              button(t("Restore…"), () => act("restore", [one.service], { name: one.name }), { glyph: "back", kind: "is-small", disabled: Boolean(why), title: why, "aria-label": t("Restore {name}", { name: one.name }) }),
              linkButton(t("Export"), `/api/v1/snapshots/${encodeURIComponent(one.name)}/export?service=${encodeURIComponent(one.service)}`, { glyph: "download", kind: "is-small", download: "" }),
              button(t("Delete {name}", { name: one.name }), () => act("snapshots.rm", [], { name: one.name, service: one.service }), { glyph: "trash", only: true, kind: "is-small is-quiet", disabled: Boolean(why) }),
              ),
            ),
          ),
        ),
      ),
    );
  }
}

customElements.define("page-data", Data);
