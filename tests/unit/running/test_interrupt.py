"""Signals: the first asks, the second insists, and the handlers are put back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from invoke_devstack.errors import Interrupted
from invoke_devstack.running.interrupt import Interrupt


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_exit_code_says_which_signal_came(number: int, code: int) -> None:
    with Interrupt() as interrupt:
        os.kill(os.getpid(), number)
        assert interrupt.requested.wait(30)
    with pytest.raises(Interrupted) as caught:
        interrupt.check()
    assert caught.value.exit_code == code


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with Interrupt():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(item) for item in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_pause_ends_at_once_when_a_signal_comes() -> None:
    interrupt = Interrupt()
    threading.Timer(0.05, interrupt.deliver, args=(signal.SIGINT,)).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        interrupt.pause(60)
    assert time.monotonic() - began < 30


def test_a_second_signal_forces() -> None:
    interrupt = Interrupt()
    interrupt.deliver(signal.SIGINT)
    assert not interrupt.forced.is_set()
    time.sleep(0.15)
    interrupt.deliver(signal.SIGINT)
    assert interrupt.forced.is_set()


def test_the_echo_of_a_signal_is_no_second_one() -> None:
    interrupt = Interrupt()
    interrupt.deliver(signal.SIGINT)
    interrupt.deliver(signal.SIGINT)
    assert not interrupt.forced.is_set()


def test_callbacks_are_told_of_each_signal_and_of_one_that_came_before() -> None:
    interrupt = Interrupt()
    interrupt.deliver(signal.SIGINT)
    told: list[bool] = []
    with interrupt.calling(lambda: told.append(interrupt.forced.is_set())):
        time.sleep(0.15)
        interrupt.deliver(signal.SIGTERM)
    interrupt.deliver(signal.SIGTERM)
    assert told == [False, True]
    assert interrupt.error().exit_code == 130


def test_without_a_signal_nothing_is_raised() -> None:
    interrupt = Interrupt()
    interrupt.check()
    interrupt.pause(0.01)


_BUSY = """
import hashlib, os, signal, threading, time
from invoke_devstack.running.interrupt import Interrupt

with Interrupt() as interrupt:
    def signal_and_wait():
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        if interrupt.requested.wait(60):
            seen.append(time.monotonic())
    seen = []
    thread = threading.Thread(target=signal_and_wait)
    thread.start()
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 5_000_000)
    done = time.monotonic()
    thread.join()
    print(seen[0] < done - 0.2, interrupt.signal_number)
"""


def test_a_signal_is_seen_while_the_main_thread_executes_no_python() -> None:
    done = subprocess.run([sys.executable, "-c", _BUSY], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True 15", "")


_RAISING = """
import os, signal, time
from invoke_devstack.running.interrupt import Interrupt

interrupt = Interrupt()
with interrupt, interrupt.raising():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)
    except KeyboardInterrupt:
        print(interrupt.requested.is_set(), interrupt.signal_number)
"""


def test_where_it_raises_a_wait_in_the_main_thread_ends_and_the_signal_is_known() -> None:
    done = subprocess.run([sys.executable, "-c", _RAISING], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True 15", "")


_OUTPUT = """
import sys, time
from invoke_devstack.running.interrupt import Interrupt

def gone():
    print("gone", file=sys.stderr, flush=True)

with Interrupt(gone):
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_reader_that_leaves_is_noticed_without_a_write() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _OUTPUT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.stdout.close()
        assert process.stderr.readline() == "gone\n"
        process.kill()
