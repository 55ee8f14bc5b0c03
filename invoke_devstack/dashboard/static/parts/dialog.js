// Dialogs: a question, a form, a name to be typed. Each is a promise of what was answered, null if it was closed.

import { fill, h } from "../core/dom.js";
import { t } from "../core/words.js";
import { button } from "./pieces.js";

/** Opens a dialog. `body(answer)` returns what is in it; `answer(value)` closes it. */
export function openDialog(title, body, { kind = "" } = {}) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const dialog = h("dialog", { class: `dialog ${kind}`, "aria-labelledby": "dialog-title" });
    let result = null;
    const answer = (value) => {
      result = value;
      dialog.close();
    };
    const draw = () =>
      fill(
        dialog,
        h(
          "div",
          { class: "dialog-box" },
          h(
            "header",
            { class: "dialog-head" },
            h("h2", { id: "dialog-title" }, title),
            button(t("Close"), () => answer(null), { glyph: "close", only: true, kind: "is-small" }),
          ),
          body(answer, draw),
        ),
      );
    draw();
    dialog.onclick = (event) => void (event.target === dialog && answer(null));
    dialog.onclose = () => {
      dialog.remove();
      before?.focus?.();
      resolve(result);
    };
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[autofocus], input, select, textarea")?.focus();
  });
}

/** Asks for the name to be typed before something is lost. */
export function askForName(title, { type, loses }, verb) {
  let typed = "";
  return openDialog(title, (answer, draw) =>
    h(
      "form",
      {
        class: "dialog-form",
        onsubmit: (event) => {
          event.preventDefault();
          if (typed === type) answer(type);
        },
      },
      h("p", { class: "notice is-warn" }, t("This loses {what}. It cannot be undone.", { what: loses })),
      h(
        "label",
        { class: "field" },
        h("span", {}, t("Type “{name}” to go on", { name: type })),
        h("input", {
          class: "input is-code", autocomplete: "off", spellcheck: "false", autocapitalize: "off", value: typed,
          oninput: (event) => {
            typed = event.target.value;
            draw();
          },
        }),
      ),
      h(
        "footer",
        { class: "dialog-foot" },
        button(t("Cancel"), () => answer(null)),
        h("button", { type: "submit", class: "button is-danger", disabled: typed !== type }, verb),
      ),
    ),
  );
}
