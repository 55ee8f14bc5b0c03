// Doing something to the stack: asks for what the server wants to know, starts it, and says what was refused.

import { askForArguments } from "../parts/action-form.js";
import { askForName } from "../parts/dialog.js";
import { toast } from "../parts/toasts.js";
import { post } from "./api.js";
import { capital } from "./format.js";
import { store } from "./store.js";
import { t } from "./words.js";

/** Runs whose progress this tab shows in its corner. */
export const mine = new Set();

export function findAction(task) {
  return store.actions.find((action) => action.task === task);
}

export const readOnly = () => Boolean(store.project?.read_only);

/** May this task be started now? The button says why not. */
export function whyNot() {
  if (readOnly()) return t("This dashboard is read-only");
  if (store.connection !== "open" && store.connection !== "connecting") return t("The server is away");
  if (store.project?.engine?.state === "away") return t("The engine is away");
  return "";
}

/** Starts a task; returns the name of its run, or null if it did not start. */
export async function act(task, services = [], options = {}) {
  try {
    const { run } = await post("actions", { task, services, options }, { wait: 0 });
    mine.add(run);
    store.begin({ run, task, services });
    store.tell("runs");
    return run;
  } catch (error) {
    return refuse(error, task, services, options);
  }
}

async function refuse(error, task, services, options) {
  if (error.reason === "confirm" && error.needs && !options.confirm) {
    const label = task === "snapshots.rm" ? t("Delete") : t(capital(findAction(task)?.label ?? task));
    const confirm = await askForName(`${label} ${services.join(", ") || options.name || ""}`.trim(), error.needs, label);
    return confirm ? act(task, services, { ...options, confirm }) : null;
  }
  refused(error);
  return null;
}

/** Says why something was not begun. */
export function refused(error) {
  const holder = error.reason === "busy" && error.holder ? t("{holder} holds this project.", { holder: error.holder }) : "";
  toast(holder || error.message, { tone: "bad", hint: error.hint || (holder ? t("Try again when it has ended.") : "") });
}

/** As `act`, with a form first where there is something that must be told (or with `always`). */
export async function perform(action, services = [], { always = false } = {}) {
  const chosen = action.scope === "none" ? [] : services; // an own action knows its service
  const asks = action.arguments.some((argument) => argument.required) || (action.group === "own" && action.arguments.length > 0);
  if (!asks && !(always && action.arguments.length)) return act(action.task, chosen);
  const options = await askForArguments(action, chosen.join(", "));
  return options && act(action.task, chosen, options);
}

export async function cancel(run) {
  try {
    await post(`actions/${encodeURIComponent(run)}/cancel`, {});
  } catch (error) {
    toast(error.message, { tone: "bad", hint: error.hint });
  }
}
