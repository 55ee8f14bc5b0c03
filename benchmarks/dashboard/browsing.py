"""The page in the system's Chromium: what is measured in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.pairing import BenchmarkError

_FLAGS = ("--no-sandbox", "--disable-dev-shm-usage")
_ARRIVALS = """() => {
    window.arrived = {};
    let seen = 0;
    const look = () => {
        const lines = document.querySelector("log-view")?.props.lines ?? [];
        for (let place = lines.length - 1; place >= 0 && lines[place].key > seen; place -= 1) {
            const [mark] = lines[place].text.match(/sample-[0-9]+/) ?? [];
            if (mark) window.arrived[mark] = performance.timeOrigin + performance.now();
        }
        seen = lines.at(-1)?.key ?? seen;
        requestAnimationFrame(look);
    };
    look();
}"""
_ANSWER = """async (act) => {
    const began = performance.now();
    await (0, eval)(`(${act})`)();
    await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    return performance.now() - began;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window. Raises BenchmarkError where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise BenchmarkError("a browser is needed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def first_paint(page: Page) -> float:
    """Seconds from the request of the page to its first content on the screen."""
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    return float(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")) / 1000


def note_arrivals(page: Page) -> None:
    """From now on, the page notes when it draws a line with a mark `sample-NUMBER`."""
    page.evaluate(_ARRIVALS)


def arrivals(page: Page) -> dict[str, float]:
    """When each mark was drawn, in seconds since the epoch."""
    found: dict[str, float] = page.evaluate("window.arrived")
    return {mark: at / 1000 for mark, at in found.items()}


def answers_after(page: Page, act: str, times: int = 5) -> float:
    """Seconds from an action, a function in JavaScript, to the next drawn frame: the median."""
    taken: list[float] = sorted(page.evaluate(_ANSWER, act) for _ in range(times))
    return taken[times // 2] / 1000


def renderer_memory() -> float:
    """Bytes of the largest process of a page that this process has opened."""
    found = [0]
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            if any("--type=renderer" in word for word in process.cmdline()):
                found.append(process.memory_info().rss)
        except psutil.Error:  # it has ended meanwhile
            continue
    return float(max(found))
