"""The page in the system's Chromium: what is measured in it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
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
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def _program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise BenchmarkError("a browser is needed: apt-get install chromium")


@contextmanager
def watched_by_nobody(address: str) -> Iterator[psutil.Process]:
    """A browser with this page, as a person opens it. One that Playwright has opened keeps 20 MB a minute of
    what the page receives, for whoever may look at it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        words = [
            _program(),
            "--headless=new",
            *_FLAGS,
            "--no-first-run",
            f"--user-data-dir={profile}",
            address,
        ]
        browser = psutil.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield browser
        finally:
            browser.terminate()
            browser.wait()


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


def renderer_memory(browser: psutil.Process) -> float:
    """Bytes of the browser's largest process for a page."""
    found = [0]
    for process in browser.children(recursive=True):
        try:
            if any("--type=renderer" in word for word in process.cmdline()):
                found.append(process.memory_info().rss)
        except psutil.Error:  # it has ended meanwhile
            continue
    return float(max(found))
