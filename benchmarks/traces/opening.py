"""How long a large trace takes to open, from the store to the painted page, in the system's Chromium.

Two ways: from another page of the dashboard, and by its address in a new tab. The times are the browser's.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Error, Page, sync_playwright

from benchmarks.traces.sending import Sender
from benchmarks.traces.serving import Served, own_state, served

_Go = Callable[[Page, Served, str], None]
_TRIES = 5
_LONGEST = 1000.0  # ms: what the page may take
_PARTS = ("asked", "first byte", "last byte", "painted")
_MEASURE = """async (id) => {
    const frame = () => new Promise(requestAnimationFrame);
    const shown = () => document.querySelector(".trace-id")?.textContent;
    const painted = () => shown() === id && document.querySelector(".wf-row");
    const began = window.__began ?? 0;
    while (!painted()) await frame();
    await frame();
    const now = performance.now();
    const requests = performance.getEntriesByType("resource");
    const asked = requests.findLast((one) => one.name.includes(`v1/traces/${id}?brief`));
    return [asked.startTime, asked.responseStart, asked.responseEnd, now].map((at) => at - began);
}"""
_GO = """(path) => {
    window.__began = performance.now();
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate"));
}"""


def measure_opening(spans: int, times: int) -> bool:
    """Prints medians and the slowest, in milliseconds. Whether each half of the times was within a second."""
    with own_state(), served() as dashboard, _context() as context:
        trace = Sender(dashboard.door).send_large_trace(spans)
        answers = [dashboard.get(f"traces/{trace}") for _ in range(times)]
        assert len(answers[0][1]["spans"]) == spans, "the trace is not whole"
        print(f"a trace of {spans:,} spans, {times} times, in ms: median and slowest")
        print(f"answer of the server, whole: {_told([took * 1000 for took, _ in answers])}", flush=True)
        ways = {"from another page": _from_another_page, "in a new tab": _by_address}
        found = [
            _told_parts(title, [_measured(context, dashboard, go, trace) for _ in range(times)])
            for title, go in ways.items()
        ]
    return all(found)


@contextmanager
def _context() -> Iterator[BrowserContext]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    if not chromium:
        sys.exit("there is no Chromium: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_context(viewport={"width": 1280, "height": 900})
        browser.close()


def _measured(context: BrowserContext, dashboard: Served, go: _Go, trace: str) -> list[float]:
    """The times of one opening, in a tab with the list of traces. Once more where a network of the machine
    came or went: Chromium breaks off what it loads then, and the page loads itself again."""
    for _ in range(_TRIES):
        page = context.new_page()
        try:
            page.goto(dashboard.link.replace("/?", "/traces?"))
            page.locator(".trace-row").first.wait_for()
            go(page, dashboard, trace)
            found: list[float] = page.evaluate(_MEASURE, trace)
        except Error as error:
            print(f"(once more: {error.message.splitlines()[0]})", flush=True)
        else:
            return found
        finally:
            page.close()
    sys.exit("the page did not open")


def _from_another_page(page: Page, dashboard: Served, trace: str) -> None:
    page.evaluate(_GO, f"/traces/{trace}")


def _by_address(page: Page, dashboard: Served, trace: str) -> None:
    page.goto(f"http://{dashboard.address}/traces/{trace}", wait_until="domcontentloaded")


def _told_parts(title: str, runs: list[list[float]]) -> bool:
    columns = list(zip(*runs, strict=True))
    shown = ", ".join(f"{name} {_told(list(values))}" for name, values in zip(_PARTS, columns, strict=True))
    print(f"{title}: {shown}", flush=True)
    return bool(statistics.median(columns[-1]) < _LONGEST)


def _told(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({max(values):.0f})"
