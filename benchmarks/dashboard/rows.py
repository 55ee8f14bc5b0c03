"""The rows: first paint, a line on its way to the page, a search in a million lines, 300 services, ten tabs,
and a minute or more of 5,000 lines a second."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from statistics import quantiles
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.dashboard.browsing import answers_after, arrivals, chromium, first_paint, note_arrivals
from benchmarks.dashboard.served import Served, serving, stack
from benchmarks.dashboard.soak import Outcome, soak, writer
from benchmarks.images import base_image
from benchmarks.pairing import BenchmarkError, Row
from benchmarks.stack import example_project
from tests.browser.stand_in import StandIn, entry
from tests.browser.stand_in import serving as serving_stand_in

RATE = 5000  # lines a second
_SAMPLES, _BETWEEN = 100, 0.05
_LINES = 1_000_000
_SERVICES, _TABS = 300, 10
_ACTIONS = {
    "select": "() => document.querySelector('tr[data-service] input').click()",
    "filter": """() => {
        const input = document.querySelector('input[type=search]');
        input.value = input.value ? '' : 'service-29';
        input.dispatchEvent(new InputEvent('input', {bubbles: true}));
    }""",
    "palette": "() => dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true}))",
    "close": "() => document.querySelector('dialog[open]')?.close()",
    "graph": "() => document.querySelector('a[href=\"/graph\"]').click()",
    "back": "() => document.querySelector('a[href=\"/\"]').click()",
    "scroll": "() => document.scrollingElement.scrollBy(0, 4000)",
}


def dashboard_rows(seconds: float) -> list[Row]:
    """`seconds` of the writing of 5,000 lines a second."""
    with chromium() as browser, base_image() as image:
        measures: dict[str, Callable[[], list[Row]]] = {
            "first paint of a cold server, the example": lambda: [_first_paint(browser)],
            "a line to the page": lambda: _latencies(browser, image),
            "first hit in 1,000,000 lines": lambda: _searches(image),
            "300 services": lambda: [_actions(browser)],
            "ten tabs": lambda: [_tabs(browser, image)],
            "5,000 lines a second": lambda: _load(browser, image, seconds),
        }
        return [row for name, measure in measures.items() for row in _tried(name, measure)]


def _tried(name: str, measure: Callable[[], list[Row]]) -> list[Row]:
    try:
        return measure()
    except BenchmarkError as error:
        return [Row(name, "s", 1.0, (), (), failure=str(error))]


def _within(name: str, limit: float, values: Sequence[float], unit: str = "s") -> Row:
    """A row whose other side is the limit."""
    return Row(name, unit, 1.0, tuple(values), (limit,) * len(values), peer="limit")


def _first_paint(browser: Browser) -> Row:
    taken = []
    with example_project() as project:
        for _ in range(3):
            with serving(project.directory, project.environment) as served, _page(browser, served) as page:
                taken.append(first_paint(page))
    return _within("first paint of a cold server, the example", 0.5, taken)


@contextmanager
def _page(browser: Browser, served: Served, path: str = "/") -> Iterator[Page]:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(served.at(path))
        page.locator(".brand").wait_for()
        yield page
    finally:
        context.close()


def _latencies(browser: Browser, image: str) -> list[Row]:
    rows = []
    for name, rate, limit in (("a quiet stack", 0, 0.1), (f"{RATE:,} lines a second", RATE, 0.25)):
        services: dict[str, object] = {
            "web": {
                "image": image,
                "command": ["sh", "-c", "exec cat <>/in/pipe"],
                "volumes": ["./in:/in"],
                "stop_grace_period": "0s",
            }
        }
        if rate:
            services["writer"] = writer(image, rate)
        with stack(services) as directory, serving(directory) as served:
            served.until("services", lambda found: all(item["state"] == "running" for item in found))
            with _page(browser, served, "/logs") as page:
                rows.append(_within(f"a line to the page, {name}: p95", limit, [_latency(page, directory)]))
    return rows


def _latency(page: Page, directory: Path) -> float:
    page.wait_for_timeout(2000)
    note_arrivals(page)
    sent = {}
    with (directory / "in" / "pipe").open("wb", buffering=0) as pipe:
        for number in range(_SAMPLES):
            sent[f"sample-{number}"] = time.time()
            pipe.write(f"sample-{number}\n".encode())
            page.wait_for_timeout(_BETWEEN * 1000)
    page.wait_for_timeout(2000)
    shown = arrivals(page)
    taken = quantiles([shown.get(mark, inf) - at for mark, at in sent.items()], n=20)[18]
    if taken == inf:
        raise BenchmarkError(f"{len(sent.keys() - shown.keys())} of {_SAMPLES} lines never reached the page")
    return taken


def _searches(image: str) -> list[Row]:
    """For a text in the middle of a million lines, that the dashboard has, or only the engine."""
    text = f"seq {_LINES} | sed 's/$/ is the number of this line in the history of a service/'"
    services = {
        "web": {
            "image": image,
            "command": ["sh", "-c", f"{text}; exec sleep 10000"],
            "stop_grace_period": "0s",
        }
    }
    middle = f"q={_LINES // 2}+is+the"
    expression = f"q=%5E{_LINES // 2}+is+.*service%24&regex=1"
    with stack(services) as directory:
        with serving(directory) as served:
            served.until("logs?limit=1", _is_whole, patience=300)
            rows = [
                _within("first hit in 1,000,000 lines: a text", 0.3, _hits(served, middle)),
                _within("first hit in 1,000,000 lines: an expression", 0.3, _hits(served, expression)),
            ]
        with serving(directory) as served:
            served.until("services", lambda found: found)
            cold = _hits(served, middle, times=1)
        name = "the same right after the start, where the engine alone has it"
        return [*rows, Row(name, "s", None, tuple(cold), (), peer="limit")]


def _is_whole(found: Any) -> bool:
    """Whether the last line is written, and the dashboard has read all of the past."""
    newest = found["lines"][-1]["text"] if found["lines"] else ""
    return newest.startswith(f"{_LINES} ") and not found["older"]


def _hits(served: Served, query: str, times: int = 5) -> list[float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        with served.open(f"logs/search?{query}") as answer:
            for line in answer:
                if json.loads(line)["type"] == "match":
                    taken.append(time.perf_counter() - began)
                    break
            else:
                raise BenchmarkError("the search found nothing")
    return taken


def _actions(browser: Browser) -> Row:
    """The slowest of the page's answers, on a stand-in for a server: no engine here runs 300 services."""
    made = StandIn([entry(f"service-{number:03}") for number in range(_SERVICES)])
    with serving_stand_in(made) as address:
        page = browser.new_page()
        page.goto(address)
        page.locator("tr[data-service]").first.wait_for()
        taken = {name: answers_after(page, act) for name, act in _ACTIONS.items()}
        page.close()
    slowest = max(taken, key=taken.__getitem__)
    return _within(f"300 services: the slowest action ({slowest})", 0.1, [taken[slowest]])


