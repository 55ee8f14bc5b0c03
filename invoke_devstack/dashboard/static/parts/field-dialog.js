// Chooses a member of lines that are JSON, and what it must be.

import { h } from "../core/dom.js";
import { count } from "../core/format.js";
import { t } from "../core/words.js";
import { openDialog } from "./dialog.js";
import { button, empty, failure } from "./pieces.js";

const SIGNS = [["=", "is"], ["!=", "is not"], ["~", "contains"], [">", "is more than"], ["<", "is less than"]];

/** `found`: a promise of the members. Returns a condition such as `user.id=7`, or null. */
export function chooseField(found) {
  let members = null;
  let error = null;
  let asked = false;
  let chosen = { name: "", sign: "=", value: "" };
  return openDialog(t("Filter by a field"), (done, draw) => {
    if (!asked) {
      asked = true;
      const take = (list) => ((members = list), (chosen.name = list[0]?.name ?? ""), draw());
      found.then(take, (problem) => ((error = problem), draw()));
    }
    const set = (change) => {
      chosen = { ...chosen, ...change };
      draw();
    };
    if (error) return failure(error);
    if (members && !members.length) return empty(t("No line that matches is JSON"));
    return h(
      "form",
      { class: "dialog-form", onsubmit: (event) => (event.preventDefault(), done(`${chosen.name}${chosen.sign}${chosen.value}`)) },
      h("label", { class: "field" }, h("span", {}, t("Field")), names(members ?? [], chosen, set)),
      h(
        "label",
        { class: "field" },
        h("span", {}, t("Condition")),
        h("select", { class: "input", onchange: (event) => set({ sign: event.target.value }) }, SIGNS.map(([sign, name]) => h("option", { value: sign, selected: sign === chosen.sign }, t(name)))),
      ),
      h("label", { class: "field" }, h("span", {}, t("Value")), h("input", { class: "input", autocomplete: "off", spellcheck: "false", value: chosen.value, oninput: (event) => set({ value: event.target.value }) })),
      values(members?.find((one) => one.name === chosen.name), (value) => done(`${chosen.name}${chosen.sign}${value}`)),
      h("footer", { class: "dialog-foot" }, button(t("Cancel"), () => done(null)), h("button", { type: "submit", class: "button is-primary", disabled: !chosen.name }, t("Filter"))),
    );
  });
}

const names = (members, chosen, set) =>
  h(
    "select",
    { class: "input", disabled: !members.length, onchange: (event) => set({ name: event.target.value, value: "" }) },
    members.map((one) => h("option", { value: one.name, selected: one.name === chosen.name }, `${one.name} (${count(one.lines)})`)),
  );

/** Its most common values, each a click. */
const values = (member, onValue) =>
  h(
    "div",
    { class: "field-values" },
    (member?.values ?? []).map((one) => h("button", { type: "button", class: "chip", onclick: () => onValue(one.value) }, one.value || t("empty"), h("span", { class: "soft" }, ` ${count(one.lines)}`))),
    member?.more && h("span", { class: "soft" }, t("and others")),
  );
