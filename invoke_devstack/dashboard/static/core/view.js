// What every page and part is: an element that draws itself again when something that it watches changes.

import { fill } from "./dom.js";
import { onLanguage } from "./words.js";

export class View extends HTMLElement {
  opaque = true; // whoever holds it does not touch what is in it
  #props = {};
  #stops = [];
  #waiting = false;

  get props() {
    return this.#props;
  }

  set props(value) {
    const before = this.#props;
    this.#props = value ?? {};
    if (!this.isConnected) return;
    this.changed?.(before);
    this.refresh();
  }

  connectedCallback() {
    this.#stops.push(onLanguage(() => this.refresh()));
    this.setup?.();
    this.#draw();
  }

  disconnectedCallback() {
    for (const stop of this.#stops.splice(0)) stop();
    this.teardown?.();
  }

  /** Draws again when the store tells one of these topics. */
  watch(store, ...topics) {
    for (const topic of topics) this.#stops.push(store.on(topic, () => this.refresh()));
  }

  /** Calls `stop` when the element leaves the page. */
  until(stop) {
    this.#stops.push(stop);
  }

  refresh() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      if (this.isConnected) this.#draw();
    });
  }

  #draw() {
    fill(this, this.render());
    this.drawn?.();
  }
}
