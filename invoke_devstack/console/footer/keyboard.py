"""Keys as they are typed, and the terminal as it was afterwards.

The terminal hands over each key at once and does not echo it; its signals (Ctrl-C, Ctrl-Z) stay. A job in the
background reads nothing and changes nothing: its terminal is somebody else's.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any

from invoke_devstack.console.footer import asking

_TICK = 1.0  # seconds between two looks at the clock, the size and the foreground
_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|\x1b|.", re.DOTALL)
_NAMES = {
    "\r": asking.ENTER,
    "\n": asking.ENTER,
    "\t": asking.TAB,
    "\x7f": asking.BACKSPACE,
    "\x08": asking.BACKSPACE,
    "\x15": asking.CLEAR,
    "\x1b": asking.ESCAPE,
    "\x07": asking.ESCAPE,
    "\x1b[A": asking.UP,
    "\x1bOA": asking.UP,
    "\x1b[B": asking.DOWN,
    "\x1bOB": asking.DOWN,
}


def keys_in(text: str) -> Iterator[str]:
    """The keys in what a terminal sent: characters, and names of `asking`. Others are left out."""
    for found in _KEY.findall(text):
        if found in _NAMES:
            yield _NAMES[found]
        elif len(found) == 1 and found.isprintable():
            yield found


def is_possible(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody sits at a terminal whose keys can be read: not in CI, nor in the background."""
    if environment.get("CI", "") not in ("", "0", "false") or sys.platform == "win32":
        return False
    return sys.stdin is not None and os.isatty(0) and _in_foreground()


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


class Keyboard:
    """From `start` to `stop`, both in any thread; signals are handled if it starts in the main thread."""

    def __init__(
        self,
        on_key: Callable[[str], None],
        on_tick: Callable[[], None],
        on_pause: Callable[[], None],
        on_resume: Callable[[], None],
    ) -> None:
        """`on_tick` is called every second, and when the window changes its size; `on_pause` before the
        process is stopped, and `on_resume` when it goes on in the foreground."""
        self._on_key = on_key
        self._on_tick = on_tick
        self._on_pause = on_pause
        self._on_resume = on_resume
        self._before: Any = None
        self._handlers: dict[int, Any] = {}
        self._wake = os.pipe()
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Takes the keys."""
        self._take()
        if threading.current_thread() is threading.main_thread():
            for number, handler in (
                (signal.SIGTSTP, self._pause),
                (signal.SIGCONT, self._go_on),
                (signal.SIGWINCH, self._nudge),
                (signal.SIGQUIT, self._die),
            ):
                self._handlers[number] = signal.signal(number, handler)
        os.set_blocking(self._wake[1], False)
        threading.Thread(target=self._run, name="keys", daemon=True).start()

    def stop(self) -> None:
        """Gives the terminal back. Handlers of signals only from the main thread, which alone can."""
        self._ended.set()
        self._poke()
        self._give_back()
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()

    def _take(self) -> None:
        """Again and again, if need be: a shell sets its own modes while we are stopped."""
        import termios

        with self._lock, suppress(termios.error):
            if self._ended.is_set() or not _in_foreground():
                return
            before = self._before or termios.tcgetattr(0)
            changed = [*before]
            changed[3] = before[3] & ~(termios.ICANON | termios.ECHO)
            changed[6] = [*before[6]]
            changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
            termios.tcsetattr(0, termios.TCSANOW, changed)
            self._before = before

    def _give_back(self) -> None:
        import termios

        with self._lock, suppress(termios.error):
            before, self._before = self._before, None
            if before is not None and _in_foreground():
                termios.tcsetattr(0, termios.TCSANOW, before)

    @property
    def _reads(self) -> bool:
        return self._before is not None and _in_foreground()

    def _run(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while not self._ended.is_set():
            if self._before is None and _in_foreground():
                self._resume()
            watched = [self._wake[0], *((0,) if self._reads else ())]
            ready = select.select(watched, [], [], _TICK)[0]
            if self._wake[0] in ready:
                os.read(self._wake[0], 64)
            if 0 in ready and self._reads and not self._ended.is_set():
                typed = self._read()
                if typed is None:
                    return  # nobody is there any more
                for key in keys_in(decoder.decode(typed)):
                    self._on_key(key)
            if not self._ended.is_set():
                self._on_tick()

    def _read(self) -> bytes | None:
        try:
            return os.read(0, 256) or None
        except OSError:
            return None

    def _poke(self) -> None:
        with suppress(OSError):
            os.write(self._wake[1], b"!")

    # signals

    def _pause(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets its terminal as it was, and we stop as any other program."""
        self._on_pause()
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._pause)
        self._resume()

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        self._resume()

    def _resume(self) -> None:
        self._take()
        if self._reads:
            self._on_resume()

    def _nudge(self, number: int, frame: FrameType | None) -> None:
        self._poke()

    def _die(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-\\ ends us at once, but not without the terminal."""
        self._on_pause()
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