def _tabs(browser: Browser, image: str) -> Row:
    """Ten pages of one browser: how late the last of them shows a line."""
    services = {
        "web": {
            "image": image,
            "command": ["sh", "-c", "exec cat <>/in/pipe"],
            "volumes": ["./in:/in"],
            "stop_grace_period": "0s",
        }
    }
    with stack(services) as directory, serving(directory) as served:
        context = browser.new_context()
        pages = [context.new_page() for _ in range(_TABS)]
        for page in pages:
            page.goto(served.at("/logs"))
            page.locator(".brand").wait_for()
            note_arrivals(page)
        taken = []
        with (directory / "in" / "pipe").open("wb", buffering=0) as pipe:
            for number in range(5):
                began = time.time()
                pipe.write(f"sample-{number}\n".encode())
                taken.append(max(_arrival(page, f"sample-{number}") for page in pages) - began)
        context.close()
    return _within("ten tabs at once: a line on the last of them", 1.0, taken)


def _arrival(page: Page, mark: str) -> float:
    page.bring_to_front()
    page.wait_for_function("mark => window.arrived[mark]", arg=mark)
    return arrivals(page)[mark]


def _load(browser: Browser, image: str, seconds: float) -> list[Row]:
    outcome: Outcome = soak(browser, image, seconds, RATE)
    name = f"{RATE:,} lines a second, {outcome.lines:,} lines"
    return [
        _within(f"{name}: the server's memory", 150e6, [outcome.server_memory], "MB"),
        _within(f"{name}: the page's memory", 300e6, [outcome.page_memory], "MB"),
        _within(f"{name}: lost or twice", 0, [outcome.lost + outcome.twice], "lines"),
    ]
