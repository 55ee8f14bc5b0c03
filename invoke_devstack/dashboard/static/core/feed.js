// A window of lines over the server's store: so many around where one looks, more when one comes to an end of them.

import { get } from "./api.js";

const PAGE = 400; // lines of a request
const NEWS = 2_000; // lines of a request for what is new: a busy stack writes hundreds while one is answered
const MOST = 6_000; // lines that are kept; those at the other end go
const FAR = 3_000; // lines behind: jump to the newest instead of walking there
const PAUSE = 40; // ms between two requests for what is new
let keys = 0;

export class Feed {
  lines = [];
  following = true;
  atEnd = false;
  waiting = 0; // lines in the store after those here
  failure = null;
  loaded = false;
  #filters = {};
  #before = null;
  #after = 0;
  #last = 0;
  #older = false;
  #round = 0; // answers to requests of an earlier round are dropped
  #busy = new Set();
  #changed;

  /** `changed({prepended})` is called whenever the lines are others. */
  constructor(changed) {
    this.#changed = changed;
  }

  get hasOlder() {
    return this.#before != null || this.#older;
  }

  /** Begins again with these filters, at the newest line or at `{around: id}` or `{at: time}`. */
  async open(filters, position = {}) {
    const round = (this.#round += 1);
    this.#filters = filters;
    this.#busy.clear();
    this.following = !position.around && !position.at;
    const answer = await this.#ask(position);
    if (!answer || round !== this.#round) return;
    this.loaded = true;
    this.lines = [];
    this.#before = answer.before;
    this.#older = answer.older;
    this.#take(answer, "end");
    if (!answer.complete || (this.lines.length < 100 && this.hasOlder)) this.back();
  }

  /** The store has grown to `last`. */
  heard({ last }) {
    this.#last = Math.max(this.#last, last);
    this.waiting = Math.max(0, this.#last - this.#after);
    if (this.following) this.forward();
    else this.#changed({});
  }

  follow() {
    this.following = true;
    if (this.#last - this.#after > FAR || !this.atEnd) this.open(this.#filters);
    else this.forward();
  }

  pause() {
    this.following = false;
    this.#changed({});
  }

  async forward() {
    if (this.#after >= this.#last && this.atEnd) return;
    if (this.following && this.#last - this.#after > FAR) return this.open(this.#filters);
    await this.#once("forward", async (round) => {
      const answer = await this.#ask({ after: this.#after, limit: NEWS });
      if (!answer || round !== this.#round) return false;
      this.#take(answer, "end");
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      return round === this.#round && this.#after < this.#last && (this.following || !answer.complete);
    });
  }

  async back() {
    if (!this.hasOlder) return;
    await this.#once("back", async (round) => {
      const store = this.#before != null;
      const answer = await this.#ask(store ? { before: this.#before } : { older: this.lines[0]?.time ?? new Date().toISOString() });
      if (!answer || round !== this.#round) return false;
      this.#before = answer.before;
      this.#older = store || answer.before != null ? answer.older : answer.lines.length > 0;
      this.#take(answer, "front");
      return round === this.#round && !answer.lines.length && this.hasOlder;
    });
  }

  async #once(name, work) {
    if (this.#busy.has(name)) return;
    const round = this.#round;
    this.#busy.add(name);
    try {
      while (await work(round));
    } finally {
      if (round === this.#round) this.#busy.delete(name);
    }
  }

  async #ask(position) {
    try {
      const answer = await get("logs", { limit: PAGE, ...position, ...this.#filters });
      this.failure = null;
      return answer;
    } catch (error) {
      this.failure = error;
      this.#changed({});
      return null;
    }
  }

  #take(answer, end) {
    for (const line of answer.lines) line.key = keys += 1;
    if (end === "front") {
      this.lines = [...answer.lines, ...this.lines];
      this.#dropEnd();
    } else {
      this.lines = [...this.lines, ...answer.lines];
      this.#after = answer.after ?? this.#after;
      this.#dropFront();
    }
    this.#last = Math.max(this.#last, answer.last);
    this.atEnd = this.#after >= answer.last;
    this.waiting = Math.max(0, this.#last - this.#after);
    this.#changed({ prepended: end === "front" });
  }

  #dropEnd() {
    if (this.lines.length <= MOST) return;
    this.lines = this.lines.slice(0, MOST);
    this.#after = this.lines.at(-1).n ?? 0;
    this.atEnd = false;
    this.following = false;
  }

  #dropFront() {
    if (this.lines.length <= MOST) return;
    this.lines = this.lines.slice(-MOST);
    this.#before = this.lines[0].n ?? this.#before;
  }
}
