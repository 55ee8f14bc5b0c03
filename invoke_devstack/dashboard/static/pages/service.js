// One service: what it is made of, where each value comes from, and the docker command beside each action.

import { act, findAction, perform, whyNot } from "../core/actions.js";
import { h } from "../core/dom.js";
import { Fetched } from "../core/fetched.js";
import { capital, clock, percent, size } from "../core/format.js";
import { runAddress, serviceAddress } from "../core/router.js";
import { store } from "../core/store.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";
import { icon } from "../parts/icons.js";
import { glyphOf } from "../parts/palette.js";
import { badge, button, card, code, copyable, empty, failure, linkButton, skeleton, stateOf, time } from "../parts/pieces.js";
import { sparkline } from "../parts/spark.js";

const RUNNING = new Set(["running", "restarting", "paused"]);
const CONDITIONS = { service_healthy: "healthy", service_started: "running", service_completed_successfully: "done" };

class Service extends View {
  #name = "";
  #whole = null;
  #slow = null;
  #was = "";

  setup() {
    this.#name = this.props.route.params.service;
    const path = `services/${encodeURIComponent(this.#name)}`;
    this.#whole = new Fetched(path, {}, () => this.refresh());
    this.#slow = new Fetched(path, { parts: "processes,changes" }, () => this.refresh());
    this.watch(store, "stats", "actions", "connection", "project", "tick");
    this.until(store.on("services", () => this.#follow()));
    for (const topic of ["again", "definition"]) this.until(store.on(topic, () => this.#load()));
    this.#load();
  }

  async #load() {
    await this.#whole.load();
    await this.#slow.load();
  }

  /** Fetches again when another container or state is there. */
  #follow() {
    const now = store.entriesOf(this.#name).map((entry) => [entry.key, entry.state, entry.health, entry.since].join()).join();
    if (this.#was && now !== this.#was) this.#load();
    this.#was = now;
    this.refresh();
  }

  render() {
    const whole = this.#whole.value;
    const entries = store.entriesOf(this.#name);
    return [
      this.#head(entries, whole),
      this.#whole.error && (this.#whole.error.status === 404 ? empty(t("There is no such service"), "", linkButton(t("To the stack"), "/")) : failure(this.#whole.error)),
      !this.#whole.error && this.#tiles(entries),
      !whole && !this.#whole.error && skeleton(8),
      whole && h("div", { class: "columns" }, this.#cards(whole)),
    ];
  }

  #head(entries, whole) {
    const state = entries[0] && stateOf(entries[0]);
    return h(
      "header",
      { class: "service-head" },
      h(
        "div",
        { class: "service-title" },
        h("h1", {}, this.#name),
        state && badge(state.text, state.tone),
        entries.length > 1 && h("span", { class: "soft" }, t("{n} containers", { n: entries.length })),
        h("div", { class: "service-buttons" }, this.#buttons(entries)),
      ),
      h(
        "p",
        { class: "service-line" },
        entries[0] && h("span", {}, entries[0].image),
        entries[0]?.stand_in && h("span", { class: "tag" }, entries[0].image_note || t("stand-in")),
        entries[0]?.since && h("span", {}, t("since"), " ", time(entries[0].since)),
        entries[0]?.addresses.map((one) => (/^https?:/.test(one) ? h("a", { class: "link", href: one, target: "_blank", rel: "noreferrer noopener" }, one) : code(one))),
        whole?.build && h("span", {}, t("built from {what}", { what: place(whole.build.context) })),
      ),
    );
  }

  #buttons(entries) {
    const runs = entries.some((entry) => RUNNING.has(entry.state));
    const paused = entries.some((entry) => entry.state === "paused");
    const tasks = runs ? ["restart", "stop", "rebuild", paused ? "unpause" : "pause", "kill"] : ["start", "rebuild"];
    const why = whyNot();
    const own = store.actions.filter((action) => action.group === "own" && action.service === this.#name);
    return [
      linkButton(t("Logs"), `/logs?services=${encodeURIComponent(this.#name)}`, { glyph: "logs", kind: "is-small" }),
      tasks.map(findAction).filter(Boolean).map((action) =>
        button(t(capital(action.label)), () => act(action.task, [this.#name]), { glyph: glyphOf(action.task), kind: "is-small", disabled: Boolean(why), title: why || action.help }),
      ),
      own.map((action) => button(action.label, () => perform(action), { glyph: "bolt", kind: "is-small", disabled: Boolean(why), title: why || action.help })),
    ];
  }

  #tiles(entries) {
    const entry = entries[0];
    const stats = entry && store.stats.get(entry.container);
    const cause = entry?.last_cause;
    return h(
      "div",
      { class: "tiles" },
      tile(t("CPU"), percent(entry?.cpu_percent), sparkline(stats?.at, stats?.cpu_percent, { least: 5 })),
      tile(t("Memory"), size(entry?.memory), sparkline(stats?.at, stats?.memory, { least: 1e7, tone: "second" })),
      tile(t("Restarts"), entry ? String(entry.restarts) : "–", h("p", { class: "tile-text soft" }, entry?.why || entry?.probe?.last || "")),
      tile(
        t("Last cause"),
        "",
        h("p", { class: "tile-text" }, cause ? (cause.run ? h("a", { class: "quiet-link", href: runAddress(cause.run) }, `${cause.action}: ${cause.cause}`) : `${cause.action}: ${cause.cause}`) : "–"),
        cause && h("p", { class: "soft" }, time(cause.at)),
      ),
    );
  }

  #cards(whole) {
    const slow = this.#slow.value;
    return [
      environment(whole.environment),
      connections(whole.connections),
      ports(whole.ports),
      probes(whole.probes),
      waits(whole),
      mounts(whole.mounts),
      networks(whole.networks),
      processes(slow, this.#slow.error),
      changes(slow, this.#slow.error),
      image(whole),
      commands(whole.commands),
    ];
  }
}

const tile = (name, value, ...rest) =>
  h("div", { class: "tile" }, h("p", { class: "tile-name" }, name), value && h("p", { class: "tile-value" }, value), rest);

function table(columns, rows, kind = "") {
  return h(
    "div",
    { class: "scroll", tabindex: kind === "is-whole" ? "0" : null },
    h(
      "table",
      { class: `plain ${kind}` },
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell))))),
    ),
  );
}

const none = () => h("p", { class: "soft" }, t("None"));

function environment(variables) {
  const rows = variables.map((one) => [
    code(one.name),
    [one.masked ? h("span", { class: "masked", title: t("Masked: it looks secret") }, one.value) : code(one.value), h("div", { class: "where is-hidden" }, one.position ? place(one.position) : t(one.source), one.pending && ` · ${t("with the next up")}`)],
  ]);
  return card(t("Environment"), null, rows.length ? table([t("Name"), t("Value, and where it comes from")], rows, "is-named") : none());
}

/** A file as seen from the project's folder. */
function place(position) {
  const folder = `${store.project?.directory ?? ""}/`;
  return position.startsWith(folder) ? position.slice(folder.length) : position;
}

function connections(found) {
  if (!found.length) return null;
  const rows = found.map((one) => [one.from === "host" ? t("this machine") : t("a container"), copyable(one.value)]);
  return card(t("Connection strings"), null, table([t("From"), t("Address")], rows));
}

function ports(found) {
  const rows = found.map((one) => [code(`${one.container_port}/${one.protocol}`), code(`${one.host_ip}:${one.host_port}`)]);
  return card(t("Ports"), null, rows.length ? table([t("In the container"), t("On this machine")], rows) : none());
}

function probes(found) {
  const row = (one) =>
    h(
      "li",
      { class: one.ok ? "is-ok" : "is-bad" },
      icon(one.ok ? "check" : "cross"),
      h("time", { class: "soft", datetime: one.at }, clock(one.at)),
      h("span", { class: "probe-text", title: one.text }, one.text || (one.ok ? t("succeeded") : t("failed ({code})", { code: one.exit_code ?? "?" }))),
    );
  return card(t("Probes"), null, found.length ? h("ol", { class: "probe-list", tabindex: "0", "aria-label": t("Probes") }, found.map(row)) : none());
}

function waits({ waits_for: waitsFor, waited_for_by: waitedBy }) {
  const to = (name, note) => h("a", { class: "chip", href: serviceAddress(name) }, name, note && h("span", { class: "soft" }, note));
  const list = (entries) => (entries.length ? h("div", { class: "links" }, entries) : none());
  return card(
    t("Order"),
    null,
    h("h3", {}, t("Waits for")),
    list(Object.entries(waitsFor).map(([name, condition]) => to(name, t(CONDITIONS[condition] ?? condition)))),
    h("h3", { class: "second-head" }, t("These wait for it")),
    list(waitedBy.map((name) => to(name))),
  );
}

function mounts(found) {
  const rows = found.map((one) => [h("span", { class: "tag is-plain" }, one.type), [code(one.target), h("div", { class: "where is-hidden" }, one.name || one.source, one.read_only && ` · ${t("read-only")}`)]]);
  return card(t("Mounts"), null, rows.length ? table([t("Type"), t("In the container, and from")], rows) : none());
}

function networks(found) {
  const rows = found.map((one) => [code(one.name), code(one.address), one.aliases.join(", ")]);
  return card(t("Networks"), null, rows.length ? table([t("Network"), t("Address"), t("Names")], rows) : none());
}

function processes(slow, error) {
  const body = () => (slow.processes ? table(slow.processes.columns, slow.processes.rows.map((row) => row.map((cell) => code(cell))), "is-whole") : none());
  return card(t("Processes"), null, error ? failure(error) : slow ? body() : skeleton(2));
}

const SIGNS = { added: "+", changed: "~", deleted: "−" };

function changes(slow, error) {
  const body = () =>
    slow.changes?.length
      ? [
          h("div", { class: "probe-list changes", tabindex: "0", role: "group", "aria-label": t("Changed files") }, slow.changes.map((one) => h("div", { class: `change-${one.change}` }, h("code", {}, `${SIGNS[one.change] ?? "?"} ${one.path}`)))),
          slow.changes_total > slow.changes.length && h("p", { class: "soft" }, t("{n} in all", { n: slow.changes_total })),
        ]
      : none();
  return card(t("Changed files"), null, error ? failure(error) : slow ? body() : skeleton(2));
}

function image({ image: one, command, hostname, build }) {
  if (!one) return null;
  const rows = [
    [t("Image"), code(one.reference)],
    one.stand_in && [t("Note"), one.note],
    one.id && [t("Id"), code(one.id.replace("sha256:", "").slice(0, 12))],
    one.size != null && [t("Size"), size(one.size)],
    one.created && [t("Created"), time(one.created)],
    build && [t("Build"), code([place(build.context), build.dockerfile, build.target].filter(Boolean).join(" · "))],
    command && [t("Command"), code(Array.isArray(command) ? command.join(" ") : command)],
    hostname && [t("Host name"), code(hostname)],
  ].filter(Boolean);
  return card(t("Image"), null, h("table", { class: "facts-table" }, h("tbody", {}, rows.map(([name, value]) => h("tr", {}, h("td", {}, name), h("td", {}, value))))));
}

function commands(found) {
  if (!found?.length) return null;
  return card(
    t("The same with docker"),
    null,
    h("div", { class: "commands" }, found.map((one) => h("div", { class: "command" }, h("span", {}, t(capital(one.label))), h("div", { class: "command-lines" }, one.commands.map((line) => copyable(line)))))),
  );
}

customElements.define("page-service", Service);
