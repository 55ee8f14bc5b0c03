"""Lists, the map, logs, metrics, export, and texts for a terminal."""

from __future__ import annotations

import json
from functools import partial
from sqlite3 import Connection
from typing import Any

import pytest
from rich.cells import cell_len

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.secrets import SecretValues
from invoke_devstack.traces.asking import export, logs, metrics, service_map, text, traces
from invoke_devstack.traces.asking.moments import moment, rfc3339, seconds_in
from invoke_devstack.traces.asking.traces import Wanted, find_id, find_traces, read_trace
from invoke_devstack.traces.receiving import spans
from invoke_devstack.traces.receiving.messages import read_message, to_json
from tests import otlp
from tests.unit.traces.conftest import Kept


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def asked(kept: Kept, **wanted: Any) -> Any:
    return kept.ask(lambda opened: find_traces(opened, Wanted(**wanted)))


def names(kept: Kept, **wanted: Any) -> list[str]:
    return [item["name"] for item in asked(kept, **wanted)["traces"]]


@pytest.fixture
def three(kept: Kept) -> Kept:
    """Three requests: quick, slow with a statement, and one with an error in another service."""
    kept.put(otlp.traces(otlp.span(1, name="quick", trace=trace_id(1), seconds=0.1)))
    slow = otlp.span(2, name="slow", trace=trace_id(2), start=1, seconds=3)
    query = otlp.span(
        3, 2, name="SELECT", trace=trace_id(2), start=1, kind=3, db__statement="SELECT 100% 'ä'"
    )
    kept.put(otlp.traces(slow, query))
    kept.put(otlp.traces(otlp.span(4, name="failed", trace=trace_id(3), start=2, seconds=1)))
    kept.put(otlp.traces(otlp.span(5, 4, trace=trace_id(3), start=2, error="boom"), service="api"))
    return kept


def test_nothing_is_answered_before_anything_was_stored(state: object) -> None:
    kept = Kept()
    assert asked(kept) is None
    assert kept.reading.stored()["traces"] == 0
    assert kept.reading.services() == []
    kept.writer.stop()


