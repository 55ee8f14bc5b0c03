// Requests to the server. What it refuses becomes a Refusal with the members of the `error` event.

import { t } from "./words.js";

const RETRIES = 3; // a browser breaks requests off when a network comes or goes, as `up` makes them
const PAUSE = 150; // ms

export class Refusal extends Error {
  constructor(status, body) {
    super(body.error || `HTTP ${status}`);
    this.status = status;
    this.reason = body.reason ?? "";
    this.hint = body.hint ?? "";
    this.position = body.position ?? "";
    this.holder = body.holder ?? "";
    this.needs = body.needs ?? null;
    this.details = body.details ?? [];
  }
}

export function query(params = {}) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    for (const one of Array.isArray(value) ? value : [value])
      if (one != null && one !== "" && one !== false) pairs.append(name, one === true ? "1" : one);
  const text = pairs.toString();
  return text && `?${text}`;
}

export async function get(path, params, options = {}) {
  return (await ask(`/api/v1/${path}${query(params)}`, options)).json();
}

export const post = (path, body, params) => send(path, JSON.stringify(body), params);

/** Posts what is JSON already, such as a file. */
export const send = (path, body, params) => upload(path, body, "application/json", params);

/** Posts a file of this type. */
export async function upload(path, body, type, params) {
  const answer = await ask(`/api/v1/${path}${query(params)}`, { method: "POST", headers: { "Content-Type": type, "X-Devstack": "1" }, body });
  return answer.status === 204 ? null : answer.json();
}

/** The objects of an answer in lines of JSON, as they arrive. */
export async function* lines(path, params, options = {}) {
  const answer = await ask(`/api/v1/${path}${query(params)}`, options);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

async function ask(url, options) {
  const answer = await tried(url, options, options.method === "POST" ? 0 : RETRIES);
  if (answer.ok) return answer;
  throw new Refusal(answer.status, await answer.json().catch(() => ({})));
}

async function tried(url, options, retries) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (!retries) throw new Refusal(0, { error: t("The dashboard's server does not answer."), reason: "away" });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    return tried(url, options, retries - 1);
  }
}
