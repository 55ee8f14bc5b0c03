// Addresses: which page a path is, and going there without loading the document again.

const ROUTES = [
  [/^\/$/, "stack"],
  [/^\/graph$/, "stack"],
  [/^\/logs$/, "logs"],
  [/^\/services\/(?<service>[^/]+)$/, "service"],
  [/^\/activity\/(?<run>[^/]+)\/compare\/(?<other>[^/]+)$/, "compare"],
  [/^\/activity\/(?<run>[^/]+)$/, "run"],
  [/^\/activity$/, "activity"],
  [/^\/data$/, "data"],
  [/^\/machine$/, "machine"],
  [/^\/traces$/, "traces"],
  [/^\/traces\/map$/, "traces-map"],
  [/^\/traces\/logs$/, "traces-logs"],
  [/^\/traces\/metrics$/, "traces-metrics"],
  [/^\/traces\/(?<trace>[^/]+)\/compare\/(?<other>[^/]+)$/, "traces-compare"],
  [/^\/traces\/(?<trace>[^/]+)$/, "trace"],
];
const listeners = new Set();

export function currentRoute() {
  const { pathname, search } = location;
  for (const [pattern, page] of ROUTES) {
    const found = pattern.exec(pathname);
    if (found) return { page, path: pathname, params: decoded(found.groups), query: new URLSearchParams(search) };
  }
  return { page: "missing", path: pathname, params: {}, query: new URLSearchParams(search) };
}

function decoded(groups = {}) {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decode(value)]));
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function go(path) {
  history.pushState(null, "", path);
  tell();
}

/** Changes the query of this page's address without a step in the history. */
export function amend(values) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    query.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one) query.append(name, one === true ? "1" : one);
  }
  const text = query.toString();
  history.replaceState(null, "", `${location.pathname}${text && `?${text}`}`);
}

export function onRoute(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const serviceAddress = (name) => `/services/${encodeURIComponent(name)}`;
export const traceAddress = (trace, span = "") => `/traces/${encodeURIComponent(trace)}${span && `?span=${encodeURIComponent(span)}`}`;
export const runAddress = (run) => `/activity/${encodeURIComponent(run)}`;

/** The token has become a cookie: it need not stay in the address, nor in the history. */
export function hideToken() {
  const query = new URLSearchParams(location.search);
  if (!query.has("token")) return;
  query.delete("token");
  const text = query.toString();
  history.replaceState(null, "", `${location.pathname}${text && `?${text}`}${location.hash}`);
}

export function startRouter() {
  addEventListener("popstate", tell);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
    event.preventDefault();
    if (url.href !== location.href) go(url.pathname + url.search);
  });
}

function tell() {
  for (const listener of listeners) listener(currentRoute());
}
