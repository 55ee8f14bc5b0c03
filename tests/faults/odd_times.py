"""The clock jumps; the machine sleeps."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil

from tests.faults.engine_gone import COUNTING, SLOW, SYNCED, shows
from tests.faults.lab import Lab
from tests.faults.project import eventually

_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
_TASKS = """
import threading, time
from invoke_devstack import stack

# libfaketime 0.9 takes the monotonic time that Python sleeps until for a time of day.
time.sleep = lambda seconds: threading.Event().wait(seconds)
namespace = stack()
"""
JUMPS = ("+3h", "-3h", "+40d", "-40d")


def clock_jumps(lab: Lab) -> None:
    """The clock of the commands jumps by hours and weeks, forwards and back, under `up`, `down`,
    `logs --follow` and `watch`; the engine's stays, as that of a virtual machine does."""
    library = _library()
    if library is None:
        lab.tally.not_run = "libfaketime is not installed: sudo apt-get install libfaketime"
        return
    project = lab.project(SLOW)
    project.write("tasks.py", _TASKS)
    clock = lab.folder / "clock"
    project.variables |= {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    for number in lab.each_round():
        lab.tally.rounds += 1
        for word in ("up", "down"):
            clock.write_text("+0")
            running = project.start(word)
            time.sleep(lab.chance.uniform(0.6, 1.6))
            clock.write_text(JUMPS[number % len(JUMPS)])
            ended = lab.tally.ended(running.end(), says=r"ready|is up|down")
            lab.tally.check(ended.seconds < 30, f"`{word}` took {ended.seconds:.0f} s")
        lab.tally.check(project.states() == {}, f"after `down` there is {project.states()}")
        _follows_while_it_jumps(lab, clock, number, project.variables)
        _watches_while_it_jumps(lab, clock, number, project.variables)


def _library() -> Path | None:
    paths = (Path(folder, "faketime", "libfaketimeMT.so.1") for folder in _LIBRARIES)
    return next((path for path in paths if path.exists()), None)


def _follows_while_it_jumps(lab: Lab, clock: Path, number: int, variables: dict[str, str]) -> None:
    project = lab.project(COUNTING, "counting")
    project.write("tasks.py", _TASKS)
    project.variables |= variables
    clock.write_text("+0")
    lab.tally.ended(project.invoke("up"))
    running = project.start("logs", "--follow")
    running.says("-20\n")
    clock.write_text(JUMPS[number % len(JUMPS)])
    running.says("-150\n")
    running.send(signal.SIGINT)
    _numbers_are_whole(lab, lab.tally.ended(running.end(), code=130).text)
    lab.tally.ended(project.invoke("down"))


def _numbers_are_whole(lab: Lab, text: str) -> None:
    numbers = [int(line.rpartition("-")[2]) for line in text.splitlines() if line[-1:].isdigit()]
    lab.tally.lost += len(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    whole = len(numbers) >= 100 and numbers == list(range(1, len(numbers) + 1))
    lab.tally.check(whole, f"the log has a gap or a repeat: {numbers[:3]}…{numbers[-3:]}, {len(numbers)}")


def _watches_while_it_jumps(lab: Lab, clock: Path, number: int, variables: dict[str, str]) -> None:
    project = lab.project(SYNCED, "watching")
    project.write("tasks.py", _TASKS)
    project.variables |= variables
    clock.write_text("+0")
    project.write("src/page", "before")
    lab.tally.ended(project.invoke("up"))
    running = project.start("watch")
    running.says("watching")
    clock.write_text(JUMPS[number % len(JUMPS)])
    project.write("src/page", f"after {number}")
    arrived = eventually(lambda: shows(project, f"after {number}"), 10)
    lab.tally.lost += not arrived
    lab.tally.check(arrived, f"a file saved after the jump did not arrive: {running.text[-300:]}")
    running.send(signal.SIGINT)
    lab.tally.ended(running.end(), code=130)
    lab.tally.ended(project.invoke("down"))


def machine_sleeps(lab: Lab) -> None:
    """Engine, containers and commands stand still and go on together."""
    slow, counting, synced = (
        lab.project(SLOW, "slow"),
        lab.project(COUNTING, "counting"),
        lab.project(SYNCED, "watching"),
    )
    synced.write("src/page", "0")
    for project in (counting, synced):
        lab.tally.ended(project.invoke("up"))
    follow, watch = counting.start("logs", "--follow"), synced.start("watch")
    watch.says("watching")
    for number in lab.each_round():
        lab.tally.rounds += 1
        for word in ("up", "down"):
            running = slow.start(word)
            time.sleep(lab.chance.uniform(0.4, 1.5))
            _sleep(lab, 20.0 if lab.thorough else 4.0)
            lab.tally.ended(running.end())
        synced.write("src/page", str(number + 1))
        arrived = eventually(partial(shows, synced, str(number + 1)), 20)
        lab.tally.lost += not arrived
        lab.tally.check(arrived, f"a file saved after the sleep did not arrive: {watch.text[-300:]}")
    for running in (follow, watch):
        lab.tally.check(running.process.poll() is None, f"{running.words} ended: {running.text[-300:]}")
        running.send(signal.SIGINT)
    lab.tally.ended(watch.end(), code=130)
    _numbers_are_whole(lab, lab.tally.ended(follow.end(), code=130).text)
    for project in (counting, synced):
        lab.tally.ended(project.invoke("down"))


def _sleep(lab: Lab, seconds: float) -> None:
    frozen = lab.engine.processes()
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    time.sleep(seconds)
    for process in frozen:
        with suppress(psutil.NoSuchProcess):
            process.resume()
