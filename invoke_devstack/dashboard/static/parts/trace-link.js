// Which trace a log line belongs to: a member that says so, or an id in its text.

const TRACE = /(?:trace[._-]?id|otelTraceID|traceparent)["']?\s*[=:]\s*["']?(?:00-)?([0-9a-f]{32})\b/i;
const SPAN = /(?:span[._-]?id|otelSpanID)["']?\s*[=:]\s*["']?([0-9a-f]{16})\b/i;
const PARENT = /traceparent["']?\s*[=:]\s*["']?00-[0-9a-f]{32}-([0-9a-f]{16})\b/i;
const NOTHING = /^0+$/;
const known = new WeakMap();

/** `{trace, span}` of a line, or null. */
export function traceOf(line) {
  if (!known.has(line)) known.set(line, find(line));
  return known.get(line);
}

function find(line) {
  if (line.trace_id) return { trace: line.trace_id, span: line.span_id ?? "" };
  if (!/trace/i.test(line.text)) return null;
  const trace = TRACE.exec(line.text)?.[1]?.toLowerCase() ?? "";
  if (!trace || NOTHING.test(trace)) return null;
  return { trace, span: (SPAN.exec(line.text) ?? PARENT.exec(line.text))?.[1]?.toLowerCase() ?? "" };
}
