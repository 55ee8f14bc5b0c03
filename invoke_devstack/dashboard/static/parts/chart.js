// A chart of several lines over time, drawn by hand: its scale, its lines, and the values under the pointer.

import { h, svg } from "../core/dom.js";
import { clock } from "../core/format.js";
import { View } from "../core/view.js";
import { t } from "../core/words.js";

const [WIDTH, HEIGHT] = [600, 150];
const STEPS = [1, 2, 2.5, 5, 10];

/** `props`: lines [{name, hue, points: [[seconds, value]]}], from, to (seconds), text(value), scale(value), label. */
class Chart extends View {
  #at = null; // seconds under the pointer

  render() {
    const { from, to, text, scale, label } = this.props;
    const lines = this.props.lines.map((line) => ({ ...line, points: line.points.filter(([at]) => at >= from) }));
    const top = roundUp(Math.max(0, ...lines.flatMap((line) => line.points.map(([, value]) => value ?? 0))));
    const x = (at) => ((at - from) / (to - from || 1)) * WIDTH;
    const y = (value) => HEIGHT - (Math.max(0, value) / top) * (HEIGHT - 4);
    const near = this.#at == null ? [] : lines.map((line) => [line, nearest(line.points, this.#at)]).filter(([, point]) => point);
    return [
      h(
        "div",
        { class: "chart-area", onpointermove: (event) => this.#point(event), onpointerleave: () => this.#point(null) },
        h("div", { class: "chart-scale", "aria-hidden": "true" }, [1, 0.5, 0].map((part) => h("span", {}, scale(top * part)))),
        svg(
          "svg",
          { class: "chart-lines", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
          [0, 0.5, 1].map((part) => svg("path", { class: "chart-grid", d: `M0 ${y(top * part)}H${WIDTH}` })),
          lines.map((line) => svg("path", { class: `chart-line hue-${line.hue} ${line.dashed ? "is-dashed" : ""}`, d: pathOf(line.points, x, y) })),
          near.length > 0 && svg("path", { class: "chart-pointer", d: `M${x(near[0][1][0])} 0V${HEIGHT}` }),
        ),
      ),
      h("div", { class: "chart-times", "aria-hidden": "true" }, h("span", {}, clock(from * 1000)), h("span", {}, near.length ? clock(near[0][1][0] * 1000) : ""), h("span", {}, clock(to * 1000))),
      h(
        "ul",
        { class: "chart-legend" },
        lines.map((line) => {
          const point = near.find(([one]) => one === line)?.[1] ?? line.points.findLast(([, value]) => value != null);
          return h("li", { class: `hue-${line.hue}` }, h("i", { class: line.dashed ? "is-dashed" : "", "aria-hidden": "true" }), h("span", { title: line.name }, line.name || t("value")), h("b", {}, point ? text(point[1]) : "–"));
        }),
      ),
    ];
  }

  #point(event) {
    const { from, to } = this.props;
    const frame = event && this.querySelector(".chart-lines").getBoundingClientRect();
    this.#at = frame ? from + ((event.clientX - frame.left) / frame.width) * (to - from) : null;
    this.refresh();
  }
}

/** One point alone is a short dash: it would not be seen. */
function pathOf(points, x, y) {
  const known = points.filter(([, value]) => value != null);
  if (known.length === 1) return `M${x(known[0][0]) - 3} ${y(known[0][1])}h6`;
  return known.map(([at, value], index) => `${index ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

function nearest(points, at) {
  let best = null;
  for (const point of points) if (point[1] != null && (!best || Math.abs(point[0] - at) < Math.abs(best[0] - at))) best = point;
  return best;
}

function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * STEPS.find((step) => step * power >= value);
}

customElements.define("dev-chart", Chart);
