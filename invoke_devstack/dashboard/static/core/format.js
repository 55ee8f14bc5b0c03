// Numbers and times as people read them.

import { currentLanguage, t } from "./words.js";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function size(bytes) {
  if (bytes == null) return "–";
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit && value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}

export function duration(seconds) {
  if (seconds == null) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

/** A span's time: as exact as it is short. */
export function milliseconds(ms) {
  if (ms == null) return "–";
  if (ms >= 1000) return duration(ms / 1000);
  if (ms >= 100) return `${Math.round(ms)} ms`;
  if (ms >= 1) return `${ms.toFixed(1)} ms`;
  return ms ? `${Math.round(ms * 1000)} µs` : "0 ms";
}

/** How long ago, in the largest unit that fits. */
export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  if (!time || Number.isNaN(seconds)) return "";
  if (seconds < 5) return t("just now");
  if (seconds < 60) return t("{n} s ago", { n: Math.round(seconds / 5) * 5 });
  if (seconds < 3600) return t("{n} min ago", { n: Math.floor(seconds / 60) });
  if (seconds < 86_400) return t("{n} h ago", { n: Math.floor(seconds / 3600) });
  return t("{n} d ago", { n: Math.floor(seconds / 86_400) });
}

export function percent(value) {
  if (value == null) return "–";
  return `${value.toFixed(value < 10 ? 1 : 0)} %`;
}

/** As a button is written. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export const count = (value) => value.toLocaleString(currentLanguage());

/** 14:02:31, or with the day if it was another one. */
export function clock(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  const hours = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString() ? hours : `${day(date)} ${hours}`;
}

export function clockWithMilliseconds(time) {
  const date = new Date(time);
  return `${date.toLocaleTimeString("en-GB")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const two = (number) => String(number).padStart(2, "0");

/** The whole time, for tooltips. */
export function fullTime(time) {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : `${day(date)} ${date.toLocaleTimeString("en-GB")}`;
}
