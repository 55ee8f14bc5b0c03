// Short news in the corner, which go by themselves.

import { h } from "../core/dom.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { icon } from "./icons.js";

const SHORT = 2_000;
const LONG = 8_000;
let shown = [];
let next = 0;
let element = null;

export function toast(text, { tone = "idle", hint = "", brief = false } = {}) {
  const one = { id: (next += 1), text, tone, hint };
  shown = [...shown, one].slice(-4);
  element?.refresh();
  setTimeout(() => dismiss(one.id), brief ? SHORT : LONG);
}

function dismiss(id) {
  shown = shown.filter((one) => one.id !== id);
  element?.refresh();
}

class Toasts extends View {
  setup() {
    element = this;
    this.setAttribute("role", "status");
  }

  render() {
    return shown.map(({ id, text, tone, hint }) =>
      h(
        "div",
        { key: id, class: `toast is-${tone}` },
        icon(tone === "bad" ? "warning" : tone === "ok" ? "check" : "bolt"),
        h("div", { class: "toast-text" }, h("p", {}, text), hint && h("p", { class: "soft" }, hint)),
        h(
          "button",
          { type: "button", class: "button is-icon is-small", "aria-label": t("Dismiss"), onclick: () => dismiss(id) },
          icon("close"),
        ),
      ),
    );
  }
}

customElements.define("dev-toasts", Toasts);
