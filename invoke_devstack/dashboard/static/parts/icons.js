// Line icons, drawn here. They say nothing by themselves: what they stand in has a name.

import { svg } from "../core/dom.js";

const PATHS = {
  stack: "M12 3 3 7.5l9 4.5 9-4.5L12 3ZM3 12l9 4.5 9-4.5M3 16.5 12 21l9-4.5",
  logs: "M4 6h16M4 10h10M4 14h16M4 18h7",
  traces: "M4 5h9M8 10h9M8 15h5M13 20h7",
  activity: "M4 6h7M9 12h8M13 18h7",
  data: "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3Zm0 0v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3",
  machine: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  play: "M7 4.5v15l12-7.5-12-7.5Z",
  stop: "M6 6h12v12H6z",
  restart: "M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5",
  rebuild: "m14.5 6 3.5 3.5M3 21l9-9M11 7.5 14.5 4 20 9.5 16.5 13Z",
  pause: "M8 5v14M16 5v14",
  kill: "m13 2-8 12h6l-1 8 9-12h-6l0-8Z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM20 20l-4.8-4.8",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  download: "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M4 20h16",
  wrap: "M4 6h16M4 12h13a3 3 0 0 1 0 6h-4m0 0 2-2m-2 2 2 2M4 18h5",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17",
  close: "M6 6l12 12M18 6 6 18",
  check: "m5 12.5 4.5 4.5L19 7.5",
  cross: "M7 7l10 10M17 7 7 17",
  warning: "M12 4 2.5 20h19L12 4Zm0 6v4.5m0 2.5h.01",
  filter: "M4 5h16l-6 8v6l-4-2v-4L4 5Z",
  down: "m6 9 6 6 6-6",
  right: "m9 6 6 6-6 6",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  end: "M12 4v12m0 0 5-5m-5 5-5-5M5 20h14",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  system: "M3 5h18v11H3zM8 20h8M12 16v4",
  bolt: "m13 3-8 11h6l-1 7 9-12h-6l0-6Z",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4V8Zm8 8.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5Z",
  upload: "M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M4 20h16",
  back: "M20 12H5m0 0 6-6m-6 6 6 6",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20a7.5 7.5 0 0 1 15 0",
};

export function icon(name, className = "") {
  return svg(
    "svg",
    { class: `icon icon-${name} ${className}`, viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] ?? "" }),
  );
}
