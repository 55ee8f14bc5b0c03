"""What strikes a command while it works, and again while the next command settles what it left."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.faults.lab import Lab
from tests.faults.project import Ended, Project, Running


@dataclass
class Strike:
    """A command that runs, and the moment for the fault, in seconds from its start. `ended_after`: seconds
    after which the command had ended, where that was before this moment; else 0. `stays`: it goes on until it
    is asked to end."""

    lab: Lab
    project: Project
    running: Running
    moment: float
    stays: bool = False
    ended_after: float = 0.0

    def wait(self) -> None:
        began = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            self.running.process.wait(self.moment)
            self.ended_after = time.monotonic() - began

    def settles(self, most: float = 2.5) -> None:
        """`up` gets SIGKILL while it settles what there is, once or twice."""
        for _ in range(self.lab.chance.choice((1, 1, 2))):
            running = self.project.start("up")
            time.sleep(self.lab.chance.uniform(0.3, most))
            running.send(signal.SIGKILL)
            running.end()


def kill(strike: Strike) -> Ended:
    strike.wait()
    strike.running.send(signal.SIGKILL)
    return strike.running.end()


def kill_twice(strike: Strike) -> Ended:
    ended = kill(strike)
    strike.settles()
    return ended


def terminate(strike: Strike) -> Ended:
    """It is asked to end, and does so by itself; then the settling is killed in half of the rounds."""
    strike.wait()
    strike.running.send(signal.SIGTERM)
    ended = strike.lab.tally.ended(strike.running.end(), code=None)
    if strike.lab.chance.random() < 0.5:
        strike.settles()
    return ended


def cut_short(strike: Strike) -> Ended:
    """As a session ends: SIGTERM, and SIGKILL a moment later."""
    strike.wait()
    strike.running.send(signal.SIGTERM)
    time.sleep(strike.lab.chance.uniform(0, 0.3))
    strike.running.send(signal.SIGKILL)
    ended = strike.running.end()
    strike.settles()
    return ended


def fill_disk(strike: Strike) -> Ended:
    """The disk is full from this moment on, during an `up` too; in half of the rounds the command is killed
    as well. Then there is room again."""
    strike.wait()
    engine = strike.lab.engine
    engine.leave_free(0)
    try:
        if strike.lab.chance.random() < 0.5:
            strike.running.send(signal.SIGKILL)
        elif strike.stays:
            time.sleep(3)
            strike.running.send(signal.SIGTERM)
        ended = strike.lab.tally.ended(strike.running.end(), code=None)
        strike.lab.tally.ended(strike.project.invoke("up"), code=None)
    finally:
        engine.resize("4g")
    # An engine whose disk was full may list what stopped as running, until it changes again.
    strike.lab.tally.ended(strike.project.invoke("up"), code=None)
    return ended


def shut_down(strike: Strike) -> Ended:
    """The machine shuts down: SIGTERM for the command, and a moment later for the engine."""
    strike.wait()
    strike.running.send(signal.SIGTERM)
    time.sleep(strike.lab.chance.uniform(0, 0.15))
    strike.lab.engine.stop()
    return _start_again(strike)


def kill_engine(strike: Strike) -> Ended:
    """The engine gets SIGKILL, and the command too; the engine comes back."""
    strike.wait()
    strike.lab.engine.stop(signal.SIGKILL)
    return _start_again(strike)


def _start_again(strike: Strike) -> Ended:
    """SIGKILL for the command, whose engine has stopped; then the engine comes back."""
    strike.running.send(signal.SIGKILL)
    ended = strike.running.end()
    strike.lab.engine.start()
    if strike.lab.chance.random() < 0.5:
        strike.settles()
    return ended


BLOWS: dict[str, Callable[[Strike], Ended]] = {
    "kill": kill,
    "kill-twice": kill_twice,
    "terminate": terminate,
    "cut-short": cut_short,
    "disk": fill_disk,
    "shutdown": shut_down,
    "engine-killed": kill_engine,
}
GENTLE = ("kill", "kill-twice", "terminate", "cut-short")
"""Those that leave the engine and its disk alone."""
WITHOUT_RESTART = (*GENTLE, "disk")
"""Those after which the engine goes on."""