@pytest.mark.parametrize("few", [0, 2000])
def test_the_newest_come_first_and_filters_choose(
    three: Kept, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both where few traces pass and are sorted, and where many do."""
    monkeypatch.setattr(traces, "_FEW", few)
    assert names(three) == ["failed", "slow", "quick"]
    assert names(three, errors=True) == ["failed"]
    assert names(three, services=("api",)) == ["failed"]
    assert names(three, slower_than=2 * otlp.SECOND) == ["slow"]
    assert names(three, since=otlp.NOW + otlp.SECOND) == ["failed", "slow"]
    assert names(three, until=otlp.NOW) == ["quick"]
    assert names(three, services=("web",), slower_than=otlp.SECOND) == ["failed", "slow"]
    assert names(three, services=("web", "api"), errors=True) == ["failed"]
    assert names(three, services=("nobody",)) == []


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"errors": True}, "traces_failed"),
        ({"slower_than": 1}, "traces_by_duration"),
        ({"services": ("web",)}, "parts_by_service"),
    ],
)
def test_a_filter_that_few_pass_uses_an_index(kept: Kept, wanted: dict[str, Any], index: str) -> None:
    """With hundreds of thousands of traces, all others would be read for a page that shows three."""
    kept.put(otlp.traces(otlp.span(1, error="no")))
    asked_for: list[str] = []

    def plan(opened: Connection) -> str:
        opened.set_trace_callback(asked_for.append)
        find_traces(opened, Wanted(**wanted))
        opened.set_trace_callback(None)
        query = next(text for text in asked_for if text.startswith("SELECT trace, service"))
        return " ".join(row[3] for row in opened.execute(f"EXPLAIN QUERY PLAN {query}"))

    assert index in kept.ask(plan)


def test_a_search_that_takes_long_says_where_to_go_on(three: Kept) -> None:
    seen, cursor, rounds = [], "", 0
    while rounds == 0 or cursor:
        page = three.ask(partial(find_traces, wanted=Wanted(text="quick", cursor=cursor), budget=0.0))
        seen += [item["name"] for item in page["traces"]]
        cursor, rounds = page["next"], rounds + 1
    assert seen == ["quick"]
    assert rounds > 1


@pytest.mark.parametrize("text_", ["100% 'ä'", "select", "slow", "00000000000000000000000000000002"])
def test_a_text_is_found_in_names_attributes_and_ids(three: Kept, text_: str) -> None:
    assert names(three, text=text_) == ["slow"]
    assert names(three, text="_00%") == []


def test_pages_follow_each_other_without_gaps(three: Kept) -> None:
    seen, cursor = [], ""
    for _ in range(3):
        page = asked(three, limit=1, cursor=cursor)
        seen += [item["name"] for item in page["traces"]]
        cursor = page["next"]
    assert (seen, cursor) == (["failed", "slow", "quick"], "")
    with pytest.raises(UsageError, match="unknown cursor"):
        asked(three, cursor="nonsense")


def test_a_trace_in_brief_lacks_only_what_is_usual_or_follows(three: Kept) -> None:
    whole = three.ask(lambda opened: read_trace(opened, trace_id(3)))
    brief = three.ask(lambda opened: read_trace(opened, trace_id(3), brief=True))
    first = int(brief.pop("first_ns"))
    found = []
    for span in brief["spans"]:
        start = first + round((span["offset_ms"] - span.get("shift_ms", 0.0)) * 1e6)
        found.append({**traces.USUAL, **span, "started": rfc3339(start), "started_ns": str(start)})
    assert {**brief, "spans": found} == whole
    assert all(span.keys() < traces.USUAL.keys() for span in brief["spans"])
    assert [*whole["spans"][0]] == [*traces.USUAL]


def test_a_trace_is_found_by_the_start_of_its_id(three: Kept) -> None:
    def found(prefix: str) -> Any:
        return three.ask(lambda opened: find_id(opened, prefix))

    assert found(trace_id(2).hex()) == [trace_id(2)]
    assert len(found("0000")) == 2
    assert found("ff") == []
    with pytest.raises(UsageError, match="is no trace id"):
        found("x")


def test_a_file_that_cannot_be_read_is_an_error_with_a_hint(three: Kept) -> None:
    three.writer.stop()
    three.file.write_bytes(b"nonsense" * 2000)
    with pytest.raises(DevstackError, match="cannot be read") as caught:
        asked(three)
    assert str(three.file) in caught.value.hint


def test_the_map_has_services_databases_and_who_calls_whom(kept: Kept) -> None:
    web = [
        otlp.span(1, name="GET /", kind=2, seconds=1.0),
        otlp.span(2, 1, name="GET", kind=3, seconds=0.2, db__system="redis"),
        otlp.span(3, 1, name="call", kind=3, seconds=0.4, server__address="api"),
    ]
    kept.put(otlp.traces(*web))
    kept.put(otlp.traces(otlp.span(4, 3, kind=2, seconds=0.3, error="no"), service="api"))
    found = kept.ask(lambda opened: service_map.draw_map(opened, otlp.NOW - otlp.SECOND))
    nodes = {node["service"]: (node["kind"], node["errors"], node["p95_ms"]) for node in found["nodes"]}
    assert nodes == {
        "web": ("service", 0, 1000.0),
        "api": ("service", 1, 300.0),
        "redis": ("database", 0, 200.0),
    }
    edges = {(edge["from"], edge["to"]): edge["calls"] for edge in found["edges"]}
    assert edges == {("web", "api"): 1, ("web", "redis"): 1}


def test_logs_are_filtered_and_lead_to_their_trace(kept: Kept) -> None:
    span = (7).to_bytes(8, "big")
    kept.put(
        otlp.logs(
            {"text": "first", "level": 5, "at": 0},
            {"text": "of a request", "level": 17, "trace": otlp.TRACE, "span": span, "at": 1},
            {"text": "later", "level": 13, "at": 2, "attributes": {"user": "ann"}},
        )
    )

    def texts(**wanted: Any) -> list[str]:
        answer = kept.ask(lambda opened: logs.find_logs(opened, logs.WantedLogs(**wanted)))
        return [item["text"] for item in answer["logs"]]

    assert texts() == ["later", "of a request", "first"]
    assert texts(level="warning") == ["later", "of a request"]
    assert texts(text="ann") == ["later"]
    assert texts(services=("other",)) == []
    assert texts(trace=otlp.TRACE, span=span) == ["of a request"]
    (log,) = kept.ask(lambda opened: logs.logs_of_trace(opened, otlp.TRACE))
    assert (log["level"], log["trace_id"], log["span_id"]) == ("error", otlp.TRACE.hex(), span.hex())
    with pytest.raises(UsageError, match="unknown level"):
        texts(level="loud")


def test_a_counter_is_a_rate_also_after_its_process_began_again(kept: Kept) -> None:
    kept.put(otlp.counter("http.requests", 10.0, 14.0, 2.0, step=2.0))
    found = kept.ask(lambda opened: metrics.series_of(opened, "http.requests", "", 0))
    assert found is not None
    (series,) = found["series"]
    assert [value for _, value in series["points"]] == [2.0, 1.0]
    assert (found["kind"], found["shows"], found["columns"]) == ("sum", "rate", ["time", "per_second"])
    (entry,) = kept.ask(metrics.names)
    assert (entry["name"], entry["service"], entry["series"]) == ("http.requests", "web", 1)


def test_a_histogram_has_mean_and_p95_of_what_is_new(kept: Kept) -> None:
    message = otlp.counter("unused")
    metric = message.resource_metrics[0].scope_metrics[0].metrics.add(name="latency", unit="ms")
    metric.histogram.aggregation_temporality = 2
    for at, total, counts in ((1, 100.0, [5, 5, 0]), (2, 400.0, [5, 15, 0])):
        metric.histogram.data_points.add(
            time_unix_nano=otlp.NOW + at * otlp.SECOND,
            sum=total,
            count=sum(counts),
            explicit_bounds=[10.0, 20.0],
            bucket_counts=counts,
        )
    kept.put(message)
    found = kept.ask(lambda opened: metrics.series_of(opened, "latency", "web", 0))
    assert found is not None
    (point,) = found["series"][0]["points"]
    assert point[1:] == [10.0, 30.0, 19.5]


def test_what_is_exported_can_be_imported_again(three: Kept) -> None:
    exported = three.ask(lambda opened: export.export_trace(opened, trace_id(2)))
    assert exported is not None
    message = read_message("traces", json.dumps(exported).encode(), is_json=True)
    again = spans.rows(message, SecretValues())
    first = three.ask(lambda opened: read_trace(opened, trace_id(2)))
    for path in three.file.parent.glob("traces.db*"):
        path.unlink()
    three.store(again.batch)
    assert three.reading.ask(lambda opened: read_trace(opened, trace_id(2)), None) == first


def test_json_of_otlp_has_ids_in_hexadecimal() -> None:
    message = otlp.traces(otlp.span(1, 9, name="x"))
    data = to_json(message)
    span = data["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (span["traceId"], span["parentSpanId"]) == (otlp.TRACE.hex(), "0000000000000009")
    assert read_message("traces", json.dumps(data).encode(), is_json=True) == message


def test_a_trace_is_a_tree_that_fits_the_terminal(three: Kept) -> None:
    found = three.ask(lambda opened: read_trace(opened, trace_id(2)))
    assert found is not None
    lines = text.tree_text(found, "3 s ago", 80).splitlines()
    assert lines[:3] == ["web: slow", f"trace {trace_id(2).hex()}", "3.0 s, 2 spans, 3 s ago"]
    assert lines[4].startswith("web slow ") and lines[4].endswith(" 3.0 s")
    assert lines[5].startswith("└─ web SELECT") and lines[5].endswith(" 1.0 s")
    assert lines[6].strip() == "SELECT 100% 'ä'"
    assert max(map(len, lines)) <= 80


def test_wide_and_deep_traces_fit_too(kept: Kept) -> None:
    deep = [otlp.span(number, number - 1, name="함수" * 30, note="x") for number in range(1, 60)]
    kept.put(otlp.traces(*deep))
    found = kept.ask(lambda opened: read_trace(opened, otlp.TRACE))
    assert found is not None
    entries = asked(kept)["traces"]
    for width in (40, 80, 140):
        assert max(map(cell_len, text.tree_text(found, "now", width).splitlines())) <= width
        assert max(map(cell_len, text.list_text(entries, ["now"], width).splitlines())) <= max(width, 80)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.412, "0.41 ms"), (4.16, "4.2 ms"), (41.2, "41 ms"), (1234, "1.2 s"), (125_000, "2 min 05 s")],
)
def test_durations_for_people(value: float, shown: str) -> None:
    assert text.milliseconds_text(value) == shown


def test_moments_are_read_and_written() -> None:
    assert seconds_in("1h30m") == 5400 and seconds_in("200ms") == 0.2
    assert moment("2026-01-02T03:04:05Z") == 1767323045 * otlp.SECOND
    assert rfc3339(1767323045123456789) == "2026-01-02T03:04:05.123456Z"
    assert rfc3339(2**63 - 1).startswith("2262")
    for bad in ("yesterday", "", "5x", "-3s", "2026-99-99"):
        with pytest.raises(UsageError):
            moment(bad)
