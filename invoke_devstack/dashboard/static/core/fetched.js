// What a page fetches by itself: its value, whether it is there, and why not; fetched again when it may have changed.

import { get } from "./api.js";

export class Fetched {
  value = null;
  error = null;
  #path;
  #params;
  #told;
  #made;
  #asking = false;
  #again = false;

  /** `told` is called when it has changed; `made` makes the value of an answer. */
  constructor(path, params, told, made = (answer) => answer) {
    this.#path = path;
    this.#params = params;
    this.#told = told;
    this.#made = made;
  }

  async load() {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      this.value = this.#made(await get(this.#path, this.#params));
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.#asking = false;
    this.#told();
    if (this.#again) {
      this.#again = false;
      this.load();
    }
  }
}
