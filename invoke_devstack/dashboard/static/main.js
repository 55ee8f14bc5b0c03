// The application: its frame, and the page that the address names.

import { mine } from "./core/actions.js";
import { h } from "./core/dom.js";
import { bind, startKeys } from "./core/keys.js";
import { currentRoute, go, hideToken, onRoute, startRouter } from "./core/router.js";
import { store } from "./core/store.js";
import { applyTheme, currentTheme, nextTheme } from "./core/theme.js";
import { View } from "./core/view.js";
import { currentLanguage, setLanguage, t } from "./core/words.js";
import "./parts/banner.js";
import { icon } from "./parts/icons.js";
import { openKeys, openPalette } from "./parts/palette.js";
import { badge, button } from "./parts/pieces.js";
import { toast } from "./parts/toasts.js";
import "./parts/tray.js";

const PAGES = [
  { page: "stack", path: "/", glyph: "stack", title: "Stack", key: "s" },
  { page: "logs", path: "/logs", glyph: "logs", title: "Logs", key: "l" },
  { page: "traces", path: "/traces", glyph: "traces", title: "Traces", key: "t" },
  { page: "activity", path: "/activity", glyph: "activity", title: "Activity", key: "a" },
  { page: "data", path: "/data", glyph: "data", title: "Data", key: "d" },
  { page: "machine", path: "/machine", glyph: "machine", title: "Machine", key: "m" },
];
const WITHIN = {
  service: "stack", run: "activity", compare: "activity", trace: "traces", "traces-map": "traces", "traces-logs": "traces",
  "traces-metrics": "traces", "traces-compare": "traces",
};
const MODULES = {
  ...Object.fromEntries(["stack", "logs", "service", "activity", "run", "compare", "data", "machine", "missing"].map((page) => [page, page])),
  traces: "traces/list", trace: "traces/trace", "traces-map": "traces/map", "traces-logs": "traces/records",
  "traces-metrics": "traces/metrics", "traces-compare": "traces/compare",
};
const THEMES = { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
const GLYPHS = { system: "system", light: "sun", dark: "moon" };

class App extends View {
  #route = currentRoute();
  #loaded = new Set();

  setup() {
    this.watch(store, "project", "connection", "runs");
    this.until(store.on("changed", tellOfChange));
    this.until(onRoute((route) => this.#show(route)));
    this.until(bind(this.#keys()));
    this.#show(this.#route);
  }

  #keys() {
    const keys = {
      "Ctrl+k": { run: openPalette, help: "Every action, service and page" },
      "?": { run: openKeys, help: "This page of keys" },
      t: { run: () => this.#turnTheme(), help: "Light, dark, or as the system" },
    };
    for (const { key, path, title } of PAGES) keys[`g ${key}`] = { run: () => go(path), help: title };
    return keys;
  }

  async #show(route) {
    this.#route = route;
    const { page } = route;
    if (!this.#loaded.has(page)) {
      await import(`./pages/${MODULES[page] ?? "missing"}.js`).catch(() => dispatchEvent(new Event("devstack-broken")));
      if (!customElements.get(`page-${page}`)) return;
      dispatchEvent(new Event("devstack-shown"));
      this.#loaded.add(page);
    }
    if (this.#route === route) this.refresh();
  }

  drawn() {
    const here = PAGES.find(({ page }) => page === (WITHIN[this.#route.page] ?? this.#route.page));
    const parts = [this.#route.params.service ?? this.#route.params.run ?? this.#route.params.trace?.slice(0, 8), here && t(here.title), store.project?.project];
    document.title = parts.filter(Boolean).join(" · ") || "devstack";
  }

  render() {
    const { page, params } = this.#route;
    const key = [page, params.service, params.run, params.trace, params.other].join("\n");
    return [
      h("a", { class: "skip", href: "#main" }, t("Skip to the content")),
      this.#rail(),
      h(
        "main",
        { class: `main page-${page}`, id: "main", tabindex: "-1" },
        this.#loaded.has(page) && h(`page-${page}`, { key, props: { route: this.#route } }),
      ),
      h("dev-banner", { class: "banner-place" }),
      h("div", { class: "corner" }, h("dev-tray", { class: "tray" }), h("dev-toasts", { class: "toasts" })),
    ];
  }

  #rail() {
    const project = store.project;
    return h(
      "header",
      { class: "rail" },
      h(
        "a",
        { class: "brand", href: "/", title: project?.directory },
        h("img", { src: "/favicon.svg", alt: "", width: "28", height: "28" }),
        h("span", { class: "brand-name" }, project?.project ?? "devstack"),
      ),
      h("div", { class: "rail-state" }, state(project)),
      h("nav", { class: "nav", "aria-label": t("Pages") }, PAGES.map((one) => this.#link(one))),
      h(
        "div",
        { class: "rail-foot" },
        h(
          "button",
          { type: "button", class: "button find", onclick: openPalette },
          icon("search"),
          h("span", {}, t("Find")),
          h("kbd", {}, "Ctrl K"),
        ),
        h(
          "div",
          { class: "rail-tools" },
          button(t(THEMES[currentTheme()]), () => this.#turnTheme(), { glyph: GLYPHS[currentTheme()], only: true }),
          h(
            "button",
            {
              type: "button", class: "button is-icon is-language", lang: currentLanguage() === "ko" ? "en" : "ko",
              onclick: () => setLanguage(currentLanguage() === "ko" ? "en" : "ko"),
            },
            currentLanguage() === "ko" ? "English" : "한국어",
          ),
          button(t("Keys"), openKeys, { only: false, kind: "is-quiet keys-button" }),
        ),
        h("p", { class: "rail-engine" }, project?.engine ? `${project.engine.name} ${project.engine.version}` : ""),
      ),
    );
  }

  #link({ page, path, glyph, title, key }) {
    const here = (WITHIN[this.#route.page] ?? this.#route.page) === page;
    const failed = page === "activity" && store.runs.size > 0 && [...store.runs.values()].at(-1).state === "failed";
    return h(
      "a",
      { class: "nav-link", href: path, "aria-current": here ? "page" : null, title: `g ${key}` },
      icon(glyph),
      h("span", {}, t(title)),
      failed && h("span", { class: "nav-dot", title: t("The last run failed") }),
    );
  }

  #turnTheme() {
    nextTheme();
    this.refresh();
  }
}

/** News of a service, unless this tab did it itself. */
function tellOfChange({ service, what, text, hint }) {
  const acting = [...store.runs.values()].some((run) => run.state === "running" && mine.has(run.run));
  if (what !== "healthy" && !acting) toast(`${service}: ${text || t(what)}`, { tone: "bad", hint });
}

function state(project) {
  if (store.connection === "lost" || store.connection === "denied") return badge(t("Server away"), "bad");
  if (!project || project.stack === "unknown") return badge(t("Connecting…"), "idle");
  if (project.engine.state === "away") return badge(t("Engine away"), "bad");
  if (project.busy) return badge(t("Working"), "busy", { title: project.busy.holder });
  return badge(...{ up: [t("Up"), "ok"], partly: [t("Partly up"), "warn"], down: [t("Down"), "idle"] }[project.stack] ?? [t("No services"), "idle"]);
}

hideToken();
applyTheme();
startKeys();
startRouter();
store.start();
customElements.define("devstack-app", App);
