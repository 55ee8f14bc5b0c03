// What is away, and what to do: over the page, so that nothing moves.

import { h } from "../core/dom.js";
import { ago } from "../core/format.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { icon } from "./icons.js";
import { code } from "./pieces.js";

class Banner extends View {
  setup() {
    this.setAttribute("role", "status");
    this.watch(store, "connection", "project", "tick");
  }

  render() {
    const found = trouble();
    if (!found) return [];
    const { tone, title, text, command, waits } = found;
    return h(
      "div",
      { class: `banner is-${tone}` },
      waits ? h("span", { class: "spinner", "aria-hidden": "true" }) : icon("warning"),
      h("div", {}, h("p", { class: "banner-title" }, title), h("p", {}, text, command && [" ", code(command)])),
    );
  }
}

function trouble() {
  const { project } = store;
  const dashboard = `invoke ${project?.task_prefix ?? ""}dashboard`;
  if (store.connection === "denied")
    return { tone: "bad", title: t("This address is no longer valid"), text: t("The server was started again. Open the address that it prints:"), command: dashboard };
  if (store.connection === "lost")
    return { tone: "bad", title: t("The dashboard's server has ended"), text: t("This page finds it again by itself. To start it:"), command: dashboard, waits: true };
  if (project?.engine.state === "away")
    return { tone: "bad", title: t("The engine does not answer"), text: engine(project.engine), waits: true };
  if (project?.definition.state === "invalid")
    return { tone: "warn", title: t("The Compose files are invalid"), text: definition(project.definition) };
  return null;
}

const engine = ({ error, hint, since }) => [error, hint, since && t("Since {when}. It is tried again by itself.", { when: ago(since) })].filter(Boolean).join(" ");

const definition = ({ error, hint, position }) => [position, error, hint].filter(Boolean).join(" · ");

customElements.define("dev-banner", Banner);
