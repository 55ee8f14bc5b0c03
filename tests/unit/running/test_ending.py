"""What a signal makes of a command that waits, in a process of its own: the end may be `os._exit`."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable

import pytest

from invoke_devstack.errors import Interrupted
from invoke_devstack.running.ending import seen_to
from invoke_devstack.running.interrupt import Interrupt

BUSY_MACHINE = 5.0  # seconds; what is not ended goes on for ever
_COMMAND = """
import sys, threading, time
from contextlib import nullcontext
from invoke_devstack.running.ending import seen_to
from invoke_devstack.running.interrupt import Interrupt

class Traffic:
    def break_off(self, make_error, *, before, reads_only=False): pass
    def give_up(self, make_error): print("given up", flush=True)
    def is_busy_since(self, moment): return BUSY_UNTIL > time.monotonic()

class Engine:
    traffic = Traffic()
    def answers_within(self, seconds):
        if not ALIVE: time.sleep(seconds)
        return ALIVE

ALIVE, GRACEFUL, BUSY_UNTIL = {alive}, {graceful}, time.monotonic() + {busy}
interrupt = Interrupt()
say = lambda text: lambda: print(text, flush=True)
with interrupt, seen_to(interrupt, lambda: Engine(), say("warned"), say("last words")):
    with interrupt.graceful() if GRACEFUL else nullcontext():
        print("ready", flush=True)
        lock = threading.Lock()
        lock.acquire()
        while not lock.acquire(timeout=100):  # nothing reaches it here
            pass
"""


class Command:
    def __init__(self, *, alive: bool, graceful: bool = False, busy: float = 0.0) -> None:
        text = textwrap.dedent(_COMMAND).format(alive=alive, graceful=graceful, busy=busy)
        self.process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def runs_after(self, seconds: float) -> bool:
        time.sleep(seconds)
        return self.process.poll() is None

    def end(self) -> tuple[float, int, str]:
        """(seconds until then, exit code, what it said)."""
        began = time.monotonic()
        out, _ = self.process.communicate(timeout=60)
        return time.monotonic() - began, self.process.returncode, out


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("alive", [True, False])
def test_what_no_exception_reaches_is_ended_within_a_second(number: int, code: int, alive: bool) -> None:
    command = Command(alive=alive)
    command.signal(number)
    seconds, ended, said = command.end()
    assert (ended, "last words" in said, "given up" in said) == (code, True, True)
    assert seconds < 1.0 + BUSY_MACHINE


def test_what_cleans_up_is_given_time_while_the_engine_answers() -> None:
    command = Command(alive=True, busy=3.0)
    command.signal(signal.SIGINT)
    assert command.runs_after(1.5)
    _, code, _ = command.end()
    assert code == 130


def test_a_graceful_stop_goes_on_and_the_third_signal_ends_it() -> None:
    command = Command(alive=True, graceful=True)
    for _ in range(2):
        command.signal(signal.SIGINT)
        assert command.runs_after(1.5)
    command.signal(signal.SIGINT)
    seconds, code, _ = command.end()
    assert code == 130
    assert seconds < 1.0 + BUSY_MACHINE


def test_the_second_signal_ends_a_graceful_stop_that_the_engine_does_not_answer() -> None:
    command = Command(alive=False, graceful=True)
    command.signal(signal.SIGTERM)
    assert command.runs_after(1.5)
    command.signal(signal.SIGTERM)
    seconds, code, said = command.end()
    assert (code, said.count("warned")) == (143, 1)
    assert seconds < 1.0 + BUSY_MACHINE


class Lossy:
    """An engine that answers pings, but has lost the answer to one request."""

    def __init__(self) -> None:
        self.asked_at = time.monotonic()
        self.broken_off = threading.Event()

    @property
    def traffic(self) -> Lossy:
        return self

    def answers_within(self, seconds: float) -> bool:
        return True

    def break_off(
        self, make_error: Callable[[], Interrupted], *, before: float, reads_only: bool = False
    ) -> None:
        if before > self.asked_at and not reads_only:
            self.broken_off.set()

    def give_up(self, make_error: Callable[[], Interrupted]) -> None:
        """Not before the third signal."""

    def is_busy_since(self, moment: float) -> bool:
        return False


def test_two_signals_are_enough_where_the_answer_to_a_graceful_command_is_lost() -> None:
    interrupt, engine = Interrupt(), Lossy()
    nothing = lambda: None  # noqa: E731
    with seen_to(interrupt, lambda: engine, nothing, nothing), interrupt.graceful():
        interrupt.deliver(signal.SIGINT)
        assert not engine.broken_off.wait(4.0), "it is stopped gracefully: that may take long"
        interrupt.deliver(signal.SIGINT)
        assert not engine.broken_off.wait(1.0), "what was killed ends, and the engine says so"
        assert engine.broken_off.wait(60)


class Lively:
    """An engine that answers; nobody asks it for anything."""

    def __init__(self) -> None:
        self.pings = 0
        self.given_up = False

    @property
    def traffic(self) -> Lively:
        return self

    def answers_within(self, seconds: float) -> bool:
        self.pings += 1
        return True

    def break_off(
        self, make_error: Callable[[], Interrupted], *, before: float, reads_only: bool = False
    ) -> None:
        """Nothing waits."""

    def give_up(self, make_error: Callable[[], Interrupted]) -> None:
        self.given_up = True

    def is_busy_since(self, moment: float) -> bool:
        return False


def test_in_a_server_what_cleans_up_may_pause_for_as_long_as_it_likes() -> None:
    interrupt, engine = Interrupt(), Lively()
    nothing = lambda: None  # noqa: E731
    with seen_to(interrupt, lambda: engine, nothing, nothing, ends_process=False):
        interrupt.deliver(signal.SIGINT)
        until = time.monotonic() + 60
        while engine.pings < 3 and time.monotonic() < until:  # one each second
            time.sleep(0.05)
        assert engine.pings >= 3
        assert not engine.given_up
