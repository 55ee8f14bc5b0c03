// The arguments of an action as a form: its own tasks' typed parameters, and the flags of those that are built in.

import { h } from "../core/dom.js";
import { t } from "../core/words.js";
import { openDialog } from "./dialog.js";
import { button } from "./pieces.js";

/** The options that were chosen, or null. */
export function askForArguments(action, target = "") {
  const values = Object.fromEntries(action.arguments.map((one) => [one.name, one.default]));
  return openDialog(target ? `${action.label} · ${target}` : action.label, (answer) =>
    h(
      "form",
      {
        class: "dialog-form",
        onsubmit: (event) => {
          event.preventDefault();
          answer(changed(action, values));
        },
      },
      action.help && h("p", { class: "soft" }, action.help),
      action.arguments.map((one) => field(one, values)),
      h(
        "footer",
        { class: "dialog-foot" },
        button(t("Cancel"), () => answer(null)),
        h("button", { type: "submit", class: "button is-primary" }, action.label),
      ),
    ),
  );
}

/** Only what differs from the defaults: the task knows those itself. */
function changed(action, values) {
  const given = action.arguments.filter((one) => one.required || values[one.name] !== one.default);
  return Object.fromEntries(given.map((one) => [one.name, values[one.name]]));
}

function field(argument, values) {
  if (argument.type === "boolean") return checkbox(argument, values);
  return h(
    "label",
    { class: "field" },
    h("span", {}, title(argument), argument.required && h("span", { class: "soft" }, ` · ${t("required")}`)),
    argument.type === "choice" ? choice(argument, values) : input(argument, values),
    argument.help && h("span", { class: "help" }, argument.help),
  );
}

const title = (argument) => argument.name.replaceAll("_", " ");

function checkbox(argument, values) {
  return h(
    "label",
    { class: "check" },
    h("input", {
      type: "checkbox", checked: Boolean(argument.default),
      onchange: (event) => (values[argument.name] = event.target.checked),
    }),
    h("span", {}, title(argument), argument.help && h("span", { class: "help" }, argument.help)),
  );
}

function choice(argument, values) {
  return h(
    "select",
    { class: "input", required: argument.required, onchange: (event) => (values[argument.name] = event.target.value) },
    argument.choices.map((one) => h("option", { value: one, selected: one === argument.default }, String(one))),
  );
}

function input(argument, values) {
  const number = argument.type === "number" || argument.type === "integer";
  const shown = Array.isArray(argument.default) ? argument.default.join(", ") : argument.default ?? "";
  return h("input", {
    class: "input", type: number ? "number" : "text", step: argument.type === "number" ? "any" : number ? "1" : null,
    required: argument.required, value: String(shown), autocomplete: "off",
    placeholder: argument.type === "list" ? t("separated by commas") : null,
    oninput: (event) => (values[argument.name] = converted(argument, event.target.value)),
  });
}

function converted(argument, text) {
  if (argument.type === "list") return text.split(",").map((one) => one.trim()).filter(Boolean);
  if (argument.type === "number" || argument.type === "integer") return text === "" ? argument.default : Number(text);
  return text;
}
