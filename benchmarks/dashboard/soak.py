"""Lines with numbers, written for minutes, counted where they arrive: `python -m benchmarks.dashboard.soak`.

    python -m benchmarks.dashboard.soak --minutes 30 --disturb 60 \\
        --restart-engine "systemctl restart docker"

Every `--disturb` seconds, the writer is restarted, recreated with a new environment, rebuilt, and then the
connection to the engine is cut for some seconds. `--restart-engine` is a command, done once, after half of
the time.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import psutil
from playwright.sync_api import Browser

from benchmarks.dashboard.browsing import chromium, renderer_memory, watched_by_nobody
from benchmarks.dashboard.cutting import Cutting, cutting
from benchmarks.dashboard.served import Served, run, serving, stack
from benchmarks.images import base_image
from benchmarks.pairing import BenchmarkError

_WARM_UP = 20.0  # seconds after which memory should not grow any more
_DRAIN = 60.0
_CUT = 3.0  # seconds without an engine
# `run R line N`: numbered from 1 in each run of the container; the last words say how many there were.
_SCRIPT = """\
read run rest </proc/uptime; i=0
trap 'echo "run $run ends $i"; exit 0' TERM
while :; do
  seq $((i + 1)) $((i + BATCH)) |
    sed "s/^/run $run line /; s/$/ and some more words to make it as long as a usual one/"
  i=$((i + BATCH)); usleep 95000
