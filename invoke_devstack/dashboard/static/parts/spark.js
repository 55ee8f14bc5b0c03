// A line of the last ten minutes, in a fixed size so that nothing moves when data arrives.

import { svg } from "../core/dom.js";

const WIDTH = 96;
const HEIGHT = 24;
const SPAN = 600; // seconds

export function sparkline(at = [], values = [], { least = 1, tone = "accent" } = {}) {
  const points = thinned(at, values);
  const top = Math.max(least, ...points.map(([, value]) => value)) * 1.05;
  const now = Date.now() / 1000;
  const x = (when) => (WIDTH - Math.min(1, Math.max(0, (now - when) / SPAN)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(1);
  const line = points.map(([when, value], index) => `${index ? "L" : "M"}${x(when)} ${y(value)}`).join("");
  const area = points.length > 1 ? `${line}L${x(points.at(-1)[0])} ${HEIGHT}L${x(points[0][0])} ${HEIGHT}Z` : "";
  return svg(
    "svg",
    { class: `spark is-${tone}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", preserveAspectRatio: "none" },
    svg("path", { class: "spark-area", d: area }),
    svg("path", { class: "spark-line", d: points.length > 1 ? line : "" }),
  );
}

/** At most one point for each pixel: the highest of those that fall on it. */
function thinned(at, values) {
  const step = Math.max(1, Math.ceil(at.length / WIDTH));
  const points = [];
  const from = at.findIndex((when) => when > Date.now() / 1000 - SPAN);
  for (let i = from < 0 ? at.length : from; i < at.length; i += step) {
    const part = values.slice(i, i + step).map((value) => value ?? 0);
    points.push([at[i], Math.max(...part)]);
  }
  return points;
}
