// The events of the server, once for all tabs of a browser: a browser opens only six connections to a server, so one tab
// (it holds the lock) reads the stream and tells the others.

const NAMES = [
  "hello", "beat", "project", "services", "service", "stats", "logs", "run", "event", "snapshots", "actions", "definition",
  "changed", "traces.arrived",
];
const SILENCE = 25_000; // ms without a beat: the connection is dead, whatever the browser thinks
const PAUSE = 200; // ms, longer with each failure, at most five times as long
const FORGIVEN = 2; // failures in a row that are not told: a browser breaks off when a network comes or goes

/** Calls `tell(type, data)` for each event; `connection` events say open, lost or denied. */
export function follow(tell) {
  const channel = new BroadcastChannel("devstack");
  const share = (type, data) => {
    tell(type, data);
    channel.postMessage({ type, data });
  };
  channel.onmessage = ({ data: message }) => {
    if (message.type !== "who") tell(message.type, message.data);
    else if (reader) channel.postMessage({ type: "connection", data: reader.state });
  };
  let reader = null;
  navigator.locks.request("devstack-stream", () => {
    reader = new Reader(share);
    return new Promise(() => {}); // until the tab is closed
  });
  channel.postMessage({ type: "who" });
}

class Reader {
  state = "connecting";
  #share;
  #source = null;
  #heard = Date.now();
  #last = "";
  #failures = 0;

  constructor(share) {
    this.#share = share;
    this.#open();
    setInterval(() => this.#check(), 2_000);
    addEventListener("online", () => this.#check());
    document.addEventListener("visibilitychange", () => this.#check());
  }

  #open() {
    this.#source?.close();
    this.#heard = Date.now();
    const source = new EventSource(`/api/v1/events${this.#last ? `?last=${encodeURIComponent(this.#last)}` : ""}`);
    this.#source = source;
    for (const name of NAMES) source.addEventListener(name, (event) => this.#hear(name, event));
    source.onerror = () => this.#lose(source);
  }

  #hear(name, event) {
    this.#heard = Date.now();
    if (event.lastEventId) this.#last = event.lastEventId;
    this.#failures = 0;
    this.#become("open");
    this.#share(name, JSON.parse(event.data));
  }

  async #lose(source) {
    if (source !== this.#source) return;
    source.close();
    this.#source = null;
    this.#failures += 1;
    if (await refused()) this.#become("denied");
    else if (this.#failures > FORGIVEN) this.#become("lost");
    setTimeout(() => this.#source ?? this.#open(), PAUSE * Math.min(5, this.#failures));
  }

  #check() {
    if (this.#source && Date.now() - this.#heard > SILENCE) this.#open();
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#share("connection", state);
  }
}

async function refused() {
  try {
    return (await fetch("/api/v1/project")).status === 401;
  } catch {
    return false;
  }
}