done
"""


def writer(image: str, rate: int) -> dict[str, object]:
    """A service that writes numbered lines, about `rate` a second."""
    script = _SCRIPT.replace("BATCH", str(rate // 10)).replace("$", "$$")
    return {"image": image, "command": ["sh", "-c", script], "stop_grace_period": "10s"}


@dataclass
class Outcome:
    """What came of it. Memory in bytes; `began` and `ended` are the server's, after the warm-up and at
    the end."""

    lines: int = 0
    lost: int = 0
    twice: int = 0
    runs: int = 0
    seconds: float = 0.0
    server_memory: float = 0.0
    page_memory: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    disturbances: list[str] = field(default_factory=list)


class _Counting:
    """Reads the stream of lines as a program does, and counts the lines of each run of the writer."""

    def __init__(self, served: Served) -> None:
        self.seen: dict[str, bytearray] = {}
        self.ends: dict[str, int] = {}
        self.newest = ""
        self._served = served
        self._ended = threading.Event()
        self._last = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        """Follows; where the stream broke off, what was missed is asked for."""
        while not self._ended.is_set():
            with suppress(OSError, ValueError):
                self._follow()
            self._ended.wait(0.2)

    def _follow(self) -> None:
        with self._served.open("events?logs=lines") as stream:
            name = ""
            for line in stream:
                if self._ended.is_set():
                    return
                if line.startswith(b"event: "):
                    name = line[7:].strip().decode()
                elif line.startswith(b"data: ") and name == "logs":
                    self._take(json.loads(line[6:]).get("lines", []))
                elif line.startswith(b"data: ") and name == "services":
                    self._catch_up()

    def _catch_up(self) -> None:
        while self._last:
            page = self._served.get(f"logs?after={self._last}&limit=2000")
            self._take(page["lines"])
            if not page["lines"]:
                return

    def _take(self, lines: list[dict[str, object]]) -> None:
        for line in lines:
            number = int(str(line["n"]))
            if number <= self._last:  # told by the stream and found by catching up
                continue
            self._last = number
            self.count(str(line["text"]))

    def count(self, text: str) -> None:
        words = text.split(" ", 4)
        if len(words) < 4 or words[0] != "run":
            return
        if words[2] == "ends":
            self.ends[words[1]] = int(words[3])
        elif words[2] == "line":
            self.newest = words[1]
            self._count_line(self.seen.setdefault(words[1], bytearray()), int(words[3]))

    @staticmethod
    def _count_line(counts: bytearray, number: int) -> None:
        if number >= len(counts):
            counts.extend(bytes(number + 10_000 - len(counts)))
        counts[number] = min(counts[number] + 1, 255)

    def stop(self) -> None:
        self._ended.set()


def soak(
    browser: Browser,
    image: str,
    seconds: float,
    rate: int,
    *,
    disturb: float = 0.0,
    restart_engine: str = "",
    tell: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """Writes for so long, with a page that follows. `disturb`: seconds between disturbances; 0 for none."""
    services = {"writer": writer(image, rate)}
    outcome = Outcome()
    with cutting() if disturb else nullcontext() as cut, stack(services) as directory:
        environment = {"DOCKER_HOST": cut.address} if cut else {}
        with (
            serving(directory, environment) as served,
            _followed(browser, served),
            watched_by_nobody(served.at("/logs")) as plain,
        ):
            counting = _Counting(served)
            disturber = _Disturber(directory, image, rate, cut, outcome, restart_engine)
            began = time.monotonic()
            next_one = began + disturb
            while (elapsed := time.monotonic() - began) < seconds:
                browser.contexts[0].pages[0].wait_for_timeout(1000)  # lets the page's messages be read
                _note_memory(outcome, served, plain, elapsed)
                if disturb and time.monotonic() >= next_one and seconds - elapsed > disturb / 2:
                    next_one = time.monotonic() + disturb
                    done = disturber.next(is_late=elapsed > seconds / 2)
                    tell(f"{elapsed:.0f} s: {done}, {served.memory / 1e6:.0f} MB")
            run(directory, "stop")
            _wait_for_ends(counting, 1 + disturber.runs)
            outcome.seconds = time.monotonic() - began
            counting.stop()
            _sum_up(outcome, counting)
            _check_page(browser, outcome)
    return outcome


@contextmanager
def _followed(browser: Browser, served: Served) -> Iterator[None]:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(served.at("/logs"))
        page.locator(".brand").wait_for()
        yield
    finally:
        context.close()


def _note_memory(outcome: Outcome, served: Served, plain: psutil.Process, elapsed: float) -> None:
    now = served.memory
    outcome.server_memory = max(outcome.server_memory, now)
    outcome.page_memory = max(outcome.page_memory, renderer_memory(plain))
    outcome.ended = now
    if elapsed > _WARM_UP and not outcome.began:
        outcome.began = now


class _Disturber:
    """Does one thing after the other. `runs`: how often the writer began anew."""

    def __init__(
        self,
        directory: Path,
        image: str,
        rate: int,
        cut: Cutting | None,
        outcome: Outcome,
        restart_engine: str,
    ) -> None:
        self.runs = 0
        self._directory = directory
        self._service = writer(image, rate)
        self._cut = cut
        self._outcome = outcome
        self._restart_engine = restart_engine
        self._turns = cycle((self._restart, self._recreate, self._rebuild, self._cut_off))
        self._image = image

    def next(self, is_late: bool) -> str:
        """The name of what was done."""
        if is_late and self._restart_engine:
            command, self._restart_engine = shlex.split(self._restart_engine), ""
            subprocess.run(command, check=True)
            self.runs += 1
            self._until_up()
            name = "the engine restarted"
        else:
            name = next(self._turns)()
        self._outcome.disturbances.append(name)
        return name

    def _restart(self) -> str:
        run(self._directory, "restart", "--service", "writer")
        self.runs += 1
        return "restart"

    def _recreate(self) -> str:
        self._service = {**self._service, "environment": {"TURN": str(self.runs)}}
        self._until_up()
        self.runs += 1
        return "recreated"

    def _rebuild(self) -> str:
        """From an image that is built of a Dockerfile in the folder."""
        text = f"FROM {self._image}\nENV BUILT={self.runs}\n"
        (self._directory / "Dockerfile").write_text(text)
        service = {name: value for name, value in self._service.items() if name != "image"}
        self._service = {**service, "build": "."}
        self._until_up("--build")
        self.runs += 1
        return "rebuilt"

    def _until_up(self, *flags: str) -> None:
        (self._directory / "compose.yaml").write_text(json.dumps({"services": {"writer": self._service}}))
        run(self._directory, "up", "--detach", *flags)

    def _cut_off(self) -> str:
        assert self._cut is not None
        self._cut.off()
        time.sleep(_CUT)
        self._cut.on()
        return "cut off from the engine"


def _wait_for_ends(counting: _Counting, runs: int) -> None:
    deadline = time.monotonic() + _DRAIN
    while len(counting.ends) < runs and time.monotonic() < deadline:
        time.sleep(0.2)


def _sum_up(outcome: Outcome, counting: _Counting) -> None:
    """A run whose last words are not there has lost at least one line. The first lines of the first run may
    be older than what the stream began with: the dashboard has them."""
    first = min(counting.seen, key=float, default="")
    for name, counts in counting.seen.items():
        last = counting.ends.get(name, 0)
        if not last:
            outcome.lost += 1
        known = Counter(counts[1 : last + 1 if last else None])
        begun = next((number for number, count in enumerate(counts) if count), 1) if name == first else 1
        outcome.lines += sum(number * times for number, times in known.items())
        outcome.twice += sum((number - 1) * times for number, times in known.items() if number > 1)
        outcome.lost += max(0, counts[begun : last + 1].count(0)) if last else 0
    outcome.runs = len(counting.seen)


def _check_page(browser: Browser, outcome: Outcome) -> None:
    """What the page has at the end: each line once."""
    page = browser.contexts[0].pages[0]
    page.wait_for_timeout(1000)
    ids: list[str] = page.evaluate("document.querySelector('log-view').props.lines.map((line) => line.n)")
    outcome.twice += len(ids) - len(set(ids))
    if not ids:
        raise BenchmarkError("the page shows no lines")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--rate", type=int, default=5000, help="lines a second")
    parser.add_argument("--disturb", type=float, default=0.0, help="seconds between two disturbances")
    parser.add_argument("--restart-engine", default="", help="a command that restarts the engine, done once")
    options = parser.parse_args()
    with chromium() as browser, base_image() as image:
        found = soak(
            browser,
            image,
            options.minutes * 60,
            options.rate,
            disturb=options.disturb,
            restart_engine=options.restart_engine,
            tell=lambda text: print(text, flush=True),
        )
    print(f"{found.lines:,} lines in {found.seconds:.0f} s, {found.runs} runs of the writer")
    print(f"disturbed by: {dict(Counter(found.disturbances))}")
    print(f"lost {found.lost}, twice {found.twice}")
    print(
        f"server: {found.began / 1e6:.0f} MB after {_WARM_UP:.0f} s, {found.ended / 1e6:.0f} MB at the end, ",
        end="",
    )
    print(f"at most {found.server_memory / 1e6:.0f} MB; page: at most {found.page_memory / 1e6:.0f} MB")
    raise SystemExit(bool(found.lost or found.twice))


if __name__ == "__main__":
    main()
